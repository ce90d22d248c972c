"""Nodes come, change and go, each with its kube-proxy."""

import attrs

from model.cluster import events
from model.cluster.events import IllegalEvent
from model.cluster.state import ClusterState, Proxy
from model.objects import Node


def add_node(state: ClusterState, event: events.AddNode) -> ClusterState:
    name = event.node.name
    if name in state.nodes:
        raise IllegalEvent(event, "node", name, "exists already")
    if event.config.name != name:
        raise IllegalEvent(event, "config", event.config.name, f"is not of node {name}")
    proxy = Proxy(attrs.evolve(event.config, zone=event.node.zone), event.cleanup, synced_at=state.now)
    return attrs.evolve(
        state,
        nodes=state.nodes.insert(name, event.node),
        proxies=state.proxies.insert(name, proxy),
    )


def relabel_node(state: ClusterState, event: events.RelabelNode) -> ClusterState:
    node = attrs.evolve(_node(state, event), labels=event.labels)
    return attrs.evolve(state, nodes=state.nodes.insert(node.name, node))


def set_node_ready(state: ClusterState, event: events.SetNodeReady) -> ClusterState:
    node = attrs.evolve(_node(state, event), ready=event.ready)
    return attrs.evolve(state, nodes=state.nodes.insert(node.name, node))


def remove_node(state: ClusterState, event: events.RemoveNode) -> ClusterState:
    """The node is gone with its proxy; its pods stay until somebody deletes them (EPS-SEL-04)."""
    name = _node(state, event).name
    return attrs.evolve(state, nodes=state.nodes.remove(name), proxies=state.proxies.remove(name))


def _node(state: ClusterState, event: events.RelabelNode | events.SetNodeReady | events.RemoveNode) -> Node:
    node = state.nodes.get(event.name)
    if node is None:
        raise IllegalEvent(event, "name", event.name, "does not exist")
    return node
