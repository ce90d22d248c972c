"""nftables mode departs from the contract where section 1 of the modes' rules says, and nowhere else."""

from collections.abc import Iterable, Sequence

import attrs
import pytest

from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    ENDS_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_HOST,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
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
    TO_CLUSTER_IP,
    TO_SERVICE_RANGE,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.modes import (
    NFTABLES_MASQUERADE,
    NFTABLES_UNOWNED,
    NFTABLES_VERDICTS,
    is_old,
    masquerade_rows,
    unowned_rows,
    verdict_rows,
)
from model.node_config import ProxyMode
from model.objects import Ingress, ObjectName, Service
from model.packet import Origin
from model.predicate import Fact
from model.proxy_version import Quirk
from tests.model.mode_cases import (
    BOTH_KEPT,
    BOTH_REWRITTEN,
    CLUSTER,
    ELSEWHERE,
    HERE,
    LOCAL,
    NODE,
    OUTSIDE,
    POD,
    REFUSED,
    WEB,
    a_node,
    fate,
    view,
)
from tests.model.test_order_of_rows import decided

NFT = ProxyMode.NFTABLES
EARLY, LATE = is_old(Quirk.EARLY_OUTPUT), is_old(Quirk.LATE_CHECKS)
LATE_FIREWALL, NO_SHORT_CUT = is_old(Quirk.LATE_FIREWALL), is_old(Quirk.SHORT_CUT_LOST)
PER_ENDPOINT, NO_RANGES = is_old(Quirk.MARKS_PER_ENDPOINT), is_old(Quirk.RANGES_UNKNOWN)

OFF = {IS_NP, DESTINATION_LOCAL}  # a node port on an address that serves none
ON = OFF | {ON_NODE_PORT_ADDRESS}
BALANCER = {IS_LBV, OUTSIDE_RANGES}
BY_NODE = {SENT_BY_NODE, FROM_HOST}
NO_LOCAL = {HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY}

