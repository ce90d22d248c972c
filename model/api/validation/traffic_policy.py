"""Checks of the traffic policies, session affinity and the health check node port (API-F-20 to API-F-26)."""

from collections.abc import Iterator

from model.api.gates import FeatureGates
from model.api.objects import Service, SessionAffinityConfig
from model.api.refusal import FieldError
from model.api.validation.field_errors import forbidden, invalid, invalid_each, not_supported, required
from model.api.validation.names import port_number

AFFINITIES = ("ClientIP", "None")
MAX_AFFINITY_SECONDS = 86400

_POLICIES = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_HEALTH_CHECK = "spec.healthCheckNodePort"
_EXTERNAL, _INTERNAL = "spec.externalTrafficPolicy", "spec.internalTrafficPolicy"


def is_externally_accessible(service: Service) -> bool:
    """Whether traffic from outside can arrive at it (API-PRED-03)."""
    kind = service.spec.type
    return kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(service.spec.external_ips))


def needs_health_check(service: Service) -> bool:
    """Whether nodes must tell a load balancer which of them have endpoints (API-PRED-04)."""
    return service.spec.type == "LoadBalancer" and service.spec.external_traffic_policy == "Local"


def external_traffic_policy_errors(service: Service) -> Iterator[FieldError]:
    """Errors of externalTrafficPolicy (API-F-22) and healthCheckNodePort (API-F-23)."""
    policy, number = service.spec.external_traffic_policy, service.spec.health_check_node_port
    if not is_externally_accessible(service):
        if policy:
            yield invalid(_EXTERNAL, policy, "may only be set for externally accessible services")
    elif not policy:
        yield required(_EXTERNAL)
    elif policy not in _POLICIES:
        yield not_supported(_EXTERNAL, policy, _POLICIES)
    if not needs_health_check(service):
        if number:
            detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            yield invalid(_HEALTH_CHECK, number, detail)
    elif not number:
        yield required(_HEALTH_CHECK)
    else:
        yield from invalid_each(_HEALTH_CHECK, number, port_number(number))


def health_check_change_errors(service: Service, old: Service) -> Iterator[FieldError]:
    """The number stays while a health check is needed before and after (API-F-23)."""
    changed = service.spec.health_check_node_port != old.spec.health_check_node_port
    if changed and needs_health_check(service) and needs_health_check(old):
        yield forbidden(_HEALTH_CHECK, "must not change")


def internal_traffic_policy_errors(service: Service) -> Iterator[FieldError]:
    """Errors of internalTrafficPolicy; ExternalName may have one or none (API-F-24)."""
    policy = service.spec.internal_traffic_policy
    if policy is None:
        if service.spec.type in ("ClusterIP", "NodePort", "LoadBalancer"):
            yield required(_INTERNAL)
    elif policy not in _POLICIES:
        yield not_supported(_INTERNAL, policy, _POLICIES)


def traffic_distribution_errors(service: Service, gates: FeatureGates) -> Iterator[FieldError]:
    """Errors of trafficDistribution (API-F-26)."""
    supported = _DISTRIBUTIONS if gates.prefer_same_traffic_distribution else _DISTRIBUTIONS[:1]
    distribution = service.spec.traffic_distribution
    if distribution is not None and distribution not in supported:
        yield not_supported("spec.trafficDistribution", distribution, supported)


def session_affinity_errors(service: Service) -> Iterator[FieldError]:
    """Errors of sessionAffinity (API-F-20) and its timeout in seconds (API-F-21)."""
    affinity, config = service.spec.session_affinity, service.spec.session_affinity_config
    if not affinity:
        yield required("spec.sessionAffinity")
    elif affinity not in AFFINITIES:
        yield not_supported("spec.sessionAffinity", affinity, AFFINITIES)
    field = "spec.sessionAffinityConfig"
    if affinity == "ClientIP":
        yield from _client_ip_errors(config, field)
    elif affinity == "None" and config is not None:
        yield forbidden(field, "must not be set when session affinity is None")


def _client_ip_errors(config: SessionAffinityConfig | None, field: str) -> Iterator[FieldError]:
    if config is None:
        yield required(field)
    elif config.client_ip is None:
        yield required(f"{field}.clientIP")
    elif config.client_ip.timeout_seconds is None:
        yield required(f"{field}.clientIP.timeoutSeconds")
    elif not 0 < config.client_ip.timeout_seconds <= MAX_AFFINITY_SECONDS:
        timeout = config.client_ip.timeout_seconds
        detail = f"must be more than 0 and at most {MAX_AFFINITY_SECONDS}"
        yield invalid(f"{field}.clientIP.timeoutSeconds", timeout, detail)
