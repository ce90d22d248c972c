"""A solver's answers to the queries of a proof, and the queries as SMT-LIB text for another one."""

import enum
import time

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.query import Proof, Query

SECONDS_PER_QUERY = 60


class Outcome(enum.Enum):
    """What became of a proof."""

    PROVED = "proved"
    REFUTED = "refuted"
    VACUOUS = "vacuous"  # the premises have no model: nothing was said
    UNKNOWN = "unknown"  # the solver gave up


@attrs.frozen
class Result:
    """`query` is the one that decided where not all hold; `witness` tells its model in words."""

    proof: Proof
    outcome: Outcome
    seconds: float
    query: str = ""
    witness: str = ""


def run(proof: Proof, seconds: int = SECONDS_PER_QUERY) -> Result:
    """The outcome of every query of a proof, until one decides."""
    start = time.perf_counter()
    for query in proof.queries():
        outcome, witness = ask(query, seconds)
        if outcome is not Outcome.PROVED:
            return Result(proof, outcome, time.perf_counter() - start, query.name, witness)
    return Result(proof, Outcome.PROVED, time.perf_counter() - start)


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
            return Outcome.REFUTED, query.show(solver.model())
        case _:
            return Outcome.UNKNOWN, ""


def smt2(query: Query, logic: str = "ALL") -> str:
    """The query in SMT-LIB 2: a solver answers `unsat` where the claim holds."""
    solver = z3.Solver()
    solver.add(*query.premises, z3.Not(query.goal))
    return f"; {query.name}\n(set-logic {logic})\n{solver.to_smt2()}"