VERDICT_CASES: list[tuple[set[Fact], tuple[str, Decision]]] = [
    # MODE-11: what is no node port address neither serves nor refuses nor drops.
    (OFF | {LOCAL_SET_EMPTY}, ("NP-01", Decision.PASS)),
    (OFF | NO_LOCAL, ("NP-01", Decision.PASS)),
    (ON | {LOCAL_SET_EMPTY}, ("FWD-REJ-01", Decision.REJECT)),
    (ON | NO_LOCAL, ("FWD-ETP-05", Decision.DROP)),
    # MODE-12: the firewall precedes refusal.
    (BALANCER | {LOCAL_SET_EMPTY}, ("FWD-LBSR-01", Decision.DROP)),
    (BALANCER | {HAS_USABLE}, ("FWD-LBSR-01", Decision.DROP)),
    (BALANCER | {LOCAL_SET_EMPTY} | BY_NODE, ("FWD-LBSR-01", Decision.DROP)),
    (BALANCER - {IS_LBV} | {IS_EXT, HAS_USABLE}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    # MODE-10: the node's own packets are refused too.
    ({IS_EXT, LOCAL_SET_EMPTY} | BY_NODE, ("FWD-REJ-01", Decision.REJECT)),
    # Up to 1.35 refusals in OUTPUT come before the firewall, and before translation.
    (BALANCER | {LOCAL_SET_EMPTY, EARLY} | BY_NODE, ("FWD-REJ-01", Decision.REJECT)),
    (BALANCER | {LOCAL_SET_EMPTY, EARLY}, ("FWD-LBSR-01", Decision.DROP)),
    # BZ-44: some of them drop there what the short circuit is for.
    (NO_LOCAL | {IS_EXT, NO_SHORT_CUT} | BY_NODE, ("FWD-ETP-05", Decision.DROP)),
    (NO_LOCAL | {IS_LBV, NO_SHORT_CUT, FROM_POD} | BY_NODE, ("FWD-ETP-05", Decision.DROP)),
    (NO_LOCAL | {IS_CIP, NO_SHORT_CUT, LATE} | BY_NODE, ("FWD-CIP-01", Decision.TO_CLUSTER)),
    (NO_LOCAL | {IS_EXT, EARLY, LATE} | BY_NODE, ("FWD-ETP-03", Decision.TO_CLUSTER)),
    (NO_LOCAL | {IS_EXT} | BY_NODE, ("FWD-ETP-03", Decision.TO_CLUSTER)),
    (NO_LOCAL | {IS_EXT, NO_SHORT_CUT, FROM_HOST}, ("FWD-ETP-03", Decision.TO_CLUSTER)),
    (NO_LOCAL | ON | {NO_SHORT_CUT} | BY_NODE, ("FWD-ETP-03", Decision.TO_CLUSTER)),
    ((NO_LOCAL - {LOCAL_SET_EMPTY}) | {IS_EXT, NO_SHORT_CUT} | BY_NODE, ("FWD-ETP-03", Decision.TO_CLUSTER)),
    ((NO_LOCAL - {EXTERNAL_LOCAL}) | {IS_EXT, NO_SHORT_CUT} | BY_NODE, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    # BZ-43: 1.29 knows source ranges for the node's own packets only, and drops node ports early too.
    (BALANCER | {HAS_USABLE, LATE_FIREWALL}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    (BALANCER | {HAS_USABLE, LATE, EARLY}, ("FWD-LBSR-01", Decision.DROP)),
    (BALANCER | {HAS_USABLE, LATE_FIREWALL} | BY_NODE, ("FWD-LBSR-01", Decision.DROP)),
    (BALANCER | {LOCAL_SET_EMPTY, LATE, EARLY}, ("FWD-REJ-01", Decision.REJECT)),
    (BALANCER | {LOCAL_SET_EMPTY, LATE_FIREWALL}, ("FWD-REJ-01", Decision.REJECT)),
    (NO_LOCAL | ON | {LATE, NO_SHORT_CUT} | BY_NODE, ("FWD-ETP-05", Decision.DROP)),
    (NO_LOCAL | ON | {LATE} | BY_NODE, ("FWD-ETP-03", Decision.TO_CLUSTER)),
]


@pytest.mark.parametrize(("true", "expected"), VERDICT_CASES)
def test_verdicts_are_the_contracts_but_for_the_order_of_checks(
    true: set[Fact], expected: tuple[str, Decision]
) -> None:
    """MODE-10, MODE-11, MODE-12, and what older versions did otherwise."""
    assert decided(NFTABLES_VERDICTS, true) == expected


UNOWNED_CASES: list[tuple[set[Fact], tuple[str, Decision]]] = [
    ({TO_CLUSTER_IP, TO_SERVICE_RANGE}, ("MODE-05", Decision.REJECT)),
    ({TO_CLUSTER_IP}, ("MODE-05", Decision.REJECT)),
    ({TO_CLUSTER_IP, TO_SERVICE_RANGE, IS_ICMP}, ("MODE-07", Decision.REJECT)),
    ({TO_SERVICE_RANGE}, ("MODE-06", Decision.DROP)),
    ({TO_SERVICE_RANGE, IS_ICMP}, ("MODE-06", Decision.DROP)),
    ({IS_ICMP}, ("FWD-OBJ-05", Decision.PASS)),
    # The checks hang in FORWARD and OUTPUT: what comes for the node itself meets neither.
    ({TO_CLUSTER_IP, DESTINATION_LOCAL}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_SERVICE_RANGE, DESTINATION_LOCAL}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_CLUSTER_IP, IS_ICMP, DESTINATION_LOCAL}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_CLUSTER_IP, DESTINATION_LOCAL} | BY_NODE, ("MODE-05", Decision.REJECT)),
    ({TO_CLUSTER_IP, IS_ICMP, DESTINATION_LOCAL} | BY_NODE, ("MODE-07", Decision.REJECT)),
    ({TO_SERVICE_RANGE, DESTINATION_LOCAL} | BY_NODE, ("MODE-06", Decision.DROP)),
    # Up to 1.32 the service ranges are not known by default; 1.29 has no such checks at all.
    ({TO_SERVICE_RANGE, NO_RANGES}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_CLUSTER_IP, TO_SERVICE_RANGE, NO_RANGES}, ("MODE-05", Decision.REJECT)),
    ({TO_CLUSTER_IP, TO_SERVICE_RANGE, LATE}, ("FWD-OBJ-05", Decision.PASS)),
    ({TO_CLUSTER_IP, IS_ICMP, LATE}, ("FWD-OBJ-05", Decision.PASS)),
]


