"""The rules written for a node do what the contract demands of it, for every packet, and can be loaded."""

import subprocess
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.addresses import Family, format_address, parse_address
from model.frontends import node_view
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)
from model.predicate import Fact
from oracle.dialects.iptables import parse_iptables
from oracle.dialects.nftables import parse_nftables
from oracle.dialects.nftables.lower import lowered
from oracle.names import ChainOwners
from oracle.ruleset import Chain, Dnat, Drop, Masquerade, Reject, Rule, Ruleset, SetMark
from oracle.space.compare import Suspicion, Tally, compare, prepare
from oracle.verdict.replay import Replay
from oracle.writing import rules_for, write_iptables, write_nft
from tests.strategies.clusters import clusters

V4 = Family.IPV4
WRITTEN = (ProxyMode.IPTABLES, ProxyMode.NFTABLES)
WEB = ObjectName("shop", "web")


def text_of(ruleset: Ruleset, mode: ProxyMode) -> str:
    return write_iptables(ruleset) if mode is ProxyMode.IPTABLES else write_nft([ruleset])


def read_back(text: str, mode: ProxyMode, family: Family) -> Ruleset:
    if mode is ProxyMode.IPTABLES:
        return parse_iptables(text.encode(), "written", family)[0]
    return next(one for one in lowered(parse_nftables(text.encode(), "written")) if one.family is family)


def differences(cluster: Cluster, config: NodeConfig, ruleset: Ruleset) -> Iterator[object]:
    """What the comparison of all packets says, in both directions and without what names say."""
    view = node_view(cluster, config, ruleset.family)
    replay = Replay(view, (ruleset,), ChainOwners(cluster.services))
    for item in compare(prepare(view, (ruleset,)), Tally()):
        if isinstance(item, Suspicion):
            replay.take(item)
        else:
            yield item.lines
    yield from ((one.kind, one.packet) for one in replay.differences)
    yield from replay.doubts
    yield from ruleset.unsupported


@given(st.data())
def test_drawn_nodes_do_what_the_contract_says(data: st.DataObject) -> None:
    """Every packet, in both families and modes, with every detector and list of node port addresses."""
    cluster, config = data.draw(clusters(clashes=data.draw(st.booleans()), modes=WRITTEN))
    config = newest(config)

    found = [
        one
        for family in Family
        for text in [text_of(rules_for(cluster, config, family), config.mode)]
        for one in differences(cluster, config, read_back(text, config.mode, family))
    ]

    assert found == []


@pytest.mark.needs_root
@pytest.mark.needs_tool("iptables-restore", "ip6tables-restore", "nft", "unshare")
@settings(max_examples=15)
@given(st.data())
def test_drawn_nodes_can_be_loaded(data: st.DataObject) -> None:
    """iptables-restore, ip6tables-restore and nft take every rule; nothing outside is touched."""
    cluster, config = data.draw(clusters(clashes=True, modes=WRITTEN))

    said = []
    for family in Family:
        restore = "iptables-restore" if family is V4 else "ip6tables-restore"
        tool = [restore, "--test"] if config.mode is ProxyMode.IPTABLES else ["nft", "-c", "-f", "-"]
        text = text_of(rules_for(cluster, config, family), config.mode)
        ran = subprocess.run(["unshare", "--net", *tool], input=text, capture_output=True, text=True)
        said.append((ran.returncode, ran.stderr))

    assert said == [(0, ""), (0, "")]


def newest(config: NodeConfig) -> NodeConfig:
    """The node with a kube-proxy of the newest version."""
    return attrs.evolve(config, quirks=frozenset())


def a_node(mode: ProxyMode = ProxyMode.IPTABLES, **settings: object) -> NodeConfig:
    address = parse_address("10.32.1.11")
    return NodeConfig(
        "node-a",
        mode=mode,
        cluster_cidrs=("10.244.0.0/16",),
        addresses=(InterfaceAddress("eth0", *address, 24),),
        primary=(address,),
        **settings,  # type: ignore[arg-type]  # names are fields
    )


def a_cluster(*endpoints: Endpoint, **fields: object) -> Cluster:
    service = Service(
        WEB,
        ports=(ServicePort("", "TCP", 80),),
        cluster_ips=("10.96.0.10",),
        **fields,  # type: ignore[arg-type]
    )
    one = EndpointSlice(ObjectName("shop", "web-1"), WEB, "IPv4", endpoints, (EndpointPort("", "TCP", 8080),))
    return Cluster(services=(service,), slices=(one,))


ON_A = Endpoint(("10.244.1.5",), ready=True, node_name="node-a")
ON_B = Endpoint(("10.244.2.5",), ready=True, node_name="node-b")


