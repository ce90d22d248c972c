"""What a Service of a given type needs or allows (API-PRED-01, API-PRED-05).

Plain predicates of one spec. Nothing here knows an earlier object or the cluster.
"""

from model.api.objects import HEADLESS, ServiceSpec
from model.objects import ServiceType

CLUSTER_IP = ServiceType.CLUSTER_IP.value
NODE_PORT = ServiceType.NODE_PORT.value
LOAD_BALANCER = ServiceType.LOAD_BALANCER.value
EXTERNAL_NAME = ServiceType.EXTERNAL_NAME.value


def needs_cluster_ip(spec: ServiceSpec) -> bool:
    """Every type but ExternalName needs a cluster IP; "None" is a value, too (API-PRED-01)."""
    return spec.type != EXTERNAL_NAME


def is_headless_without_selector(spec: ServiceSpec) -> bool:
    """The one kind of Service whose families the cluster does not limit (API-DS-01 to -04)."""
    return spec.cluster_ip == HEADLESS and not spec.selector


def may_have_node_ports(spec: ServiceSpec) -> bool:
    """Whether the type may have node ports: the test for wiping them (API-PRED-05)."""
    return spec.type in (NODE_PORT, LOAD_BALANCER)


def gets_node_ports(spec: ServiceSpec) -> bool:
    """Whether ports without a number get one (API-PRED-05, ALLOC-NP-11)."""
    return spec.type == NODE_PORT or (
        spec.type == LOAD_BALANCER and spec.allocate_load_balancer_node_ports is not False
    )


def node_ports(spec: ServiceSpec) -> tuple[int, ...]:
    """The numbers set in spec.ports, in order, repetitions included."""
    return tuple(port.node_port for port in spec.ports if port.node_port)