@pytest.mark.parametrize(("true", "expected"), UNOWNED_CASES)
def test_cluster_ips_and_service_ranges_are_closed_where_no_frontend_is(
    true: set[Fact], expected: tuple[str, Decision]
) -> None:
    """MODE-05, MODE-06, MODE-07."""
    assert decided(NFTABLES_UNOWNED, true) == expected


MASQUERADE_CASES: list[tuple[set[Fact], tuple[str, bool]]] = [
    # MODE-21: hairpins of this node's endpoints only, or of every endpoint up to 1.35.
    ({IS_CIP, HAIRPIN, ENDPOINT_ON_NODE, FROM_POD, DETECTOR_PRESENT}, ("MASQ-08", True)),
    ({IS_CIP, HAIRPIN, FROM_POD, DETECTOR_PRESENT}, ("MASQ-03", False)),
    ({IS_CIP, HAIRPIN, FROM_POD, DETECTOR_PRESENT, PER_ENDPOINT}, ("MASQ-08", True)),
    ({IS_LBV, EXTERNAL_LOCAL, HAIRPIN}, ("MASQ-07", False)),
    ({IS_LBV, EXTERNAL_LOCAL, ENDPOINT_ON_NODE}, ("MASQ-07", False)),
    ({IS_NP, HAIRPIN, ENDPOINT_ON_NODE, ENDS_ON_NODE}, ("MASQ-09", False)),
    # A packet to an address that is some cluster IP is marked whoever's frontend it is for.
    ({IS_EXT, EXTERNAL_LOCAL, TO_CLUSTER_IP, DETECTOR_PRESENT}, ("MASQ-02", True)),
    ({IS_LBV, EXTERNAL_LOCAL, TO_CLUSTER_IP, DETECTOR_PRESENT}, ("MASQ-02", True)),
    ({IS_NP, EXTERNAL_LOCAL, TO_CLUSTER_IP, DETECTOR_PRESENT}, ("MASQ-02", True)),
    ({IS_EXT, EXTERNAL_LOCAL, TO_CLUSTER_IP, DETECTOR_PRESENT, FROM_POD}, ("MASQ-05", False)),
    ({IS_EXT, EXTERNAL_LOCAL, TO_CLUSTER_IP, MASQUERADE_ALL, FROM_POD}, ("MASQ-02", True)),
    ({IS_EXT, EXTERNAL_LOCAL, TO_CLUSTER_IP}, ("MASQ-07", False)),
    ({IS_EXT, EXTERNAL_LOCAL, TO_CLUSTER_IP, DETECTOR_PRESENT, PER_ENDPOINT}, ("MASQ-07", False)),
    ({IS_EXT, EXTERNAL_LOCAL, DETECTOR_PRESENT}, ("MASQ-07", False)),
    ({IS_EXT, EXTERNAL_LOCAL, DETECTOR_PRESENT, FROM_HOST}, ("MASQ-06", True)),
    ({IS_EXT}, ("MASQ-04", True)),
    ({IS_CIP, TO_CLUSTER_IP, DETECTOR_PRESENT}, ("MASQ-02", True)),
    ({IS_CIP, TO_CLUSTER_IP, MASQUERADE_ALL}, ("MASQ-01", True)),
    ({IS_CIP, TO_CLUSTER_IP}, ("MASQ-03", False)),
]


@pytest.mark.parametrize(("true", "expected"), MASQUERADE_CASES)
def test_sources_are_replaced_as_the_contract_says_but_for_remote_hairpins(
    true: set[Fact], expected: tuple[str, bool]
) -> None:
    """MODE-21, and the mark of cluster IPs that goes by address alone."""
    assert decided(NFTABLES_MASQUERADE, true) == expected


