"""ipvs mode departs from the contract where section 1 of the modes' rules says, and nowhere else."""

from collections.abc import Sequence

import attrs
import pytest

from model.addresses import parse_address
from model.forwarding import (
    CLOSED_TO_NODE,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_CLUSTER_IP,
    FROM_DESTINATION,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXT,
    IS_ICMP,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    MASQUERADE,
    MASQUERADE_ALL,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_BOUND,
    TO_CLUSTER_IP,
    TO_HEALTH_CHECK,
    USES_CLUSTER_SET,
    VERDICTS,
    Decision,
)
from model.intervals import contains
from model.ipvs.state import ipvs_state
from model.modes import IPVS_MASQUERADE, IPVS_UNOWNED, IPVS_VERDICTS, is_old
from model.node_config import DetectLocalMode, ProxyMode
from model.objects import Service, SessionAffinity
from model.packet import Origin
from model.predicate import Fact
from model.proxy_version import Quirk
from tests.model.mode_cases import (
    BOTH_KEPT,
    BOTH_REWRITTEN,
    ELSEWHERE,
    HERE,
    IDLE,
    LOCAL,
    NODE,
    OUTSIDE,
    POD,
    REFUSED,
    WEB,
    a_node,
    fate,
    told,
    view,
)
from tests.model.test_order_of_rows import decided

IPVS = ProxyMode.IPVS
OPEN, OPEN_OUTPUT = is_old(Quirk.OPEN_ADDRESSES), is_old(Quirk.OPEN_OUTPUT)
NO_FALLBACK = is_old(Quirk.NO_FALLBACK)

INSIDE = {IS_CIP, HAS_USABLE, INTERNAL_LOCAL, LOCAL_SET_EMPTY}
REMOTE = {IS_EXT, HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY, USES_CLUSTER_SET}
NEAR = REMOTE - {LOCAL_SET_EMPTY}
BY_NODE = {SENT_BY_NODE, FROM_HOST}
CLOSED = {IS_LBV, HAS_USABLE, USES_CLUSTER_SET, OUTSIDE_RANGES, CLOSED_TO_NODE}
TO_ITSELF = CLOSED | BY_NODE | {FROM_DESTINATION}

