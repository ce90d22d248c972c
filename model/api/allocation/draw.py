"""A free value of a range, as both allocators of the API server look for it (ALLOC-IP-04, ALLOC-NP-02)."""

from collections.abc import Callable
from random import Random

from model.api.allocation.bands import Bands


def free_value(bands: Bands, is_taken: Callable[[int], bool], draw: Random) -> int | None:
    """A free value: upwards from a random one of the dynamic band, wrapping round; then the static band.

    None when all are taken. Costs one question per taken value met, so about one unless
    the band is nearly full.
    """
    for low, high in ((bands.middle, bands.last), (bands.first, bands.middle - 1)):
        size = high - low + 1
        if size <= 0:
            continue
        start = draw.randrange(size)
        for step in range(size):
            value = low + (start + step) % size
            if not is_taken(value):
                return value
    return None
