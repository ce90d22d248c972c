"""A cluster's objects as Kubernetes JSON: what an API server would answer a client that lists them.

Law: what `model.load` reads of the trees is the cluster that they were written from, as far as a node's
treatment of packets depends on it.
"""

from collections.abc import Iterator
from typing import Any

from model.api import objects as api
from model.api.json_form import to_tree
from model.cluster.state import ClusterState
from model.objects import Endpoint, EndpointSlice, Node, ObjectName, Pod

Tree = dict[str, Any]
"""One object, `apiVersion` and `kind` included."""

_TIME = "2026-01-01T00:00:00Z"  # the clock of a history stands still
_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_HEADLESS = "service.kubernetes.io/headless"


def trees_of(state: ClusterState) -> tuple[Tree, ...]:
    """Nodes, Services, EndpointSlices and Pods of the moment, each kind in the order of names."""
    return tuple(_trees(state))


def key_of(tree: Tree) -> tuple[str, str, str]:
    """Kind, namespace and name, which tell an object from all others."""
    metadata = tree["metadata"]
    return tree["kind"], metadata.get("namespace", ""), metadata["name"]


def _trees(state: ClusterState) -> Iterator[Tree]:
    objects = state.objects()
    for node in objects.nodes:
        yield _node(node)
    for name in sorted(state.registry.services):
        yield _service(state.registry.services[name])
    for one in objects.slices:
        yield _slice(one)
    for pod in objects.pods:
        yield _pod(pod)


def _service(service: api.Service) -> Tree:
    return {"apiVersion": "v1", "kind": "Service", **to_tree(service)}


def _node(node: Node) -> Tree:
    metadata: Tree = {"name": node.name, "labels": dict(node.labels)}
    spec: Tree = {"podCIDR": node.pod_cidrs[0], "podCIDRs": list(node.pod_cidrs)} if node.pod_cidrs else {}
    status: Tree = {
        "addresses": [{"type": kind, "address": text} for kind, text in node.addresses],
        "conditions": [_condition(is_true=node.ready)],
        "nodeInfo": {"kubeProxyVersion": node.kube_proxy_version},
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": status}


def _slice(one: EndpointSlice) -> Tree:
    labels = dict(one.labels)
    if one.service is not None:
        labels[_SERVICE_NAME] = one.service.name
    if one.managed_by:
        labels[_MANAGED_BY] = one.managed_by
    if one.headless:
        labels[_HEADLESS] = ""
    ports = [{"name": port.name, "protocol": port.protocol, "port": port.port} for port in one.ports]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**_named(one.name, being_deleted=one.being_deleted), "labels": labels},
        "addressType": one.address_type,
        "endpoints": [_endpoint(endpoint) for endpoint in one.endpoints],
        "ports": ports,
    }


def _endpoint(endpoint: Endpoint) -> Tree:
    told = {
        "ready": endpoint.ready,
        "serving": endpoint.serving,
        "terminating": endpoint.terminating,
    }
    tree: Tree = {
        "addresses": list(endpoint.addresses),
        "conditions": {name: value for name, value in told.items() if value is not None},
    }
    given = {"nodeName": endpoint.node_name, "zone": endpoint.zone, "hostname": endpoint.hostname}
    tree |= {name: value for name, value in given.items() if value}
    hints = {
        "forZones": [{"name": name} for name in endpoint.zone_hints],
        "forNodes": [{"name": name} for name in endpoint.node_hints],
    }
    if any(hints.values()):
        tree["hints"] = {name: value for name, value in hints.items() if value}
    if endpoint.target is not None:
        target = endpoint.target
        tree["targetRef"] = {"kind": "Pod", "namespace": target.namespace, "name": target.name}
    return tree


def _pod(pod: Pod) -> Tree:
    spec: Tree = {"containers": [{"name": "main"}]}
    if pod.node_name:
        spec["nodeName"] = pod.node_name
    if pod.host_network:
        spec["hostNetwork"] = True
    status: Tree = {"phase": pod.phase, "conditions": [_condition(is_true=pod.ready)]}
    if pod.ips:
        status |= {"podIP": pod.ips[0], "podIPs": [{"ip": text} for text in pod.ips]}
    metadata = {**_named(pod.name, being_deleted=pod.terminating), "labels": dict(pod.labels), "uid": pod.uid}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _named(name: ObjectName, *, being_deleted: bool) -> Tree:
    tree: Tree = {"namespace": name.namespace, "name": name.name}
    if being_deleted:
        tree["deletionTimestamp"] = _TIME
    return tree


def _condition(*, is_true: bool) -> Tree:
    return {"type": "Ready", "status": "True" if is_true else "False"}
