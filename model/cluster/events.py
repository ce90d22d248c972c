"""Everything that can happen to a cluster, one class an event.

An event says what is attempted; `model.cluster.transition.step` says whether it is legal
and what comes of it. Chance is part of the event: `seed` draws an allocation, `chance`
an endpoint, so that a step is a function.
"""

# long file: one short class an event, and a reader wants to see them all at once

import enum
from fractions import Fraction

import attrs

from model.api import objects as api
from model.conntrack import Cleanup
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod
from model.packet import Packet
from model.traffic import Close

# Requests to the API server.


@attrs.frozen
class CreateService:
    service: api.Service
    dry_run: bool = False
    seed: int = 0


@attrs.frozen
class UpdateService:
    """A PUT of the whole object."""

    service: api.Service
    dry_run: bool = False
    seed: int = 0


@attrs.frozen
class UpdateServiceStatus:
    """A write of the status, as a load balancer controller makes it."""

    service: api.Service


@attrs.frozen
class DeleteService:
    name: ObjectName
    dry_run: bool = False


@attrs.frozen
class WriteEndpoints:
    """Endpoints that somebody writes by hand, new or in place of those of the name."""

    endpoints: api.Endpoints


@attrs.frozen
class DeleteEndpoints:
    name: ObjectName


@attrs.frozen
class WriteSlice:
    """An EndpointSlice that somebody writes by hand, new or in place of the one of the name."""

    slice: api.EndpointSlice


@attrs.frozen
class DeleteSlice:
    name: ObjectName


@attrs.frozen
class AddServiceCIDR:
    name: str
    cidrs: tuple[str, ...]


@attrs.frozen
class DeleteServiceCIDR:
    """Deletes it, or marks it where addresses depend on it alone (ALLOC-IP-09)."""

    name: str


@attrs.frozen
class FinalizeServiceCIDRs:
    """A pass that lets go of marked ServiceCIDRs on which no address depends any more (ALLOC-IP-09)."""


@attrs.frozen
class EnsureKubernetesService:
    """The API server makes default/kubernetes where it is missing (ALLOC-IP-10)."""

    seed: int = 0


# Controllers. Each pass may be late, and passes may come in any order.


class Pool(enum.Enum):
    """What a repair loop looks after."""

    NODE_PORTS = "nodePorts"
    CLUSTER_IPS = "clusterIPs"


@attrs.frozen
class Repair:
    pool: Pool


@attrs.frozen
class SyncSlices:
    """A pass of the EndpointSlice controller over one Service.

    It makes its writes one by one: `writes` is how many come about before it is
    interrupted, None for all (EPS-SL-02).
    """

    service: ObjectName
    writes: int | None = None


@attrs.frozen
class SyncEndpoints:
    """A pass of the Endpoints controller over one Service."""

    service: ObjectName


@attrs.frozen
class MirrorEndpoints:
    """A pass of the mirroring controller over the Endpoints of a Service's name."""

    service: ObjectName
    writes: int | None = None


@attrs.frozen
class CollectGarbage:
    """The slices that belonged to a Service that is gone are deleted (EPS-EP-06)."""

    service: ObjectName


# Pods and nodes.


@attrs.frozen
class CreatePod:
    """A pod as submitted: not scheduled, without address, not ready."""

    pod: Pod


@attrs.frozen
class SchedulePod:
    name: ObjectName
    node: str


@attrs.frozen
class StartPod:
    """The pod runs and has its addresses; a hostNetwork pod has the node's, so give none."""

    name: ObjectName
    ips: tuple[str, ...] = ()


@attrs.frozen
class SetPodReady:
    name: ObjectName
    ready: bool


@attrs.frozen
class TerminatePod:
    """The pod is asked to end: deletionTimestamp is set, it may go on serving."""

    name: ObjectName


@attrs.frozen
class FinishPod:
    """All containers have ended: phase Succeeded or Failed, for good."""

    name: ObjectName
    failed: bool = False


@attrs.frozen
class DeletePod:
    """The object is gone."""

    name: ObjectName


@attrs.frozen
class AddNode:
    """A node joins, with a kube-proxy of these settings that has applied nothing yet.

    `cleanup` is what its version does about stale UDP flows (CT-04).
    """

    node: Node
    config: NodeConfig
    cleanup: Cleanup = Cleanup.SKIPS_UNSERVED


@attrs.frozen
class RelabelNode:
    name: str
    labels: tuple[tuple[str, str], ...]


@attrs.frozen
class SetNodeReady:
    name: str
    ready: bool


@attrs.frozen
class RemoveNode:
    """The Node object is deleted, and the machine with its proxy is gone."""

    name: str


# Proxies, packets and time.


class Sees(enum.Enum):
    """Which of its watches have reached a proxy when it syncs; they are independent."""

    ALL = "all"
    SERVICES = "services"
    SLICES = "slices"


@attrs.frozen
class SyncProxy:
    """The node's proxy applies what it has seen, in one go (SYNC-01)."""

    node: str
    sees: Sees = Sees.ALL


@attrs.frozen
class StopProxy:
    """The proxy ends; its rules, the flows and the memory stay."""

    node: str


@attrs.frozen
class StartProxy:
    node: str


@attrs.frozen
class Send:
    """A packet of a connection meets a node: the first one, or a later one of a flow.

    `chance` in [0, 1) draws the endpoint where nothing else decides; `choice` picks among
    the outcomes where the contract allows several (FWD-OBJ-08). `answered` says that the
    other side sends something back.
    """

    node: str
    packet: Packet
    source_port: int
    chance: Fraction = Fraction(0)
    choice: int = 0
    answered: bool = True


@attrs.frozen
class CloseConnection:
    """The connection of that packet ends (TCP, SCTP)."""

    node: str
    packet: Packet
    source_port: int
    how: Close = Close.BOTH_SIDES


@attrs.frozen
class Tick:
    """Time passes."""

    seconds: int


Event = (
    CreateService
    | UpdateService
    | UpdateServiceStatus
    | DeleteService
    | WriteEndpoints
    | DeleteEndpoints
    | WriteSlice
    | DeleteSlice
    | AddServiceCIDR
    | DeleteServiceCIDR
    | FinalizeServiceCIDRs
    | EnsureKubernetesService
    | Repair
    | SyncSlices
    | SyncEndpoints
    | MirrorEndpoints
    | CollectGarbage
    | CreatePod
    | SchedulePod
    | StartPod
    | SetPodReady
    | TerminatePod
    | FinishPod
    | DeletePod
    | AddNode
    | RelabelNode
    | SetNodeReady
    | RemoveNode
    | SyncProxy
    | StopProxy
    | StartProxy
    | Send
    | CloseConnection
    | Tick
)


@attrs.frozen
class IllegalEvent(Exception):
    """An event that cannot happen in this state; nothing has changed.

    `field` is the event's field that is at fault, `value` what it holds.
    """

    event: Event
    field: str
    value: object
    why: str

    def __str__(self) -> str:
        return f"{type(self.event).__name__}: {self.field} {self.value}: {self.why}"
