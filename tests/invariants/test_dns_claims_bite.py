"""Claims about names: what each of them catches, shown by a server or a resolver that is wrong in one way."""

from collections.abc import Callable
from typing import Any

import attrs
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from invariants.catalogue import CATALOGUE
from invariants.names import DnsCase, LookedUp
from model.dns import ResolvConf
from model.objects import Cluster, Endpoint, EndpointSlice
from tests.dns_cluster import CLUSTER, in_zone, service, sliced
from tests.invariants.dns_cases import answering, dns_case

BY_ID = {claim.id: claim for claim in CATALOGUE}
Wrong = Callable[[dns.message.Message], dns.message.Message | None]

DRAINING = Endpoint(("10.244.0.7",), ready=False, serving=True, terminating=True)
OBJECTS = Cluster(
    services=CLUSTER.services,
    slices=(
        sliced("web", Endpoint(("10.244.0.9",)), DRAINING),
        sliced("db", Endpoint(("10.244.0.5",), hostname="db-0"), Endpoint(("10.244.0.6",)), DRAINING),
    ),
)


def caught(case: DnsCase) -> set[str]:
    """The ids of the claims about names that the case breaks."""
    ids = [f"INV-{number}" for number in range(76, 82)]
    return {id for id in ids if BY_ID[id].violation(case) is not None}


def changed(cluster: Cluster, change: Callable[[EndpointSlice], EndpointSlice]) -> Cluster:
    return attrs.evolve(cluster, slices=tuple(map(change, cluster.slices)))


def each_endpoint(change: Callable[[Endpoint], Endpoint]) -> Cluster:
    return changed(
        OBJECTS, lambda one: attrs.evolve(one, endpoints=tuple(change(each) for each in one.endpoints))
    )


def with_service(name: str, **fields: Any) -> Cluster:
    services = (attrs.evolve(one, **fields) if one.name.name == name else one for one in OBJECTS.services)
    return attrs.evolve(OBJECTS, services=tuple(services))


def test_the_right_server_is_caught_by_no_claim() -> None:
    assert set() == caught(dns_case(OBJECTS))


@pytest.mark.bites("drawn", "INV-76", "INV-77", "INV-78", "INV-79", "INV-80")
@pytest.mark.parametrize(
    ("served", "expected"),
    [
        pytest.param(
            each_endpoint(lambda each: attrs.evolve(each, ready=True)),
            {"INV-76", "INV-77", "INV-78"},
            id="draining endpoints count as ready (DNS-A-04)",
        ),
        pytest.param(
            each_endpoint(lambda each: attrs.evolve(each, ready=each.ready is True)),
            {"INV-76", "INV-78"},
            id="unset does not count as ready (DNS-A-04)",
        ),
        pytest.param(
            with_service("web", cluster_ips=("None",)),
            {"INV-76", "INV-79"},
            id="a Service with cluster IPs is served as headless (DNS-A-01)",
        ),
        pytest.param(
            with_service("web", cluster_ips=("10.96.0.21",)),
            {"INV-76", "INV-79"},
            id="another cluster IP",
        ),
        pytest.param(
            with_service("web", cluster_ips=("10.96.0.20",)),
            {"INV-76", "INV-79"},
            id="one family is forgotten (DNS-A-01)",
        ),
        pytest.param(
            changed(OBJECTS, lambda one: attrs.evolve(one, ports=())),
            {"INV-78"},
            id="endpoints without ports (DNS-SRV-02)",
        ),
        pytest.param(
            with_service("alias", external_name=in_zone("db")),
            {"INV-80"},
            id="an alias leads elsewhere (DNS-EXT-02)",
        ),
    ],
)
def test_a_server_of_other_objects_is_caught(served: Cluster, expected: set[str]) -> None:
    assert expected == caught(dns_case(OBJECTS, served))


def mixes_endpoints_into_cluster_ips(said: dns.message.Message) -> None:
    name = dns.name.from_text(in_zone("web"))
    if said.question[0].name == name and said.question[0].rdtype == dns.rdatatype.A:
        said.answer.append(dns.rrset.from_text(name, 30, "IN", "A", "10.244.0.9"))


def puts_ipv4_into_aaaa(said: dns.message.Message) -> None:
    """A family's question answered with both families' addresses."""
    name = dns.name.from_text(in_zone("web"))
    if said.question[0].name == name and said.question[0].rdtype == dns.rdatatype.AAAA:
        said.answer.append(dns.rrset.from_text(name, 30, "IN", "AAAA", "::ffff:10.96.0.20"))


def says_every_srv_twice(said: dns.message.Message) -> None:
    for rrset in [one for one in said.answer if one.rdtype == dns.rdatatype.SRV]:
        said.answer.append(rrset)


def points_srv_at_nothing(said: dns.message.Message) -> None:
    question = said.question[0]
    if question.rdtype == dns.rdatatype.SRV and said.answer:
        said.answer = [
            dns.rrset.from_text(question.name, 30, "IN", "SRV", f"0 0 {number} gone.{in_zone('web')}.")
            for number in range(sum(len(rrset) for rrset in said.answer))
        ]


def drains_by_ptr(said: dns.message.Message) -> None:
    question = said.question[0]
    if question.name == dns.name.from_text("7.0.244.10.in-addr.arpa."):
        target = f"10-244-0-7.{in_zone('db')}."
        said.answer.append(dns.rrset.from_text(question.name, 30, "IN", "PTR", target))


