"""The fate of every packet to one place, as a function of its source.

A `Fate` says what happens to all packets from one region of sources; a `Fates` is a
partition of the sources that were asked about. The model produces fates from the
contract and the oracle from the rules, in this one canonical form, so that equal
treatment is equal data.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from model.intervals import EMPTY, Intervals, contains
from model.odds import ONE
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict


class LeafFate(NamedTuple):
    """One possible fate and its odds; `masquerade` is the sources that are rewritten.

    `address` and `port` are 0 unless the verdict is DNAT. `reject_with` as in `Leaf`.
    """

    address: int
    port: int
    verdict: str  # a value of `Verdict`, as text so that leaves sort
    odds: Fraction
    masquerade: Intervals
    reject_with: str = ""


class Memory(NamedTuple):
    """An affinity memory that is asked before chance: where it sends a client it knows."""

    address: int
    port: int
    seconds: int
    masquerade: Intervals


class Fate(NamedTuple):
    """What happens to packets from `sources`: sorted leaves, and memories in their order."""

    sources: Intervals
    leaves: tuple[LeafFate, ...]
    memories: tuple[Memory, ...] = ()


Fates = tuple[Fate, ...]


def settled(sources: Intervals, verdict: Verdict, reject_with: str = "") -> Fate:
    """A fate without chance or target."""
    return Fate(sources, (LeafFate(0, 0, verdict.value, ONE, EMPTY, reject_with),))


def outcome_at(fates: Iterable[Fate], source: int) -> Outcome | None:
    """What happens to a packet from one source; None when no fate covers it."""
    for fate in fates:
        if contains(fate.sources, source):
            return Outcome(
                tuple(_leaf_at(leaf, source) for leaf in fate.leaves),
                tuple(
                    Remembered(Target(m.address, m.port), m.seconds, contains(m.masquerade, source))
                    for m in fate.memories
                ),
            )
    return None


def _leaf_at(leaf: LeafFate, source: int) -> Leaf:
    verdict = Verdict(leaf.verdict)
    return Leaf(
        verdict,
        leaf.odds,
        Target(leaf.address, leaf.port) if verdict is Verdict.DNAT else None,
        contains(leaf.masquerade, source),
        leaf.reject_with,
    )
