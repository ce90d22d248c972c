"""A history run entry by entry: each happens whole or not at all, then those who keep up do.

Law: a question changes nothing, and neither does what is refused or impossible.
"""

from collections.abc import Iterator

import attrs
from rpds import HashTrieMap

from model.api.refusal import Refused
from model.api.registry import DEFAULT_SERVICE_CIDR
from model.cluster.events import IllegalEvent, SyncProxy
from model.cluster.from_objects import state_of
from model.cluster.settle import published, settle
from model.cluster.state import ClusterState, Proxy
from model.cluster.transition import carry_out, step
from model.errors import InputError
from oracle.admission.settings import ASSUMED_CIDR, default_service_cidr
from oracle.replay.describe import answered, changes
from oracle.replay.entries import (
    Attempt,
    Entry,
    Fact,
    Facts,
    Question,
    Said,
    Script,
    Settings,
    Settle,
    Unanswerable,
)
from oracle.replay.expectations import Failure, unmet
from oracle.replay.things import node_with_proxy


@attrs.frozen
class Happened:
    """What became of one entry at the time `now`, in seconds from the start.

    `lines` are its answer, `changes` what was written and applied because of it, `unmet` how
    it differs from what is expected of it.
    """

    number: int
    entry: Entry
    now: int
    lines: tuple[str, ...] = ()
    facts: Facts = attrs.field(factory=dict)
    changes: tuple[str, ...] = ()
    failure: Failure | None = None
    unmet: tuple[str, ...] = ()


@attrs.frozen
class Beginning:
    """The state before the first entry, and what had to be assumed about it."""

    state: ClusterState
    assumptions: tuple[str, ...] = ()


def beginning(script: Script) -> Beginning:
    """The cluster of the script's files, with every proxy in step with them.

    Raises InputError for files that cannot be read.
    """
    settings = script.settings
    state = state_of(script.cluster, settings.config)
    assumptions = []
    registry = state.registry
    if settings.service_cidrs or DEFAULT_SERVICE_CIDR not in registry.service_cidrs:
        cidrs = settings.service_cidrs
        if not cidrs:
            cidrs = (ASSUMED_CIDR,)
            assumptions.append(
                f"no service-cidrs set, no ServiceCIDR kubernetes given: {ASSUMED_CIDR} assumed"
            )
        ranges = registry.service_cidrs.insert(DEFAULT_SERVICE_CIDR, default_service_cidr(cidrs))
        state = attrs.evolve(state, registry=attrs.evolve(registry, service_cidrs=ranges))
    proxies: HashTrieMap[str, Proxy] = HashTrieMap()
    for node in state.nodes.values():
        own = {**settings.proxy, **settings.proxies.get(node.name, {})}
        try:
            joined = node_with_proxy(node, own)
        except NotImplementedError as error:
            raise InputError(script.file, 0, f"node {node.name}: {error}") from None
        proxies = proxies.insert(node.name, Proxy(joined.config, joined.cleanup))
    state = attrs.evolve(state, proxies=proxies)
    for name in sorted(proxies):
        state = step(state, SyncProxy(name))
    return Beginning(state, tuple(assumptions))


def run(script: Script, state: ClusterState) -> Iterator[Happened]:
    """Every entry in order, as it happens."""
    for number, entry in enumerate(script.entries, 1):
        happened, state = happen(number, entry, state, script.settings)
        yield happened


def happen(
    number: int, entry: Entry, state: ClusterState, settings: Settings
) -> tuple[Happened, ClusterState]:
    """What becomes of one entry, and the state afterwards."""
    said, after, failure = Said((), {}), state, None
    try:
        match entry.action:
            case Question():
                said = entry.action.answer(state)
            case Settle():
                after = kept_up(state, "after-each", frozenset())
            case Attempt():
                said, after = _attempted(entry.action, state, settings.seed + number)
                after = kept_up(after, settings.keeps_up, settings.late)
    except (Refused, IllegalEvent, Unanswerable) as error:
        failure = error
    return (
        Happened(
            number,
            entry,
            after.now,
            said.lines,
            said.facts,
            tuple(changes(state, after)),
            failure,
            unmet(entry.expected, said.facts, failure),
        ),
        after,
    )


def kept_up(state: ClusterState, keeps_up: str, late: frozenset[str]) -> ClusterState:
    """The state when those who keep up by themselves have done what they have to do."""
    if keeps_up == "manual":
        return state
    return settle(state, late) if keeps_up == "after-each" else published(state)


def _attempted(attempt: Attempt, state: ClusterState, seed: int) -> tuple[Said, ClusterState]:
    lines: list[str] = []
    facts: dict[str, Fact] = {}
    for make in attempt.makers:
        done = carry_out(state, make(state, seed))
        state, said = done.state, answered(done.answer)
        lines += said.lines
        facts |= said.facts
    return Said(tuple(lines), facts), state
