"""Nodes in ipvs mode are judged end to end: healthy ones conform, and damage is told where it is."""

import re
from collections.abc import Iterator

import attrs
import pytest

from oracle.check import check_node
from oracle.findings import Kind, NodeVerdict
from tests.oracle.ipvs_nodes import (
    DUMPS,
    Node,
    bundle_of,
    evidence_of,
    healthy,
    is_changed,
    texts_of,
    written,
)

EVERY = sorted(path.name.removesuffix(".iptables") for path in DUMPS.glob("*.iptables"))
# 60 Services at once, several seconds; its like is in the others.
CASES = [pytest.param(one, marks=pytest.mark.thorough) if one == "busy-1" else one for one in EVERY]

# Between them every kind of frontend, rule and set.
EDITED = ("nodeport", "etp-local-lb", "etp-cluster-lb", "session-affinity", "externalips", "no-endpoints")


@pytest.mark.parametrize("case", CASES)
def test_a_healthy_node_conforms(case: str) -> None:
    """What kube-proxy 1.36 writes for these objects does what the contract says (MODE-01 to MODE-30)."""
    bundle = bundle_of(case)
    assert bundle.cluster is not None
    reports = [
        check_node(evidence_of(one, texts_of(written(bundle.cluster, one))), bundle.cluster)
        for one in bundle.nodes
    ]

    told = [(report.node, d.kind, d.frontend) for report in reports for d in report.differences]
    left_open = [(report.node, n.line, n.why) for report in reports for n in report.not_judged if n.matters]
    assert (told, left_open) == ([], [])


@pytest.mark.parametrize("case", EDITED)
def test_the_listing_says_the_same_as_the_commands(case: str) -> None:
    """`ipvsadm -Ln` in place of `ipvsadm -Sn`."""
    of = healthy(case)
    listed = texts_of(written(of.cluster, of.evidence), listed=True)

    saved = check_node(evidence_of(of.evidence, of.texts), of.cluster)
    report = check_node(evidence_of(of.evidence, listed), of.cluster)

    assert (report.verdict, report.judged.frontends) == (NodeVerdict.CONFORMS, saved.judged.frontends)


@attrs.frozen
class Damage:
    """One piece of text of one file replaced, and how the check tells it: (kind, frontend).

    `also` are kinds that the same fault has at places of no Service.
    """

    case: str
    file: str
    old: str
    new: str
    told: tuple[Kind, str]
    also: tuple[Kind, ...] = ()


