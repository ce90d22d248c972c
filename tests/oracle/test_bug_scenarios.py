# long file: one scenario after the other, all on one small cluster
"""Faults of kube-proxy that were met in public are found, named and blamed on the right lines.

The scenarios are those of docs/rules/bugs.md, rebuilt: the good rules are written for
the objects, the bad ones are the good ones with the bug's change. Each good one conforms.
"""

import re

import attrs
import pytest

from benchmarks.kube_proxy_rules import write_iptables
from model.addresses import Family, parse_address
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)
from model.outcome import Verdict
from model.packet import TCP, Origin, Packet
from oracle.bundle import NodeEvidence
from oracle.check import check_node, trace_node
from oracle.findings import Difference, Kind, NodeVerdict
from oracle.node_rules import read_node
from tests.older_rules import IP_ADDR, Old, cluster_of, evidence, old_dump

SVC = "KUBE-SVC-XPGD46QRK7WJZT7O"
EXT = "KUBE-EXT-XPGD46QRK7WJZT7O"
SVC1 = ObjectName("ns1", "svc1")
ZONE = "topology.kubernetes.io/zone"
NODES = (
    Node("n1", (("InternalIP", "192.168.0.2"),), ("10.244.1.0/24",), ((ZONE, "a"),)),
    Node("n2", (("InternalIP", "192.168.0.3"),), ("10.244.2.0/24",), ((ZONE, "b"),)),
)
E1 = Endpoint(("10.244.1.5",), ready=True, node_name="n1")
E2 = Endpoint(("10.244.2.5",), ready=True, node_name="n2")
E3 = Endpoint(("10.244.2.9",), ready=True, node_name="n2")
PLAIN = Service(
    SVC1, ServiceType.CLUSTER_IP, (ServicePort("p80", "TCP", 80, target_port=8080),), ("10.96.1.1",)
)
AFFINE = attrs.evolve(PLAIN, session_affinity=SessionAffinity.CLIENT_IP)
NODE_PORT = attrs.evolve(
    PLAIN, type=ServiceType.NODE_PORT, ports=(ServicePort("p80", "TCP", 80, 30080, 8080),)
)


def cluster(service: Service, *endpoints: Endpoint) -> Cluster:
    piece = EndpointSlice(SVC1, SVC1, "IPv4", endpoints, (EndpointPort("p80", "TCP", 8080),))
    return Cluster((service,), (piece,), nodes=NODES)


def unready(endpoint: Endpoint) -> Endpoint:
    return attrs.evolve(endpoint, ready=False, serving=False)


def written(objects: Cluster) -> str:
    """The rules of node n1 for these objects."""
    empty = evidence("*nat\nCOMMIT\n")
    return write_iptables(objects, read_node(empty, objects).config, Family.IPV4)


def without(dump: str, pattern: str) -> str:
    """The dump without the lines that hold the pattern; there is one at least."""
    kept = [line for line in dump.splitlines() if not re.search(pattern, line)]
    assert len(kept) < len(dump.splitlines())
    return "\n".join(kept) + "\n"


def before(dump: str, start: str, line: str) -> str:
    """The dump with a line put in front of the first one that starts so."""
    at = dump.index(f"\n{start}") + 1
    return f"{dump[:at]}{line}\n{dump[at:]}"


def differences(dump: str, objects: Cluster) -> tuple[Difference, ...]:
    report = check_node(evidence(dump), objects)
    assert not any(note.matters for note in report.not_judged)
    return report.differences


def conforms(dump: str, objects: Cluster) -> bool:
    return check_node(evidence(dump), objects).verdict is NodeVerdict.CONFORMS


def kinds(found: tuple[Difference, ...]) -> set[tuple[Kind, str]]:
    return {(one.kind, str(one.service_port)) for one in found}


def guilty(found: tuple[Difference, ...]) -> set[str]:
    return {line.text for one in found for line in one.lines}