def drops_the_end_of_a_chain(said: dns.message.Message) -> None:
    """The CNAMEs alone, where there is an address behind them."""
    if said.answer and said.answer[0].rdtype == dns.rdatatype.CNAME and len(said.answer) > 1:
        said.answer = said.answer[:-1]


def drops_the_start_of_a_chain(said: dns.message.Message) -> None:
    if said.answer and said.answer[0].rdtype == dns.rdatatype.CNAME and len(said.answer) > 1:
        said.answer = said.answer[1:]


def answers_loops_with_a_link(said: dns.message.Message) -> None:
    name = dns.name.from_text(in_zone("loop-1"))
    if said.question[0].name == name:
        said.answer = [dns.rrset.from_text(name, 30, "IN", "CNAME", f"{in_zone('loop-2')}.")]


def names_two_services_for_an_address(said: dns.message.Message) -> None:
    question = said.question[0]
    if question.rdtype == dns.rdatatype.PTR and said.answer:
        said.answer.append(dns.rrset.from_text(question.name, 30, "IN", "PTR", f"{in_zone('other')}."))


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (mixes_endpoints_into_cluster_ips, {"INV-76", "INV-80"}),
        (puts_ipv4_into_aaaa, {"INV-76", "INV-80"}),
        (drains_by_ptr, {"INV-77"}),
        (says_every_srv_twice, {"INV-78"}),
        (points_srv_at_nothing, {"INV-78"}),
        (names_two_services_for_an_address, {"INV-79"}),
        (drops_the_end_of_a_chain, {"INV-80"}),
        (drops_the_start_of_a_chain, {"INV-80"}),
        (answers_loops_with_a_link, {"INV-80"}),
    ],
)
def test_an_answer_that_is_changed_is_caught(wrong: Wrong, expected: set[str]) -> None:
    assert expected == caught(answering(dns_case(OBJECTS), wrong))


def test_inv_80_is_met_by_a_server_that_leaves_out_what_lies_outside() -> None:
    """DNS-EXT-06: where the upstream fails there is no CNAME either."""

    def without_outside(said: dns.message.Message) -> None:
        if "example.com." in str(said.answer):
            said.answer = []

    assert set() == caught(answering(dns_case(OBJECTS), without_outside))


def chain_of(length: int) -> Cluster:
    """So many ExternalNames in a row, the last of which leads to a Service with an address."""
    targets = [*(in_zone(f"hop-{at}") for at in range(1, length)), in_zone("web")]
    hops = (service(f"hop-{at}", points_at=target) for at, target in enumerate(targets))
    return Cluster(services=(service("web", "10.96.0.20"), *hops))


@pytest.mark.parametrize("length", [11, 12])
def test_inv_80_bounds_chains_at_eleven_names(length: int) -> None:
    """DNS-EXT-04: of twelve the first is cut, and saying it all the same is caught."""

    def follows_for_ever(said: dns.message.Message) -> None:
        name = dns.name.from_text(in_zone("hop-0"))
        if said.question[0].name != name or said.question[0].rdtype != dns.rdatatype.A:
            return
        owners = [in_zone(f"hop-{at}") for at in range(length)]
        targets = [*owners[1:], in_zone("web")]
        said.answer = [
            dns.rrset.from_text(f"{owner}.", 30, "IN", "CNAME", f"{target}.")
            for owner, target in zip(owners, targets, strict=True)
        ]
        said.answer.append(dns.rrset.from_text(f"{in_zone('web')}.", 30, "IN", "A", "10.96.0.20"))

    wrong = caught(answering(dns_case(chain_of(length)), follows_for_ever))
    assert ({"INV-80"} if length > 11 else set()) == wrong


# --- INV-81


def looking_up(change: Callable[[str, LookedUp], LookedUp]) -> DnsCase:
    case = dns_case(OBJECTS)

    def lookup(name: str, conf: ResolvConf) -> LookedUp:
        return change(name, case.lookup(name, conf))

    return attrs.evolve(case, lookup=lookup)


def in_turns() -> Callable[[str, LookedUp], LookedUp]:
    """Every second look-up finds nothing."""
    times = iter(range(1_000_000))
    return lambda _, found: attrs.evolve(found, addresses=()) if next(times) % 2 else found


def searches_in_spite_of_the_dot(name: str, found: LookedUp) -> LookedUp:
    if not name.endswith("."):
        return found
    return attrs.evolve(found, tried=(*found.tried, f"{name}svc.cluster.local."), answered=False)


def searches_backwards(_: str, found: LookedUp) -> LookedUp:
    return attrs.evolve(found, tried=found.tried[::-1])


def gives_up_at_once(_: str, found: LookedUp) -> LookedUp:
    """The first name that is not there ends the search."""
    return attrs.evolve(found, tried=found.tried[:1], answered=found.answered and len(found.tried) == 1)


def asks_nothing(_: str, found: LookedUp) -> LookedUp:
    return attrs.evolve(found, tried=())


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    "change",
    [in_turns(), searches_in_spite_of_the_dot, searches_backwards, gives_up_at_once, asks_nothing],
    ids=["in turns", "dot ignored", "backwards", "gives up", "asks nothing"],
)
def test_inv_81_catches_a_resolver_that_searches_otherwise(
    change: Callable[[str, LookedUp], LookedUp],
) -> None:
    assert {"INV-81"} == caught(looking_up(change))
