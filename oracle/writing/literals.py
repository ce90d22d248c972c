"""What both writers need to know of a condition: its literals, and how a set of numbers is best said."""

from collections.abc import Iterator
from typing import NamedTuple

from model.addresses import Family, format_address
from model.intervals import Intervals, complement
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within
from oracle.dialects.iptables.modules import WITH_PORTS

PORT_TOP = 0xFFFF
PROTOCOL_TOP = 0xFF

PORT_NAMES = {number: name for name, number in WITH_PORTS.items()}

Literal = Within | Fact | Any | Not


class NotWritableError(ValueError):
    """The tool has no words for this rule; the text says for which part of it."""


class Said(NamedTuple):
    """A set as the tool names it: these spans, or everything but them."""

    spans: Intervals
    is_negated: bool


def literals(when: Predicate) -> tuple[Literal, ...]:
    """The parts of a conjunction, in order. Raises NotWritableError for a conjunction inside one."""
    parts = when.parts if isinstance(when, All) else (when,)
    found = tuple(part for part in parts if not isinstance(part, All))
    if len(found) != len(parts):
        raise NotWritableError("a conjunction within a conjunction")
    return found


def top(field: Field, family: Family) -> int:
    """The highest number that a field may hold."""
    match field:
        case Field.SOURCE | Field.DESTINATION:
            return family.top
        case Field.PROTOCOL:
            return PROTOCOL_TOP
        case Field.PORT | Field.SOURCE_PORT:
            return PORT_TOP


def said(within: Within, family: Family) -> Said:
    """The set in as few spans as it takes. Raises NotWritableError for no numbers and for all.

    >>> said(Within(Field.PORT, ((0, 79), (81, 65535))), Family.IPV4)
    Said(spans=((80, 80),), is_negated=True)
    """
    outside = complement(within.values, top(within.field, family))
    if not within.values or not outside:
        raise NotWritableError(f"{within.field.value} in no number, or in any")
    if len(outside) < len(within.values):
        return Said(outside, True)
    return Said(within.values, False)


def split_not(literal: Literal) -> tuple[Predicate, bool]:
    """The literal without its negation, and whether it had one."""
    return (literal.part, True) if isinstance(literal, Not) else (literal, False)


def protocol_of(parts: tuple[Literal, ...]) -> str:
    """The one protocol with ports that the literals ask for, "" where there is none."""
    for part in parts:
        if isinstance(part, Within) and part.field is Field.PROTOCOL and len(part.values) == 1:
            low, high = part.values[0]
            if low == high and low in PORT_NAMES:
                return PORT_NAMES[low]
    return ""


def states(literal: Predicate) -> tuple[str, ...]:
    """The conntrack states of a literal, one of which is meant; none where it is about something else."""
    parts = literal.parts if isinstance(literal, Any) else (literal,)
    names = tuple(part.argument for part in parts if isinstance(part, Fact) and part.name == "ctstate")
    return names if len(names) == len(parts) else ()


def mark_of(argument: str) -> tuple[int, int]:
    """The value and mask of the fact `mark`."""
    value, _, mask = argument.partition("/")
    return int(value, 16), int(mask, 16)


def memory_of(argument: str) -> tuple[str, int]:
    """The list and the seconds of the fact `recent`."""
    name, _, seconds = argument.rpartition("/")
    return name, int(seconds)


def prefix(family: Family, low: int, high: int) -> str:
    """A span of addresses as a network, "" where it is none.

    >>> prefix(Family.IPV4, 0x0A000000, 0x0AFFFFFF), prefix(Family.IPV4, 1, 2)
    ('10.0.0.0/8', '')
    """
    count = high - low + 1
    if count & (count - 1) or low & (count - 1):
        return ""
    return f"{format_address(family, low)}/{family.bits - count.bit_length() + 1}"


def range_text(family: Family, low: int, high: int) -> str:
    """A span of addresses as `first-last`."""
    return f"{format_address(family, low)}-{format_address(family, high)}"


def place_text(family: Family, address: int | None, port: int | None) -> str:
    """`address:port`, `[address]:port`, an address alone or `:port`. Raises NotWritableError for neither."""
    if address is None and port is None:
        raise NotWritableError("a translation to nowhere")
    host = "" if address is None else format_address(family, address)
    if port is None:
        return host
    return f"[{host}]:{port}" if host and family is Family.IPV6 else f"{host}:{port}"


def networks(family: Family, spans: Intervals) -> Iterator[Intervals]:
    """The networks, each as a set of one span, that spans of addresses are made of, in order."""
    for low, high in spans:
        while low <= high:
            bits = min(
                (low & -low).bit_length() - 1 if low else family.bits, (high - low + 1).bit_length() - 1
            )
            yield ((low, low + (1 << bits) - 1),)
            low += 1 << bits
