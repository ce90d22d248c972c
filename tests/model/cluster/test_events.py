"""What an event leaves unsaid is the ordinary case: no dry run, everything seen, the first choice."""

from fractions import Fraction
from typing import Any

import attrs
import pytest

from model.api import objects as api
from model.cluster import events
from model.conntrack import Cleanup
from model.node_config import NodeConfig
from model.objects import Node, ObjectName
from model.packet import Packet
from model.traffic import Close

NAME = ObjectName("shop", "web")
PACKET = Packet.__new__(Packet)  # only carried about here


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (events.CreateService(api.Service()), {"dry_run": False, "seed": 0}),
        (events.UpdateService(api.Service()), {"dry_run": False, "seed": 0}),
        (events.DeleteService(NAME), {"dry_run": False}),
        (events.SyncSlices(NAME), {"writes": None}),
        (events.StartPod(NAME), {"ips": ()}),
        (events.FinishPod(NAME), {"failed": False}),
        (events.AddNode(Node("a"), NodeConfig("a")), {"cleanup": Cleanup.SKIPS_UNSERVED}),
        (events.SyncProxy("a"), {"sees": events.Sees.ALL}),
        (events.Send("a", PACKET, 1), {"chance": Fraction(0), "choice": 0, "answered": True}),
        (events.CloseConnection("a", PACKET, 1), {"how": Close.BOTH_SIDES}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_leaves_the_ordinary_unsaid(event: Any, expected: dict[str, object]) -> None:
    left_out = {
        field.name: getattr(event, field.name)
        for field in attrs.fields(type(event))
        if field.default is not attrs.NOTHING
    }

    assert {name: (type(value), value) for name, value in left_out.items()} == {
        name: (type(value), value) for name, value in expected.items()
    }


def test_watches_and_pools_are_named_as_histories_are_written() -> None:
    """`svcproof replay` reads these words."""
    assert [one.value for one in events.Sees] == ["all", "services", "slices"]
    assert [one.value for one in events.Pool] == ["nodePorts", "clusterIPs"]


def test_an_illegal_event_says_which_field_is_at_fault() -> None:
    fault = events.IllegalEvent(events.SyncProxy("a"), "node", "a", "is not there")

    assert str(fault) == "SyncProxy: node a: is not there"
