"""The members that a service port gives to the sets of ipvs mode.

Law: the sets say which packets are masqueraded and which sources a load balancer address
takes; whether there are endpoints does not matter to any but KUBE-LOOP-BACK.
"""

from collections.abc import Iterable, Iterator

from model.addresses import Family, format_address, parse_cidr
from model.frontends import ServicePortView
from model.intervals import Intervals, contains, size
from model.ipvs.records import SetName
from model.objects import Service, TrafficPolicy
from model.packet import PROTOCOL_NAMES, SCTP, TCP, UDP
from model.proxy_endpoints import EndpointList

Member = tuple[SetName, str]

_NODE_PORT_SETS = {
    TCP: (SetName.NODE_PORT_TCP, SetName.NODE_PORT_LOCAL_TCP),
    UDP: (SetName.NODE_PORT_UDP, SetName.NODE_PORT_LOCAL_UDP),
    SCTP: (SetName.NODE_PORT_SCTP, SetName.NODE_PORT_LOCAL_SCTP),
}


def source_ranges(service: Service, family: Family) -> tuple[Intervals, ...]:
    """The source ranges of the family, none where one of them is all of it (FWD-LBSR-01, -02).

    The API stores blanks around a range (API-F-17); text that is no CIDR is passed over.
    """
    ranges: list[Intervals] = []
    for text in service.load_balancer_source_ranges:
        try:
            of, values = parse_cidr(text.strip())
        except ValueError:
            continue
        if of is family and "/" in text:
            ranges.append(values)
    return () if family.everything in ranges else tuple(ranges)


def admits_node(ranges: Iterable[Intervals], primary: int | None) -> bool:
    """Whether the node's own address is among the sources, so that it may come from the VIP (FWD-LBSR-04)."""
    return primary is not None and any(contains(values, primary) for values in ranges)


def loop_back_members(one: ServicePortView, endpoints: EndpointList, family: Family) -> frozenset[str]:
    """A member for each endpoint of this node, whatever its conditions (MODE-21)."""
    return frozenset(
        f"{_at(family, e.address, one.protocol, e.port)},{format_address(family, e.address)}"
        for e in endpoints
        if e.local
    )


def service_members(
    one: ServicePortView,
    ranges: tuple[Intervals, ...],
    node_addresses: tuple[int, ...],
    primary: int | None,
    family: Family,
) -> Iterator[Member]:
    """The members that do not depend on endpoints; `node_addresses` serve node ports."""
    local = one.external_policy is TrafficPolicy.LOCAL
    yield SetName.CLUSTER_IP, _at(family, one.cluster_ip, one.protocol, one.port)
    for address in one.external_ips:
        name = SetName.EXTERNAL_IP_LOCAL if local else SetName.EXTERNAL_IP
        yield name, _at(family, address, one.protocol, one.port)
    for address in one.vips:
        member = _at(family, address, one.protocol, one.port)
        yield SetName.LOAD_BALANCER, member
        if local:
            yield SetName.LOAD_BALANCER_LOCAL, member
        if ranges:
            yield SetName.LOAD_BALANCER_FW, member
        for values in ranges:
            yield SetName.LOAD_BALANCER_SOURCE_CIDR, f"{member},{_cidr_text(family, values)}"
        if admits_node(ranges, primary):
            yield SetName.LOAD_BALANCER_SOURCE_IP, f"{member},{format_address(family, address)}"
    if one.node_port:
        yield from _node_port_members(one, node_addresses, family, local=local)
    # A service port whose node port has nowhere to be is left at that point, before its health
    # check port is looked at.
    if one.health_check_node_port and (node_addresses or not one.node_port):
        yield SetName.HEALTH_CHECK_NODE_PORT, str(one.health_check_node_port)


def _node_port_members(
    one: ServicePortView, node_addresses: tuple[int, ...], family: Family, *, local: bool
) -> Iterator[Member]:
    """Ports for TCP and UDP; for SCTP each address with the port. None without addresses."""
    if one.protocol == SCTP:
        members = [_at(family, address, SCTP, one.node_port) for address in node_addresses]
    else:
        members = [str(one.node_port)] if node_addresses else []
    everywhere, to_local = _NODE_PORT_SETS[one.protocol]
    for member in members:
        yield everywhere, member
        if local:
            yield to_local, member


def _at(family: Family, address: int, protocol: int, port: int) -> str:
    return f"{format_address(family, address)},{PROTOCOL_NAMES[protocol]}:{port}"


def _cidr_text(family: Family, values: Intervals) -> str:
    """The span of one CIDR as text, host bits cleared."""
    host_bits = size(values).bit_length() - 1
    return f"{format_address(family, values[0][0])}/{family.bits - host_bits}"
