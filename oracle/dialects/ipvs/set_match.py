"""What `-m set --match-set NAME dst,dst,src` asks of a packet, as conjunctions that exclude each other.

Each direction says of one part of a member whether it is the packet's source or destination;
parts beyond the directions are none, directions beyond the parts mean nothing. A set of
another family, or one with more parts than directions, holds no packet at all. Types of
ICMP are not part of a packet here, so their members are the fact `unsupported`.

Source: rules-ipvs 6; ipset(8), kernel ip_set_test.
"""

from collections.abc import Iterator
from typing import Final

from model.addresses import Family
from model.intervals import Intervals, intersect, size, subtract, union
from model.predicate import ALWAYS, All, Fact, Field, Predicate, Within
from oracle.dialects.ipvs.boxes import Box, disjoint, outside, without
from oracle.dialects.ipvs.ipset_records import Dimension, IpSet, IpsetDump, Member, Part, Ports

_AXES: Final = (Field.DESTINATION, Field.SOURCE, Field.PROTOCOL, Field.PORT, Field.SOURCE_PORT)
_ADDRESSES: Final = {"src": Field.SOURCE, "dst": Field.DESTINATION}
_PORTS: Final = {"src": Field.SOURCE_PORT, "dst": Field.PORT}

_Region = tuple[list[Box], list[Box]]  # certain members, and those nobody can tell


def members(dump: IpsetDump, name: str, directions: str, family: Family) -> tuple[Predicate, ...] | None:
    """Conjunctions for the packets of a family that a set holds; none overlaps another.

    `directions` is as iptables writes it ("dst,dst,src"). The answer is empty for a set that
    holds no packet, and None for one that is missing or cannot be judged.
    """
    region = _region(dump, name, directions, family)
    if region is None:
        return None
    certain, doubtful = region
    found = [_conjunction(box, family) for box in certain]
    found += [_conjunction(box, family, _doubt(name, directions)) for box in doubtful]
    return tuple(found)


def non_members(dump: IpsetDump, name: str, directions: str, family: Family) -> tuple[Predicate, ...] | None:
    """Conjunctions for the packets of a family that a set does not hold, as `members` gives them."""
    region = _region(dump, name, directions, family)
    if region is None:
        return None
    certain, doubtful = region
    rest = outside([*certain, *doubtful], _everything(family))
    if rest is None:
        return None
    found = [_conjunction(box, family) for box in rest]
    found += [_conjunction(box, family, _doubt(name, directions)) for box in doubtful]
    return tuple(found)


def _doubt(name: str, directions: str) -> Fact:
    return Fact("unsupported", f"--match-set {name} {directions} (types of ICMP)")


def _region(dump: IpsetDump, name: str, directions: str, family: Family) -> _Region | None:
    found = dump.sets.get(name)
    ways = directions.split(",")
    if found is None or found.opaque or not set(ways) <= _ADDRESSES.keys():
        return None
    boxes: tuple[list[Box], list[Box]] = ([], [])
    for one in _simple_sets(dump, found):
        if one is None:
            return None
        if len(ways) < len(one.dimensions) or one.family not in (None, family):
            continue
        for parts in _positive(one):
            is_doubtful = any(isinstance(part, Ports) and part.icmp for part in parts)
            boxes[is_doubtful].append(_box(parts, ways, family))
    certain, doubtful = disjoint(boxes[0]), disjoint(boxes[1])
    if certain is None or doubtful is None:
        return None
    return certain, without(doubtful, certain)


def _simple_sets(dump: IpsetDump, found: IpSet) -> Iterator[IpSet | None]:
    """The set itself, or those that a list names; None for one that is missing or opaque."""
    if Dimension.SET not in found.dimensions:
        yield found
        return
    for member in found.members:
        one = dump.sets.get(member.entry)
        is_simple = one is not None and not one.opaque and Dimension.SET not in one.dimensions
        yield one if is_simple else None


def _positive(one: IpSet) -> Iterator[tuple[Part, ...]]:
    """The parts of members once those with nomatch have been taken out of the others.

    Of networks that nest, the kernel asks the smallest that holds an address, so they count
    from the largest to the smallest, for each value of the other parts by themselves.
    """
    if not any(member.excluded for member in one.members):
        yield from (member.parts for member in one.members)
        return
    at = one.dimensions.index(Dimension.NET)
    groups: dict[tuple[Part, ...], list[Member]] = {}
    for member in one.members:
        groups.setdefault((*member.parts[:at], *member.parts[at + 1 :]), []).append(member)
    for rest, nested in groups.items():
        values: Intervals = ()
        for member in sorted(nested, key=lambda each: -_width(each.parts[at])):
            net = member.parts[at]
            assert not isinstance(net, Ports)
            values = subtract(values, net) if member.excluded else union(values, net)
        yield (*rest[:at], values, *rest[at:])


def _width(part: Part) -> int:
    assert not isinstance(part, Ports)
    return size(part)


def _everything(family: Family) -> Box:
    return (family.everything, family.everything, ((0, 0xFF),), ((0, 0xFFFF),), ((0, 0xFFFF),))


def _box(parts: tuple[Part, ...], ways: list[str], family: Family) -> Box:
    """The packets that meet every part; a field asked about twice must meet both."""
    box = dict(zip(_AXES, _everything(family), strict=True))
    for part, way in zip(parts, ways, strict=False):
        if isinstance(part, Ports):
            box[Field.PROTOCOL] = intersect(box[Field.PROTOCOL], part.protocols)
            box[_PORTS[way]] = intersect(box[_PORTS[way]], part.ports)
        else:
            box[_ADDRESSES[way]] = intersect(box[_ADDRESSES[way]], part)
    return tuple(box[axis] for axis in _AXES)


def _conjunction(box: Box, family: Family, doubt: Fact | None = None) -> Predicate:
    literals: list[Predicate] = [
        Within(axis, values)
        for axis, values, whole in zip(_AXES, box, _everything(family), strict=True)
        if values != whole
    ]
    if doubt is not None:
        literals.append(doubt)
    return All(tuple(literals)) if literals else ALWAYS