def _ids(rows: Iterable[Row | MasqueradeRow]) -> list[str]:
    return [row.id for row in rows]


def test_the_tables_hold_these_rows_in_this_order() -> None:
    """A row more, less or elsewhere would be another promise."""
    own = ["NP-01", "FWD-REJ-01", "FWD-LBSR-01", "FWD-ETP-05"]
    contract = [row.id for row in VERDICTS if row.id != "FWD-LBSR-01"]
    masquerade = [row.id for row in MASQUERADE if row.id not in ("MASQ-08", "MASQ-09")]

    assert _ids(verdict_rows(NFT)) == own + contract
    assert _ids(unowned_rows(NFT)) == ["MODE-07", "MODE-05", "MODE-06", "FWD-OBJ-05"]
    assert _ids(masquerade_rows(NFT)) == ["MASQ-09", "MASQ-08", "MASQ-02", *masquerade]


WEB_LOCAL = attrs.evolve(WEB, external_traffic_policy=LOCAL)
CLOSED = attrs.evolve(WEB, load_balancer_source_ranges=("203.0.113.0/24",))


@pytest.mark.parametrize(
    ("source", "to", "expected"),
    [
        (POD, "10.96.0.10:80", ("FWD-CIP-01", BOTH_KEPT)),
        (OUTSIDE, "10.96.0.10:80", ("FWD-CIP-01", BOTH_REWRITTEN)),
        # MODE-05: an undefined port, from anybody.
        (OUTSIDE, "10.96.0.10:81", ("MODE-05", REFUSED)),
        (POD, "10.96.0.10:81", ("MODE-05", REFUSED)),
        (NODE, "10.96.0.10:81", ("MODE-05", REFUSED)),
        (NODE, "10.96.0.20:81", ("MODE-05", REFUSED)),  # of a Service without endpoints as well
        # MODE-06: nobody's address in the service range.
        (POD, "10.96.77.77:80", ("MODE-06", "drop")),
        (NODE, "10.96.77.77:80", ("MODE-06", "drop")),
        (POD, "10.97.0.10:80", ("FWD-OBJ-05", "pass")),
        # MODE-08: other addresses are left alone.
        (OUTSIDE, "203.0.113.9:81", ("FWD-OBJ-05", "pass")),
        (OUTSIDE, "192.0.2.9:81", ("FWD-OBJ-05", "pass")),
        # MODE-01, MODE-02: node ports answer on the primary address.
        (OUTSIDE, "192.168.0.2:30080", ("FWD-ETP-01", BOTH_REWRITTEN)),
        (OUTSIDE, "10.9.9.9:30080", ("FWD-OBJ-05", "pass")),
        (OUTSIDE, "10.9.9.9:30081", ("FWD-OBJ-05", "pass")),
        (OUTSIDE, "192.168.0.2:30081", ("FWD-REJ-01", REFUSED)),
        ("127.0.0.1", "127.0.0.1:30080", ("FWD-OBJ-05", "pass")),
        (OUTSIDE, "127.0.0.1:22", ("FWD-OBJ-05", "pass")),  # nothing opens 127/8, so nothing guards it
        # MODE-09, MODE-10.
        (OUTSIDE, "203.0.113.10:80", ("FWD-REJ-01", REFUSED)),
        (NODE, "203.0.113.10:80", ("FWD-REJ-01", REFUSED)),
        (NODE, "192.0.2.10:80", ("FWD-REJ-01", REFUSED)),
    ],
)
def test_a_packet_fares_as_its_rule_says(source: str, to: str, expected: tuple[str, str]) -> None:
    """MODE-01, -02, -05, -06, -08, -09, -10 at default settings."""
    assert fate(view(a_node(NFT)), source, to) == expected


