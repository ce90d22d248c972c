"""What listings of nft give away of kube-proxy: its settings, and the version that wrote them."""

from collections.abc import Iterable, Mapping

import attrs

from model.proxy_version import Quirk
from oracle.dialects.nftables.names import Generation, generation_of, proxy_tables
from oracle.dialects.nftables.settings import settings
from oracle.dialects.nftables.syntax import Dump

# The mark of a layout, and what its rules do otherwise than those of the newest.
_QUIRKS = {
    Generation.FIREWALL_SETS: frozenset(
        (
            *(Quirk.MARKS_PER_ENDPOINT, Quirk.LATE_CHECKS, Quirk.EARLY_OUTPUT),
            *(Quirk.LATE_FIREWALL, Quirk.SHORT_CUT_LOST),
        )
    ),
    Generation.OUTPUT_POST_DNAT: frozenset(
        (Quirk.MARKS_PER_ENDPOINT, Quirk.EARLY_OUTPUT, Quirk.SHORT_CUT_LOST)
    ),
    Generation.MARK_CHAIN: frozenset((Quirk.MARKS_PER_ENDPOINT,)),
    Generation.HAIRPIN_SET: frozenset[Quirk](),
}


@attrs.frozen
class FromNft:
    """Fields of NodeConfig with their values, why they were taken, and the versions that write so."""

    fields: Mapping[str, object]
    said: tuple[str, ...]
    quirks: frozenset[Quirk]
    minors: tuple[int, int]


def from_nft(dumps: Iterable[Dump]) -> FromNft | None:
    """What the listings say, None where none holds a table of kube-proxy's."""
    for dump in dumps:
        of_tables = map(generation_of, proxy_tables(dump).values())
        generations = [one for one in of_tables if one is not None]
        if not generations:
            continue
        found = settings(dump)
        newest = max(generations, key=lambda one: one.minors)
        quirks = _QUIRKS[newest]
        # Whether the ServiceCIDR API is on is for the version's default to say, and for the cluster.
        if newest is not Generation.HAIRPIN_SET and not found.service_cidrs:
            quirks |= {Quirk.RANGES_UNKNOWN}
        fields = {
            name: value
            for name in (
                *("detect_local", "masquerade_all", "masquerade_bit", "node_port_addresses"),
                *("cluster_cidrs", "bridge_interface", "interface_name_prefix"),
            )
            if (value := getattr(found, name)) not in (None, "", ())
        }
        if found.node_port_addresses == ():
            fields["node_port_addresses"] = ("0.0.0.0/0", "::/0")
        return FromNft(fields, found.said, quirks, newest.minors)
    return None
