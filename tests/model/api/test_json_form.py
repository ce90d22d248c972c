"""API objects keep what was written, and a value of the wrong type is named with its field."""

import json

import attrs
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


def test_a_null_item_of_a_list_or_map_is_its_zero_value() -> None:
    """As Go's decoder leaves it; whether such an item is legal is for validation to say."""
    tree = {"spec": {"clusterIPs": [None], "ports": [None], "selector": {"app": None}}}

    expected = ServiceSpec(cluster_ips=("",), ports=(ServicePort(),), selector=(("app", ""),))
    assert Service(spec=expected) == from_tree(Service, tree)


def test_half_of_an_escaped_character_is_read_as_the_replacement_character() -> None:
    text = json.loads(r'"a\ud800b"')

    service = from_tree(Service, {"metadata": {"name": text}, "spec": {"ports": [{"targetPort": text}]}})

    assert ("a\ufffdb", "a\ufffdb") == (service.metadata.name, service.spec.ports[0].target_port)


def test_generations_and_grace_periods_have_64_bits() -> None:
    most = 2**63 - 1
    tree = {"metadata": {"generation": most, "deletionGracePeriodSeconds": -most}}

    metadata = from_tree(Service, tree).metadata

    assert (most, -most) == (metadata.generation, metadata.deletion_grace_period_seconds)


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+02:00"]
)
def test_a_time_has_a_date_a_time_and_a_zone(text: str) -> None:
    metadata = from_tree(Service, {"metadata": {"creationTimestamp": text}}).metadata

    assert text == metadata.creation_timestamp


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-02-30T00:00:00Z", "20260102T030405Z"]
)
def test_a_time_that_is_none_is_a_bad_request(text: str) -> None:
    with pytest.raises(Refused) as refused:
        from_tree(Service, {"metadata": {"deletionTimestamp": text}})

    assert Reason.BAD_REQUEST is refused.value.reason
    assert str(refused.value).startswith("metadata.deletionTimestamp: ")


def test_zero_values_are_left_out() -> None:
    assert {"spec": {"type": "NodePort"}} == to_tree(Service(spec=ServiceSpec(type="NodePort")))


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"ports": [{"port": "80"}]}, "spec.ports[0].port: must be a whole number, not a string"),
        ({"ports": [{"port": 4294967296}]}, "spec.ports[0].port: 4294967296 does not fit into 32 bits"),
        ({"ports": [{"port": -(10**9000)}]}, "spec.ports[0].port: the number does not fit into 32 bits"),
        ({"ports": [{"port": 80.0}]}, "spec.ports[0].port: must be a whole number, not 80.0"),
        (
            {"ports": [{"port": float("inf")}]},
            "spec.ports[0].port: must be a whole number, not inf",
        ),
        ({"ports": [{"port": True}]}, "spec.ports[0].port: must be a whole number, not a boolean"),
        ({"ports": [{"targetPort": 1.5}]}, "spec.ports[0].targetPort: must be a whole number, not 1.5"),
        ({"ports": [[]]}, "spec.ports[0]: must be an object, not a list"),
        ({"clusterIPs": [7]}, "spec.clusterIPs[0]: must be a string, not a number"),
        ({"selector": {"app": 7}}, "spec.selector: must be a string, not a number"),
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


def test_any_kind_is_read_and_written_by_the_types_and_names_of_its_fields() -> None:
    """Generations and grace periods have 64 bits, other numbers 32; times are checked by name."""

    @attrs.frozen
    class Part:
        pod_ips: tuple[str, ...] = ()
        port: int | str = 0

    @attrs.frozen
    class Kind:
        generation: int = 0
        count: int = 0
        deletion_timestamp: str | None = None
        last_part: Part = Part()
        more_parts: tuple[Part, ...] = ()
        is_set: bool = False

    tree = {
        "generation": 1 << 40,
        "count": 7,
        "deletionTimestamp": "2026-01-02T03:04:05Z",
        "lastPart": {"podIPs": ["10.0.0.1"], "port": "http"},
        "moreParts": [{"port": 80}],
        "isSet": True,
    }
    value = Kind(
        1 << 40, 7, "2026-01-02T03:04:05Z", Part(("10.0.0.1",), "http"), (Part(port=80),), is_set=True
    )
    assert (value, tree, {}) == (from_tree(Kind, tree), to_tree(value), to_tree(Kind()))
    for field, wrong, fault in (
        ("count", 1 << 40, "1099511627776 does not fit into 32 bits"),
        ("deletionTimestamp", "x", "'x' is not a time as RFC 3339 has it, such as 2006-01-02T15:04:05Z"),
        ("lastPart", [], "must be an object, not a list"),
    ):
        with pytest.raises(Refused) as refused:
            from_tree(Kind, {field: wrong})
        assert f"{field}: {fault}" == str(refused.value)
