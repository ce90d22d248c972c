"""A rule's condition while it is being read: a conjunction that only grows.

What cannot be judged becomes the fact `unsupported` and a note; it is never left out.
A literal that is always true is left out; one that is never true is an empty `Within`.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, NamedTuple

from model.addresses import Family, parse_address, parse_cidr
from model.intervals import EMPTY, Intervals, complement, normalise
from model.predicate import ALWAYS, All, Any, Fact, Field, Not, Predicate, Within
from oracle.dialects.iptables.tokens import MalformedError, Option, WrongFamilyError

ALL_PORTS: Final = ((0, 0xFFFF),)
ALL_PROTOCOLS: Final = ((0, 0xFF),)

IMPOSSIBLE = Within(Field.PROTOCOL, EMPTY)


class Condition(NamedTuple):
    """What a rule's matches say; `notes` has a line for each thing not judged."""

    when: Predicate
    odds: Fraction | None = None
    remember: str = ""
    notes: tuple[str, ...] = ()


UNCONDITIONAL = Condition(ALWAYS)


class Reading:
    """The literals, odds and notes gathered so far for one rule of one family.

    `protocol` is the one that `-p` asks for, 0 when the rule asks for none.
    """

    __slots__ = ("_settled", "family", "literals", "notes", "odds", "protocol", "random", "remember")

    def __init__(self, family: Family) -> None:
        self.family = family
        self.literals: list[Predicate] = []
        self.odds: Fraction | None = None
        self.random = True
        self.remember = ""
        self.notes: list[str] = []
        self.protocol = 0
        self._settled: tuple[int, Fraction | None] | None = None

    def within(self, field: Field, values: Intervals, everything: Intervals, *, negated: bool) -> None:
        """Add that the field, which may be anything of `everything`, lies in the set, or outside."""
        if negated:
            values = complement(values, everything[0][1])
        if values != everything:
            self.literals.append(Within(field, values) if values else IMPOSSIBLE)

    def facts(self, facts: Iterable[Fact], *, negated: bool) -> None:
        """Add that one of the facts is true, or that none is."""
        parts = tuple(facts)
        literal: Predicate = parts[0] if len(parts) == 1 else Any(parts)
        self.literals.append(Not(literal) if negated else literal)

    def impossible(self) -> None:
        """Add what is never true."""
        self.literals.append(IMPOSSIBLE)

    def unsupported(self, text: str) -> None:
        """Add that nobody can say whether this part of the rule holds."""
        self.literals.append(self.doubt(text))

    def doubt(self, text: str) -> Fact:
        """The fact that stands for an option which cannot be judged, noted."""
        self.notes.append(f"match not judged: {text}")
        return Fact("unsupported", text)

    def chance(self, odds: Fraction, text: str, *, random: bool) -> None:
        """Add a chance: independent ones multiply, counters (nth) beside another do not."""
        if odds == 1:
            return
        if odds == 0:
            self.impossible()
        elif self.odds is None:
            self.odds, self.random = odds, random
        elif self.random and random:
            self.odds *= odds
        else:
            self.unsupported(text)

    def remembers(self, name: str, text: str) -> None:
        """Add that the source enters a list; the kernel does so before later matches."""
        if self.remember and self.remember != name:
            self.unsupported(text)
            return
        self.remember = name
        self._settled = (len(self.literals), self.odds)

    def condition(self) -> Condition:
        """All that was read. A match after `recent --set` may fail with the source remembered."""
        if self._settled is not None and self._settled != (len(self.literals), self.odds):
            self.unsupported("recent --set before other matches")
        when = All(tuple(self.literals)) if self.literals else ALWAYS
        return Condition(when, self.odds, self.remember, tuple(self.notes))


def one_value(option: Option) -> str:
    """The option's only value. Raises MalformedError when it has none or several."""
    if len(option.values) != 1:
        raise MalformedError(f"{option.text} should have one value")
    return option.values[0]


def whole_number(text: str, top: int) -> int:
    """A number 0..top in decimal or 0x form. Raises MalformedError when it is not."""
    try:
        number = int(text, 0) if text.isascii() and "_" not in text else -1
    except ValueError:
        number = -1
    if not 0 <= number <= top:
        raise MalformedError(f"{text} is not a number from 0 to {top}")
    return number


def address(text: str, family: Family) -> int:
    """An address of the family. Raises MalformedError or WrongFamilyError."""
    try:
        found, number = parse_address(text)
    except ValueError as fault:
        raise MalformedError(str(fault)) from None
    if found is not family:
        raise WrongFamilyError(text, family)
    return number


def network(text: str, family: Family) -> Intervals | None:
    """The addresses of `address[/length|/mask]`; None when the mask has holes."""
    if text.endswith("/32" if family is Family.IPV4 else "/128"):  # most are single hosts
        host = address(text[: text.index("/")], family)
        return ((host, host),)
    try:
        found, span = parse_cidr(text)
    except ValueError as fault:
        base, _, mask = text.partition("/")
        if "." not in mask and ":" not in mask:
            raise MalformedError(str(fault)) from None
        address(base, family)
        bits = address(mask, family)
        holes = ~bits & family.top
        return None if holes & (holes + 1) else parse_cidr(f"{base}/{bits.bit_count()}")[1]
    if found is not family:
        raise WrongFamilyError(text, family)
    return span


def address_range(text: str, family: Family) -> Intervals:
    """The addresses of `first-last`, or of one address."""
    first, dash, last = text.partition("-")
    low = address(first, family)
    high = address(last, family) if dash else low
    return _span(low, high, text)


def ports(text: str) -> Intervals:
    """The ports of `N`, `N:M`, `N:`, `:M`."""
    first, colon, last = text.partition(":")
    low = whole_number(first, 0xFFFF) if first or not colon else 0
    high = low if not colon else whole_number(last, 0xFFFF) if last else 0xFFFF
    return _span(low, high, text)


def port_list(text: str) -> Intervals:
    """The ports of a multiport list."""
    return normalise(span for part in text.split(",") for span in ports(part))


def mark_and_mask(text: str) -> tuple[int, int]:
    """The numbers of `value[/mask]`; without a mask all 32 bits count."""
    value, slash, mask = text.partition("/")
    return whole_number(value, 0xFFFFFFFF), whole_number(mask, 0xFFFFFFFF) if slash else 0xFFFFFFFF


def _span(low: int, high: int, text: str) -> Intervals:
    if low > high:
        raise MalformedError(f"the range {text} ends before it begins")
    return ((low, high),)
