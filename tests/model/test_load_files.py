"""Objects are found in every shape of file that kubectl and people write."""

import json
from typing import Any

import yaml
from hypothesis import given

from model.load import load_cluster
from model.objects import Cluster, ServiceType
from tests.strategies.documents import SERVICES


def service(name: str, **spec: object) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def names(cluster: Cluster) -> list[str]:
    return [item.name.name for item in cluster.services]


def test_items_of_a_typed_list_need_no_kind_of_their_own() -> None:
    items = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]
    data = json.dumps({"apiVersion": "v1", "kind": "ServiceList", "items": items}).encode()

    assert names(load_cluster([("c.json", data)])) == ["a", "b"]


def test_lists_within_lists_and_bare_arrays_are_read() -> None:
    inner = {"kind": "List", "items": [service("a")]}
    data = json.dumps([inner, service("b")]).encode()

    assert names(load_cluster([("c.json", data)])) == ["a", "b"]


def test_json_objects_one_after_another_are_read() -> None:
    objects = [json.dumps(service(name), indent=indent) for name, indent in (("a", 2), ("b", None), ("c", 1))]

    for separator in ("", "\n", " \n\n "):
        assert names(load_cluster([("c.json", separator.join(objects).encode())])) == ["a", "b", "c"]


def test_yaml_documents_are_read_and_empty_ones_left_out() -> None:
    data = b"---\n# nothing\n---\nkind: Service\nmetadata: {name: a}\n---\n---\n"
    data += b"kind: List\nitems:\n- kind: Service\n  metadata:\n    name: b\n"

    assert names(load_cluster([("c.yaml", data)])) == ["a", "b"]


def test_other_kinds_and_other_groups_kinds_are_passed_over() -> None:
    knative = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": 5}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": "anything"}
    data = json.dumps({"kind": "List", "items": [knative, deployment, service("a")]}).encode()

    assert names(load_cluster([("c.json", data)])) == ["a"]


def test_files_add_up_and_an_object_given_twice_counts_once() -> None:
    one = json.dumps(service("a", clusterIP="10.96.0.1")).encode()
    same = b"kind: Service\nmetadata:\n  name: a\n  resourceVersion: '7'\nspec:\n  clusterIP: 10.96.0.1\n"
    other = json.dumps(service("b")).encode()

    assert names(load_cluster([("1.json", one), ("2.yaml", same), ("3.json", other)])) == ["a", "b"]


def test_yaml_text_that_looks_like_other_types_stays_text() -> None:
    data = b"""
kind: Service
metadata:
  name: web
  creationTimestamp: 2026-01-01T00:00:00Z
  labels: {day: 2026-01-01, time: 12:30:45, quoted: "1", eth: 0e, none: "null"}
spec:
  clusterIPs: [2001:10:20:30:40:50:1:2]
"""
    (web,) = load_cluster([("c.yaml", data)]).services

    assert web.cluster_ips == ("2001:10:20:30:40:50:1:2",)
    assert web.label_map == {
        "day": "2026-01-01",
        "time": "12:30:45",
        "quoted": "1",
        "eth": "0e",
        "none": "null",
    }


def test_a_yaml_alias_stands_for_the_same_value() -> None:
    data = b"kind: List\nitems:\n- kind: Service\n  metadata: {name: a}\n  spec: &s {type: NodePort}\n"
    data += b"- kind: Service\n  metadata: {name: b}\n  spec: *s\n"

    types = [item.type for item in load_cluster([("c.yaml", data)]).services]

    assert types == [ServiceType.NODE_PORT, ServiceType.NODE_PORT]


def test_a_byte_order_mark_of_utf8_is_ignored() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(service("a")).encode()

    assert names(load_cluster([("c.json", data)])) == ["a"]


class Quoting(yaml.SafeDumper):
    """Writes text in quotes, as kubectl does where it could be read as a number (`0E0`)."""


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@given(SERVICES)
def test_json_and_yaml_of_the_same_objects_make_the_same_cluster(services: list[dict[str, Any]]) -> None:
    named = [{**item, "metadata": {"name": f"s{index}"}} for index, item in enumerate(services)]
    whole = {"kind": "List", "items": named}
    as_json = json.dumps(whole).encode()
    as_list = yaml.dump(whole, Dumper=Quoting, allow_unicode=True).encode()
    as_documents = yaml.dump_all([*named, {"kind": "Other"}], Dumper=Quoting).encode()

    expected = load_cluster([("c.json", as_json)])

    assert len(expected.services) == len(services)
    assert load_cluster([("c.yaml", as_list)]) == expected
    assert load_cluster([("c.yaml", as_documents)]) == expected
