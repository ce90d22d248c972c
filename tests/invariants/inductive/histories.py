"""Histories whose every step is held to the formula of its class of events."""

from collections import Counter
from functools import cache
from typing import ClassVar

from invariants.invariant import Step
from invariants.prove.inductive import AFTER, BEFORE, EVENT
from invariants.prove.pool_machine import EVENTS
from model.cluster.events import Event
from tests.invariants.inductive.abstraction import AbstractStep, abstract
from tests.invariants.inductive.finite import Reading, reading
from tests.strategies.machine.histories import Histories
from tests.strategies.machine.requests import Requests
from tests.wording import brief


class Unlike(AssertionError):
    """A step of the model that is no step of the machine."""

    def __init__(self, kind: str, event: Event) -> None:
        super().__init__(f"no step of {kind!r}: {brief(event)}")
        self.kind = kind


@cache
def _formula(kind: str) -> Reading:
    return reading(EVENTS[kind](BEFORE, AFTER, EVENT))


def is_a_step(one: AbstractStep) -> bool:
    """Whether the formula of the event's class is true of it."""
    return bool(_formula(one.kind)(one.case, []))


class AbstractRequests(Requests):
    """Requests alone, the hole open."""

    external_names_have_node_ports = True
    unclaimed = frozenset({"INV-19", "INV-20"})
    happened: ClassVar[Counter[str]] = Counter()

    def happens(self, event: Event) -> Step:
        step = super().happens(event)
        for one in abstract(step):
            if not is_a_step(one):
                raise Unlike(one.kind, event)
            if step.before.registry is not step.after.registry:
                self.happened[one.kind] += 1
        return step


class AbstractHistories(AbstractRequests, Histories):
    """All that can happen, the hole open."""
