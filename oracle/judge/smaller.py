"""A failing history made smaller until every move in it is needed, and nothing in it can be simpler.

Every single simplification is tried until none fails any more: a move left out, a field of a wanted
Service at its default, the usual setting.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import attrs

from oracle.judge.moves import SetPod, SetService, Wanted
from oracle.judge.setting import Setting
from oracle.judge.trial import Case

Found = TypeVar("Found")

_PLAIN, _USUAL = Wanted(), Setting()


def smallest(case: Case, found: Found, fails: Callable[[Case], Found | None]) -> Found:
    """What `fails` says of the smallest case that it still says anything of; `found` it said of `case`."""
    while True:
        for one in _simpler(case):
            said = fails(one)
            if said is not None:
                case, found = one, said
                break
        else:
            return found


def _simpler(case: Case) -> Iterator[Case]:
    """Every case that is simpler in one thing; each has fewer moves or more defaults."""
    moves = case.moves
    for at in range(len(moves)):
        yield attrs.evolve(case, moves=moves[:at] + moves[at + 1 :])
    if case.setting.proxy != _USUAL.proxy:
        yield attrs.evolve(case, setting=attrs.evolve(case.setting, proxy=_USUAL.proxy))
    for at, move in enumerate(moves):
        for one in _simpler_move(move):
            yield attrs.evolve(case, moves=(*moves[:at], one, *moves[at + 1 :]))


def _simpler_move(move: object) -> Iterator[SetService | SetPod]:
    match move:
        case SetService(slot, wanted):
            for name in attrs.fields_dict(Wanted):
                if getattr(wanted, name) != getattr(_PLAIN, name):
                    yield SetService(slot, attrs.evolve(wanted, **{name: getattr(_PLAIN, name)}))
        case SetPod(number, node, state) if state != "ready" and state != "gone":
            yield SetPod(number, node)
        case _:
            pass
