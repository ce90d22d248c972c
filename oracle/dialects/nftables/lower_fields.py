"""Keys that are numbers in a packet's headers: addresses, protocol, ports.

A protocol that is named with a field is asked for too (`tcp dport` is of TCP alone); `th
dport` of a protocol without ports reads bytes of its payload, so that nobody can say what
it finds.

Sources: nft(8) PAYLOAD EXPRESSIONS; FWD-OBJ-05.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from model.intervals import Intervals, complement, is_subset, normalise
from model.packet import SCTP, TCP, UDP
from model.predicate import Field, Within
from oracle.dialects.iptables.names import DCCP, UDPLITE
from oracle.dialects.nftables.expressions import ANYTHING, Address, Range, Value
from oracle.dialects.nftables.lower_scope import (
    ALWAYS_TRUE,
    Alternatives,
    Conjunction,
    NotJudgedError,
    Scope,
    spans,
)

WITH_PORTS: Final = normalise((number, number) for number in (TCP, UDP, SCTP, DCCP, UDPLITE))


@attrs.frozen(eq=False)
class FieldKey:
    """A number in a header; `implied` is what a packet must be to have that header."""

    scope: Scope
    field: Field
    implied: Alternatives = ALWAYS_TRUE
    mask: int | None = None
    is_mark: bool = False

    def among(self, values: Sequence[Value]) -> Alternatives:
        if len(values) == 1 and self.mask is None:
            value = values[0]
            number = value.value if type(value) is Address else value
            if type(number) is int and number <= self.scope.top(self.field):
                return self.scope.product(self.implied, self.scope.single(self.field, number))
        return self._of(self._spans(values))

    def outside(self, values: Sequence[Value]) -> Alternatives:
        return self._of(complement(self._spans(values), self.scope.top(self.field)))

    def _of(self, values: Intervals) -> Alternatives:
        return self.scope.product(self.implied, self.scope.within(self.field, values))

    def _spans(self, values: Sequence[Value]) -> Intervals:
        top = self.scope.top(self.field)
        found: list[tuple[int, int]] = []
        for value in values:
            low, high = _ends(value, top)
            if self.mask is None:
                found.append((low, min(high, top)))
            else:
                found.extend(_masked(low, high, self.mask, top))
        return normalise(span for span in found if span[0] <= span[1])


def _ends(value: Value, top: int) -> tuple[int, int]:
    """The first and the last number of a value. Raises NotJudgedError for what is none."""
    if isinstance(value, Address):
        return value.value, value.value
    if isinstance(value, int):
        return value, value
    if isinstance(value, Range) and not isinstance(value.low, str) and not isinstance(value.high, str):
        return _ends(value.low, top)[0], _ends(value.high, top)[1]
    if value is ANYTHING:
        return 0, top
    raise NotJudgedError(f"the value {spans((value,))}")


def _masked(low: int, high: int, mask: int, top: int) -> Intervals:
    """The numbers that are `low` under the mask, which must be that of a prefix."""
    host = ~mask & top
    if low != high or host & (host + 1):
        raise NotJudgedError("a mask that is no prefix")
    return () if low & host else ((low, low | host),)


@attrs.frozen(eq=False)
class TransportPortKey:
    """`th sport` and `th dport`: of no protocol in particular."""

    scope: Scope
    port: FieldKey
    text: str
    is_mark: bool = False

    def among(self, values: Sequence[Value]) -> Alternatives:
        return self._with_others(self.port.among(values))

    def outside(self, values: Sequence[Value]) -> Alternatives:
        return self._with_others(self.port.outside(values))

    def _with_others(self, ports: Alternatives) -> Alternatives:
        with_ports = self.scope.within(Field.PROTOCOL, WITH_PORTS)
        others = self.scope.outside(Field.PROTOCOL, WITH_PORTS)
        doubt = self.scope.doubt(f"{self.text} of a protocol without ports")
        return (*self.scope.product(with_ports, ports), *self.scope.product(others, doubt))


def has_ports(conjunction: Conjunction) -> bool:
    """Whether a conjunction asks for protocols with ports alone."""
    return any(
        type(one) is Within and one.field is Field.PROTOCOL and is_subset(one.values, WITH_PORTS)
        for one in conjunction
    )
