"""What two worlds have in common that differ in one thing, for claims about what has no effect.

Such a claim looks at a packet on a node of a cluster, and at another packet, node or cluster.
It says itself how the two may differ, and does not ask who made the difference.
"""

from collections.abc import Callable
from functools import cached_property

import attrs

from invariants.invariant import Violation
from invariants.places import owners
from model.addresses import Family
from model.frontends import FrontendKind, NodeView, Owner, node_view
from model.node_config import NodeConfig
from model.objects import Cluster, EndpointSlice, ObjectName, Service
from model.outcome import Outcome
from model.packet import Packet


@attrs.frozen(eq=False)
class World:
    """A packet on the node of `config`, and everything that may become of it there.

    `outcomes` are several only where the contract leaves a choice (FWD-OBJ-08, EPS-SL-08).
    """

    cluster: Cluster
    config: NodeConfig
    packet: Packet
    outcomes: frozenset[Outcome]

    @cached_property
    def view(self) -> NodeView:
        return node_view(self.cluster, self.config, self.packet.family)

    @cached_property
    def owners(self) -> tuple[Owner, ...]:
        """The service ports that the packet's place is a frontend of."""
        return tuple(owners(self.view, self.packet))

    @property
    def kinds(self) -> frozenset[FrontendKind]:
        """What the packet's place is; empty for no frontend."""
        return frozenset(kind for _, kind in self.owners)

    @property
    def service_names(self) -> frozenset[ObjectName]:
        """The Services that the packet's place is a frontend of."""
        return frozenset(one.name.service for one, _ in self.owners)

    @property
    def family(self) -> Family:
        return self.packet.family


WorldsCheck = Callable[[World, World], Violation | None]

Objects = tuple[frozenset[Service], frozenset[EndpointSlice]]
"""What a node reads: the order of objects, and all objects of other kinds, count for nothing."""


def objects(cluster: Cluster, blank: Callable[[Service], Service] = lambda service: service) -> Objects:
    """Everything that a node reads, with each Service blanked in what may differ."""
    return frozenset(map(blank, cluster.services)), frozenset(cluster.slices)


def is_same_question(before: World, after: World) -> bool:
    """Whether one packet is asked about on one node in both worlds."""
    return before.packet == after.packet and before.config == after.config


def difference(before: World, after: World) -> Violation | None:
    """What was to have no effect and has one."""
    if before.outcomes == after.outcomes:
        return None
    was = ", ".join(sorted(one.verdict.value for one in before.outcomes))
    now = ", ".join(sorted(one.verdict.value for one in after.outcomes))
    how = f"{was} becomes {now}" if was != now else f"{was} takes another form"
    return Violation(f"{before.packet}: {how} ({after.packet} on {after.config.name})")
