"""Differences cite the claims about packets that they break, beside the contract's rows."""

import json
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from model.addresses import Family
from model.expectation import expect
from model.frontends import FrontendKind, node_view
from model.packet import PROTOCOL_NAMES, Origin, Packet
from oracle.bundle import EvidenceFile, read_bundle
from oracle.check import check_node
from oracle.cli import run
from oracle.findings import Difference, Kind
from oracle.node_rules import read_node
from oracle.plain import trace
from oracle.verdict.claims import with_broken_claims
from tests.oracle.test_other_owners import beside

ROOT = Path(__file__).parents[2]
STALE_POD = ROOT / "examples" / "stale-pod"
DUMPS = ROOT / "tests" / "dumps"


def claims_cited(path: Path, node: str) -> list[tuple[str, set[str]]]:
    """The kind of each difference of the node, and the claims that it cites."""
    bundle = read_bundle(path)
    assert bundle.cluster is not None
    evidence = next(one for one in bundle.nodes if one.name == node)
    found = check_node(evidence, bundle.cluster).differences
    return [(one.kind.value, {id for id in one.cites if id.startswith("INV-")}) for one in found]


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        pytest.param(
            DUMPS / "stale-pod-unready.iptables",
            "ineligible-target",
            {"INV-35", "INV-36"},
            id="a pod that is no longer ready is used while others are",
        ),
        pytest.param(
            DUMPS / "stale-lb-source-ranges.iptables",
            "source-range",
            {"INV-46"},
            id="a source outside the ranges gets through",
        ),
        pytest.param(
            DUMPS / "broken-sep-flushed.iptables",
            "missing-target",
            {"INV-56"},
            id="an endpoint's chain is empty, so chance is not even",
        ),
    ],
)
def test_a_broken_node_breaks_the_claim_that_speaks_of_it(path: Path, kind: str, expected: set[str]) -> None:
    assert (kind, expected) in claims_cited(path, "node-a")


def test_every_difference_of_the_stale_pod_breaks_inv_35() -> None:
    """Its node, node-b, still sends outsiders to it, where no endpoint is left on the node (INV-42)."""
    one, other = claims_cited(STALE_POD, "node-a"), claims_cited(STALE_POD, "node-b")

    assert [claims for _, claims in one] == [{"INV-35"}] * 3
    assert [claims for _, claims in other] == [{"INV-35"}, {"INV-35", "INV-42"}, {"INV-35"}]


def test_text_and_json_name_the_claims_after_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", str(STALE_POD), "--format", "json"])
    told = json.loads(capsys.readouterr().out)["nodes"][0]["differences"][0]["cites"]
    run(["check", str(STALE_POD)])
    text = capsys.readouterr().out

    assert told == ["FWD-ETP-01", "MASQ-04", "INV-35"]
    assert "[FWD-ETP-01, MASQ-04, INV-35]" in text


def test_what_an_old_proxy_is_let_do_breaks_no_claim() -> None:
    """A claim that some allowed fate breaks too says nothing of this node."""
    bundle = read_bundle(STALE_POD)
    assert bundle.cluster is not None
    evidence = bundle.nodes[0]
    node = read_node(evidence, bundle.cluster)
    (first, *_) = check_node(evidence, bundle.cluster).differences
    let = attrs.evolve(first, expected=(*first.expected, first.found), cites=())
    view = node_view(bundle.cluster, node.config, first.family)

    assert with_broken_claims(view, node.by_family[first.family], let).cites == ()


def cited_for_a_pods_packet(table: str, rule: str) -> tuple[str, ...]:
    """The claims cited for a pod's packet to a cluster IP, by a healthy node's rules and one more."""
    bundle = read_bundle(DUMPS / "etp-local-lb.iptables")
    assert bundle.cluster is not None
    evidence = next(one for one in bundle.nodes if one.name == "node-a")
    files = tuple(
        EvidenceFile(file.label, beside(file.data.decode(), table, rule).encode())
        for file in evidence.rules
        if file.label.endswith("/iptables-save")
    )
    node = read_node(attrs.evolve(evidence, rules=files), bundle.cluster)
    view, rulesets = node_view(bundle.cluster, node.config, Family.IPV4), node.by_family[Family.IPV4]
    one = next(one for one in view.service_ports if all(sets.has for sets in one.choices))
    address = dict(one.addresses)[FrontendKind.CIP]
    packet = Packet(Family.IPV4, Origin.WIRE, 0x0AF400C8, address, one.protocol, one.port)
    expectation = expect(view, packet)
    difference = Difference(
        Kind.UNEVEN_ODDS,
        Family.IPV4,
        one.name,
        one.port,
        PROTOCOL_NAMES[one.protocol],
        "",
        packet,
        expectation.allowed,
        trace(rulesets, node.config, packet).outcome,
        (),
        (),
        "",
    )
    return with_broken_claims(view, rulesets, attrs.evolve(difference, cites=expectation.cites)).cites


def test_a_source_that_the_network_replaces_on_the_way_out_breaks_no_claim() -> None:
    """MASQ-03: kube-proxy leaves a pod's source alone, which binds nobody else."""
    by_others = cited_for_a_pods_packet("nat", "-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE")
    by_proxy = cited_for_a_pods_packet("nat", "-A KUBE-SERVICES -s 10.244.0.0/16 -j KUBE-MARK-MASQ")

    assert by_others == ("FWD-CIP-01", "MASQ-03")
    assert by_proxy == ("FWD-CIP-01", "MASQ-03", "INV-62")


def test_the_claims_are_not_even_read_for_nodes_that_conform() -> None:
    program = (
        "import sys; from oracle.cli import run; run(['check', sys.argv[1]]);"
        " print('invariants.catalogue' in sys.modules)"
    )

    healthy, stale = (
        subprocess.run(
            [sys.executable, "-c", program, str(ROOT / "examples" / name)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        ).stdout.splitlines()[-1]
        for name in ("healthy", "stale-pod")
    )

    assert (healthy, stale) == ("False", "True")
