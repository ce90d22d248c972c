"""What is asked of a solver about a claim, and what an answer would mean.

A claim holds if its `goal` follows from its `premises`: if premises and the goal's denial
have no model. Premises must have a model themselves, or the proof would say nothing; the
solver is asked that too. A model of the denial is a witness, which is shown in words and
replayed through the Python reading before anybody believes it.
"""

import enum
from collections.abc import Callable

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information


class Method(enum.Enum):
    """How far an answer reaches."""

    EXHAUSTIVE = "exhaustive over facts"  # every combination of what the tables ask
    UNBOUNDED = "unbounded"  # every number of endpoints, ports or addresses
    INDUCTIVE = "inductive"  # the first states satisfy it, every event preserves it
    BOUNDED = "bounded"  # up to the size that `scope` names


def _believed(_: z3.ModelRef) -> bool:
    """For witnesses that nothing replays."""
    return True


@attrs.frozen
class Query:
    """One question. `show` tells a witness in words.

    `confirm` replays a witness through the Python reading, and is false where that does not
    break the claim: then the solver's reading and Python's differ.
    """

    name: str
    premises: tuple[z3.BoolRef, ...]
    goal: z3.BoolRef
    show: Callable[[z3.ModelRef], str] = str
    confirm: Callable[[z3.ModelRef], bool] = _believed


@attrs.frozen
class Proof:
    """The proof of one claim: all its queries hold together.

    `scope` says for whom it holds ("every packet and every set of endpoints"); `why` says
    why a bound is enough, or that it is not known to be. `refuted` is true for a claim
    that is false: each of its queries must have a witness. `sentence` is the claim in words,
    and `part` tells apart the proofs of one claim: what of it is proved, or what is left out of it.
    """

    id: str
    method: Method
    scope: str
    queries: Callable[[], tuple[Query, ...]]
    why: str = ""
    refuted: bool = False
    sentence: str = ""
    part: str = ""

    @property
    def name(self) -> str:
        """The id, with the part where a claim has several proofs: `INV-56 (as printed)`."""
        return f"{self.id} ({self.part})" if self.part else self.id
