"""A rule set's disagreements with the kernel, packet by packet, and the fewest lines that still show one."""

import random
from collections.abc import Callable, Iterator, Sequence

import attrs

from model.addresses import Family
from model.outcome import Leaf, Target, Verdict
from model.packet import Packet
from oracle.plain import trace
from oracle.ruleset import Ruleset
from tests.kernel.fates import NO_ODDS, may_see, sights
from tests.kernel.loading import Loader, NotLoadedError, load
from tests.kernel.node import standing
from tests.kernel.world import CONFIG, DEVICES

TIMES = 4  # each packet is sent; of several fates it may meet some


@attrs.frozen
class Tally:
    """How many packets were sent, and of how many the walk could not judge the fate."""

    sent: int
    not_judged: int


@attrs.frozen
class Disagreement:
    """A packet, what was seen of it, and what the walk says may be seen."""

    packet: Packet
    seen: Leaf
    said: tuple[Leaf, ...]


def compared(
    loader: Loader,
    text: str,
    rulesets: Sequence[Ruleset],
    packets: Sequence[Packet],
) -> tuple[Tally, list[Disagreement]]:
    """Every packet `TIMES` times through the kernel, and once through the walk.

    Raises NotLoadedError for rules that the kernel or its tools refuse.
    """
    found: list[Disagreement] = []
    not_judged = 0
    with standing(DEVICES) as node:
        load(loader, text if loader is Loader.NFTABLES else {packets[0].family: text})
        for packet in packets:
            traced = trace(rulesets, CONFIG, packet)
            if traced.unsure:
                not_judged += 1
                continue
            said = may_see(packet, [traced.outcome], CONFIG)
            said |= {leaf: said[of] for of in said for leaf in _redirected(packet, of)}
            seen = {node.send(packet) for _ in range(TIMES)}
            found += [Disagreement(packet, leaf, tuple(said)) for leaf in seen - said.keys()]
    return Tally(TIMES * (len(packets) - not_judged), not_judged), found


def _redirected(packet: Packet, leaf: Leaf) -> Iterator[Leaf]:
    """What is seen where the walk says that the node's primary address is the new destination.

    REDIRECT means the address of the device that the packet came in by; the walk, which often
    does not know that device, takes the primary address of the node for it.
    """
    own = [one.address for one in CONFIG.addresses if one.family is packet.family]
    here = [
        one.address
        for one in CONFIG.addresses
        if one.family is packet.family and one.interface == packet.in_interface
    ]
    if here and leaf.verdict is Verdict.DNAT and leaf.target is not None and leaf.target.address == own[0]:
        seen = attrs.evolve(leaf, target=Target(here[0], leaf.target.port))
        yield from sights(packet, seen, CONFIG)
    # It changes what is there already, which looks as if nothing had happened to it.
    if here and leaf.verdict is Verdict.PASS and packet.destination == own[0]:
        yield Leaf(Verdict.DNAT, NO_ODDS, Target(here[0], packet.port), leaf.masquerade)


def sample(packets: Sequence[Packet], count: int, seed: int) -> list[Packet]:
    """So many of the packets, the same ones for the same seed."""
    return random.Random(seed).sample(packets, count)


def fewest_lines(text: str, is_wrong: Callable[[str], bool]) -> str:
    """The text without every line that it stays wrong without, tried one by one from the end."""
    lines = text.splitlines(keepends=True)
    at = len(lines) - 1
    while at >= 0:
        without = [*lines[:at], *lines[at + 1 :]]
        if lines[at].startswith(("-A", "  ")) and _stays(is_wrong, "".join(without)):
            lines = without
        at -= 1
    return "".join(lines)


def _stays(is_wrong: Callable[[str], bool], text: str) -> bool:
    try:
        return is_wrong(text)
    except NotLoadedError:
        return False


def rules_of(text: str, loader: Loader, family: Family) -> list[Ruleset]:
    """The rule sets of the family, as the reader of the dialect reads the text."""
    from oracle.dialects.iptables import parse_iptables
    from oracle.dialects.nftables import parse_nftables
    from oracle.dialects.nftables.lower import lowered

    if loader is Loader.NFTABLES:
        read = lowered(parse_nftables(text.encode(), "drawn"))
    else:
        read = parse_iptables(text.encode(), "drawn", family)
    return [one for one in read if one.family is family]
