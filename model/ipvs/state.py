"""All that kube-proxy in ipvs mode writes for one family, from what the node has applied.

Law: every sync writes all of it anew (MODE-31), so the state is a function of the Services,
the slices, the settings and the node's addresses alone; `sync` has what it leaves of before.
"""

from collections.abc import Iterable, Iterator, Mapping

from model.addresses import format_address
from model.frontends import NodeView, ServicePortView
from model.intervals import Intervals
from model.ipvs.node_addresses import node_addresses, node_port_servers
from model.ipvs.records import (
    Frontend,
    IpSet,
    IpvsSettings,
    IpvsState,
    SetName,
    VirtualServer,
)
from model.ipvs.set_members import admits_node, loop_back_members, service_members, source_ranges
from model.ipvs.virtual_servers import virtual_servers
from model.node_config import ProxyMode
from model.objects import ObjectName, Service

_NO_SETTINGS = IpvsSettings()

Ranges = Mapping[ObjectName, tuple[Intervals, ...]]


def ipvs_state(
    view: NodeView, services: Iterable[Service], settings: IpvsSettings = _NO_SETTINGS
) -> IpvsState:
    """The state that the proxy of `view` wants, once it has synced.

    `view` is a node's in ipvs mode; `services` are those it was made of, for their source
    ranges. Raises ValueError when the view's proxy is of another mode.
    """
    if view.config.mode is not ProxyMode.IPVS:
        raise ValueError(f"the proxy of {view.config.name} is in {view.config.mode.value} mode, not ipvs")
    ranges = {service.name: source_ranges(service, view.family) for service in services}
    serving = node_port_servers(view.config, view.family)
    bound = frozenset(_bound(view))
    return IpvsState(
        family=view.family,
        virtual_servers=tuple(_all_virtual_servers(view, serving, settings)),
        sets=tuple(_sets(view, ranges, serving, bound)),
        bound=bound,
        closed_to_node=frozenset(_closed_to_node(view, ranges)),
    )


def _all_virtual_servers(
    view: NodeView, serving: tuple[int, ...], settings: IpvsSettings
) -> Iterator[VirtualServer]:
    """Those of every service port under every choice, equal ones once, in the order of frontends."""
    found = dict.fromkeys(
        server
        for one in view.service_ports
        for sets in one.choices
        for server in virtual_servers(one, sets, serving, settings)
    )
    yield from sorted(found, key=lambda server: server.frontend)


def _bound(view: NodeView) -> Iterator[int]:
    """MODE-04: each cluster IP, and what else is an address of no other device of the node."""
    elsewhere = node_addresses(view.config, view.family)
    for one in view.service_ports:
        yield one.cluster_ip
        yield from (address for address in (*one.external_ips, *one.vips) if address not in elsewhere)


def _sets(view: NodeView, ranges: Ranges, serving: tuple[int, ...], bound: frozenset[int]) -> Iterator[IpSet]:
    """Every set of the family, empty ones too, in the order in which they are made."""
    members: dict[SetName, set[str]] = {name: set() for name in SetName}
    primary = view.config.primary_address(view.family)
    possible: set[str] = set()
    for one in view.service_ports:
        for name, member in service_members(one, _ranges(ranges, one), serving, primary, view.family):
            members[name].add(member)
        choices = [loop_back_members(one, endpoints, view.family) for endpoints in one.endpoint_choices]
        members[SetName.LOOP_BACK] |= frozenset.intersection(*choices)
        possible = possible.union(*choices)
    members[SetName.IPVS_IPS] = {format_address(view.family, address) for address in bound}
    for name, found in members.items():
        uncertain = possible - found if name is SetName.LOOP_BACK else set()
        yield IpSet(name, view.family, frozenset(found), frozenset(uncertain))


def _closed_to_node(view: NodeView, ranges: Ranges) -> Iterator[Frontend]:
    primary = view.config.primary_address(view.family)
    for one in view.service_ports:
        found = _ranges(ranges, one)
        if found and not admits_node(found, primary):
            yield from (Frontend(address, one.protocol, one.port) for address in one.vips)


def _ranges(ranges: Ranges, one: ServicePortView) -> tuple[Intervals, ...]:
    return ranges[one.name.service]
