"""A solver's answers to the queries of a proof, and the queries as SMT-LIB text for another one."""

import enum
import time
from collections import Counter
from collections.abc import Iterable, Iterator

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.query import Proof, Query

SECONDS_PER_QUERY = 60


class Outcome(enum.Enum):
    """What became of a proof."""

    PROVED = "proved"
    REFUTED = "refuted"
    VACUOUS = "vacuous"  # the premises have no model: nothing was said
    UNCONFIRMED = "unconfirmed"  # a witness that Python's reading does not bear out
    UNKNOWN = "unknown"  # the solver gave up


@attrs.frozen
class Result:
    """`query` is the one that decided where not all hold; `witness` tells its model in words.

    Of a claim that is false, and shown to be, they are the last query and its witness.
    """

    proof: Proof
    outcome: Outcome
    seconds: float
    query: str = ""
    witness: str = ""

    @property
    def is_as_expected(self) -> bool:
        """Whether a claim was proved, or one that is known to be false was refuted."""
        return self.outcome is expected(self.proof)


def expected(proof: Proof) -> Outcome:
    """The outcome that every query of the proof should have."""
    return Outcome.REFUTED if proof.refuted else Outcome.PROVED


def run(proof: Proof, seconds: int = SECONDS_PER_QUERY) -> Result:
    """The outcome of every query of a proof, until one is not as expected."""
    start = time.perf_counter()
    outcome, name, witness = Outcome.VACUOUS, "", ""  # of a proof without queries
    for query in proof.queries():
        outcome, witness = ask(query, seconds)
        name = query.name
        if outcome is not expected(proof):
            break
    if outcome is Outcome.PROVED:
        name = ""
    return Result(proof, outcome, time.perf_counter() - start, name, witness)


def ask(query: Query, seconds: int = SECONDS_PER_QUERY) -> tuple[Outcome, str]:
    """The outcome of one query, and its witness in words where it is refuted."""
    solver = z3.Solver()
    solver.set("timeout", seconds * 1000)
    solver.add(*query.premises)
    if (reachable := solver.check()) != z3.sat:
        return (Outcome.VACUOUS if reachable == z3.unsat else Outcome.UNKNOWN), ""
    solver.add(z3.Not(query.goal))
    match str(solver.check()):
        case "unsat":
            return Outcome.PROVED, ""
        case "sat":
            witness = solver.model()
            outcome = Outcome.REFUTED if query.confirm(witness) else Outcome.UNCONFIRMED
            return outcome, query.show(witness)
        case _:
            return Outcome.UNKNOWN, ""


@attrs.frozen
class Script:
    """A question as SMT-LIB text, and the answer that another solver should give: sat or unsat."""

    name: str
    text: str
    answer: str


def scripts(proofs: Iterable[Proof]) -> Iterator[Script]:
    """Two questions a query: have the premises a model, and has the denial of the goal under them."""
    counts: Counter[str] = Counter()
    for proof in proofs:
        for query in proof.queries():
            counts[proof.id] += 1
            name = f"{proof.id}-{counts[proof.id]:02}"
            yield Script(f"{name}-premises", smt2(f"{query.name}: premises", query.premises, "sat"), "sat")
            answer = "sat" if proof.refuted else "unsat"
            denial = (*query.premises, z3.Not(query.goal))
            yield Script(name, smt2(query.name, denial, answer), answer)


def smt2(title: str, assertions: tuple[z3.BoolRef, ...], answer: str, logic: str = "ALL") -> str:
    """The assertions in SMT-LIB 2, with the answer that is expected."""
    solver = z3.Solver()
    solver.add(*assertions)
    body = "\n".join(line for line in solver.to_smt2().splitlines() if not line.startswith(";"))
    body = body.replace("(set-info :status unknown)", "").strip()
    return f"; {title}\n(set-logic {logic})\n(set-info :status {answer})\n{body}\n"