@pytest.mark.parametrize("protocol", ["icmp", "udp", "sctp"])
def test_a_cluster_ip_refuses_every_other_protocol(protocol: str) -> None:
    """MODE-05, MODE-07; an unallocated address drops them all (MODE-06)."""
    cited = "MODE-07" if protocol == "icmp" else "MODE-05"
    port = "" if protocol == "icmp" else ":80"
    of = view(a_node(NFT))

    assert fate(of, POD, f"10.96.0.10{port}", protocol=protocol) == (cited, REFUSED)
    assert fate(of, POD, f"10.96.77.77{port}", protocol=protocol) == ("MODE-06", "drop")
    assert fate(of, POD, f"203.0.113.9{port}", protocol=protocol) == ("FWD-OBJ-05", "pass")


def test_without_servicecidr_objects_nothing_is_unallocated() -> None:
    """MODE-06 needs the API, and by default 1.33; what is no CIDR names nothing."""
    unknown = view(a_node(NFT), service_cidrs=("", "nonsense", "fd00:10:96::/112"))
    old = view(a_node(NFT, minor=32))

    assert fate(unknown, POD, "10.96.77.77:80") == ("FWD-OBJ-05", "pass")
    assert fate(old, POD, "10.96.77.77:80") == ("FWD-OBJ-05", "pass")
    assert fate(view(a_node(NFT, minor=33)), POD, "10.96.77.77:80") == ("MODE-06", "drop")
    assert fate(old, POD, "10.96.0.10:81") == ("MODE-05", REFUSED)


def test_an_unallocated_external_ip_in_the_service_range_is_served_and_its_other_ports_dropped() -> None:
    """FWD-OBJ-03 before MODE-06: the set of cluster IPs does not hold it."""
    of = view(a_node(NFT), attrs.evolve(WEB, external_ips=("10.96.50.50",)))

    assert fate(of, POD, "10.96.50.50:80") == ("FWD-ETP-01", BOTH_REWRITTEN)
    assert fate(of, POD, "10.96.50.50:81") == ("MODE-06", "drop")


def test_a_service_of_another_proxy_has_an_unallocated_address() -> None:
    """FWD-OBJ-02, MODE-06."""
    other = attrs.evolve(WEB, labels=(("service.kubernetes.io/service-proxy-name", "cilium"),))

    assert fate(view(a_node(NFT), other), POD, "10.96.0.10:80") == ("MODE-06", "drop")


@pytest.mark.parametrize(
    ("listed", "served", "left"),
    [
        (("10.9.9.0/24",), ("10.9.9.9",), (NODE, "127.0.0.1")),
        (("0.0.0.0/0",), (NODE, "10.9.9.9"), ("127.0.0.1",)),
        (("127.0.0.0/8", "10.9.9.0/24"), ("10.9.9.9",), (NODE, "127.0.0.1")),
        (("primary",), (NODE,), ("10.9.9.9", "127.0.0.1")),
    ],
)
def test_node_ports_answer_and_refuse_on_listed_addresses_only(
    listed: tuple[str, ...], served: Sequence[str], left: Sequence[str]
) -> None:
    """NP-01, MODE-02, MODE-11."""
    of = view(a_node(NFT, node_port_addresses=listed))

    assert {fate(of, OUTSIDE, f"{address}:30080") for address in served} == {("FWD-ETP-01", BOTH_REWRITTEN)}
    assert {fate(of, OUTSIDE, f"{address}:30081") for address in served} == {("FWD-REJ-01", REFUSED)}
    assert {fate(of, OUTSIDE, f"{at}:{port}") for at in left for port in (30080, 30081)} == {
        ("FWD-OBJ-05", "pass")
    }


