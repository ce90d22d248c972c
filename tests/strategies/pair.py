"""Two worlds as one drawn case, written so that one sees in what they differ."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import attrs

from invariants.worlds import World
from model.objects import Cluster
from tests.wording import brief


class Pair(NamedTuple):
    """Two worlds; of the second only what it has that the first has not is written out."""

    before: World
    after: World

    def __repr__(self) -> str:
        parts = ("config", "packet", "outcomes")
        changed = [name for name in parts if getattr(self.before, name) != getattr(self.after, name)]
        differences = ", ".join(_changes(self.before.cluster, self.after.cluster))
        return (
            f"Pair(of {_told(self.before, parts)}: {brief(self.before.cluster)}, "
            f"and {_told(self.after, changed)}: {differences})"
        )


def _told(world: World, names: Iterable[str]) -> str:
    values = {"config": world.config, "packet": str(world.packet), "outcomes": tuple(world.outcomes)}
    return ", ".join(f"{name}={brief(values[name])}" for name in names) or "the same"


def _changes(before: Cluster, after: Cluster) -> Iterator[str]:
    """Each object that is new, of one that has changed the fields that did, and the names of those gone."""
    for kind in ("services", "slices", "nodes"):
        known = {one.name: one for one in getattr(before, kind)}
        for one in getattr(after, kind):
            old = known.pop(one.name, None)
            if old is None:
                yield brief(one)
            elif old != one:
                fields = [field.name for field in attrs.fields(type(one))]
                changed = (name for name in fields if getattr(old, name) != getattr(one, name))
                yield f"{one.name} {', '.join(f'{name}={brief(getattr(one, name))}' for name in changed)}"
        yield from (f"no {name}" for name in known)
