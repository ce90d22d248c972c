"""Node ports among Services: one owner a number, and every number in the range."""

from collections.abc import Iterator

from invariants.invariant import Kind, Violation, invariant
from model.intervals import Intervals, contains
from model.objects import Cluster, ObjectName, Service, ServiceType

DEFAULT_NODE_PORTS: Intervals = ((30000, 32767),)  # --service-node-port-range (ALLOC-NP-01)


def external_names_carry_no_node_ports(cluster: Cluster) -> bool:
    """No ExternalName Service has a node port, which nobody would have allocated (ALLOC-NP-09)."""
    return not any(
        port.node_port
        for service in cluster.services
        if service.type is ServiceType.EXTERNAL_NAME
        for port in service.ports
    )


_ASSUMPTION = "No ExternalName Service carries node ports, now or before it changed its type (ALLOC-NP-09)."


def _numbers(service: Service) -> Iterator[int]:
    """Every number of the pool that the Service names: node ports and the health check's."""
    yield from (port.node_port for port in service.ports if port.node_port)
    if service.health_check_node_port:
        yield service.health_check_node_port


@invariant(
    "INV-19",
    "No two Services share a node port or health check node port number, whatever the protocols.",
    kind=Kind.STATE,
    source=("ALLOC-NP-03", "ALLOC-NP-12", "ALLOC-HC-01"),
    assumption=_ASSUMPTION,
    assumes=external_names_carry_no_node_ports,
)
def node_ports_have_one_owner(cluster: Cluster) -> Violation | None:
    owner: dict[int, ObjectName] = {}
    for service in cluster.services:
        for number in _numbers(service):
            first = owner.setdefault(number, service.name)
            if first != service.name:
                return Violation(f"node port {number} belongs to {first} and to {service.name}")
    return None


@invariant(
    "INV-20",
    "Every node port and health check node port lies in the node port range, 30000-32767 by default.",
    kind=Kind.STATE,
    source=("ALLOC-NP-01", "ALLOC-NP-08", "ALLOC-HC-01"),
    assumption=_ASSUMPTION,
    assumes=external_names_carry_no_node_ports,
)
def node_ports_lie_in_the_range(
    cluster: Cluster, node_ports: Intervals = DEFAULT_NODE_PORTS
) -> Violation | None:
    """The half of the claim about cluster IPs needs the ServiceCIDRs of the past and is left out."""
    for service in cluster.services:
        for number in _numbers(service):
            if not contains(node_ports, number):
                return Violation(f"{service.name} has node port {number}, outside the range")
    return None