def test_the_firewall_comes_before_refusal() -> None:
    """MODE-12, MODE-13: any source, the node's own processes included."""
    of = view(a_node(NFT), CLOSED, ())

    assert fate(of, OUTSIDE, "192.0.2.9:80") == ("FWD-LBSR-01", "drop")
    assert fate(of, NODE, "192.0.2.9:80") == ("FWD-LBSR-01", "drop")
    assert fate(of, "203.0.113.7", "192.0.2.9:80") == ("FWD-REJ-01", REFUSED)
    assert fate(view(a_node(NFT, minor=35), CLOSED, ()), NODE, "192.0.2.9:80") == ("FWD-REJ-01", REFUSED)


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (36, "10.244.1.5 as sent, 10.244.2.5 as sent"),
        (35, "10.244.1.5 as sent, 10.244.2.5 from the node"),
        (29, "10.244.1.5 as sent, 10.244.2.5 from the node"),
    ],
)
def test_a_remote_endpoint_that_meets_itself_keeps_its_address(minor: int, expected: str) -> None:
    """MODE-21: since 1.36 only endpoints of this node are looked after."""
    of = view(a_node(NFT, minor=minor))

    assert fate(of, "10.244.2.5", "10.96.0.10:80") == ("FWD-CIP-01", expected)
    assert fate(of, "10.244.1.5", "10.96.0.10:80") == (
        "FWD-CIP-01",
        "10.244.1.5 from the node, 10.244.2.5 as sent",
    )


def test_an_external_ip_that_is_anothers_cluster_ip_loses_its_clients_address() -> None:
    """FWD-OBJ-08, MASQ-02: one rule marks by the destination address alone, since 1.36."""
    taken = _named("other", WEB_LOCAL, cluster_ip="10.96.0.30", external_ips=("10.96.0.10",))
    elsewhere = attrs.evolve(taken, external_ips=("10.96.0.31",))
    sent = "10.244.1.5 as sent"

    def answers(service: Service, minor: int) -> set[str]:
        web = attrs.evolve(WEB, ports=(attrs.evolve(WEB.ports[0], port=8000),))
        of = view(a_node(NFT, minor=minor), web, (HERE,), others=(service,))
        return {fate(of, OUTSIDE, f"{service.external_ips[0]}:80")[1]}

    assert answers(taken, 36) == {"10.244.1.5 from the node"}
    assert answers(taken, 35) == {sent}
    assert answers(elsewhere, 36) == {sent}


def _named(name: str, service: Service, *, cluster_ip: str, external_ips: tuple[str, ...]) -> Service:
    return attrs.evolve(
        service,
        name=ObjectName("shop", name),
        cluster_ips=(cluster_ip,),
        external_ips=external_ips,
        ingress=(Ingress("192.0.2.30"),),
        ports=(attrs.evolve(service.ports[0], node_port=30090),),
    )


@pytest.mark.parametrize(
    ("minor", "expected"),
    [(34, ("FWD-ETP-03", "10.244.2.5 from the node")), (33, ("FWD-ETP-05", "drop"))],
)
def test_old_proxies_drop_the_nodes_packets_before_the_short_circuit(
    minor: int, expected: tuple[str, str]
) -> None:
    """BZ-44: up to 1.33 what the short circuit is for is dropped in OUTPUT; node ports pass it."""
    of = view(a_node(NFT, minor=minor), WEB_LOCAL, (ELSEWHERE,))

    assert fate(of, NODE, "203.0.113.9:80") == expected
    assert fate(of, NODE, "192.0.2.9:80") == expected
    assert fate(of, NODE, f"{NODE}:30080") == ("FWD-ETP-03", "10.244.2.5 from the node")
    assert fate(of, POD, "203.0.113.9:80") == ("FWD-ETP-02", "10.244.2.5 as sent")


def test_internal_policy_local_drops_where_nothing_is_local() -> None:
    """MODE-14: as in iptables mode."""
    of = view(a_node(NFT), attrs.evolve(WEB, internal_traffic_policy=LOCAL), (ELSEWHERE,))

    assert fate(of, POD, "10.96.0.10:80") == ("FWD-ITP-01", "drop")
    assert of.service_ports[0].external_policy is CLUSTER


def test_the_wire_reaches_a_cluster_ip_that_is_an_address_of_the_node() -> None:
    """MODE-05: only FORWARD and OUTPUT check, so leftovers on an interface are open to the wire."""
    held = a_node(NFT, also=(("leftover", "10.96.0.10"),))

    assert fate(view(held), OUTSIDE, "10.96.0.10:81") == ("FWD-OBJ-05", "pass")
    assert fate(view(held), NODE, "10.96.0.10:81", origin=Origin.NODE) == ("MODE-05", REFUSED)
