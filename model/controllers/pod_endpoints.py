"""Which pods stand behind a Service, and what one pod is as an endpoint of a slice.

Sources: staging/src/k8s.io/endpointslice utils.go and util/controller_utils.go.
A pod IP that is no address, which no API server stores, is published as `<nil>`.
"""

from model.addresses import Family
from model.controllers.ip_text import read_ip
from model.objects import Endpoint, EndpointPort, Node, Pod, Service, ServicePort, ServiceType

TERMINAL_PHASES = frozenset(("Succeeded", "Failed"))
_UNREADABLE = (Family.IPV4, "<nil>")


def is_managed(service: Service) -> bool:
    """Whether the controllers publish endpoints of the Service (EPS-SEL-01)."""
    return service.selector is not None and service.type is not ServiceType.EXTERNAL_NAME


def has_cluster_ip(service: Service) -> bool:
    """Whether the Service has an address of its own; one without is headless."""
    return bool(service.cluster_ips) and service.cluster_ips[0] not in ("", "None")


def selects(service: Service, pod: Pod) -> bool:
    """Whether the pod is in the Service's namespace and has every label it selects by (EPS-SEL-02)."""
    return (
        service.selector is not None
        and pod.name.namespace == service.name.namespace
        and all(pair in pod.labels for pair in service.selector)
    )


def is_eligible(pod: Pod, *, include_terminating: bool) -> bool:
    """Whether the pod runs or will run, and has an IP (EPS-SEL-03)."""
    if pod.phase in TERMINAL_PHASES or not pod.ips:
        return False
    return include_terminating or not pod.terminating


def address_types(service: Service) -> tuple[str, ...]:
    """The families that the Service has slices of (EPS-SEL-06).

    Without ipFamilies, which the API server always sets: that of the cluster IP, and
    for a headless Service both.
    """
    if service.ip_families:
        return tuple(dict.fromkeys(service.ip_families))
    if has_cluster_ip(service):
        return (family_of(service.cluster_ips[0]).value,)
    return (Family.IPV4.value, Family.IPV6.value)


def family_of(text: str) -> Family:
    """The family of an address."""
    return pod_ip(text)[0]


def pod_ip(text: str) -> tuple[Family, str]:
    """The family and canonical text of a pod's address, `<nil>` of IPv4 where it is none."""
    return read_ip(text) or _UNREADABLE


def find_port(pod: Pod, port: ServicePort) -> int | None:
    """The number that a service port means on this pod, None when the pod does not name it.

    A number is itself (EPS-PORT-01), a name the first container port of that name and
    protocol (EPS-PORT-02).
    """
    match port.target_port:
        case None:
            return port.port
        case int(number):
            return number
        case name:
            return next(
                (
                    each.container_port
                    for each in pod.ports
                    if (each.name, each.protocol) == (name, port.protocol)
                ),
                None,
            )


def endpoint_ports(service: Service, pod: Pod) -> tuple[EndpointPort, ...]:
    """The Service's ports as this pod serves them; those it does not name are left out (EPS-PORT-03).

    None for a headless Service without ports (EPS-PORT-07).
    """
    return tuple(
        EndpointPort(port.name, port.protocol, number, port.app_protocol)
        for port in service.ports
        if (number := find_port(pod, port)) is not None
    )


def has_hostname(service: Service, pod: Pod) -> bool:
    """Whether the pod's endpoint carries its hostname (EPS-COND-04)."""
    return (
        bool(pod.hostname)
        and pod.subdomain == service.name.name
        and pod.name.namespace == service.name.namespace
    )


def pod_endpoint(service: Service, pod: Pod, node: Node | None, address_type: str) -> Endpoint:
    """The pod as an endpoint of one family; without an address of the family, it has none.

    Conditions: EPS-COND-01, EPS-COND-02. Two addresses of one family are in the order of
    their text, which decides what consumers use (EPS-SEL-06).
    """
    return Endpoint(
        addresses=tuple(
            sorted(text for family, text in map(pod_ip, pod.ips) if family.value == address_type)
        ),
        ready=service.publish_not_ready_addresses or (pod.ready and not pod.terminating),
        serving=pod.ready,
        terminating=pod.terminating,
        node_name=pod.node_name or None,
        zone=(node and node.zone) or None,
        hostname=pod.hostname if has_hostname(service, pod) else None,
        target=pod.name,
    )