def verdict(given: NodeEvidence, source: str, destination: str, port: int, origin: Origin) -> Verdict:
    """What the rules do with one packet."""
    (_, from_), (_, to) = parse_address(source), parse_address(destination)
    packet = Packet(Family.IPV4, origin, from_, to, TCP, port)
    return next(iter(trace_node(given, None, [packet]))).outcome.verdict


BOTH = cluster(PLAIN, E1, E2)
GUARD = "block incoming localnet connections"


def test_bz_01_good() -> None:
    dump = written(BOTH)

    assert conforms(dump, BOTH)
    assert verdict(evidence(dump), "192.168.0.50", "127.0.0.1", 10248, Origin.WIRE) is Verdict.DROP


@pytest.mark.parametrize(
    "bad",
    [
        without(written(BOTH), f"-A KUBE-FIREWALL .*{GUARD}"),
        without(written(BOTH), "-A INPUT .*-j KUBE-FIREWALL"),
        before(written(BOTH), "-A INPUT ", "-A INPUT -j ACCEPT"),
    ],
    ids=["no rule", "no jump", "accepted before"],
)
def test_bz_01_host_only_ports_open_from_outside(bad: str) -> None:
    """CVE-2020-8558: what is for 127/8 comes in from the wire."""
    found = differences(bad, BOTH)

    (open_,) = [one for one in found if one.kind is Kind.WRONG_VERDICT]
    assert (open_.service_port, open_.found.verdict, "MODE-02" in open_.cites) == (None, Verdict.PASS, True)
    assert open_.packet.destination >> 24 == 127
    assert open_.packet.source >> 24 != 127
    assert verdict(evidence(bad), "192.168.0.50", "127.0.0.1", 10248, Origin.WIRE) is Verdict.PASS


def test_bz_01_a_rule_that_hides_the_guard_is_blamed() -> None:
    found = differences(before(written(BOTH), "-A INPUT ", "-A INPUT -j ACCEPT"), BOTH)

    (hidden,) = [one for one in found if one.kind is Kind.WRONG_VERDICT]
    assert [line.text for line in hidden.lines] == ["-A INPUT -j ACCEPT"]


def test_bz_02_lost_update() -> None:
    """E2 was replaced by E3, and the rules never heard of it."""
    found = differences(written(BOTH), cluster(PLAIN, E1, E3))

    assert kinds(found) == {(Kind.STALE_TARGET, "ns1/svc1:p80"), (Kind.MISSING_TARGET, "ns1/svc1:p80")}
    (stale,) = [one for one in found if one.kind is Kind.STALE_TARGET]
    assert stale.lines[-1].text.endswith("-j DNAT --to-destination 10.244.2.5:8080")


def test_bz_02_jump_to_a_chain_without_rules() -> None:
    found = differences(without(written(BOTH), f"-A {SVC} "), BOTH)

    assert kinds(found) == {(Kind.MISSING_FRONTEND, "ns1/svc1:p80")}
    assert [one.frontend for one in found] == ["10.96.1.1:80"]


HALF = cluster(AFFINE, E1, unready(E2))
NOBODY = cluster(AFFINE, unready(E1), unready(E2))


def affine_to(dump: str, *balanced: str) -> str:
    """Affinity rules for every endpoint as they are, balancing only to these."""
    kept = [
        re.sub(r"-m statistic --mode random --probability \S+ ", "", line)
        for line in dump.splitlines()
        if not line.startswith(f"-A {SVC} ")
        or " ! -s " in line
        or "recent" in line
        or any(ip in line for ip in balanced)
    ]
    return "\n".join(kept) + "\n"


def test_bz_07_good() -> None:
    assert conforms(written(HALF), HALF)
    assert conforms(written(NOBODY), NOBODY)


def test_bz_07_clients_are_held_to_an_endpoint_that_is_not_ready() -> None:
    """The memory of E2 is asked though new clients cannot get into it: old ones are in it."""
    found = differences(affine_to(written(cluster(AFFINE, E1, E2)), "10.244.1.5"), HALF)

    assert {str(one.service_port) for one in found} == {"ns1/svc1:p80"}
    assert any("--rcheck" in text and "10.244.2.5" in text for text in guilty(found))


