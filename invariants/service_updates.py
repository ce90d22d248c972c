"""What a request may change of a stored Service, and what none can."""

import attrs

from invariants.invariant import Step, Violation, step_invariant
from invariants.stored import (
    LOAD_BALANCER,
    has_ip_set,
    is_external_name,
    is_headless,
    kept,
    needs_health_check,
)
from model.api.objects import Service, ServiceSpec
from model.api.refusal import Refused
from model.cluster import events


@step_invariant(
    "INV-12",
    "The first cluster IP of a Service and its family never change while it has one, except by way of "
    "ExternalName.",
    source=("API-DS-06",),
)
def the_primary_address_stays(step: Step) -> Violation | None:
    for old, new in kept(step):
        if has_ip_set(old) and has_ip_set(new) and not (is_external_name(old) or is_external_name(new)):
            before = (old.spec.cluster_ips[0], old.spec.ip_families[0])
            after = (new.spec.cluster_ips[0], new.spec.ip_families[0])
            if before != after:
                return _broken(new, f"had {before} first and has {after}")
    return None


@step_invariant(
    "INV-13",
    "A Service loses its second cluster IP only by policy SingleStack, or by becoming ExternalName.",
    source=("API-DS-05", "API-DS-06"),
)
def the_second_address_goes_only_with_the_policy(step: Step) -> Violation | None:
    for old, new in kept(step):
        fewer = len(new.spec.cluster_ips) < len(old.spec.cluster_ips)
        if fewer and not is_external_name(new) and new.spec.ip_family_policy != "SingleStack":
            return _broken(new, f"lost an address as {new.spec.ip_family_policy}")
    return None


@step_invariant(
    "INV-14",
    "No Service becomes headless or stops being so, except by way of ExternalName.",
    source=("API-TC-10",),
)
def headless_stays_headless(step: Step) -> Violation | None:
    for old, new in kept(step):
        if is_external_name(old) or is_external_name(new):
            continue
        if is_headless(old) is not is_headless(new):
            return _broken(new, f"had clusterIP {old.spec.cluster_ip} and has {new.spec.cluster_ip}")
    return None


def _names_no_other_version(step: Step) -> bool:
    """Whether a conflict of versions cannot be why a request was refused."""
    if not isinstance(step.event, events.UpdateService):
        return True
    asked = step.event.service
    stored = step.before.registry.services.get(asked.object_name)
    return stored is None or asked.metadata.resource_version in ("", stored.metadata.resource_version)


@step_invariant(
    "INV-15",
    "A request that puts back the stored Service changes nothing, even where it leaves out cluster IPs, "
    "node ports or the health check port; but the node ports of a LoadBalancer Service that is told not "
    "to allocate any, and those of an ExternalName Service, go when they are left out.",
    source=("API-PIPE-04", "API-TC-05"),
    assumption="The request names no resource version, or the stored one.",
    assumes=_names_no_other_version,
)
def putting_back_the_stored_service_changes_nothing(step: Step) -> Violation | None:
    if not isinstance(step.event, events.UpdateService) or step.event.dry_run:
        return None
    submitted = step.event.service
    stored = step.before.registry.services.get(submitted.object_name)
    if stored is None or submitted.metadata.uid not in ("", stored.metadata.uid):
        return None
    if _without_server_metadata(stored) != _without_server_metadata(_filled_in(submitted, stored)):
        return None
    if isinstance(step.told, Refused):
        return _broken(stored, f"cannot be put back: {step.told}")
    after = step.after.registry.services.get(stored.object_name)
    if after is None or _without_server_metadata(after) != _without_server_metadata(stored):
        return _broken(stored, f"was put back and is now {after}")
    return None


def _filled_in(submitted: Service, stored: Service) -> Service:
    """The submitted Service with what it left out of the allocated values as they are stored."""
    spec, old = submitted.spec, stored.spec
    if not spec.cluster_ip and not spec.cluster_ips:
        spec = attrs.evolve(spec, cluster_ip=old.cluster_ip, cluster_ips=old.cluster_ips)
    if not spec.health_check_node_port:
        spec = attrs.evolve(spec, health_check_node_port=old.health_check_node_port)
    names = [(port.name, port.protocol, port.port) for port in spec.ports]
    same_ports = names == [(port.name, port.protocol, port.port) for port in old.ports]
    if same_ports and _keeps_node_ports(old) and not any(port.node_port for port in spec.ports):
        ports = (
            attrs.evolve(port, node_port=was.node_port)
            for port, was in zip(spec.ports, old.ports, strict=True)
        )
        spec = attrs.evolve(spec, ports=tuple(ports))
    return attrs.evolve(submitted, spec=spec)


def _keeps_node_ports(spec: ServiceSpec) -> bool:
    """API-PRED-05, carry-over."""
    if spec.type == LOAD_BALANCER:
        return spec.allocate_load_balancer_node_ports is not False
    return spec.type == "NodePort"


def _without_server_metadata(service: Service) -> Service:
    """The Service with nothing in it that the server makes up or takes from the stored one (API-PIPE-03)."""
    metadata = attrs.evolve(
        service.metadata,
        uid="",
        resource_version="",
        generation=0,
        creation_timestamp=None,
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
    )
    return Service(metadata, service.spec)


@step_invariant(
    "INV-16",
    "A request that is refused, or is a dry run, changes no Service and neither pool.",
    source=("API-PIPE-01", "API-PIPE-02", "API-PIPE-06"),
)
def refused_and_dry_requests_leave_nothing(step: Step) -> Violation | None:
    dry = getattr(step.event, "dry_run", False)
    if not (dry or step.is_refused):
        return None
    before, after = step.before.registry, step.after.registry
    for name in ("services", "ip_owners", "node_ports"):
        # `not ==`, for `!=` of these maps means that every value differs.
        if not getattr(before, name) == getattr(after, name):  # noqa: SIM201
            how = "a dry run of" if dry else "a refused"
            return Violation(f"{how} {type(step.event).__name__} changed {name}")
    return None


@step_invariant(
    "INV-17",
    "The health check port stays while a Service needs one, and loadBalancerClass while it is a "
    "LoadBalancer.",
    source=("API-F-18", "API-F-23"),
)
def what_a_balancer_was_given_stays(step: Step) -> Violation | None:
    for old, new in kept(step):
        was, has = old.spec.health_check_node_port, new.spec.health_check_node_port
        if needs_health_check(old) and needs_health_check(new) and was != has:
            return _broken(new, f"had healthCheckNodePort {was} and has {has}")
        if (
            old.spec.type == new.spec.type == LOAD_BALANCER
            and old.spec.load_balancer_class != new.spec.load_balancer_class
        ):
            return _broken(new, f"was of class {old.spec.load_balancer_class}")
    return None


def _broken(service: Service, what: str) -> Violation:
    return Violation(f"{service.object_name} {what}")
