"""A state is made of the objects of files: what is in them is there, and every consumer has seen it."""

import json
from typing import Any

import pytest

from model.api.registry import ApiConfig
from model.cluster.from_objects import state_of
from model.errors import InputError
from model.objects import ObjectName

WEB = ObjectName("shop", "web")
META = {"name": "web", "namespace": "shop"}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": META,
    "spec": {
        "type": "NodePort",
        "clusterIP": "10.96.0.10",
        "clusterIPs": ["10.96.0.10"],
        "ipFamilies": ["IPv4"],
        "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080, "targetPort": 8080}],
    },
}
SLICE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": META | {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["10.244.0.5"], "conditions": {"ready": True}}],
    "ports": [{"port": 8080, "protocol": "TCP"}],
}
ENDPOINTS = {"apiVersion": "v1", "kind": "Endpoints", "metadata": META, "subsets": []}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": META | {"name": "web-1"}, "spec": {}, "status": {}}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}, "status": {}}


def cidr(version: str) -> dict[str, Any]:
    return {
        "apiVersion": f"networking.k8s.io/{version}",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": ["10.96.0.0/16"]},
    }


def file(*items: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [("c.json", json.dumps({"kind": "List", "items": items}).encode())]


def test_every_object_of_the_files_is_there() -> None:
    state = state_of(file(cidr("v1"), SERVICE, SLICE, ENDPOINTS, POD, NODE))

    assert (list(state.registry.services), list(state.registry.service_cidrs)) == ([WEB], ["kubernetes"])
    assert [one.name.name for one in state.slices.of(WEB)] == ["web-1"]
    assert (list(state.endpoints), list(state.nodes)) == ([WEB], ["node-a"])
    assert list(state.pods.by_name) == [ObjectName("shop", "web-1")]


def test_what_the_services_hold_is_allocated() -> None:
    state = state_of(file(cidr("v1"), SERVICE))

    assert dict(state.registry.ip_owners) == {"10.96.0.10": WEB}
    assert dict(state.registry.node_ports) == {30080: WEB}


def test_consumers_read_the_same_services() -> None:
    (service,) = state_of(file(SERVICE)).services.by_name.values()

    assert (service.name, service.cluster_ips) == (WEB, ("10.96.0.10",))


def test_the_servers_flags_are_kept() -> None:
    config = ApiConfig(first_node_port=30000, last_node_port=30100)

    assert state_of(file(SERVICE), config).registry.config == config


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_service_cidrs_of_every_version_are_read(version: str) -> None:
    assert list(state_of(file(cidr(version))).registry.service_cidrs) == ["kubernetes"]


def test_a_service_cidr_without_a_version_is_one_as_well() -> None:
    plain = {key: value for key, value in cidr("v1").items() if key != "apiVersion"}

    assert list(state_of(file(plain)).registry.service_cidrs) == ["kubernetes"]


def test_a_service_without_a_version_is_one_as_well() -> None:
    plain = {key: value for key, value in SERVICE.items() if key != "apiVersion"}

    assert list(state_of(file(plain)).registry.services) == [WEB]


def test_objects_of_other_groups_are_passed_over() -> None:
    other = SERVICE | {"apiVersion": "serving.knative.dev/v1"}

    state = state_of(file(other, cidr("v2")))

    assert ([], []) == (list(state.registry.services), list(state.registry.service_cidrs))


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"kind": "List", "items": [SLICE, SERVICE | {"metadata": META | {"generation": "1"}}]}, "items[1]"),
        (SERVICE | {"metadata": META | {"generation": "1"}}, "document"),
    ],
)
def test_a_field_of_the_wrong_type_is_named_with_its_file_and_object(document: Any, place: str) -> None:
    with pytest.raises(InputError) as fault:
        state_of([("c.json", json.dumps(document).encode())])

    reason = "metadata.generation: must be a whole number, not a string"
    assert str(fault.value) == f"c.json: Service at {place}: {reason}"
