"""A map is a choice: for each of its elements a condition, or odds, and what is done then.

A packet without an element there ends the rule without effect and meets the next one. No
two elements meet the same packet; a dump in which they do was not printed by nft, and what
such a map does is not judged.

Sources: rules-nftables 1 (N of `mod N` equals the number of elements, else connections are
lost); nf_tables: a missed lookup is NFT_BREAK.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import attrs

from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Element,
    Expression,
    Jhash,
    Numgen,
    SetLiteral,
    SetReference,
    Symhash,
    Unknown,
    Value,
)
from oracle.dialects.nftables.lower_keys import is_of_other_family, key_of
from oracle.dialects.nftables.lower_match import numbered, refuse_overlaps
from oracle.dialects.nftables.lower_scope import ALWAYS_TRUE, Alternatives, Conjunction, NotJudgedError, Scope
from oracle.ruleset import Action

Case = tuple[Conjunction, Fraction | None, Action]


@attrs.frozen(eq=False)
class Choose:
    """The first case whose condition holds is done, with its odds among those still left.

    `is_exclusive` says that cases must not be asked one after the other, since what one
    does can make another hold, or since one number picks among them. `is_total` says that
    some case is always done.
    """

    cases: tuple[Case, ...]
    is_exclusive: bool = False
    is_total: bool = False


def choice(
    key: Expression,
    data: SetLiteral | SetReference | Unknown,
    act: Callable[[Expression], Action],
    scope: Scope,
) -> Choose:
    """What a map does for each key; `act` says what a value does.

    Raises NotJudgedError for maps by a hash, and for those that rules change.
    """
    if is_of_other_family(key, scope):
        return Choose(())
    elements = scope.elements(data)
    match key:
        case Numgen():
            found = numbered(key, [(element.key, element.value) for element in elements])
            drawn: tuple[Case, ...] = tuple(
                ((), None if odds == 1 else odds, act(value)) for odds, value in found
            )
            return Choose(drawn, is_exclusive=True, is_total=bool(found) and found[-1][0] == 1)
        case Jhash() | Symhash():
            raise NotJudgedError("a map by a hash of the packet")
    asked = key_of(key, scope)
    refuse_overlaps([element.key for element in elements])
    cases = tuple(_cases(elements, asked.among, act))
    catches = bool(cases) and cases[-1][0] == ()
    return Choose(cases, is_exclusive=asked.is_mark or catches, is_total=catches)


def _cases(
    elements: Sequence[Element],
    among: Callable[[Sequence[Value]], Alternatives],
    act: Callable[[Expression], Action],
) -> Iterator[Case]:
    """A case for each alternative of each element; what catches all others comes last."""
    last: Expression | None = None
    for element in elements:
        if element.value is None:
            raise NotJudgedError("a set where a map should be")
        if element.key is ANYTHING:
            last = element.value
            continue
        action = act(element.value)
        for conjunction in among((element.key,)):  # type: ignore[arg-type]  # a value or a concatenation
            yield conjunction, None, action
    if last is not None:
        for conjunction in ALWAYS_TRUE:
            yield conjunction, None, act(last)
