"""One step of a cluster: an event is carried out whole, or refused with nothing changed.

`step` is a function: equal states and events give equal results. An illegal event raises
`IllegalEvent`, which names field and value; a request that the API server refuses raises
`Refused` with the API's own causes.
"""

from typing import assert_never

import attrs

from model.api.repair import RepairEvent
from model.api.service_storage import Accepted
from model.cluster import api_requests, controllers, events, node_life, pod_life, pools, proxies
from model.cluster.events import Event, IllegalEvent
from model.cluster.state import ClusterState
from model.traffic import Delivery

Answer = Accepted | Delivery | tuple[RepairEvent, ...] | None
"""What the one who caused an event is told."""


@attrs.frozen
class Stepped:
    """The state after an event, and what its author is told."""

    state: ClusterState
    answer: Answer = None


def step(state: ClusterState, event: Event) -> ClusterState:
    """The state after the event. Raises IllegalEvent and Refused."""
    return carry_out(state, event).state


def carry_out(state: ClusterState, event: Event) -> Stepped:
    """The state after the event, with the answer. Raises IllegalEvent and Refused."""
    match event:
        case events.CreateService():
            return Stepped(*api_requests.create_service(state, event))
        case events.UpdateService():
            return Stepped(*api_requests.update_service(state, event))
        case events.UpdateServiceStatus():
            return Stepped(*api_requests.update_service_status(state, event))
        case events.DeleteService():
            return Stepped(*api_requests.delete_service(state, event))
        case events.WriteEndpoints():
            return Stepped(api_requests.write_endpoints(state, event))
        case events.DeleteEndpoints():
            return Stepped(api_requests.delete_endpoints(state, event))
        case events.WriteSlice():
            return Stepped(api_requests.write_slice(state, event))
        case events.DeleteSlice():
            return Stepped(api_requests.delete_slice(state, event))
        case events.AddServiceCIDR():
            return Stepped(pools.add_cidr(state, event))
        case events.DeleteServiceCIDR():
            return Stepped(pools.delete_cidr(state, event))
        case events.FinalizeServiceCIDRs():
            return Stepped(pools.finalize_cidrs(state))
        case events.EnsureKubernetesService():
            return Stepped(*pools.ensure_kubernetes(state, event))
        case events.Repair():
            return Stepped(*pools.repair(state, event))
        case events.SyncSlices():
            return Stepped(controllers.sync_slices(state, event))
        case events.SyncEndpoints():
            return Stepped(controllers.sync_endpoints(state, event))
        case events.MirrorEndpoints():
            return Stepped(controllers.mirror_endpoints(state, event))
        case events.CollectGarbage():
            return Stepped(controllers.collect_garbage(state, event))
        case events.CreatePod():
            return Stepped(pod_life.create_pod(state, event))
        case events.SchedulePod():
            return Stepped(pod_life.schedule_pod(state, event))
        case events.StartPod():
            return Stepped(pod_life.start_pod(state, event))
        case events.SetPodReady():
            return Stepped(pod_life.set_pod_ready(state, event))
        case events.TerminatePod():
            return Stepped(pod_life.terminate_pod(state, event))
        case events.FinishPod():
            return Stepped(pod_life.finish_pod(state, event))
        case events.DeletePod():
            return Stepped(pod_life.delete_pod(state, event))
        case events.AddNode():
            return Stepped(node_life.add_node(state, event))
        case events.RelabelNode():
            return Stepped(node_life.relabel_node(state, event))
        case events.SetNodeReady():
            return Stepped(node_life.set_node_ready(state, event))
        case events.RemoveNode():
            return Stepped(node_life.remove_node(state, event))
        case events.SyncProxy():
            return Stepped(proxies.sync_proxy(state, event))
        case events.StopProxy():
            return Stepped(proxies.stop_proxy(state, event))
        case events.StartProxy():
            return Stepped(proxies.start_proxy(state, event))
        case events.Send():
            return Stepped(*proxies.send(state, event))
        case events.CloseConnection():
            return Stepped(proxies.close_connection(state, event))
        case events.Tick():
            return Stepped(_tick(state, event))
        case _:
            assert_never(event)


def _tick(state: ClusterState, event: events.Tick) -> ClusterState:
    """Time passes; what it ends (flows, memories) is ended when it is next looked at."""
    if event.seconds < 0:
        raise IllegalEvent(event, "seconds", event.seconds, "time runs forward")
    return attrs.evolve(state, now=state.now + event.seconds)
