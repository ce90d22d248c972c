"""Drawn clusters on nodes in ipvs mode: what kube-proxy writes does what the contract says."""

import attrs
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.kube_proxy_ipvs import write_ipvs
from model.addresses import Family
from model.frontends import NodeView, node_view
from model.node_config import ProxyMode
from oracle.bundle import EvidenceFile
from oracle.bundle.interfaces import parse_ip_addr
from oracle.names import ChainOwners
from oracle.node_rules import rulesets_of
from oracle.space.compare import Suspicion, Tally, compare, prepare
from oracle.verdict.replay import Replay
from tests.oracle.ipvs_nodes import texts_of
from tests.strategies.clusters import clusters


def is_usual(view: NodeView) -> bool:
    """Whether nobody's node address is bound as an external IP, node ports are served somewhere, and
    slices agree where an endpoint is.

    kube-proxy else takes another node's packets for its own, skips health check ports, or finds
    one Service's endpoint in KUBE-LOOP-BACK because another Service says that it is here.
    """
    placed = {
        (endpoint.address, endpoint.port, endpoint.local)
        for one in view.service_ports
        for endpoints in one.endpoint_choices
        for endpoint in endpoints
    }
    agree = not any((address, port, not local) in placed for address, port, local in placed)
    endpoints = {address for address, _, _ in placed}
    primary = view.config.primary_address(view.family) or 0
    is_neighbour = any(address != primary and address >> 8 == primary >> 8 for address in view.bound)
    is_served = bool(view.node_port_addresses) or not view.by_node_port
    return agree and is_served and not is_neighbour and endpoints.isdisjoint(view.bound)


@given(st.data())
def test_drawn_nodes_do_what_the_contract_says(data: st.DataObject) -> None:
    """Every packet, in both families, with every detector and list of node port addresses."""
    cluster, config = data.draw(clusters(modes=(ProxyMode.IPVS,)))
    config = attrs.evolve(config, quirks=frozenset())  # of the newest version, which is what is written
    node = write_ipvs(cluster, config)
    config = attrs.evolve(config, addresses=parse_ip_addr(node.ip_addr.encode(), "ip-addr.json"))
    texts = texts_of(node, listed=True)
    rulesets = rulesets_of(
        EvidenceFile(name, text.encode()) for name, text in texts.items() if name != "ip-addr.json"
    )
    views = {family: node_view(cluster, config, family) for family in Family}
    assume(all(map(is_usual, views.values())))

    told: list[object] = []
    for family, view in views.items():
        replay = Replay(view, tuple(rulesets[family]), ChainOwners(cluster.services))
        for item in compare(prepare(view, rulesets[family]), Tally()):
            if isinstance(item, Suspicion):
                replay.take(item)
            else:
                told.append((family, item.lines))
        told += [(family, one.kind, one.packet) for one in replay.differences]
        told += [(family, one.why) for one in replay.doubts]

    assert told == []
