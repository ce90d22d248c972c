"""What changed between two dumps, read off their rules, in every dialect alike."""

import attrs
import pytest

from model.addresses import Family
from model.node_config import ProxyMode
from model.objects import Cluster, SessionAffinity
from oracle.bundle import EvidenceFile, NodeEvidence, node_config, read_bundle
from oracle.history.served import reading_of, served_changes
from oracle.node_rules import read_node
from oracle.writing import rules_for, write_iptables, write_nft
from tests.oracle.history.kept import State
from tests.oracle.ipvs_nodes import DUMPS, bundle_of, evidence_of, texts_of, written

BOTH, ONE, NONE = State((10, 11)).cluster, State((10,)).cluster, State(()).cluster
MODES = [ProxyMode.IPTABLES, ProxyMode.NFTABLES]

Said = list[tuple[str, str]]


def evidence(cluster: Cluster, mode: ProxyMode) -> NodeEvidence:
    """What a node's kube-proxy in the mode writes for the cluster."""
    config, _ = node_config(NodeEvidence("node-a"), cluster, mode=mode)
    ruleset = rules_for(cluster, config, Family.IPV4)
    text = write_iptables(ruleset) if mode is ProxyMode.IPTABLES else write_nft([ruleset])
    return NodeEvidence("node-a", (EvidenceFile("rules", text.encode()),))


def told(before: NodeEvidence, after: NodeEvidence, shared: Cluster) -> Said:
    """(kind, sentence) of every change, by rules and the one set of objects."""
    one, other = (reading_of(read_node(node, shared), shared) for node in (before, after))
    return [(change.kind.value, str(change)) for change in served_changes(one, other)]


def changed(cluster: Cluster, **fields: object) -> Cluster:
    [service] = cluster.services
    return attrs.evolve(cluster, services=(attrs.evolve(service, **fields),))  # type: ignore[arg-type]  # names are fields


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (BOTH, ONE, [("endpoint-removed", "shop/web: endpoint 10.244.0.11:8080 no longer used")]),
        (ONE, BOTH, [("endpoint-added", "shop/web: endpoint 10.244.0.11:8080 now used")]),
        (
            ONE,
            NONE,
            [
                ("policy-changed", "shop/web: 10.96.0.10:80/TCP was served, is now refused"),
                ("endpoint-removed", "shop/web: endpoint 10.244.0.10:8080 no longer used"),
            ],
        ),
        (
            ONE,
            changed(ONE, external_ips=("192.0.2.1",)),
            [("address-added", "shop/web: 192.0.2.1:80/TCP is now served")],
        ),
        (
            changed(ONE, session_affinity=SessionAffinity.CLIENT_IP),
            ONE,
            [("policy-changed", "shop/web: session affinity is now off")],
        ),
        (BOTH, BOTH, []),
    ],
)
def test_changes_of_a_service_are_told(
    mode: ProxyMode, before: Cluster, after: Cluster, expected: Said
) -> None:
    assert told(evidence(before, mode), evidence(after, mode), BOTH) == expected


@pytest.mark.parametrize(
    ("mode", "node_port"), [("iptables", "node port 30380/TCP"), ("nftables", "10.32.1.147:30380/TCP")]
)
def test_policy_local_and_source_ranges_show_in_the_rules(mode: str, node_port: str) -> None:
    """A node with an endpoint keeps external traffic to it; a load balancer's address refuses sources."""
    bundle = read_bundle(DUMPS / f"etp-local-lb.{mode}")
    assert bundle.cluster is not None

    found = reading_of(read_node(bundle.nodes[0], bundle.cluster), bundle.cluster)

    assert {str(name): one.treatments for name, one in found.served.items()}["shop/web"] == {
        "10.96.147.248:80/TCP": "served",
        "192.0.2.10:80/TCP": "refused or served by local endpoints",
        node_port: "served by local endpoints",
    }


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_only_frontends_are_told(mode: str) -> None:
    """Rules about hairpin connections name endpoints, which are no frontends."""
    bundle = read_bundle(DUMPS / f"etp-local-lb.{mode}")
    assert bundle.cluster is not None

    found = reading_of(read_node(bundle.nodes[0], bundle.cluster), bundle.cluster)

    assert {str(name) for name in found.served} == {"shop/web", "shop/web-open", "default/kubernetes:https"}


@pytest.mark.parametrize("mode", MODES)
def test_a_service_that_the_objects_lack_is_named_by_its_rules(mode: ProxyMode) -> None:
    """A chain's name or comment says whose it is, where the objects are of another moment."""
    found = told(evidence(NONE, mode), evidence(BOTH, mode), Cluster(nodes=BOTH.nodes))

    assert [text for _, text in found if "endpoint" in text] == [
        "shop/web: endpoint 10.244.0.10:8080 now used",
        "shop/web: endpoint 10.244.0.11:8080 now used",
    ]


def test_a_setting_that_the_rules_give_away_is_told() -> None:
    """masqueradeAll came on: kube-proxy's own rules say so where no configuration does."""
    bundles = [bundle_of(name) for name in ("clusterip-basic", "masquerade-all")]
    nodes = [attrs.evolve(bundle.nodes[0], proxy_config=None) for bundle in bundles]
    readings = [
        reading_of(read_node(node, bundle.cluster), bundle.cluster or Cluster())
        for node, bundle in zip(nodes, bundles, strict=True)
    ]

    found = [(one.kind.value, one.text) for one in served_changes(*readings) if one.service is None]

    assert found == [
        ("setting-read", "no longer: sources in 10.244.0.0/16 are pods (IPv4)"),
        ("setting-read", "now: masqueradeAll is on (IPv4)"),
    ]


def test_virtual_servers_are_named_by_the_objects() -> None:
    """ipvsadm's lists name no Service: whose a frontend is, the objects tell."""
    bundle = bundle_of("clusterip-basic")
    of = bundle.nodes[0]
    assert bundle.cluster is not None
    before = evidence_of(of, texts_of(written(bundle.cluster, of)))
    gone = texts_of(written(bundle.cluster, of))
    gone["ipvsadm"] = "".join(
        f"{line}\n" for line in gone["ipvsadm"].splitlines() if "-r 10.244.1.10" not in line
    )

    found = told(before, evidence_of(of, gone), bundle.cluster)

    assert found == [("endpoint-removed", "shop/web: endpoint 10.244.1.10:8080 no longer used")]