def test_bz_07_nobody_is_ready_and_nothing_is_refused() -> None:
    found = differences(affine_to(written(cluster(AFFINE, E1, E2))), NOBODY)

    assert ("ns1/svc1:p80", "FWD-REJ-01") in {(str(one.service_port), one.cites[0]) for one in found}
    assert all(one.expected[0].verdict is Verdict.REJECT for one in found)


TWO_BALANCERS = ("1.2.3.4", "5.6.7.8")
RANGES = ("192.168.0.0/24", "203.0.113.0/25")
WITH_BALANCERS = IP_ADDR.rstrip(b"]\n") + (
    b', {"ifname": "vip0", "addr_info": ['
    b'{"family": "inet", "local": "1.2.3.4", "prefixlen": 32},'
    b'{"family": "inet", "local": "5.6.7.8", "prefixlen": 32}]}]'
)


def two_balancers(firewall: list[str]) -> tuple[NodeEvidence, Cluster]:
    """A 1.23 node that holds both load balancer addresses, with these rules in KUBE-FW."""
    one = Old(
        "svc1", "10.96.1.1", 30080, ("10.244.1.5", "10.244.2.5"), "p80", TWO_BALANCERS[0], ranges=RANGES
    )
    objects = cluster_of([one])
    service = attrs.evolve(objects.services[0], ingress=tuple(Ingress(ip) for ip in TWO_BALANCERS))
    dump = without(old_dump(23, [one]), "-A KUBE-FW-.* -j KUBE-(SVC-|MARK-DROP)")
    entry = next(line for line in dump.splitlines() if "-d 1.2.3.4/32" in line)
    dump = before(dump, entry, entry.replace("1.2.3.4", "5.6.7.8"))
    rules = "\n".join(f"-A KUBE-FW-XPGD46QRK7WJZT7O {rule}" for rule in firewall)
    dump = dump[: dump.rindex("COMMIT")] + f"{rules}\nCOMMIT\n"
    return attrs.evolve(evidence(dump), ip_addr=("nodes/n1/ip-addr.json", WITH_BALANCERS)), attrs.evolve(
        objects, services=(service,)
    )


RANGE_RULES = [f"-s {cidr} -j {SVC}" for cidr in RANGES]
FROM_BALANCERS = [f"-s {ip}/32 -j {SVC}" for ip in TWO_BALANCERS]


def test_bz_09_good() -> None:
    given, objects = two_balancers([*RANGE_RULES, *FROM_BALANCERS, "-j KUBE-MARK-DROP"])

    assert check_node(given, objects).verdict is NodeVerdict.CONFORMS
    assert verdict(given, "5.6.7.8", "5.6.7.8", 80, Origin.NODE) is Verdict.DNAT


def test_bz_09_second_address_comes_after_the_drop() -> None:
    """The node, seen with the second address as its source, is marked to be dropped."""
    given, objects = two_balancers(
        [
            *RANGE_RULES,
            FROM_BALANCERS[0],
            "-j KUBE-MARK-DROP",
            *RANGE_RULES,
            FROM_BALANCERS[1],
            "-j KUBE-MARK-DROP",
        ]
    )

    report = check_node(given, objects)

    assert kinds(report.differences) == {(Kind.SOURCE_RANGE, "ns1/svc1:p80")}
    assert {one.packet.source for one in report.differences} == {parse_address("5.6.7.8")[1]}
    assert verdict(given, "5.6.7.8", "5.6.7.8", 80, Origin.NODE) is Verdict.DROP


HINTED = cluster(PLAIN, attrs.evolve(unready(E1), zone_hints=("a",)), attrs.evolve(E2, zone_hints=("b",)))


def test_bz_16_good() -> None:
    """No ready endpoint is hinted for zone a, so E2 serves there too."""
    dump = written(HINTED)

    assert conforms(dump, HINTED)
    assert "--to-destination 10.244.2.5:8080" in dump


