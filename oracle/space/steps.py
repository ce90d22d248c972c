"""One rule made ready to walk: its condition sorted by what it speaks of.

The meaning stays that of the rule's `when`; here the conjunction is only parted into what
is constant in a cell, what is a region of sources, and the rest.
"""

from fractions import Fraction
from typing import NamedTuple

from model.intervals import Intervals, contains
from model.predicate import Predicate
from oracle.ruleset import Action, Rule
from oracle.space.places import Signature


class Guard(NamedTuple):
    """A condition in parts; None where it does not speak of the thing.

    `places` are numbers of `Places`, all of which the destination must be in. `rest` is
    what is left: facts that depend on the hook or on the packet's state.
    """

    places: tuple[int, ...]
    protocols: Intervals | None
    ports: Intervals | None
    source: Intervals | None
    rest: tuple[Predicate, ...]

    def admits(self, signature: Signature, protocol: int, port: int) -> bool:
        """Whether the cell part holds in a cell."""
        for place in self.places:
            if place not in signature:
                return False
        if self.protocols is not None and not contains(self.protocols, protocol):
            return False
        return self.ports is None or contains(self.ports, port)


OPEN = Guard((), None, None, None, ())


class Step(NamedTuple):
    """One rule, ready: `then` is its action with pure mark chains called in place."""

    guard: Guard
    then: Action
    odds: Fraction | None
    rule: Rule