def every_rule(ruleset: Ruleset) -> list[Rule]:
    return [rule for chains in ruleset.tables.values() for chain in chains.values() for rule in chain.rules]


def comments(ruleset: Ruleset, action: type) -> list[str]:
    """The comments of the rules with an action of this kind, each once."""
    return list(dict.fromkeys(rule.text for rule in every_rule(ruleset) if isinstance(rule.then, action)))


def the_row(ruleset: Ruleset, action: type) -> list[str]:
    return [text for text in comments(ruleset, action) if text.startswith("shop/web")]


@pytest.mark.parametrize("mode", WRITTEN)
def test_comments_name_the_rows_of_the_contract(mode: ProxyMode) -> None:
    """FWD-REJ-01 refuses, FWD-ITP-01 drops, MASQ-02 and MASQ-08 mark."""
    refused = rules_for(a_cluster(), a_node(mode), V4)
    dropped = rules_for(a_cluster(ON_B, internal_traffic_policy=TrafficPolicy.LOCAL), a_node(mode), V4)
    served = rules_for(a_cluster(ON_A), a_node(mode), V4)

    assert ["shop/web CIP [FWD-REJ-01]"] == the_row(refused, Reject)
    assert ["shop/web CIP [FWD-ITP-01]"] == the_row(dropped, Drop)
    assert ["shop/web CIP [MASQ-02]", "shop/web CIP [MASQ-08]"] == sorted(the_row(served, SetMark))


def test_policy_local_keeps_to_the_node() -> None:
    """FWD-ETP-04: the endpoint here for outside; FWD-ETP-02, FWD-ETP-03: both for pods and the node."""
    cluster = a_cluster(
        ON_A,
        ON_B,
        type=ServiceType.LOAD_BALANCER,
        external_traffic_policy=TrafficPolicy.LOCAL,
        ingress=(Ingress("192.0.2.9"),),
    )

    texts = " ".join(rule.text for rule in every_rule(rules_for(cluster, a_node(), V4)))

    rows = ("FWD-ETP-02", "FWD-ETP-03", "FWD-ETP-04")
    assert rows == tuple(row for row in rows if f"shop/web LBV [{row}]" in texts)


def test_affinity_asks_each_endpoint_before_it_draws() -> None:
    """AFF-03: a list for each endpoint, asked for 600 seconds, in the order of endpoint text."""
    cluster = a_cluster(ON_B, ON_A, session_affinity=SessionAffinity.CLIENT_IP, affinity_seconds=600)

    ruleset = rules_for(cluster, a_node(), V4)

    asked = [
        part.argument
        for rule in every_rule(ruleset)
        for part in getattr(rule.when, "parts", ())
        if isinstance(part, Fact) and part.name == "recent"
    ]
    entered = {rule.remember: chain for chain in ruleset.tables["nat"].values() for rule in chain.rules}
    to = [_target(entered[one.removesuffix("/600")]) for one in asked]
    assert ["10.244.1.5", "10.244.2.5"] == to


def _target(chain: Chain) -> str:
    (found,) = (rule.then.address for rule in chain.rules if isinstance(rule.then, Dnat))
    return format_address(V4, found or 0)


@pytest.mark.parametrize("kind", [Dnat, SetMark, Masquerade, Reject])
def test_every_rule_is_needed(kind: type) -> None:
    """Without the rules of one kind the comparison finds a difference: nothing is written for show."""
    other = Service(
        ObjectName("shop", "empty"), ports=(ServicePort("", "TCP", 80),), cluster_ips=("10.96.0.11",)
    )
    served = a_cluster(ON_A, ON_B)
    cluster = Cluster(services=(*served.services, other), slices=served.slices)
    config = a_node()
    ruleset = read_back(write_iptables(rules_for(cluster, config, V4)), config.mode, V4)

    for chains in ruleset.tables.values():
        for chain in chains.values():
            chain.rules[:] = [rule for rule in chain.rules if not isinstance(rule.then, kind)]

    assert list(differences(cluster, config, ruleset))


def test_pods_known_by_interface_come_by_a_way_of_their_own() -> None:
    """SRC-02: what comes in by the prefix is from pods, and is not rewritten."""
    config = a_node(detect_local=DetectLocalMode.INTERFACE_NAME_PREFIX, interface_name_prefix="cali")

    ruleset = rules_for(a_cluster(ON_A), config, V4)

    ways = [rule.text for rule in ruleset.tables["nat"]["PREROUTING"].rules]
    assert ["from a pod [SRC-02]", "not from a pod [SRC-02]"] == ways


def test_ipvs_mode_is_not_written() -> None:
    """Its virtual servers are no rules."""
    with pytest.raises(ValueError, match="ipvs"):
        rules_for(a_cluster(), a_node(ProxyMode.IPVS), V4)
