"""A chain made ready to walk.

Chains of many rules are indexed by destination, protocol and port, so that the rules a
packet can meet are found without trying the others.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from model.intervals import Intervals
from oracle.ruleset import Chain, Rule
from oracle.space.ladder import Ladder
from oracle.space.places import Signature
from oracle.space.steps import Step

INDEX_FROM = 16  # rules in a chain from which an index is worth its making


_Key = tuple[int | None, int | None, int | None]


class Program:
    """A chain, ready. `ladder` is set when the chain only chooses among endpoints.

    All but the rules is made when it is asked for.
    """

    def __init__(
        self, chain: Chain, ladder_of: Callable[[], Ladder | None], step_of: Callable[[Rule], Step]
    ) -> None:
        self.name = chain.name
        self.policy = chain.policy
        self.rules = chain.rules
        self._ladder_of = ladder_of
        self._step_of = step_of

    @cached_property
    def ladder(self) -> Ladder | None:
        return self._ladder_of()

    @cached_property
    def steps(self) -> list[Step]:
        return [self._step_of(rule) for rule in self.rules]

    @cached_property
    def _index(self) -> "_Index | None":
        """None for short chains, which are tried in order."""
        return _Index(self.steps) if len(self.rules) >= INDEX_FROM else None

    def candidates(self, signature: Signature, protocol: int, port: int) -> Iterable[Step]:
        """The steps whose cell part may hold in a cell, in order; a superset of those that do."""
        index = self._index
        if index is None:
            return self.steps
        get = index.by_cell.get
        found = list(index.anywhere)
        for place in (*signature, None):
            for key in ((place, protocol, port), (place, protocol, None), (place, None, None)):
                hit = get(key)
                if hit:
                    found += hit
        if len(found) > 1:
            found.sort()
        steps = self.steps
        return [steps[at] for at in found]


class _Index:
    """Positions of steps by (place, protocol, port), each None where the step leaves it open.

    `anywhere` are the steps that no key tells anything about.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.by_cell: dict[_Key, list[int]] = {}
        self.anywhere: list[int] = []
        for at, step in enumerate(steps):
            guard = step.guard
            place = guard.places[0] if guard.places else None
            protocol, port = _only(guard.protocols), _only(guard.ports)
            if place is None and protocol is None:
                self.anywhere.append(at)
            elif protocol is None:
                self.by_cell.setdefault((place, None, None), []).append(at)
            else:
                self.by_cell.setdefault((place, protocol, port), []).append(at)


def _only(values: Intervals | None) -> int | None:
    """The one value of a set that has one."""
    if values is not None and len(values) == 1 and values[0][0] == values[0][1]:
        return values[0][0]
    return None
