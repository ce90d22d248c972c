"""Keys that are facts about a packet and not numbers in its headers.

Several facts are several alternatives, since the indices of the comparison know only
single ones; conntrack states alone are decided before any index is asked.

Sources: MODE-27 and rules-nftables 7 for what iptables-nft's tables hide; nft(8).
"""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from model.addresses import Family, parse_cidr
from model.predicate import Field, Predicate
from oracle.dialects.nftables.expressions import ANYTHING, Flags, Range, Value
from oracle.dialects.nftables.lower_scope import (
    ALWAYS_TRUE,
    NEVER,
    Alternatives,
    NotJudgedError,
    Scope,
    spans,
)

MARK_TOP: Final = 0xFFFFFFFF
_STATES: Final = {"new", "established", "related", "invalid", "untracked"}
_STATUSES: Final = {"dnat", "snat"}
_MULTICAST: Final = {Family.IPV4: parse_cidr("224.0.0.0/4")[1], Family.IPV6: parse_cidr("ff00::/8")[1]}
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_DECIDED: Final = _FIN | _SYN | _RST | _ACK


def _none_of(scope: Scope, alternatives: Alternatives) -> Alternatives:
    """That none of some single facts holds."""
    if any(not conjunction for conjunction in alternatives):
        return NEVER
    return (tuple(scope.negated(literal) for (literal,) in alternatives),)


@attrs.frozen(eq=False)
class DoubtfulKey:
    """Something that is not known of a packet."""

    scope: Scope
    text: str
    implied: Alternatives = ALWAYS_TRUE
    is_mark: bool = False

    def among(self, values: Sequence[Value]) -> Alternatives:
        if not values:
            return NEVER
        return self.scope.product(self.implied, self.scope.doubt(f"{self.text} {spans(values)}"))

    def outside(self, values: Sequence[Value]) -> Alternatives:
        return self.among(values) if values else self.implied


@attrs.frozen(eq=False)
class ConstantKey:
    """What is the same for every packet asked about: its family, the direction of its flow."""

    scope: Scope
    is_: str
    is_mark: bool = False

    def among(self, values: Sequence[Value]) -> Alternatives:
        return ALWAYS_TRUE if self.is_ in values or ANYTHING in values else NEVER

    def outside(self, values: Sequence[Value]) -> Alternatives:
        return NEVER if self.is_ in values or ANYTHING in values else ALWAYS_TRUE


@attrs.frozen(eq=False)
class InterfaceKey:
    """The interface by which a packet comes or goes; a final `*` is any ending."""

    scope: Scope
    fact: str
    may_end_open: bool
    is_mark: bool = False

    def among(self, values: Sequence[Value]) -> Alternatives:
        return tuple((literal,) for literal in self._literals(values))

    def outside(self, values: Sequence[Value]) -> Alternatives:
        return _none_of(self.scope, self.among(values))

    def _literals(self, values: Sequence[Value]) -> Iterator[Predicate]:
        for value in values:
            if not isinstance(value, str) or value.endswith("+"):
                raise NotJudgedError(f"{self.fact} {spans((value,))}")
            is_open = self.may_end_open and value.endswith("*") and not value.endswith("\\*")
            name = value[:-1] + "+" if is_open else value.replace("\\*", "*")
            yield self.scope.fact(self.fact, name)


@attrs.frozen(eq=False)
class FibTypeKey:
    """The kind of an address: the node's own, multicast, or one that is not known."""

    scope: Scope
    is_source: bool
    is_mark: bool = False

    def among(self, values: Sequence[Value]) -> Alternatives:
        return tuple(one for value in values for one in self._one(value))

    def outside(self, values: Sequence[Value]) -> Alternatives:
        return _none_of(self.scope, self.among(values))

    def _one(self, value: Value) -> Alternatives:
        if value == "local":
            return ((self.scope.fact("source-local" if self.is_source else "destination-local"),),)
        if value == "multicast":
            field = Field.SOURCE if self.is_source else Field.DESTINATION
            return self.scope.within(field, _MULTICAST[self.scope.family])
        return self.scope.doubt(f"fib {'saddr' if self.is_source else 'daddr'} type {spans((value,))}")


