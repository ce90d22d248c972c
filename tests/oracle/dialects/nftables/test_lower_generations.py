"""Each generation of kube-proxy's rules does what that generation is known to do."""

from fractions import Fraction

import pytest

from model.outcome import Remembered, Verdict
from model.packet import Origin, Packet
from oracle.dialects.nftables.names import Generation, generation_of
from oracle.dialects.nftables.text import parse_text
from tests.oracle.dialects.nftables.generations import FAR, HERE, THERE, kube_proxy
from tests.oracle.dialects.nftables.lowering import (
    DROP,
    NODE,
    PASS,
    fate,
    packet,
    rulesets,
    sent,
    settled,
    to,
)

HALF = Fraction(1, 2)
POD, OUTSIDE, STRANGER = "10.244.2.33", "203.0.113.2", "198.51.100.9"
REJECT = settled(Verdict.REJECT, "icmp-port-unreachable")
ALL = tuple(Generation)
SINCE_30 = ALL[1:]
SINCE_FIX = ALL[2:]


def each(generations: tuple[Generation, ...] = ALL) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("generation", generations, ids=lambda one: one.name)


def pair(*, here: bool = False, there: bool = False) -> object:
    """Both endpoints of web, with those masqueraded that are said."""
    return sent(
        to(f"{HERE}:8080", HALF, masquerade=here),
        to(f"{THERE}:8080", HALF, masquerade=there),
    )


def from_node(place: str) -> Packet:
    return packet(place, NODE, origin=Origin.NODE)


@each()
def test_every_line_is_judged_and_the_generation_known(generation: Generation) -> None:
    """None of these layouts holds anything that is beyond the reader."""
    listing = kube_proxy(generation)
    (one,) = rulesets(listing)

    assert (one.unsupported, one.warnings) == ((), ())
    assert generation_of(parse_text(listing.encode(), "nft").tables[0]) is generation


@each()
def test_a_cluster_ip_is_spread_and_masqueraded_for_sources_that_are_no_pods(generation: Generation) -> None:
    """FWD-LB-01, MASQ-02, MASQ-03."""
    listing = kube_proxy(generation)

    assert fate(listing, packet("10.96.0.1:80", POD)) == pair()
    assert fate(listing, packet("10.96.0.1:80", OUTSIDE)) == pair(here=True, there=True)
    assert fate(listing, from_node("10.96.0.1:80")) == pair(here=True, there=True)


@each()
def test_an_endpoint_that_meets_itself_is_masqueraded(generation: Generation) -> None:
    """MASQ-08; since 1.36 only where the endpoint is on the node (MODE-21)."""
    listing = kube_proxy(generation)

    assert fate(listing, packet("10.96.0.1:80", HERE)) == pair(here=True)
    assert fate(listing, packet("10.96.0.1:80", THERE)) == pair(
        there=generation is not Generation.HAIRPIN_SET
    )


@each()
def test_node_ports_answer_on_the_primary_address_alone(generation: Generation) -> None:
    """MODE-01, MODE-02, MASQ-04."""
    listing = kube_proxy(generation)
    loopback = packet("127.0.0.1:30080", "127.0.0.1", origin=Origin.NODE)

    assert fate(listing, packet(f"{NODE}:30080", STRANGER)) == pair(here=True, there=True)
    assert fate(listing, packet("10.32.1.12:30080", STRANGER)) == PASS
    assert fate(listing, loopback) == PASS


@each()
def test_an_allowed_source_reaches_the_load_balancer(generation: Generation) -> None:
    """FWD-LBSR: through the balancer's address, masqueraded under policy Cluster."""
    assert fate(kube_proxy(generation), packet("192.0.2.10:80", OUTSIDE)) == pair(here=True, there=True)


@each(SINCE_30)
def test_other_sources_are_dropped(generation: Generation) -> None:
    """MODE-12, MODE-13: hosts of the node as well."""
    listing = kube_proxy(generation)

    assert fate(listing, packet("192.0.2.10:80", STRANGER)) == DROP
    assert fate(listing, packet("192.0.2.10:80", POD)) == DROP
    assert fate(listing, from_node("192.0.2.10:80")) == DROP


def test_the_first_generation_never_enforced_ranges_on_what_it_forwards() -> None:
    """BZ-43: its firewall sees translated addresses, but of the node's own packets."""
    listing = kube_proxy(Generation.FIREWALL_SETS)

    assert fate(listing, packet("192.0.2.10:80", STRANGER)) == pair(here=True, there=True)
    assert fate(listing, from_node("192.0.2.10:80")) == DROP


@each()
def test_policy_local_without_an_endpoint_here_drops_outsiders_and_serves_pods(
    generation: Generation,
) -> None:
    """MODE-15, MODE-16, MASQ-05."""
    listing = kube_proxy(generation)

    assert fate(listing, packet("192.0.2.20:80", STRANGER)) == DROP
    assert fate(listing, packet("192.0.2.20:80", POD)) == sent(to(f"{FAR}:8080"))


@each()
def test_the_nodes_own_short_cut_was_dropped_before_it_could_be_taken(generation: Generation) -> None:
    """BZ-44, MASQ-06: refusals of output came before the translation."""
    expected = sent(to(f"{FAR}:8080", masquerade=True)) if generation in SINCE_FIX else DROP

    assert fate(kube_proxy(generation), from_node("192.0.2.20:80")) == expected


@each()
def test_a_service_without_endpoints_is_refused(generation: Generation) -> None:
    """MODE-09, from pods, from outside and from the node."""
    listing = kube_proxy(generation)

    for one in (packet("10.96.0.3:80", POD), packet("10.96.0.3:80", OUTSIDE), from_node("10.96.0.3:80")):
        assert fate(listing, one) == REJECT


@each()
def test_undefined_ports_of_cluster_ips_are_refused_since_1_30(generation: Generation) -> None:
    """MODE-05, MODE-07; unallocated addresses are dropped (MODE-06)."""
    listing = kube_proxy(generation)
    places = [
        packet("10.96.0.1:81", POD),
        from_node("10.96.0.1:81"),
        packet("10.96.0.1:0", POD, protocol="icmp"),
        packet("10.96.9.9:80", POD),
    ]
    expected = [REJECT, REJECT, REJECT, DROP] if generation in SINCE_30 else [PASS] * 4

    assert [fate(listing, one) for one in places] == expected


@each()
def test_undefined_ports_of_other_addresses_are_left_alone(generation: Generation) -> None:
    """MODE-08: only cluster IPs are in the set."""
    assert fate(kube_proxy(generation), packet("192.0.2.10:81", OUTSIDE)) == PASS


@each()
def test_a_sticky_service_asks_for_its_memories_in_order(generation: Generation) -> None:
    """AFF-03, AFF-04, MODE-18: fresh clients are spread, others go back to their endpoint."""
    outcome = fate(kube_proxy(generation), packet("10.96.0.4:80", POD))
    first, second = (to(f"{host}:8080", HALF) for host in (HERE, THERE))
    assert first.target is not None
    assert second.target is not None

    assert outcome.leaves == (first, second)
    assert outcome.affinity == (Remembered(first.target, 60), Remembered(second.target, 60))


@each()
def test_what_is_for_no_service_passes(generation: Generation) -> None:
    """From anywhere to anywhere."""
    listing = kube_proxy(generation)

    assert fate(listing, packet("10.244.0.9:8080", POD)) == PASS
    assert fate(listing, packet(f"{NODE}:22", OUTSIDE)) == PASS
    assert fate(listing, from_node("198.51.100.7:443")) == PASS
