"""The inductive proofs, one for each claim about Services and their pools.

Whatever history leads to a state, however many Services, ports, addresses and ServiceCIDRs
there are. That the machine these proofs speak of is the model's is tested on drawn
histories, not proved.
"""

from collections.abc import Callable, Iterator, Mapping

import attrs

from invariants.prove import inductive, inductive_hole
from invariants.prove.allocation_machine import Transition
from invariants.prove.inductive import (
    OF_ADDRESSES,
    OF_NUMBERS,
    SHAPE,
    Inductive,
    StateFormula,
    StepFormula,
    step_queries,
)
from invariants.prove.pool_machine import EVENTS
from invariants.prove.query import Method, Proof, Query

Events = Mapping[str, Transition]
Questions = Callable[[Events], Iterator[Query]]

SCOPE = "every history of requests, repairs and ServiceCIDRs over any number of Services, ports and addresses"
_LEMMAS = "in states of which the lemmas hold that INV-18 proves of all"
_CLOSED = "assumed at every step: no ExternalName Service carries node ports (ALLOC-NP-09)"


def _addresses(*claims: StateFormula) -> Questions:
    return Inductive(OF_ADDRESSES, claims).queries


def _numbers(*claims: StateFormula) -> Questions:
    return Inductive(OF_NUMBERS, claims, (inductive.the_hole_is_closed,)).queries


def _in_range(events: Events) -> Iterator[Query]:
    for what, questions in (
        ("node ports", _numbers(inductive.numbers_are_in_range)),
        ("cluster IPs", _addresses(inductive.addresses_are_in_range)),
    ):
        for query in questions(events):
            yield attrs.evolve(query, name=f"{what}: {query.name}")


def _step(claim: StepFormula, rests_on: tuple[StateFormula, ...]) -> Questions:
    """No event breaks the claim in a state of which the lemmas hold; that they are kept is INV-18's part."""
    return lambda events: step_queries(claim, rests_on, events)


def _of_requests(claim: StepFormula, rests_on: tuple[StateFormula, ...]) -> Questions:
    """The same, where the claim speaks of what requests draw and not of what repair finds."""

    def questions(events: Events) -> Iterator[Query]:
        requests = {name: event for name, event in events.items() if name in ("create", "update")}
        yield from step_queries(claim, rests_on, requests)

    return questions


QUESTIONS: Mapping[str, tuple[Questions, str]] = {
    "INV-12": (_step(inductive.the_primary_address_stays, SHAPE), _LEMMAS),
    "INV-13": (_step(inductive.the_second_address_goes_only_with_the_policy, SHAPE), _LEMMAS),
    "INV-14": (_step(inductive.headless_stays_headless, SHAPE), _LEMMAS),
    "INV-16": (_step(inductive.refused_and_dry_requests_leave_nothing, ()), ""),
    "INV-17": (_step(inductive.what_a_balancer_was_given_stays, SHAPE), _LEMMAS),
    "INV-18": (
        _addresses(inductive.cluster_ips_have_one_owner),
        "not inductive alone: with one owner an address, and a ServiceCIDR for every owned one",
    ),
    "INV-19": (
        _numbers(inductive.node_ports_have_one_owner),
        f"{_CLOSED}; not inductive alone: with one owner a number, which names the Service that carries it, "
        "and a health check's number that is no node port of its Service",
    ),
    "INV-20": (_in_range, f"of node ports {_CLOSED}; with the lemmas of INV-18 and INV-19"),
    "INV-21": (_addresses(inductive.no_service_has_an_edge_of_its_range), "with the lemmas of INV-18"),
    "INV-22": (
        _of_requests(inductive.the_static_band_comes_last, OF_ADDRESSES),
        f"{_LEMMAS}; a number that a request takes for one port is in use for its next",
    ),
    "INV-24": (
        _step(inductive.a_deleted_service_leaves_nothing_owned, OF_ADDRESSES),
        f"{_LEMMAS}: an address that no ServiceCIDR held would not be released",
    ),
}
"""For each claim its questions, for any reading of the events, and why it takes more than itself."""


def proof_of(id: str, events: Events = EVENTS) -> Proof:
    """The proof of a claim, of the machine or of one made wrong on purpose. Raises KeyError."""
    questions, why = QUESTIONS[id]
    return Proof(id, Method.INDUCTIVE, SCOPE, lambda: tuple(questions(events)), why)


PROOFS: tuple[Proof, ...] = (
    *map(proof_of, QUESTIONS),
    Proof(
        "INV-19",
        Method.BOUNDED,
        f"histories of {inductive_hole.SHORTEST} events, ExternalName Services with node ports among them",
        lambda: tuple(inductive_hole.queries()),
        "without its assumption the claim is false, and one history shows it (ALLOC-NP-09)",
        refuted=True,
        sentence="No two Services that nodes serve share a node port, ExternalName Services with node ports "
        "or not.",
        part="without its assumption",
    ),
)
