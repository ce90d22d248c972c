"""The life of pods: created, scheduled, started, ready, terminating, ended, gone.

Law: a pod has addresses only on a node, is ready only while it runs, and never leaves a
phase in which its containers have ended. Two running pods never hold one address, unless
they are hostNetwork pods, whose addresses are the node's.
"""

import attrs

from model.cluster import events
from model.cluster.events import IllegalEvent
from model.cluster.state import ENDED, ClusterState, Pods
from model.objects import Pod


def create_pod(state: ClusterState, event: events.CreatePod) -> ClusterState:
    """A new pod, Pending, whatever status was submitted with it."""
    pod = event.pod
    if pod.name in state.pods.by_name:
        raise IllegalEvent(event, "pod", pod.name, "exists already")
    new = attrs.evolve(pod, node_name="", ips=(), phase="Pending", ready=False, terminating=False)
    return _with_pods(state, state.pods.put(new))


def schedule_pod(state: ClusterState, event: events.SchedulePod) -> ClusterState:
    pod = _pod(state, event)
    if pod.node_name:
        raise IllegalEvent(event, "name", pod.name, f"is on {pod.node_name} already")
    if event.node not in state.nodes:
        raise IllegalEvent(event, "node", event.node, "does not exist")
    if pod.terminating or pod.phase in ENDED:
        raise IllegalEvent(event, "name", pod.name, "is ending")
    return _put(state, attrs.evolve(pod, node_name=event.node))


def start_pod(state: ClusterState, event: events.StartPod) -> ClusterState:
    """Running, with its addresses: those given, or the node's own for hostNetwork (EPS-SEL-05)."""
    pod = _pod(state, event)
    node = state.nodes.get(pod.node_name)
    if node is None:
        raise IllegalEvent(event, "name", pod.name, "is on no node")
    if pod.phase != "Pending":
        raise IllegalEvent(event, "name", pod.name, f"is {pod.phase}, not Pending")
    if pod.host_network:
        if event.ips:
            raise IllegalEvent(event, "ips", event.ips, "a hostNetwork pod has its node's addresses")
        ips = tuple(text for kind, text in node.addresses if kind == "InternalIP")
    else:
        ips = event.ips
        if not ips:
            raise IllegalEvent(event, "ips", ips, "a running pod has an address")
        for ip in ips:
            holder = state.pods.holders.get(ip)
            if holder is not None:
                raise IllegalEvent(event, "ips", ip, f"is held by {holder}")
    return _put(state, attrs.evolve(pod, phase="Running", ips=ips))


def set_pod_ready(state: ClusterState, event: events.SetPodReady) -> ClusterState:
    """The Ready condition; a terminating pod may still change it (EPS-COND-01)."""
    pod = _pod(state, event)
    if event.ready and pod.phase != "Running":
        raise IllegalEvent(event, "name", pod.name, f"is {pod.phase}, not Running")
    return _put(state, attrs.evolve(pod, ready=event.ready))


def terminate_pod(state: ClusterState, event: events.TerminatePod) -> ClusterState:
    """deletionTimestamp is set; a pod on no node is gone at once."""
    pod = _pod(state, event)
    if pod.terminating:
        raise IllegalEvent(event, "name", pod.name, "is terminating already")
    if not pod.node_name:
        return _with_pods(state, state.pods.remove(pod.name))
    return _put(state, attrs.evolve(pod, terminating=True))


def finish_pod(state: ClusterState, event: events.FinishPod) -> ClusterState:
    """Succeeded or Failed, not ready; the address stays in its status and may be given anew."""
    pod = _pod(state, event)
    if pod.phase in ENDED:
        raise IllegalEvent(event, "name", pod.name, f"is {pod.phase} already")
    return _put(state, attrs.evolve(pod, phase="Failed" if event.failed else "Succeeded", ready=False))


def delete_pod(state: ClusterState, event: events.DeletePod) -> ClusterState:
    """The object is gone: after termination, or by force."""
    return _with_pods(state, state.pods.remove(_pod(state, event).name))


def _pod(
    state: ClusterState,
    event: events.SchedulePod
    | events.StartPod
    | events.SetPodReady
    | events.TerminatePod
    | events.FinishPod
    | events.DeletePod,
) -> Pod:
    pod = state.pods.by_name.get(event.name)
    if pod is None:
        raise IllegalEvent(event, "name", event.name, "does not exist")
    return pod


def _put(state: ClusterState, pod: Pod) -> ClusterState:
    return _with_pods(state, state.pods.put(pod))


def _with_pods(state: ClusterState, pods: Pods) -> ClusterState:
    return attrs.evolve(state, pods=pods)
