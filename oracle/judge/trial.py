"""One history played to an implementation, with every answer held to the contract.

The contract reads what the implementation is told, the very JSON, and not the state that it was
written from. A move that cannot happen is left out and is no event.
"""

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction

import attrs

from model.addresses import Family
from model.expectation import Expectation, expect
from model.frontends import node_view
from model.load import load_cluster
from model.node_config import NodeConfig
from model.objects import Cluster
from model.packet import Packet
from oracle.bundle import node_config
from oracle.bundle.evidence import NodeEvidence
from oracle.judge.answers import Answer, is_allowed
from oracle.judge.kubernetes_json import Tree, trees_of
from oracle.judge.moves import Move, moved
from oracle.judge.probes import Frontend, frontends, probes
from oracle.judge.protocol import Session
from oracle.judge.setting import INTERFACES, JUDGED, Setting, beginning

BEGINNING = "two nodes and no Services"


@attrs.frozen
class Case:
    """A setting and what happens in it."""

    setting: Setting
    moves: tuple[Move, ...]


@attrs.frozen
class Told:
    """One event as it is told: its words, and the objects after it."""

    event: str
    objects: tuple[Tree, ...]


@attrs.frozen
class Difference:
    """The first packet that an implementation treats as the contract does not allow.

    `events` are the words of what happened up to then, `told` the last of it, `others` the number
    of packets of the same asking that are answered wrongly too.
    """

    setting: Setting
    events: tuple[str, ...]
    told: Told
    packet: Packet
    expected: Expectation
    answer: Answer
    others: int


@attrs.define
class Tally:
    """How much has been asked."""

    histories: int = 0
    events: int = 0
    packets: int = 0
    affinity_untold: int = 0  # packets of remembered clients, where nothing was said of affinity


def story(case: Case) -> Iterator[Told]:
    """The beginning and every event of the history."""
    state = beginning(case.setting)
    yield Told(BEGINNING, trees_of(state))
    for move in case.moves:
        after = moved(state, move)
        if after is None or after.objects() == state.objects():
            continue
        words = move.words(state)
        state = after
        yield Told(words, trees_of(state))


def play(case: Case, session: Session, tolerance: Fraction, tally: Tally) -> Difference | None:
    """The first difference of a history, None if there is none.

    Raises InputError where the implementation breaks the protocol.
    """
    tally.histories += 1
    session.start(case.setting, tally.histories)
    happened: list[str] = []
    places: frozenset[Frontend] = frozenset()
    for told in story(case):
        if told.event != BEGINNING:
            happened.append(told.event)
            tally.events += 1
        session.tell(told.event, told.objects)
        cluster, config = _as_read(case.setting, told.objects)
        places |= frontends(cluster, config)
        packets = tuple(probes(cluster, config, places))
        answers = session.ask(packets)
        tally.packets += len(packets)
        wrong = list(_wrong(cluster, config, packets, answers, tolerance, tally))
        if wrong:
            packet, expected, answer = wrong[0]
            return Difference(case.setting, tuple(happened), told, packet, expected, answer, len(wrong) - 1)
    return None


def _wrong(
    cluster: Cluster,
    config: NodeConfig,
    packets: Sequence[Packet],
    answers: Sequence[Answer],
    tolerance: Fraction,
    tally: Tally,
) -> Iterator[tuple[Packet, Expectation, Answer]]:
    views = {family: node_view(cluster, config, family) for family in Family}
    for packet, answer in zip(packets, answers, strict=True):
        expected = expect(views[packet.family], packet)
        if not answer.tells_affinity and any(one.affinity for one in expected.allowed):
            tally.affinity_untold += 1
        if not is_allowed(answer, expected, packet, config, tolerance):
            yield packet, expected, answer


def _as_read(setting: Setting, objects: Sequence[Tree]) -> tuple[Cluster, NodeConfig]:
    """The cluster and the node, read from what is told."""
    cluster = load_cluster([("objects", json.dumps(list(objects)).encode())])
    return cluster, node_of(JUDGED, setting.configuration(), INTERFACES, cluster).promised()


def node_of(name: str, configuration: object, interfaces: Sequence[object], cluster: Cluster) -> NodeConfig:
    """The node that the `start` message and the objects describe. Raises InputError."""
    evidence = NodeEvidence(
        name,
        proxy_config=("proxy_config", json.dumps(configuration).encode()),
        ip_addr=("interfaces", json.dumps(list(interfaces)).encode()),
    )
    return node_config(evidence, cluster)[0]
