"""One packet to stand for many: numbers that a reader recognises, where the set has them."""

from collections.abc import Iterable

from model.addresses import Family
from model.frontends import NodeView
from model.intervals import Intervals, contains
from model.packet import Origin
from oracle.space.places import Place


def typical(values: Intervals, preferred: Iterable[int]) -> int:
    """The first of the preferred numbers that the set holds, else its lowest."""
    for one in preferred:
        if contains(values, one):
            return one
    return values[0][0]


_PUBLIC = {
    Family.IPV4: (0xC6336401, 0xCB007109),  # documentation addresses: 198.51.100.1, 203.0.113.9
    Family.IPV6: (0x20010DB8 << 96 | 1,),
}


def typical_address(view: NodeView, place: Place) -> int:
    """An address of the class that a reader recognises, where there is one."""
    family = view.family
    primary = view.config.primary_address(family)
    preferred = [*_PUBLIC[family], family.loopback[0][0] | 1]
    if primary is not None:
        preferred.insert(0, primary)
    return typical(place.addresses, preferred)


_FAMILIAR = {
    Family.IPV4: (0xCB007102, 0xC6336407, 0xC0000209, 0x7F000001),
    Family.IPV6: ((0x20010DB8 << 96) | 0x99, 1),
}


def typical_source(view: NodeView, sources: Intervals, origin: Origin) -> int:
    """A source of the region that a reader recognises, where there is one."""
    primary = view.config.primary_address(view.family)
    familiar = list(_FAMILIAR[view.family])
    if primary is not None:
        familiar.insert(0 if origin is Origin.NODE else len(familiar), primary)
    for one in familiar:
        if contains(sources, one):
            return one
    low, high = max(sources, key=lambda span: span[1] - span[0])
    return low if high - low < 10 else low + 9