@attrs.frozen(eq=False)
class StateKey:
    """The conntrack state; a packet has one."""

    scope: Scope
    is_mark: bool = True  # `notrack` changes it

    def among(self, values: Sequence[Value]) -> Alternatives:
        names = [value for value in values if not isinstance(value, Flags)]  # no packet has two states
        return ((self.scope.any_of(self._facts(names)),),) if names else NEVER

    def outside(self, values: Sequence[Value]) -> Alternatives:
        inside = self.among(values)
        return _none_of(self.scope, inside) if inside else ALWAYS_TRUE

    def any_bit(self, value: Value) -> Alternatives:
        """That the state is one of those named together (`ct state established,related`)."""
        names: Sequence[Value] = value.names if isinstance(value, Flags) else (value,)
        return self.among(names)

    def no_bit(self, value: Value) -> Alternatives:
        """That it is none of them."""
        return _none_of(self.scope, self.any_bit(value))

    def _facts(self, values: Sequence[Value]) -> list[Predicate]:
        unknown = [value for value in values if value not in _STATES]
        if unknown:
            raise NotJudgedError(f"ct state {spans(unknown)}")
        return [self.scope.fact("ctstate", str(value).upper()) for value in values]


@attrs.frozen(eq=False)
class FlagsKey:
    """Bits of which some are known: conntrack's status, or the flags of TCP."""

    scope: Scope
    status: bool = False
    implied: Alternatives = ALWAYS_TRUE
    mask: int | None = None
    is_mark: bool = False

    def among(self, values: Sequence[Value]) -> Alternatives:
        return tuple(one for value in values for one in self._exactly(value))

    def outside(self, values: Sequence[Value]) -> Alternatives:
        inside = [self._exactly(value) for value in values]
        if any(one == self.implied for one in inside):
            return NEVER
        doubts = [one for one in inside if one]
        return doubts[0] if doubts else self.implied

    def any_bit(self, value: Value) -> Alternatives:
        """That some of the bits is set."""
        if self.status:
            names = value.names if isinstance(value, Flags) else (str(value),)
            if not set(names) <= _STATUSES:
                return self.scope.doubt(f"ct status {spans((value,))}")
            return ((self.scope.any_of([self.scope.fact("ctstate", name.upper()) for name in names]),),)
        bits = self._number(value)
        if bits & _SYN:
            return self.implied
        if not bits & ~_DECIDED:
            return NEVER
        return self.scope.product(self.implied, self.scope.doubt(f"tcp flags {bits:#x}"))

    def no_bit(self, value: Value) -> Alternatives:
        """That none of the bits is set."""
        inside = self.any_bit(value)
        if self.status:
            return _none_of(self.scope, inside)
        return self.implied if not inside else NEVER if inside == self.implied else inside

    def _exactly(self, value: Value) -> Alternatives:
        if self.status:
            return self.scope.doubt(f"ct status == {spans((value,))}")
        mask = 0xFF if self.mask is None else self.mask
        wanted = self._number(value)
        if wanted & ~mask or wanted & _DECIDED & mask != _SYN & mask:
            return NEVER
        if not mask & ~_DECIDED:
            return self.implied
        return self.scope.product(self.implied, self.scope.doubt(f"tcp flags {wanted:#x} of {mask:#x}"))

    def _number(self, value: Value) -> int:
        if not isinstance(value, int):
            raise NotJudgedError(f"tcp flags {spans((value,))}")
        return value


@attrs.frozen(eq=False)
class MarkKey:
    """The packet's mark, of which the bits of `mask` count."""

    scope: Scope
    mask: int = MARK_TOP
    is_mark: bool = True

    def among(self, values: Sequence[Value]) -> Alternatives:
        return tuple(one for value in values for one in self._one(value))

    def outside(self, values: Sequence[Value]) -> Alternatives:
        return _none_of(self.scope, self.among(values))

    def _one(self, value: Value) -> Alternatives:
        match value:
            case int():
                return self._prefix(value, MARK_TOP)
            case Range(int() as low, int() as high) if self.mask == MARK_TOP:
                return tuple(one for part, mask in _prefixes(low, high) for one in self._prefix(part, mask))
            case _ if value is ANYTHING:
                return ALWAYS_TRUE
            case _:
                raise NotJudgedError(f"meta mark {spans((value,))}")

    def _prefix(self, value: int, mask: int) -> Alternatives:
        bits = mask & self.mask
        if value & ~bits:
            return NEVER
        return ((self.scope.fact("mark", f"{value:#x}/{bits:#x}"),),) if bits else ALWAYS_TRUE


def _prefixes(low: int, high: int) -> Iterator[tuple[int, int]]:
    """A span of marks as values with masks, none overlapping.

    >>> [(hex(value), hex(mask)) for value, mask in _prefixes(1, 3)]
    [('0x1', '0xffffffff'), ('0x2', '0xfffffffe')]
    """
    while low <= high:
        bits = min((low & -low).bit_length() - 1 if low else 32, (high - low + 1).bit_length() - 1)
        yield low, MARK_TOP & ~((1 << bits) - 1)
        low += 1 << bits
