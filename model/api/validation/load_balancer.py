"""Checks of what only LoadBalancer services may have (API-F-17 to API-F-19, API-F-29)."""

from collections.abc import Iterator

from model.api.gates import FeatureGates
from model.api.objects import Ingress, LoadBalancerStatus, Service, ServiceSpec
from model.api.refusal import FieldError
from model.api.validation.field_errors import forbidden, invalid, invalid_each, not_supported, required
from model.api.validation.ip_text import legacy_cidr_errors, legacy_ip_errors, parse_ip
from model.api.validation.names import dns_1123_subdomain, qualified_name

SOURCE_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
IP_MODES = ("Proxy", "VIP")

_ONLY = "may only be used when `type` is 'LoadBalancer'"
_CLASS = "spec.loadBalancerClass"


def source_range_errors(service: Service, old: Service | None, gates: FeatureGates) -> Iterator[FieldError]:
    """Errors of the source ranges; the annotation is looked at only when the field is empty (API-F-17)."""
    annotation = dict(service.metadata.annotations).get(SOURCE_RANGES_ANNOTATION)
    if service.spec.load_balancer_source_ranges:
        yield from _range_field_errors(service.spec, old, gates)
    elif annotation is not None:
        yield from _range_annotation_errors(service, annotation, old, gates)


def load_balancer_field_errors(service: Service) -> Iterator[FieldError]:
    """Errors of allocateLoadBalancerNodePorts (API-F-19) and loadBalancerClass (API-F-18)."""
    allocate, is_balancer = service.spec.allocate_load_balancer_node_ports, _is_balancer(service)
    if allocate is not None and not is_balancer:
        yield forbidden("spec.allocateLoadBalancerNodePorts", _ONLY)
    if allocate is None and is_balancer:
        # The API server's own path, which lacks the word spec.
        yield required("allocateLoadBalancerNodePorts")
    yield from _class_errors(service)


def load_balancer_class_change_errors(service: Service, old: Service) -> Iterator[FieldError]:
    """The class stays while the type stays LoadBalancer, unset to set included (API-F-18)."""
    changed = service.spec.load_balancer_class != old.spec.load_balancer_class
    if changed and _is_balancer(service) and _is_balancer(old):
        yield invalid(_CLASS, service.spec.load_balancer_class, "may not change once set")
    # The API server asks for the class's own form here and again among the fields.
    yield from _class_errors(service)


def load_balancer_status_errors(
    status: LoadBalancerStatus, old: LoadBalancerStatus, spec: ServiceSpec, field: str, gates: FeatureGates
) -> tuple[FieldError, ...]:
    """Errors of what a load balancer reports; `field` is the path of the status (API-F-29)."""
    if spec.type != "LoadBalancer":
        ingress = f"{field}.ingress"
        return (
            (forbidden(ingress, "may only be used when `spec.type` is 'LoadBalancer'"),)
            if status.ingress
            else ()
        )
    stored = tuple(one.ip for one in old.ingress)
    return tuple(
        error
        for index, one in enumerate(status.ingress)
        for error in _ingress_errors(one, f"{field}.ingress[{index}]", stored, gates)
    )


def _range_field_errors(spec: ServiceSpec, old: Service | None, gates: FeatureGates) -> Iterator[FieldError]:
    field = "spec.LoadBalancerSourceRanges"  # with a capital, as the API server writes it
    if spec.type != "LoadBalancer":
        yield forbidden(field, _ONLY)
    stored = [text.strip() for text in old.spec.load_balancer_source_ranges] if old else []
    for index, text in enumerate(spec.load_balancer_source_ranges):
        yield from legacy_cidr_errors(f"{field}[{index}]", text.strip(), gates, stored)


def _range_annotation_errors(
    service: Service, value: str, old: Service | None, gates: FeatureGates
) -> Iterator[FieldError]:
    field = f"metadata.annotations[{SOURCE_RANGES_ANNOTATION}]"
    if not _is_balancer(service):
        yield forbidden(field, _ONLY)
    unchanged = old is not None and dict(old.metadata.annotations).get(SOURCE_RANGES_ANNOTATION) == value
    if value.strip() and not unchanged:
        for text in value.strip().split(","):
            yield from legacy_cidr_errors(field, text.strip(), gates)


def _class_errors(service: Service) -> Iterator[FieldError]:
    name = service.spec.load_balancer_class
    if name is None:
        return
    if _is_balancer(service):
        yield from invalid_each(_CLASS, name, qualified_name(name))
    else:
        yield forbidden(_CLASS, _ONLY)


def _ingress_errors(
    ingress: Ingress, field: str, stored: tuple[str, ...], gates: FeatureGates
) -> Iterator[FieldError]:
    if ingress.ip:
        yield from legacy_ip_errors(f"{field}.ip", ingress.ip, gates, stored)
    if ingress.ip_mode is None:
        if ingress.ip:
            yield required(f"{field}.ipMode", "must be set when `ip` is set")
    elif not ingress.ip:
        yield forbidden(f"{field}.ipMode", "may not be set when `ip` is not set")
    elif ingress.ip_mode not in IP_MODES:
        yield not_supported(f"{field}.ipMode", ingress.ip_mode, IP_MODES)
    if ingress.hostname:
        yield from invalid_each(f"{field}.hostname", ingress.hostname, dns_1123_subdomain(ingress.hostname))
        if parse_ip(ingress.hostname) is not None:
            yield invalid(f"{field}.hostname", ingress.hostname, "must be a DNS name, not an IP address")


def _is_balancer(service: Service) -> bool:
    return service.spec.type == "LoadBalancer"