@pytest.mark.parametrize(
    ("bad", "kind", "line"),
    [
        (written(cluster(PLAIN)), Kind.WRONG_VERDICT, "has no endpoints"),
        (without(written(HINTED), f"-A {SVC} "), Kind.MISSING_FRONTEND, ""),
    ],
    ids=["refused", "chain without endpoints"],
)
def test_bz_16_hint_of_an_endpoint_that_is_not_ready(bad: str, kind: Kind, line: str) -> None:
    found = differences(bad, HINTED)

    assert kinds(found) == {(kind, "ns1/svc1:p80")}
    assert any(line in text for text in guilty(found))


DROPPING = '-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets"'


def test_bz_23_good() -> None:
    dump = before(written(BOTH), "-A KUBE-FIREWALL ", f"{DROPPING} -m mark --mark 0x8000/0x8000 -j DROP")

    assert conforms(dump, BOTH)


def test_bz_23_drop_that_lost_its_mark() -> None:
    found = differences(before(written(BOTH), "-A KUBE-FIREWALL ", f"{DROPPING} -j DROP"), BOTH)

    assert {one.kind for one in found} == {Kind.WRONG_VERDICT}
    assert guilty(found) == {f"{DROPPING} -j DROP"}
    assert {str(one.service_port) for one in found} == {"ns1/svc1:p80", "None"}


GONE = cluster(NODE_PORT)


def test_bz_39_good() -> None:
    assert conforms(written(GONE), GONE)


def test_bz_39_last_endpoint_stays() -> None:
    found = differences(written(cluster(NODE_PORT, E1)), GONE)

    assert kinds(found) == {(Kind.STALE_TARGET, "ns1/svc1:p80")}
    assert any(text.endswith("-j DNAT --to-destination 10.244.1.5:8080") for text in guilty(found))
    assert {one.expected[0].verdict for one in found} == {Verdict.REJECT}


def test_bz_56_node_ports_are_refused_to_the_node_only() -> None:
    """Without the jump from INPUT clients from outside time out instead of being refused."""
    bad = without(written(GONE), "-A INPUT .*-j KUBE-EXTERNAL-SERVICES")

    found = differences(bad, GONE)

    assert kinds(found) == {(Kind.WRONG_VERDICT, "ns1/svc1:p80")}
    assert all(one.frontend.endswith(":30080") for one in found)
    assert verdict(evidence(bad), "203.0.113.2", "192.168.0.2", 30080, Origin.WIRE) is Verdict.PASS


EXTERNAL = cluster(
    attrs.evolve(NODE_PORT, external_ips=("203.0.113.20",), external_traffic_policy=TrafficPolicy.LOCAL),
    E1,
    E2,
)


def test_bz_27_policy_local_forgotten_for_external_ips() -> None:
    """Clients from outside lose their address and reach remote endpoints."""
    good = written(EXTERNAL)
    entry = next(line for line in good.splitlines() if "-d 203.0.113.20/32" in line and "external IP" in line)
    marking = entry.replace(f"-j {EXT}", "-j KUBE-MARK-MASQ")
    bad = good.replace(entry, f"{marking}\n{entry.replace(EXT, SVC)}")

    found = differences(bad, EXTERNAL)

    assert conforms(good, EXTERNAL)
    assert (Kind.INELIGIBLE_TARGET, "ns1/svc1:p80") in kinds(found)
    assert {one.frontend for one in found} == {"203.0.113.20:80"}


def test_bz_28_source_of_the_node_itself_is_kept() -> None:
    """Under policy Local the node's own clients must be masqueraded, 127.0.0.1 above all."""
    bad = without(written(EXTERNAL), f"-A {EXT} .*--src-type LOCAL -j KUBE-MARK-MASQ")

    found = differences(bad, EXTERNAL)

    assert {one.kind for one in found} == {Kind.MASQUERADE_MISSING}
    assert {one.packet.source for one in found} <= {
        parse_address(ip)[1] for ip in ("127.0.0.1", "192.168.0.2")
    }
