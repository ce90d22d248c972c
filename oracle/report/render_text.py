"""What a manifest changes in the rules of a node, as text: `-` for lines that go, `+` for those that come."""

from collections.abc import Iterable, Iterator

from model.addresses import Family
from oracle.writing.what_if import Change

_NOBODYS = "the node"


def changed_lines(node: str, family: Family, found: Iterable[Change]) -> Iterator[str]:
    """One family's changes, Service by Service; what is of no Service is said to be the node's."""
    changes = tuple(found)
    gone, come = sum(len(one.gone) for one in changes), sum(len(one.come) for one in changes)
    yield f"{node} {family.value}: " + (f"{gone} rules go, {come} come" if changes else "no rule changes")
    for one in changes:
        yield f"  {one.service or _NOBODYS}"
        yield from (f"    - {line}" for line in one.gone)
        yield from (f"    + {line}" for line in one.come)
