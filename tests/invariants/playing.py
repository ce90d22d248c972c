"""Histories as lists of events: played through the model, and told in a few lines."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import attrs

from invariants.invariant import Step, Violation
from invariants.refuted.claim import Case, Refuted
from model.addresses import format_address
from model.api.refusal import Refused
from model.cluster import events, transition
from model.cluster.events import Event, IllegalEvent
from model.cluster.state import ClusterState
from model.objects import Node
from model.packet import Packet
from model.traffic import Delivery
from tests.invariants.dns_cases import dns_case
from tests.wording import brief

History = tuple[Event, ...]


class Written(tuple[Event, ...]):
    """A history that is written with what its events say."""

    def __repr__(self) -> str:
        return f"[{'; '.join(map(brief, self))}]"


EMPTY = ClusterState()

MOST_ALIKE = 5  # that are told one by one


def played(history: Iterable[Event], state: ClusterState = EMPTY) -> tuple[Step, ...]:
    """Every step from that state on; what is not carried out changes nothing."""
    steps: list[Step] = []
    for event in history:
        try:
            stepped = transition.carry_out(state, event)
        except (IllegalEvent, Refused) as fault:
            steps.append(Step(state, event, state, fault))
            continue
        steps.append(Step(state, event, stepped.state, stepped.answer))
        state = stepped.state
    return tuple(steps)


def broken(claim: Refuted, steps: Sequence[Step]) -> Violation | None:  # type: ignore[type-arg]  # any case
    """How the history first breaks the claim."""
    return next(_violations(claim, steps), None)


def _violations(claim: Refuted, steps: Sequence[Step]) -> Iterator[Violation]:  # type: ignore[type-arg]  # any case
    match claim.case:
        case Case.STATE:
            found = (claim.violation(step.after) for step in steps)
        case Case.STEP:
            found = (claim.violation(step) for step in steps)
        case Case.DNS:
            found = (claim.violation(dns_case(step.after.objects())) for step in steps)
        case Case.HISTORY:
            found = (claim.violation(steps) for _ in range(1))
    return (violation for violation in found if violation is not None)


def told(claim: Refuted, steps: Sequence[Step]) -> str:  # type: ignore[type-arg]  # any case
    """The counterexample as text: the claim, every step, and how they break it."""
    violation = broken(claim, steps)
    lines = [f"{claim.id}: {claim.sentence}"]
    for fate, alike in groupby(enumerate(steps, 1), lambda numbered: _fate_of_all(numbered[1])):
        (at, first), *others = alike
        lines.append(f"{at}. {_line(first)}")
        if fate is not None and len(others) > MOST_ALIKE:
            lines.append(f"and the same for {len(others)} other clients")
        else:
            lines += [f"{at}. {_line(step)}" for at, step in others]
    return "\n".join([*lines, f"so: {violation.what if violation else 'nothing is broken'}"])


def _fate_of_all(step: Step) -> object:
    """What clients share who do the same with the same result; None where it is no packet."""
    if not isinstance(step.event, events.Send) or not isinstance(step.told, Delivery):
        return None
    anybody = attrs.evolve(step.event, packet=attrs.evolve(step.event.packet, source=0))
    return anybody, step.told.verdict, step.told.target


def _line(step: Step) -> str:
    match step.event:
        case events.Send(node, packet) if isinstance(step.told, Delivery):
            return f"at {node}: {packet} {_fate(packet, step.told)}"
        case events.AddNode(node, config):
            masquerades = ", where kube-proxy masquerades all" if config.masquerade_all else ""
            return f"node {node.name} joins{_zone(node)}{masquerades}"
        case events.CreateService(service):
            what = f"{service.object_name} is created with {brief(service.spec)}"
        case events.UpdateService(service):
            what = f"{service.object_name} is updated to {brief(service.spec)}"
        case events.UpdateServiceStatus(service):
            what = f"{service.object_name} gets {brief(service.status)}"
        case event:
            what = brief(event)
    return what + (f" is refused: {step.told}" if step.is_refused else "")


def _zone(node: Node) -> str:
    return f" in {node.zone}" if node.zone else ""


def _fate(packet: Packet, delivery: Delivery) -> str:
    follows = "" if delivery.is_new else " as its flow does"
    if delivery.target is None:
        return f"-> {delivery.verdict.value}{follows}"
    seen = ", with the node's address" if delivery.masquerade else ""
    place = format_address(packet.family, delivery.target.address)
    return f"-> {place} port {delivery.target.port}{seen}{follows}"
