"""Addresses and ranges of a Service as its text has them, for the proxy of one family.

What is no address or range creates nothing, whoever stored it.
"""

from collections.abc import Iterable

from model.addresses import Family, parse_address, parse_cidr
from model.controllers.ip_text import read_ip
from model.intervals import EMPTY, Intervals, contains, normalise, union
from model.node_config import NodeConfig


def of_family(texts: Iterable[str], family: Family) -> Iterable[int]:
    """Addresses of the family; text that is no address creates nothing.

    Text that is stored since before 1.36 may hold leading zeros (API-F-31).
    """
    for found in map(read_ip, texts):
        if found is not None and found[0] is family:
            yield parse_address(found[1])[1]


def allowed_sources(
    ranges: tuple[str, ...], vips: tuple[int, ...], config: NodeConfig, family: Family
) -> Intervals | None:
    """FWD-LBSR-01, -02 and -04: None when the family's ranges leave every source in."""
    spans: Intervals = EMPTY
    for text in ranges:
        address, slash, length = text.strip().partition("/")  # the API stores blanks (API-F-17)
        if not slash:
            continue  # a bare address is no range
        if ":" not in address and (found := read_ip(address)) is not None:
            address = found[1]
        try:
            of, values = parse_cidr(address + slash + length)
        except ValueError:
            continue
        if of is family:
            spans = union(spans, values)
            if values == family.everything:
                return None
    if not spans:
        return None
    primary = config.primary_address(family)
    if primary is not None and contains(spans, primary):
        spans = union(spans, normalise((vip, vip) for vip in vips))
    return spans


def ranges_of_family(cidrs: Iterable[str], family: Family) -> Intervals:
    """What the CIDRs of the family cover together; text that is no CIDR covers nothing."""
    ranges: Intervals = EMPTY
    for text in cidrs:
        try:
            of, values = parse_cidr(text)
        except ValueError:
            continue
        if of is family:
            ranges = union(ranges, values)
    return ranges
