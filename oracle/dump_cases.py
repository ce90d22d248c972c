"""The cases on which packet claims are tried on a node's dump: each frontend asked from each side.

A sample, where `oracle.check` is exact: every frontend and the port beside it, asked by a
pod, by the node itself and from outside, each packet walked through the rules plainly. A
source that network plugins replace on a pod's way out counts as left alone.
"""

from collections.abc import Iterator

from model.addresses import Family
from model.expectation import expect
from model.frontends import NodeView, ServicePortView
from model.outcome import Outcome
from model.packet import Origin, Packet
from oracle.node_rules import NodeRules
from oracle.plain import trace
from oracle.verdict.claims import as_the_proxy_left_it

_OUTSIDE = {Family.IPV4: 0xC6336407, Family.IPV6: 0x20010DB8000C << 80 | 7}  # 198.51.100.7, 2001:db8:c::7
_A_POD = 200  # how far into the pods' range the one that asks is


def packet_cases(rules: NodeRules, view: NodeView) -> Iterator[tuple[NodeView, Packet, Outcome | None]]:
    """Each packet with what the rules do with it, None where a line that cannot be judged decides."""
    places = {
        (address, number, one.protocol)
        for one in view.service_ports
        for address, port in frontends(view, one)
        for number in (port, port + 1)
    }
    for destination, port, protocol in sorted(places):
        for source, origin in askers(view):
            packet = Packet(view.family, origin, source, destination, protocol, port)
            rulesets = rules.by_family[view.family]
            traced = trace(rulesets, rules.config, packet)
            if traced.unsure:
                yield view, packet, None
            else:
                cites = expect(view, packet).cites
                yield view, packet, as_the_proxy_left_it(view, rulesets, packet, traced.outcome, cites)


def frontends(view: NodeView, one: ServicePortView) -> list[tuple[int, int]]:
    """Address and port of every frontend of a service port on the node."""
    found = [(address, one.port) for _, address in one.addresses]
    if one.node_port:
        found += [(low, one.node_port) for low, _ in view.node_port_addresses]
    return found


def askers(view: NodeView) -> list[tuple[int, Origin]]:
    """A pod of the cluster, the node itself, and somebody outside, as far as they are known."""
    node = view.config.primary_address(view.family)
    pods = [(low + _A_POD, Origin.WIRE) for low, _ in view.pod_sources or ()]
    hosts = [] if node is None else [(node, Origin.NODE)]
    return [*pods, *hosts, (_OUTSIDE[view.family], Origin.WIRE)]