VERDICT_CASES: list[tuple[set[Fact], tuple[str, Decision]]] = [
    # MODE-11: one virtual server a node port address, so none elsewhere.
    ({IS_NP, LOCAL_SET_EMPTY}, ("NP-01", Decision.PASS)),
    ({IS_NP, HAS_USABLE}, ("NP-01", Decision.PASS)),
    # MODE-09, MODE-10: an empty virtual server refuses everybody.
    ({IS_NP, ON_NODE_PORT_ADDRESS, LOCAL_SET_EMPTY}, ("FWD-REJ-01", Decision.REJECT)),
    ({IS_EXT, LOCAL_SET_EMPTY} | BY_NODE, ("FWD-REJ-01", Decision.REJECT)),
    # MODE-12: INPUT comes before the virtual server, for all but the node's own packets.
    (CLOSED - {HAS_USABLE} | {LOCAL_SET_EMPTY}, ("FWD-LBSR-01", Decision.DROP)),
    (TO_ITSELF - {HAS_USABLE} | {LOCAL_SET_EMPTY}, ("FWD-REJ-01", Decision.REJECT)),
    # MODE-13: the node's own packets pass, but from the balancer's address itself, since 1.29.
    (CLOSED, ("FWD-LBSR-01", Decision.DROP)),
    (CLOSED | {FROM_DESTINATION, FROM_HOST}, ("FWD-LBSR-01", Decision.DROP)),
    (TO_ITSELF, ("MODE-13", Decision.DROP)),
    (TO_ITSELF - {FROM_DESTINATION}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    (TO_ITSELF - {CLOSED_TO_NODE}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    (TO_ITSELF | {OPEN_OUTPUT}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    (TO_ITSELF - {IS_LBV} | {IS_EXT}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    # MODE-14: forwarded to others where there is an external frontend, else refused.
    (INSIDE | {USES_CLUSTER_SET}, ("MODE-14", Decision.TO_CLUSTER)),
    (INSIDE, ("MODE-14", Decision.REJECT)),
    (INSIDE | {USES_CLUSTER_SET, NO_FALLBACK}, ("MODE-14", Decision.REJECT)),
    (INSIDE - {LOCAL_SET_EMPTY}, ("FWD-ITP-02", Decision.TO_LOCAL)),
    (INSIDE - {LOCAL_SET_EMPTY} | {NO_FALLBACK}, ("FWD-ITP-02", Decision.TO_LOCAL)),
    (INSIDE - {INTERNAL_LOCAL} | {USES_CLUSTER_SET}, ("FWD-CIP-01", Decision.TO_CLUSTER)),
    # MODE-15: to endpoints elsewhere, where iptables mode drops.
    (REMOTE, ("MODE-15", Decision.TO_CLUSTER)),
    (REMOTE | {NO_FALLBACK}, ("MODE-15", Decision.REJECT)),
    (REMOTE | {FROM_POD, NO_FALLBACK}, ("MODE-15", Decision.REJECT)),
    (REMOTE - {EXTERNAL_LOCAL} | {NO_FALLBACK}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    (REMOTE | {FROM_POD}, ("FWD-ETP-02", Decision.TO_CLUSTER)),
    (REMOTE | BY_NODE, ("FWD-ETP-03", Decision.TO_CLUSTER)),
    # MODE-16: nobody is short-circuited while there is a local endpoint.
    (NEAR | {FROM_POD}, ("MODE-16", Decision.TO_LOCAL)),
    (NEAR | BY_NODE, ("MODE-16", Decision.TO_LOCAL)),
    (NEAR, ("FWD-ETP-04", Decision.TO_LOCAL)),
    (NEAR - {EXTERNAL_LOCAL} | {FROM_POD}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    # Each kind of external frontend alike, and nothing of it for cluster IPs.
    (REMOTE - {IS_EXT} | {IS_LBV}, ("MODE-15", Decision.TO_CLUSTER)),
    (REMOTE - {IS_EXT} | {IS_NP, ON_NODE_PORT_ADDRESS}, ("MODE-15", Decision.TO_CLUSTER)),
    (REMOTE - {IS_EXT} | {IS_LBV, NO_FALLBACK}, ("MODE-15", Decision.REJECT)),
    (REMOTE - {IS_EXT} | {IS_NP, ON_NODE_PORT_ADDRESS, NO_FALLBACK}, ("MODE-15", Decision.REJECT)),
    (NEAR - {IS_EXT} | {IS_LBV, FROM_POD}, ("MODE-16", Decision.TO_LOCAL)),
    (NEAR - {IS_EXT} | {IS_NP, ON_NODE_PORT_ADDRESS, FROM_POD}, ("MODE-16", Decision.TO_LOCAL)),
    (REMOTE - {IS_EXT} | {IS_CIP}, ("FWD-CIP-01", Decision.TO_CLUSTER)),
    (REMOTE - {IS_EXT} | {IS_CIP, NO_FALLBACK}, ("FWD-CIP-01", Decision.TO_CLUSTER)),
    (NEAR - {IS_EXT} | {IS_CIP, FROM_POD}, ("FWD-CIP-01", Decision.TO_CLUSTER)),
    (NEAR | {NO_FALLBACK}, ("FWD-ETP-04", Decision.TO_LOCAL)),
    # Internal policy binds cluster IPs only, and ranges balancers' addresses only.
    (INSIDE - {IS_CIP} | {IS_EXT}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    (INSIDE - {INTERNAL_LOCAL} | {NO_FALLBACK}, ("FWD-CIP-01", Decision.TO_CLUSTER)),
    (CLOSED - {IS_LBV} | {IS_EXT}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    (CLOSED - {OUTSIDE_RANGES}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    # A node port on a bound address: the filter of INPUT does not know its port.
    ({IS_NP, ON_NODE_PORT_ADDRESS, HAS_USABLE, TO_BOUND}, ("MODE-05", Decision.REJECT)),
    ({IS_NP, ON_NODE_PORT_ADDRESS, HAS_USABLE, TO_BOUND} | BY_NODE, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    ({IS_NP, ON_NODE_PORT_ADDRESS, HAS_USABLE, TO_BOUND, OPEN}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    ({IS_NP, ON_NODE_PORT_ADDRESS, HAS_USABLE}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    ({IS_EXT, HAS_USABLE, TO_BOUND}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
]


@pytest.mark.parametrize(("true", "expected"), VERDICT_CASES)
def test_verdicts_are_those_of_virtual_servers(true: set[Fact], expected: tuple[str, Decision]) -> None:
    """MODE-05, -09 to -16, and what older versions did otherwise."""
    assert decided(IPVS_VERDICTS, true) == expected


UNOWNED_CASES: list[tuple[set[Fact], tuple[str, Decision]]] = [
    ({TO_BOUND, TO_CLUSTER_IP}, ("MODE-05", Decision.REJECT)),
    ({TO_BOUND, TO_CLUSTER_IP, IS_ICMP}, ("MODE-07", Decision.REJECT)),
    ({TO_BOUND}, ("MODE-08", Decision.REJECT)),
    ({TO_BOUND, IS_ICMP} | BY_NODE, ("MODE-08", Decision.REJECT)),
    ({TO_BOUND, TO_CLUSTER_IP} | BY_NODE, ("MODE-05", Decision.REJECT)),
    ({TO_BOUND, TO_CLUSTER_IP, TO_HEALTH_CHECK}, ("HC-05", Decision.PASS)),
    ({TO_HEALTH_CHECK}, ("FWD-OBJ-05", Decision.PASS)),
    # Up to 1.25 the node's own listeners answer.
    ({TO_BOUND, TO_CLUSTER_IP, OPEN}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_BOUND, TO_CLUSTER_IP, IS_ICMP, OPEN}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_BOUND, OPEN}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_CLUSTER_IP}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_CLUSTER_IP, IS_ICMP}, ("FWD-OBJ-05", Decision.PASS)),
    (set(), ("FWD-OBJ-05", Decision.PASS)),
]


@pytest.mark.parametrize(("true", "expected"), UNOWNED_CASES)
def test_bound_addresses_refuse_what_is_no_frontend(true: set[Fact], expected: tuple[str, Decision]) -> None:
    """MODE-05, MODE-07, MODE-08."""
    assert decided(IPVS_UNOWNED, true) == expected


MASQUERADE_CASES: list[tuple[set[Fact], tuple[str, bool]]] = [
    # MODE-21: local endpoints only.
    ({IS_CIP, HAIRPIN, ENDPOINT_ON_NODE, FROM_POD, DETECTOR_PRESENT}, ("MASQ-08", True)),
    ({IS_CIP, HAIRPIN, FROM_POD, DETECTOR_PRESENT}, ("MASQ-03", False)),
    ({IS_CIP, ENDPOINT_ON_NODE, FROM_POD, DETECTOR_PRESENT}, ("MASQ-03", False)),
    # MODE-30: loopback sources are never marked.
    ({IS_CIP, MASQUERADE_ALL, FROM_LOOPBACK} | BY_NODE, ("MODE-30", False)),
    ({IS_EXT, FROM_LOOPBACK} | BY_NODE, ("MODE-30", False)),
    ({IS_CIP, DETECTOR_PRESENT} | BY_NODE, ("MASQ-02", True)),
    # MODE-22: without a detector, what comes from a cluster IP and its port.
    ({IS_CIP, FROM_CLUSTER_IP} | BY_NODE, ("MODE-22", True)),
    ({IS_NP, EXTERNAL_LOCAL, FROM_CLUSTER_IP} | BY_NODE, ("MODE-22", True)),
    ({IS_CIP, FROM_CLUSTER_IP, DETECTOR_PRESENT, FROM_POD}, ("MASQ-03", False)),
    ({IS_EXT, EXTERNAL_LOCAL, FROM_CLUSTER_IP, MASQUERADE_ALL}, ("MASQ-07", False)),
    ({IS_CIP} | BY_NODE, ("MASQ-03", False)),
    # MODE-16: under policy Local nothing is marked.
    ({IS_LBV, EXTERNAL_LOCAL, DETECTOR_PRESENT} | BY_NODE, ("MODE-16", False)),
    ({IS_EXT, EXTERNAL_LOCAL, DETECTOR_PRESENT} | BY_NODE, ("MODE-16", False)),
    ({IS_NP, EXTERNAL_LOCAL, DETECTOR_PRESENT} | BY_NODE, ("MODE-16", False)),
    ({IS_CIP, EXTERNAL_LOCAL, DETECTOR_PRESENT} | BY_NODE, ("MASQ-02", True)),
    ({IS_LBV, EXTERNAL_LOCAL, DETECTOR_PRESENT, FROM_POD}, ("MASQ-05", False)),
    ({IS_LBV, EXTERNAL_LOCAL, DETECTOR_PRESENT, FROM_POD} | BY_NODE, ("MASQ-05", False)),
    ({IS_LBV, EXTERNAL_LOCAL}, ("MASQ-07", False)),
    ({IS_LBV, DETECTOR_PRESENT} | BY_NODE, ("MASQ-04", True)),
    ({IS_EXT}, ("MASQ-04", True)),
    ({IS_CIP, MASQUERADE_ALL, FROM_POD}, ("MASQ-01", True)),
]


@pytest.mark.parametrize(("true", "expected"), MASQUERADE_CASES)
def test_sources_are_replaced_as_the_sets_say(true: set[Fact], expected: tuple[str, bool]) -> None:
    """MODE-16, MODE-21, MODE-22, MODE-30."""
    assert decided(IPVS_MASQUERADE, true) == expected


def test_the_tables_hold_these_rows_in_this_order() -> None:
    """A row more, less or elsewhere would be another promise."""
    contract = [row.id for row in VERDICTS if row.id not in ("FWD-LBSR-01", "FWD-REJ-01")]
    masquerade = [row.id for row in MASQUERADE if row.id not in ("MASQ-08", "MASQ-09")]

    assert [row.id for row in IPVS_VERDICTS] == [
        *("NP-01", "MODE-05", "FWD-LBSR-01", "FWD-REJ-01", "MODE-14", "MODE-15", "MODE-13", "MODE-14"),
        *("MODE-16", "MODE-15", *contract),
    ]
    assert [row.id for row in IPVS_UNOWNED] == ["HC-05", "MODE-07", "MODE-05", "MODE-08", "FWD-OBJ-05"]
    assert [row.id for row in IPVS_MASQUERADE] == [
        *("MASQ-09", "MASQ-08", "MODE-30", "MODE-22", "MODE-16", *masquerade)
    ]


WEB_LOCAL = attrs.evolve(WEB, external_traffic_policy=LOCAL)
INTERNAL = attrs.evolve(WEB, internal_traffic_policy=LOCAL)
BARE = attrs.evolve(INTERNAL, ports=(attrs.evolve(WEB.ports[0], node_port=0),), external_ips=(), ingress=())
RANGED = attrs.evolve(WEB, load_balancer_source_ranges=("203.0.113.0/24",))


@pytest.mark.parametrize(
    ("source", "to", "expected"),
    [
        (POD, "10.96.0.10:80", ("FWD-CIP-01", BOTH_KEPT)),
        (OUTSIDE, "10.96.0.10:80", ("FWD-CIP-01", BOTH_REWRITTEN)),
        ("127.0.0.1", "10.96.0.10:80", ("FWD-CIP-01", BOTH_KEPT)),  # MODE-30
        # MODE-05, MODE-06, MODE-08.
        (OUTSIDE, "10.96.0.10:22", ("MODE-05", REFUSED)),
        (NODE, "10.96.0.20:22", ("MODE-05", REFUSED)),
        (POD, "10.96.77.77:80", ("FWD-OBJ-05", "pass")),
        (OUTSIDE, "203.0.113.9:22", ("MODE-08", REFUSED)),
        (OUTSIDE, "192.0.2.9:22", ("MODE-08", REFUSED)),
        # MODE-01, MODE-02.
        (OUTSIDE, "192.168.0.2:30080", ("FWD-ETP-01", BOTH_REWRITTEN)),
        (OUTSIDE, "10.9.9.9:30080", ("FWD-ETP-01", BOTH_REWRITTEN)),
        ("127.0.0.1", "127.0.0.1:30080", ("FWD-OBJ-05", "pass")),
        (OUTSIDE, "127.0.0.1:22", ("FWD-OBJ-05", "pass")),
        (OUTSIDE, "10.96.0.10:30080", ("MODE-05", REFUSED)),
        # MODE-09, MODE-10.
        (OUTSIDE, "10.9.9.9:30081", ("FWD-REJ-01", REFUSED)),
        (NODE, "203.0.113.10:80", ("FWD-REJ-01", REFUSED)),
        (OUTSIDE, "10.96.0.20:80", ("FWD-REJ-01", REFUSED)),
    ],
)
def test_a_packet_fares_as_its_rule_says(source: str, to: str, expected: tuple[str, str]) -> None:
    """MODE-01, -02, -05, -06, -08, -09, -10, -30 at default settings."""
    assert fate(view(a_node(IPVS)), source, to) == expected


@pytest.mark.parametrize(("minor", "cited"), [(26, ("MODE-07", "MODE-05")), (25, ("FWD-OBJ-05",) * 2)])
def test_old_proxies_leave_bound_addresses_to_the_nodes_listeners(minor: int, cited: tuple[str, str]) -> None:
    """MODE-05, MODE-07: up to 1.25."""
    of = view(a_node(IPVS, minor=minor))

    echo, other = fate(of, POD, "10.96.0.10", protocol="icmp"), fate(of, POD, "10.96.0.10:80", protocol="udp")

    assert (echo[0], other[0]) == cited
    assert echo[1] == other[1] == (REFUSED if minor == 26 else "pass")


def test_service_addresses_are_addresses_of_the_node() -> None:
    """MODE-04: external ones unless another interface has them; what else the device has counts not."""
    also = (("kube-ipvs0", "10.96.0.99"), ("eth2", "192.0.2.9"), ("kube-ipvs0", "203.0.113.9"))
    of = view(a_node(IPVS, also=also))

    def is_local(text: str) -> bool:
        return contains(of.local_addresses, parse_address(text)[1])

    assert all(map(is_local, ("10.96.0.10", "10.96.0.20", "203.0.113.9", "192.0.2.9", "127.0.0.1", NODE)))
    assert not is_local("10.96.0.99")
    assert parse_address("192.0.2.9")[1] not in of.bound
    assert parse_address("203.0.113.9")[1] in of.bound
    assert fate(of, OUTSIDE, "192.0.2.9:22") == ("FWD-OBJ-05", "pass")
    assert of.bound == ipvs_state(of, (WEB, IDLE)).bound
    assert not view(a_node(ProxyMode.IPTABLES)).bound


def test_node_ports_are_not_served_on_the_dummy_device_unless_listed() -> None:
    """MODE-01, MODE-05: there INPUT refuses what comes by the wire, and the node itself is served."""
    also = (("kube-ipvs0", "10.96.0.10"),)
    everywhere = view(a_node(IPVS, also=also))
    listed = view(a_node(IPVS, also=also, node_port_addresses=("10.96.0.0/16", "127.0.0.0/8")))

    assert fate(everywhere, NODE, "10.96.0.10:30080") == ("MODE-05", REFUSED)
    assert fate(listed, NODE, "10.96.0.10:30080") == ("FWD-ETP-01", BOTH_REWRITTEN)
    assert fate(listed, OUTSIDE, "10.96.0.10:30080") == ("MODE-05", REFUSED)
    assert fate(listed, OUTSIDE, f"{NODE}:30080") == ("FWD-OBJ-05", "pass")
    assert fate(listed, "127.0.0.1", "127.0.0.1:30080") == ("FWD-OBJ-05", "pass")


@pytest.mark.parametrize(
    ("service", "endpoints", "expected"),
    [
        (INTERNAL, (HERE, ELSEWHERE), ("FWD-ITP-02", "10.244.1.5 as sent")),
        (INTERNAL, (ELSEWHERE,), ("MODE-14", "10.244.2.5 as sent")),
        (BARE, (ELSEWHERE,), ("MODE-14", REFUSED)),
        (BARE, (), ("FWD-REJ-01", REFUSED)),
    ],
)
def test_internal_policy_local_falls_back_where_the_service_has_other_frontends(
    service: Service, endpoints: Sequence[object], expected: tuple[str, str]
) -> None:
    """MODE-14."""
    assert fate(view(a_node(IPVS), service, endpoints), POD, "10.96.0.10:80") == expected  # type: ignore[arg-type]  # endpoints all


@pytest.mark.parametrize("to", ["203.0.113.9:80", "192.0.2.9:80", f"{NODE}:30080"])
def test_external_policy_local_holds_everybody_to_the_node_or_nobody(to: str) -> None:
    """MODE-15, MODE-16: and nobody's source is replaced."""
    near, far = view(a_node(IPVS), WEB_LOCAL), view(a_node(IPVS), WEB_LOCAL, (ELSEWHERE,))
    here, elsewhere = "10.244.1.5 as sent", "10.244.2.5 as sent"

    assert [fate(near, source, to) for source in (OUTSIDE, POD, NODE)] == [
        ("FWD-ETP-04", here),
        ("MODE-16", here),
        ("MODE-16", here),
    ]
    assert [fate(far, source, to) for source in (OUTSIDE, POD, NODE)] == [
        ("MODE-15", elsewhere),
        ("FWD-ETP-02", elsewhere),
        ("FWD-ETP-03", elsewhere),
    ]
    assert fate(view(a_node(IPVS, minor=19), WEB_LOCAL, (ELSEWHERE,)), POD, to) == ("MODE-15", REFUSED)


def test_source_ranges_bind_the_node_only_as_the_balancers_own_address() -> None:
    """MODE-12, MODE-13."""
    own = attrs.evolve(RANGED, load_balancer_source_ranges=("192.168.0.0/24", "10.96.0.0/16"))
    new, old = view(a_node(IPVS), RANGED), view(a_node(IPVS, minor=28), RANGED)
    to = "192.0.2.9:80"

    assert fate(new, OUTSIDE, to) == ("FWD-LBSR-01", "drop")
    assert fate(new, POD, to) == ("FWD-LBSR-01", "drop")
    assert fate(new, "203.0.113.7", to) == ("FWD-ETP-01", BOTH_REWRITTEN)
    assert fate(new, NODE, to) == ("FWD-ETP-01", BOTH_REWRITTEN)
    assert fate(new, "192.0.2.9", to, origin=Origin.NODE) == ("MODE-13", "drop")
    assert fate(old, "192.0.2.9", to, origin=Origin.NODE) == ("FWD-ETP-01", BOTH_REWRITTEN)
    allowed = view(a_node(IPVS), own)
    assert fate(allowed, "192.0.2.9", to, origin=Origin.NODE) == ("FWD-ETP-01", BOTH_REWRITTEN)
    assert fate(view(a_node(IPVS), RANGED, ()), OUTSIDE, to) == ("FWD-LBSR-01", "drop")
    assert fate(view(a_node(IPVS), RANGED, ()), "192.0.2.9", to, origin=Origin.NODE) == (
        "FWD-REJ-01",
        REFUSED,
    )


def test_without_a_detector_only_a_cluster_ip_as_the_source_is_replaced() -> None:
    """MODE-22: host traffic that picked a cluster IP of the same port as its own address."""
    of = view(a_node(IPVS, detect_local=DetectLocalMode.NONE))
    all_of_it = view(a_node(IPVS, detect_local=DetectLocalMode.NONE, masquerade_all=True), WEB_LOCAL)

    assert fate(of, "10.96.0.10", "10.96.0.10:80", origin=Origin.NODE) == ("FWD-CIP-01", BOTH_REWRITTEN)
    assert fate(of, "10.96.0.20", "10.96.0.10:80", origin=Origin.NODE) == ("FWD-CIP-01", BOTH_REWRITTEN)
    assert fate(of, NODE, "10.96.0.10:80") == ("FWD-CIP-01", BOTH_KEPT)
    assert fate(of, OUTSIDE, "10.96.0.10:80") == ("FWD-CIP-01", BOTH_KEPT)
    assert fate(all_of_it, "10.96.0.10", "203.0.113.9:80", origin=Origin.NODE)[1] == "10.244.1.5 as sent"
    assert fate(view(a_node(IPVS)), "10.96.0.10", "10.96.0.10:80", origin=Origin.NODE)[1] == BOTH_REWRITTEN


def test_hairpins_of_this_nodes_endpoints_are_replaced() -> None:
    """MODE-21."""
    of = view(a_node(IPVS))

    assert fate(of, "10.244.1.5", "10.96.0.10:80")[1] == "10.244.1.5 from the node, 10.244.2.5 as sent"
    assert fate(of, "10.244.2.5", "10.96.0.10:80")[1] == BOTH_KEPT


def test_health_check_ports_pass_the_filter_of_bound_addresses() -> None:
    """HC-05: TCP and UDP alike, for the set holds numbers of ports."""
    checked = attrs.evolve(WEB_LOCAL, health_check_node_port=31000)
    of = view(a_node(IPVS), checked)

    for protocol in ("tcp", "udp"):
        assert fate(of, OUTSIDE, "10.96.0.10:31000", protocol=protocol) == ("HC-05", "pass")
    assert fate(of, OUTSIDE, "10.96.0.10:31000", protocol="sctp") == ("MODE-05", REFUSED)


def test_shares_are_equal_and_affinity_is_the_virtual_servers() -> None:
    """MODE-17: rr with weight 1; MODE-18: the memory is a persistence template."""
    sticky = attrs.evolve(WEB, session_affinity=SessionAffinity.CLIENT_IP, affinity_seconds=600)

    found = told(view(a_node(IPVS), sticky), POD, "10.96.0.10:80")
    (outcome,) = found.allowed

    assert {leaf.odds for leaf in outcome.leaves} == {outcome.leaves[0].odds}
    assert outcome.leaves[0].odds * 2 == 1
    assert outcome.affinity_seconds == 600
    assert "MODE-18" in found.cites
    assert "AFF-03" not in found.cites
