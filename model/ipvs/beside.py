"""What kube-proxy's rules in ipvs mode also do with packets that they are not there for.

Its rules know less than its virtual servers do. KUBE-LOOP-BACK holds the endpoints of this
node and not how a packet came there, so a packet of an endpoint to its own port is masqueraded
too (MODE-21). The sets of node ports hold ports and no addresses, so what the node sends to an
address of its own at such a port is masqueraded, served there or not (MODE-01, MODE-30); of
what goes from a node to itself no source is asked about at all. Without a detector the rule for
what took a cluster IP for its source asks for that and the port, and not for the destination
(MODE-22). The rule that keeps the node from a balancer's address asks for the source and not for
the sender, so it drops what comes from the wire with that source as well (MODE-13); and source
ranges that hold the node admit each balancer's address at itself, not at the Service's others
(FWD-LBSR-04). None of this changes who answers whom; that kube-proxy does it is allowed and not
demanded.

Source: 05-modes 1; rules-ipvs 6 (KUBE-POSTROUTING, KUBE-NODE-PORT, KUBE-IPVS-OUT-FILTER).
"""

from functools import lru_cache

from model.frontends import FrontendKind, NodeView
from model.intervals import EMPTY, Intervals, contains, normalise, single, subtract, union
from model.node_config import ProxyMode
from model.packet import Origin


def may_be_masqueraded(
    view: NodeView, destination: int, protocol: int, port: int, origin: Origin
) -> Intervals:
    """The sources of packets for no frontend that the mode may rewrite; none in other modes."""
    if view.config.mode is not ProxyMode.IPVS:
        return EMPTY
    at_home = contains(view.local_addresses, destination)
    if origin is Origin.WIRE and at_home:
        return EMPTY  # such packets never meet postrouting (MASQ-09)
    found: Intervals = EMPTY
    if (destination, protocol, port) in _local_endpoints(view):
        found = single(destination)
    if origin is Origin.NODE and at_home:
        found = union(found, subtract(view.local_addresses, view.family.loopback))
    if not view.detector and not view.config.masquerade_all:
        found = union(found, view.cluster_ips_at.get((protocol, port), EMPTY))
    return found


def may_be_dropped(view: NodeView, destination: int, protocol: int, port: int, origin: Origin) -> Intervals:
    """The sources of packets to a frontend that the mode may drop whatever the contract says."""
    if view.config.mode is not ProxyMode.IPVS or origin is not Origin.WIRE:
        return EMPTY
    found: Intervals = EMPTY
    for one, kind in view.by_address.get((destination, protocol, port), ()):
        if kind is not FrontendKind.LBV:
            continue
        if one.closed_to_node:
            found = union(found, single(destination))
        elif one.allowed_sources is not None:
            found = union(found, normalise((vip, vip) for vip in one.vips if vip != destination))
    return found


@lru_cache(maxsize=4)  # one view after the other
def _local_endpoints(view: NodeView) -> frozenset[tuple[int, int, int]]:
    """The members of KUBE-LOOP-BACK: endpoints of this node, whatever their conditions."""
    return frozenset(
        (endpoint.address, one.protocol, endpoint.port)
        for one in view.service_ports
        for endpoints in one.endpoint_choices
        for endpoint in endpoints
        if endpoint.local
    )
