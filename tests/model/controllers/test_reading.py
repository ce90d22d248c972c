"""Objects are read with the fields that controllers need, and bad ones are refused in one line."""

import json
from fractions import Fraction
from typing import Any

import pytest

from model.errors import InputError
from model.load.cluster import load_cluster
from model.load.quantity import parse_quantity
from model.objects import Cluster, EndpointPort, Node, ObjectName, Pod, Service


def read(*items: dict[str, Any]) -> Cluster:
    return load_cluster([("objects.json", json.dumps({"kind": "List", "items": items}).encode())])


def node_with_cpu(cpu: object) -> dict[str, Any]:
    allocatable = {"cpu": cpu, "memory": "8Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "a"},
        "status": {"allocatable": allocatable},
    }


def test_a_slice_is_read_with_its_labels_owners_and_application_protocols() -> None:
    """Labels with fields of their own are not repeated; owners that are no Services do not count."""
    cluster = read(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "web-x",
                "labels": {"kubernetes.io/service-name": "web", "team": "shop"},
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Service", "name": "web", "uid": "u1"},
                    {"apiVersion": "v1", "kind": "Endpoints", "name": "web", "uid": "u2"},
                ],
                "deletionTimestamp": "2026-11-23T10:00:00Z",
            },
            "addressType": "IPv4",
            "ports": [{"name": "h", "port": 80, "appProtocol": "kubernetes.io/h2c"}],
        }
    )

    (one,) = cluster.slices
    expected = ((("team", "shop"),), ("u1",), True, (EndpointPort("h", "TCP", 80, "kubernetes.io/h2c"),))
    assert expected == (one.labels, one.service_owners, one.being_deleted, one.ports)


def test_services_and_pods_are_read_with_their_uids() -> None:
    cluster = read(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "uid": "u1"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "uid": "u2"}},
    )

    assert ("u1", "u2") == (cluster.services[0].uid, cluster.pods[0].uid)


@pytest.mark.parametrize(
    ("written", "cpus"),
    [("4", 4), ("3920m", Fraction(98, 25)), ("0.5", Fraction(1, 2)), ("2e1", 20), ("1Ki", 1024), (2, 2)],
)
def test_a_nodes_cpus_are_read_exactly(written: object, cpus: Fraction) -> None:
    cluster = read(node_with_cpu(written))

    assert cpus == cluster.nodes[0].allocatable_cpu


@pytest.mark.parametrize("written", ["four", "4 cores", "1e999", "", "--1"])
def test_cpus_that_are_no_quantity_are_refused_by_field(written: str) -> None:
    with pytest.raises(InputError, match=r"objects\.json: Node a: .*cpu"):
        read(node_with_cpu(written))


def test_text_that_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="'4x' is not a quantity"):
        parse_quantity("4x")


def test_what_an_object_leaves_out_is_empty_and_never_null() -> None:
    """The namespace is `default`; a Node that does not say otherwise is ready."""
    parts: tuple[dict[str, Any], ...] = ({}, {"spec": {}, "status": {}}, {"spec": None, "status": None})
    for part in parts:
        found = read(
            *(
                {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}} | part
                for kind in ("Service", "Pod")
            ),
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "x"}} | part,
        )

        name = ObjectName("default", "x")
        assert Cluster(services=(Service(name),), pods=(Pod(name),), nodes=(Node("x"),)) == found
