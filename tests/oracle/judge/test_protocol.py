"""What is sent is Kubernetes JSON of the moment; a line that breaks the protocol is named with its fault."""

import json
from collections.abc import Iterable
from fractions import Fraction

import attrs
import pytest

from model.api.as_read import read_service
from model.errors import InputError
from model.load import load_cluster
from oracle.judge.adapters.walker import Walker
from oracle.judge.kubernetes_json import trees_of
from oracle.judge.moves import POD_STATES, DeleteService, Move, SetNode, SetPod, SetService, Wanted, moved
from oracle.judge.protocol import Message, Session
from oracle.judge.setting import Setting, beginning
from oracle.judge.trial import BEGINNING, Case, Tally, play, story
from tests.oracle.judge.speaking import InProcess, Script

WEB = SetService(0, Wanted(families=("IPv4", "IPv6"), distribution="PreferClose"))
PODS = tuple(SetPod(number, "node-b", state) for number, state in enumerate(POD_STATES[:4]))
READY = '{"type": "ready"}'
APPLIED = '{"type": "applied"}'


class Watching(Walker):
    wants = "changes"

    def take(self, _: Message) -> None:
        """Keeps nothing: only what it is told is looked at."""

    def apply(self) -> None:
        """It is asked about no packet, as there are no Services."""


def asked(walker: Walker, *moves: Move) -> list[Message]:
    """The messages of a history, but for those with packets."""
    channel = InProcess(walker)
    play(Case(Setting(), moves), Session(channel), Fraction(1), Tally())
    return [message for message in channel.asked if message["type"] != "packets"]


def fault_of(*lines: str) -> str:
    with pytest.raises(InputError) as fault:
        play(Case(Setting(), ()), Session(Script(*lines)), Fraction(0), Tally())
    return str(fault.value)


def test_objects_read_back_are_those_of_the_state() -> None:
    """Every condition, hints and both families; what a proxy does not read may be missing."""
    state = beginning(Setting(version="v1.34.1"))
    lived: tuple[Move, ...] = (WEB, *PODS, SetPod(0, "node-a", "ready"), SetNode("joins"))
    for move in lived:
        state = moved(state, move) or state
    held = state.objects()

    read = load_cluster([("objects", json.dumps(list(trees_of(state))).encode())])

    assert tuple(map(read_service, state.registry.services.values())) == read.services
    assert held.slices == tuple(
        attrs.evolve(one, service_owners=mine.service_owners)
        for one, mine in zip(read.slices, held.slices, strict=True)
    )
    assert held.nodes == read.nodes
    assert held.pods == read.pods


def test_a_history_begins_with_the_node() -> None:
    (start, *_) = asked(Walker())

    assert ("start", 1, "node-a") == (start["type"], start["version"], start["node"])
    assert {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": "10.244.0.0/16,fd00:10:244::/48",
    } == start["proxy_config"]


def test_changes_are_watch_events() -> None:
    """Added, modified, deleted: each object whole, as it is or as it was last."""
    here, away, gone = SetPod(0, "node-a"), SetPod(0, "node-a", "not ready"), SetPod(0, "node-a", "gone")

    _, *told = asked(Watching(), here, away, gone)

    assert [
        [("ADDED", "Node", "node-a", True), ("ADDED", "Node", "node-b", True)],
        [("ADDED", "Pod", "web-0", True)],
        [("MODIFIED", "Pod", "web-0", False)],
        [("DELETED", "Pod", "web-0", False)],
    ] == [
        [
            (
                one["type"],
                one["object"]["kind"],
                one["object"]["metadata"]["name"],
                one["object"]["status"]["conditions"][0]["status"] == "True",
            )
            for one in message["changes"]
        ]
        for message in told
    ]


def test_moves_that_cannot_happen_are_no_events() -> None:
    case = Case(Setting(), (DeleteService(0), SetPod(0, "node-a", "gone"), SetNode("leaves"), WEB, WEB))

    events = [told.event for told in story(case)]

    assert [
        BEGINNING,
        "Service shop/web is created: ClusterIP, IPv4 and IPv6, trafficDistribution PreferClose",
    ] == events


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("hello",), "script:1: not JSON, where 'ready' has to follow: 'hello'"),
        (("[]",), "script:1: not a JSON object, where 'ready' has to follow"),
        ((APPLIED,), "script:1: 'type' is 'applied', where 'ready' has to follow 'start'"),
        (('{"type": "ready", "wants": "all"}',), "script:1: 'wants' is 'all', neither 'state' nor 'changes'"),
        (
            ('{"type": "ready", "want": "state"}',),
            "script:1: 'ready' has the key 'want', which is not of the protocol",
        ),
        ((READY, READY), "script:2: 'type' is 'ready', where 'applied' has to follow 'objects'"),
        (
            (READY, '{"type": "fault", "message": "no such table"}'),
            "script:2: the implementation reports: no such table",
        ),
        (
            (READY, '{"type": "fault", "message": "two\\nlines"}'),
            "script:2: the implementation reports: two?lines",
        ),
        (
            (READY, APPLIED, '{"type": "outcomes", "outcomes": [{"fates": [{"do": "drop"}]}]}'),
            "script:3: 1 outcomes for 0 packets",
        ),
        ((READY, APPLIED, '{"type": "outcomes"}'), "script:3: no outcomes for 0 packets"),
    ],
)
def test_a_line_out_of_turn_is_named(lines: tuple[str, ...], expected: str) -> None:
    assert expected == fault_of(*lines)


def test_an_outcome_that_cannot_be_read_is_named_by_its_number() -> None:
    class Half(Walker):
        def outcomes(self, packets: Iterable[Message]) -> list[Message]:
            answers = [*super().outcomes(packets)]
            answers[2:3] = [{"fates": []}] if len(answers) > 2 else []
            return answers

    with pytest.raises(InputError) as fault:
        asked(Half(), WEB)

    assert "walker:5: outcome 3: 'fates' is not a list of at least one fate" == str(fault.value)
