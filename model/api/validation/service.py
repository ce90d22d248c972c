"""Every check of a Service: on creation, on change of its spec, on change of its status.

Objects arrive defaulted and with their allocations, as in the API server, which validates
after it allocated (API-PIPE-01, API-PIPE-02). All errors are returned, none is raised.
Source: VAL ValidateServiceCreate, ValidateServiceUpdate, ValidateServiceStatusUpdate.
"""

from collections.abc import Iterator

from model.api.gates import FeatureGates
from model.api.objects import Service
from model.api.refusal import FieldError
from model.api.validation.cluster_ips import (
    cluster_ip_change_errors,
    cluster_ip_errors,
    ip_family_change_errors,
    is_headless,
)
from model.api.validation.field_errors import invalid, invalid_each, not_supported, required
from model.api.validation.ip_text import endpoint_ip_errors, legacy_ip_errors
from model.api.validation.load_balancer import (
    load_balancer_class_change_errors,
    load_balancer_field_errors,
    load_balancer_status_errors,
    source_range_errors,
)
from model.api.validation.metadata import label_errors, metadata_errors, metadata_update_errors
from model.api.validation.names import dns_1035_label, dns_1123_label, dns_1123_subdomain
from model.api.validation.service_ports import service_port_errors
from model.api.validation.traffic_policy import (
    external_traffic_policy_errors,
    health_check_change_errors,
    internal_traffic_policy_errors,
    session_affinity_errors,
    traffic_distribution_errors,
)

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
TOPOLOGY_AWARE_HINTS = "service.kubernetes.io/topology-aware-hints"


def validate_service_create(service: Service, gates: FeatureGates) -> tuple[FieldError, ...]:
    """Errors of a new Service; only here the form of its name is asked for (API-F-01)."""
    name_form = dns_1123_label if gates.relaxed_service_name_validation else dns_1035_label
    return (
        *metadata_errors(service.metadata, name_form, namespaced=True),
        *_service_errors(service, None, gates),
    )


def validate_service_update(service: Service, old: Service, gates: FeatureGates) -> tuple[FieldError, ...]:
    """Errors of a changed Service; addresses and CIDRs that `old` holds already are exempt (API-F-31)."""
    return (
        *metadata_update_errors(service.metadata, old.metadata),
        *cluster_ip_change_errors(service, old),
        *ip_family_change_errors(service, old),
        *load_balancer_class_change_errors(service, old),
        *health_check_change_errors(service, old),
        *_service_errors(service, old, gates),
    )


def validate_status_update(service: Service, old: Service, gates: FeatureGates) -> tuple[FieldError, ...]:
    """Errors of a changed status: metadata and load balancer, never the spec (API-F-29, API-F-30)."""
    balancer, before = service.status.load_balancer, old.status.load_balancer
    return (
        *metadata_update_errors(service.metadata, old.metadata),
        *load_balancer_status_errors(balancer, before, service.spec, "status.loadBalancer", gates),
    )


def validate_external_traffic_policy(service: Service) -> tuple[FieldError, ...]:
    """Errors of externalTrafficPolicy and healthCheckNodePort alone (API-F-22, API-F-23)."""
    return tuple(external_traffic_policy_errors(service))


def _service_errors(service: Service, old: Service | None, gates: FeatureGates) -> Iterator[FieldError]:
    yield from _topology_annotation_errors(service)
    yield from _type_errors(service)
    yield from cluster_ip_errors(service, old, gates)
    yield from service_port_errors(service)
    yield from label_errors(service.spec.selector, "spec.selector")
    yield from session_affinity_errors(service)
    yield from _external_ip_errors(service, old, gates)
    yield from source_range_errors(service, old, gates)
    yield from load_balancer_field_errors(service)
    yield from external_traffic_policy_errors(service)
    yield from internal_traffic_policy_errors(service)
    yield from traffic_distribution_errors(service, gates)


def _topology_annotation_errors(service: Service) -> Iterator[FieldError]:
    annotations = dict(service.metadata.annotations)
    mode, hints = annotations.get(TOPOLOGY_MODE), annotations.get(TOPOLOGY_AWARE_HINTS)
    if mode is not None and hints is not None and mode != hints:
        field = f"metadata.annotations[{TOPOLOGY_MODE}]"
        yield invalid(field, mode, f"must match {TOPOLOGY_AWARE_HINTS} when both are set")


def _type_errors(service: Service) -> Iterator[FieldError]:
    """The type, and what it demands of ports, cluster IP and external name (API-F-02, -03, -14)."""
    kind = service.spec.type
    if not kind:
        yield required("spec.type")
    elif kind not in TYPES:
        yield not_supported("spec.type", kind, TYPES)
    if not service.spec.ports and not is_headless(service) and kind != "ExternalName":
        yield required("spec.ports")
    if kind in ("NodePort", "LoadBalancer") and is_headless(service):
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        # One trailing dot marks the name as fully qualified and is no part of its form.
        name = service.spec.external_name.removesuffix(".")
        if name:
            yield from invalid_each("spec.externalName", name, dns_1123_subdomain(name))
        else:
            yield required("spec.externalName")


def _external_ip_errors(service: Service, old: Service | None, gates: FeatureGates) -> Iterator[FieldError]:
    stored = old.spec.external_ips if old else ()
    for index, text in enumerate(service.spec.external_ips):
        field = f"spec.externalIPs[{index}]"
        yield from legacy_ip_errors(field, text, gates, stored) or endpoint_ip_errors(field, text)
