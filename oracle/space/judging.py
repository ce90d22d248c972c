"""Whether a condition that is not about the cell holds of the packets of a flow."""

from typing import NamedTuple

from model.intervals import Intervals, contains, subtract, union
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within
from oracle.hooks import Stop, interface_matches
from oracle.space.ends import Outward
from oracle.space.flow import Flow
from oracle.space.places import Signature


class At(NamedTuple):
    """Where a walk is: the cell as it looks by now, and what its hook knows."""

    signature: Signature
    protocol: int
    port: int
    translated: bool  # by nat
    inward: str | None  # interface the packet came in by, "" for none
    outward: Outward | None  # what is known of the interface it leaves by, None where there is none
    stop: Stop | None  # the base chain it is in


def judge(literal: Predicate, at: At, flow: Flow) -> bool | str | Intervals:
    """True, False, "unsure", a memory that was asked ("!" before it: negated), or sources."""
    match literal:
        case Not(part):
            inner = judge(part, at, flow)
            if isinstance(inner, bool):
                return not inner
            if isinstance(inner, tuple):
                return subtract(flow.sources, inner)
            return inner if inner == "unsure" else f"!{inner}"
        case Fact("mark", argument):
            value, _, mask = argument.partition("/")
            wanted, bits = int(value, 16), int(mask, 16)
            inside: Intervals = ()
            for part_sources, mark in flow.pieces:
                if mark & bits == wanted:
                    inside = union(inside, part_sources)
            return flow.sources if inside == flow.sources else inside
        case Fact("ctstate", argument):
            return _ctstate(argument, at, flow)
        case Fact("in-interface", argument):
            if at.inward is None:
                return False if argument == "lo" else "unsure"
            return interface_matches(argument, at.inward)
        case Fact("out-interface", argument):
            if at.outward is None:
                return False
            return dict(at.outward).get(argument, "unsure")
        case Fact("recent", argument):
            return argument
        case Any(parts):
            answers = [judge(part, at, flow) for part in parts]
            if any(answer is True for answer in answers):
                return True
            return False if all(answer is False for answer in answers) else "unsure"
        case All(parts):
            answers = [judge(part, at, flow) for part in parts]
            if any(answer is False for answer in answers):
                return False
            return True if all(answer is True for answer in answers) else "unsure"
        case Within(Field.PROTOCOL, values):
            return contains(values, at.protocol)
        case Within(Field.PORT, values):
            return contains(values, at.port)
    return "unsure"


def _ctstate(name: str, at: At, flow: Flow) -> bool:
    """Conntrack state and status of a connection's first packet."""
    match name:
        case "NEW":
            return not flow.untracked
        case "UNTRACKED":
            return flow.untracked
        case "DNAT":
            return at.translated
        case "SNAT":
            return flow.masqueraded
    return False
