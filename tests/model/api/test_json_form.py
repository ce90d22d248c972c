"""API objects keep what was written, and a value of the wrong type is named with its field."""

import pytest

from model.api.json_form import from_tree, to_tree
from model.api.objects import Service, ServicePort, ServiceSpec
from model.api.refusal import Reason, Refused


def test_a_service_is_read_field_for_field() -> None:
    tree = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "clusterIPs": ["10.96.0.7"],
            "ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}],
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}},
        },
    }

    service = from_tree(Service, tree)

    assert ("10.96.0.7",) == service.spec.cluster_ips
    assert (ServicePort(port=80, target_port="http"), ServicePort(port=81, target_port=8081)) == (
        service.spec.ports
    )
    assert tree == to_tree(service)


def test_a_null_is_an_absent_field() -> None:
    assert Service() == from_tree(Service, {"metadata": None, "spec": {"ports": None, "selector": None}})


def test_zero_values_are_left_out() -> None:
    assert {"spec": {"type": "NodePort"}} == to_tree(Service(spec=ServiceSpec(type="NodePort")))


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"ports": [{"port": "80"}]}, "spec.ports[0].port: must be a whole number, not a string"),
        ({"ports": [{"port": 4294967296}]}, "spec.ports[0].port: 4294967296 does not fit into 32 bits"),
        ({"ports": {}}, "spec.ports: must be a list, not an object"),
        ({"clusterIPs": "10.96.0.7"}, "spec.clusterIPs: must be a list, not a string"),
        ({"selector": ["a"]}, "spec.selector: must be a map of strings, not a list"),
        (
            {"publishNotReadyAddresses": 1},
            "spec.publishNotReadyAddresses: must be true or false, not a number",
        ),
        ([], "spec: must be an object, not a list"),
    ],
)
def test_a_value_of_the_wrong_type_is_a_bad_request_that_names_the_field(spec: object, fault: str) -> None:
    with pytest.raises(Refused) as refused:
        from_tree(Service, {"spec": spec})

    assert (Reason.BAD_REQUEST, fault) == (refused.value.reason, str(refused.value))