NODE_PORT, LB, CLOSED = "10.32.1.147:30380", "192.0.2.11:80", "192.0.2.10:80"
BOUND = """   {
    "family": "inet",
    "local": "192.0.2.11",
    "prefixlen": 32
   },
"""
DAMAGE = {
    "a real server gone": Damage(
        *("nodeport", "ipvsadm", f"-a -t {NODE_PORT} -r 10.244.1.10:8080 -m -w 1\n", ""),
        (Kind.MISSING_TARGET, NODE_PORT),
    ),
    "a real server too many": Damage(
        *("nodeport", "ipvsadm", f"-A -t {NODE_PORT} -s rr\n"),
        f"-A -t {NODE_PORT} -s rr\n-a -t {NODE_PORT} -r 10.244.9.9:8080 -m -w 1\n",
        (Kind.STALE_TARGET, NODE_PORT),
    ),
    "weight 0": Damage(
        *("nodeport", "ipvsadm", f"{NODE_PORT} -r 10.244.1.10:8080 -m -w 1"),
        f"{NODE_PORT} -r 10.244.1.10:8080 -m -w 0",
        (Kind.MISSING_TARGET, NODE_PORT),
    ),
    "another port": Damage(
        *("nodeport", "ipvsadm", f"{NODE_PORT} -r 10.244.1.10:8080", f"{NODE_PORT} -r 10.244.1.10:8081"),
        (Kind.WRONG_PORT, NODE_PORT),
    ),
    "unequal weights under a scheduler that looks at them": Damage(
        *("nodeport", "ipvsadm"),
        f"-A -t {NODE_PORT} -s rr\n-a -t {NODE_PORT} -r 10.244.0.10:8080 -m -w 1",
        f"-A -t {NODE_PORT} -s wrr\n-a -t {NODE_PORT} -r 10.244.0.10:8080 -m -w 2",
        (Kind.UNEVEN_ODDS, NODE_PORT),
    ),
    "a virtual server gone": Damage(
        *("etp-local-lb", "ipvsadm", f"-A -t {LB} -s rr\n-a -t {LB} -r 10.244.0.10:8080 -m -w 1\n", ""),
        (Kind.MISSING_FRONTEND, LB),
    ),
    "a virtual server too many": Damage(
        *("nodeport", "ipvsadm", f"-A -t {NODE_PORT} -s rr\n"),
        "-A -t 10.32.1.147:31999 -s rr\n-a -t 10.32.1.147:31999 -r 10.244.0.10:8080 -m -w 1\n"
        f"-A -t {NODE_PORT} -s rr\n",
        (Kind.UNEXPECTED_FRONTEND, "10.32.1.147:31999"),
    ),
    "persistence off": Damage(
        *("session-affinity", "ipvsadm", "-A -t 10.96.252.30:80 -s rr -p 60", "-A -t 10.96.252.30:80 -s rr"),
        (Kind.AFFINITY_MISSING, "10.96.252.30:80"),
    ),
    "persistence on": Damage(
        *("nodeport", "ipvsadm", f"-A -t {NODE_PORT} -s rr", f"-A -t {NODE_PORT} -s rr -p 10800"),
        (Kind.AFFINITY_UNEXPECTED, NODE_PORT),
    ),
    "another timeout": Damage(
        *("session-affinity", "ipvsadm", "10.96.252.30:80 -s rr -p 60", "10.96.252.30:80 -s rr -p 300"),
        (Kind.AFFINITY_TIMEOUT, "10.96.252.30:80"),
    ),
    "a node port not to be masqueraded": Damage(
        *("nodeport", "ipset", "add KUBE-NODE-PORT-TCP 30380\n", ""),
        (Kind.MASQUERADE_MISSING, NODE_PORT),
    ),
    "a local node port masqueraded": Damage(
        *("etp-local-lb", "ipset", "add KUBE-NODE-PORT-LOCAL-TCP 30380\n", ""),
        (Kind.MASQUERADE_UNEXPECTED, NODE_PORT),
    ),
    "a hairpin unknown": Damage(
        *("nodeport", "ipset", "add KUBE-LOOP-BACK 10.244.0.10,tcp:8080,10.244.0.10\n", ""),
        (Kind.MASQUERADE_MISSING, "10.96.53.184:80"),
    ),
    "a range gone": Damage(
        *("etp-local-lb", "ipset"),
        *("add KUBE-LOAD-BALANCER-SOURCE-CIDR 192.0.2.10,tcp:80,203.0.113.0/24\n", ""),
        (Kind.SOURCE_RANGE, CLOSED),
    ),
    "the firewall of a balancer gone": Damage(
        *("etp-local-lb", "ipset", "add KUBE-LOAD-BALANCER-FW 192.0.2.10,tcp:80\n", ""),
        (Kind.SOURCE_RANGE, CLOSED),
    ),
    "a frontend that the filter of INPUT does not know": Damage(
        *("etp-local-lb", "ipset", "add KUBE-LOAD-BALANCER 192.0.2.11,tcp:80\n", ""),
        (Kind.WRONG_VERDICT, LB),
    ),
    "the node let to a balancer that is closed to it": Damage(
        *("etp-local-lb", "iptables-save"),
        "-A KUBE-IPVS-OUT-FILTER -s 192.0.2.10/32 -m ipvs --vproto 6 --vaddr 192.0.2.10 --vport 80 -j DROP\n",
        *("", (Kind.SOURCE_RANGE, CLOSED)),
    ),
    "the rule of source ranges gone": Damage(
        *("etp-local-lb", "iptables-save", "-A KUBE-SOURCE-RANGES-FIREWALL -j DROP\n", ""),
        (Kind.SOURCE_RANGE, CLOSED),
    ),
    "the mark gone": Damage(
        *("nodeport", "iptables-save", "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n", ""),
        (Kind.MASQUERADE_MISSING, NODE_PORT),
    ),
    "an address off kube-ipvs0": Damage(
        *("etp-local-lb", "ip-addr.json", BOUND, ""),
        (Kind.MISSING_FRONTEND, LB),
        (Kind.WRONG_VERDICT,),  # at its other ports, which nothing refuses now (MODE-08)
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_at_its_frontend(damage: Damage) -> None:
    """One fault in one file: its kind, and the first place where it shows (IPVS-01 to IPVS-05)."""
    of = healthy(damage.case)

    report = check_node(of.edited(damage.file, damage.old, damage.new), of.cluster)

    found = [(one.kind, one.frontend) for one in report.differences]
    assert damage.told in found
    assert {kind for kind, _ in found} == {damage.told[0], *damage.also}


def test_an_old_server_that_drains_is_no_fault() -> None:
    """MODE-23: weight 0 for an endpoint that is gone, with connections: no new packet goes there."""
    of = healthy("nodeport")
    listed = texts_of(written(of.cluster, of.evidence), listed=True)
    head = f"TCP  {NODE_PORT} rr\n"
    assert head in listed["ipvsadm"]
    draining = f"{head}  -> 10.244.9.9:8080              Masq    0      3          1\n"
    texts = listed | {"ipvsadm": listed["ipvsadm"].replace(head, draining)}

    report = check_node(evidence_of(of.evidence, texts), of.cluster)

    assert (report.verdict, report.differences) == (NodeVerdict.CONFORMS, ())


def test_an_address_bound_without_need_is_told_by_what_it_does() -> None:
    """On kube-ipvs0 and in the set of its addresses: the filter refuses what was to pass (MODE-05)."""
    of = healthy("nodeport")
    texts = of.texts | {
        "ip-addr.json": of.texts["ip-addr.json"].replace('"10.96.0.1"', '"10.96.0.77"', 1),
        "ipset": of.texts["ipset"] + "add KUBE-IPVS-IPS 10.96.0.77\n",
    }

    report = check_node(evidence_of(of.evidence, texts), of.cluster)

    found = {(one.kind, one.frontend.partition(":")[0]) for one in report.differences}
    assert found == {
        (Kind.MISSING_FRONTEND, "10.96.0.1"),
        (Kind.WRONG_VERDICT, "10.96.0.1"),
        (Kind.WRONG_VERDICT, "10.96.0.77"),
    }


def deletions(of: Node) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each line of IPv4 left out, with its real servers where it is a virtual server's."""
    for file in ("ipvsadm", "ipset", "iptables-save"):
        lines = of.texts[file].splitlines(keepends=True)
        for at, line in enumerate(lines):
            is_ipv4 = "KUBE-6-" not in line and "[" not in line
            if not is_ipv4 or not line.startswith(("-A", "-a", "add ")):
                continue
            gone = {line}
            place = re.match(r"-A (-t|-u|--sctp-service) (\S+) ", line)
            if file == "ipvsadm" and place:
                gone |= {one for one in lines if one.startswith(f"-a {place[1]} {place[2]} ")}
            kept = [
                one for number, one in enumerate(lines) if one not in gone or abs(number - at) > len(gone)
            ]
            yield file, line, of.texts | {file: "".join(kept)}


@pytest.mark.parametrize("case", EDITED)
def test_a_line_left_out_is_told_exactly_when_it_changes_a_fate(case: str) -> None:
    """Ground truth is the plain walk over a grid of packets, before and after."""
    of = healthy(case)
    wrong = []
    verdicts = []
    for file, line, texts in deletions(of):
        evidence = evidence_of(of.evidence, texts)
        report = check_node(evidence, of.cluster)
        named = [one.packet for one in report.differences]
        if is_changed(of, evidence, named) is not (report.verdict is NodeVerdict.DIFFERS):
            wrong.append((file, line, report.verdict))
        verdicts.append(report.verdict)

    assert wrong == []
    assert {NodeVerdict.DIFFERS, NodeVerdict.CONFORMS} <= set(verdicts)
