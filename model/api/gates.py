"""Feature gates that change what the API server accepts."""

import attrs


@attrs.frozen
class FeatureGates:
    """Gates of the API server, with their defaults in Kubernetes 1.36."""

    prefer_same_traffic_distribution: bool = True  # KEP-3015 (API-F-26)
    relaxed_service_name_validation: bool = True  # KEP-5311 (API-F-01)
    strict_ip_cidr_validation: bool = True  # KEP-4858 (API-F-31)
