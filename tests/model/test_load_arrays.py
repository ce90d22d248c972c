"""In an array every item is to be an object, once one of them names a kind."""

import json

import pytest

from model.errors import InputError
from model.load import load_cluster

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {}}


def test_what_stands_beside_an_object_in_an_array_is_named_and_not_passed_over() -> None:
    data = json.dumps([{"name": "no object"}, SERVICE]).encode()

    with pytest.raises(InputError) as fault:
        load_cluster([("c.json", data)])

    assert str(fault.value) == "c.json: items[0] has no kind"


def test_an_array_in_which_nothing_has_a_kind_is_no_file_of_objects() -> None:
    with pytest.raises(InputError) as fault:
        load_cluster([("c.json", b'[{"name": "a"}, 5]')])

    assert str(fault.value) == "c.json: holds no Kubernetes objects: nothing in it has a kind"
