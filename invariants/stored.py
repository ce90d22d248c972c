"""The words that the rules about stored Services use, by their definitions (01, section 1).

Said here once more, beside the API server's part of the model, so that a claim does not
believe what it is meant to check.
"""

from collections.abc import Iterator

from invariants.invariant import Step
from model.addresses import Family, parse_address
from model.api.objects import Service
from model.cluster.state import ClusterState

CLUSTER_IP, NODE_PORT, LOAD_BALANCER, EXTERNAL_NAME = "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"
NO_ADDRESS = "None"


def services(state: ClusterState) -> Iterator[Service]:
    """Every Service stored, in no particular order."""
    yield from state.registry.services.values()


def kept(step: Step) -> Iterator[tuple[Service, Service]]:
    """Each Service that is there before and after the step, as it was and as it is, where it changed."""
    before, after = step.before.registry.services, step.after.registry.services
    if before is after:
        return
    for name, old in before.items():
        new = after.get(name)
        if new is not None and new != old:
            yield old, new


def has_ip_set(service: Service) -> bool:
    """API-PRED-06."""
    return service.spec.cluster_ip not in ("", NO_ADDRESS)


def is_headless(service: Service) -> bool:
    """API-PRED-02."""
    return service.spec.cluster_ip == NO_ADDRESS


def is_external_name(service: Service) -> bool:
    return service.spec.type == EXTERNAL_NAME


def is_externally_accessible(service: Service) -> bool:
    """API-PRED-03."""
    spec = service.spec
    return spec.type in (NODE_PORT, LOAD_BALANCER) or (spec.type == CLUSTER_IP and bool(spec.external_ips))


def needs_health_check(service: Service) -> bool:
    """API-PRED-04."""
    return service.spec.type == LOAD_BALANCER and service.spec.external_traffic_policy == "Local"


def family_name(address: str) -> str:
    """IPv4 or IPv6."""
    return parse_address(address)[0].value


def held_addresses(service: Service) -> Iterator[tuple[Family, int]]:
    """The addresses that the Service holds of the pool."""
    for text in service.spec.cluster_ips:
        if text not in ("", NO_ADDRESS):
            yield parse_address(text)


def held_numbers(service: Service) -> Iterator[int]:
    """Every number of the pool that the Service names: node ports and the health check's."""
    yield from (port.node_port for port in service.spec.ports if port.node_port)
    if service.spec.health_check_node_port:
        yield service.spec.health_check_node_port
