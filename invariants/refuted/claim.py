"""A claim that is tempting and false: written like any other, with what breaks it.

It is kept because people build on it. Its counterexamples are found by drawing and played
through the model in the tests; here stands only what the claim says and why it fails.
"""

import enum
from collections.abc import Callable, Sequence
from typing import Generic

import attrs

from invariants.invariant import Check, Check_co, Step, Violation
from invariants.names import DnsCase
from model.cluster.state import ClusterState
from model.node_config import ProxyMode


class Case(enum.Enum):
    """What the claim is a function of."""

    STATE = "a state"
    STEP = "a step"
    HISTORY = "all steps of a history"
    DNS = "a moment's objects and the DNS server over them"


StateCheck = Callable[[ClusterState], Violation | None]
StepCheck = Callable[[Step], Violation | None]
HistoryCheck = Callable[[Sequence[Step]], Violation | None]
DnsCheck = Callable[[DnsCase], Violation | None]


SHOWN = (ProxyMode.IPTABLES,)
"""The mode of the nodes in the histories that are drawn to refute a claim about traffic."""


@attrs.frozen
class Break:
    """One way in which the claim fails: the rules that make it so, and a counterexample in words."""

    rules: tuple[str, ...]
    counterexample: str


@attrs.frozen
class Refuted(Generic[Check_co]):
    """A false claim. `check` is what it says; `breaks` are the ways in which it fails.

    `modes` are the proxy modes in which that is shown; empty where no proxy is concerned.
    `awaits` names what else breaks it that no history here shows, "" for nothing.
    """

    id: str
    sentence: str
    case: Case
    breaks: tuple[Break, ...]
    modes: tuple[ProxyMode, ...]
    awaits: str
    check: Check_co

    @property
    def broken_by(self) -> tuple[str, ...]:
        """The rules that break it, each once."""
        return tuple(dict.fromkeys(rule for one in self.breaks for rule in one.rules))

    def violation(self, *case: object) -> Violation | None:
        """How the case breaks the claim."""
        return self.check(*case)


def refuted(
    id: str,
    sentence: str,
    *breaks: Break,
    case: Case,
    modes: tuple[ProxyMode, ...] = (),
    awaits: str = "",
) -> Callable[[Check], Refuted[Check]]:
    """Makes the refuted claim of a check. It is listed by hand in `invariants.refuted`."""

    def claim(check: Check) -> Refuted[Check]:
        return Refuted(id, sentence, case, breaks, modes, awaits, check)

    return claim
