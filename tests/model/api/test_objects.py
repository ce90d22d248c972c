"""An object as it is written leaves out what the API type lets it leave out, as Go's zero values."""

import inspect
from typing import Any, get_type_hints

import attrs
import pytest

from model.api import objects

CLASSES = [each for _, each in inspect.getmembers(objects, attrs.has) if each.__module__ == objects.__name__]
FIELDS = [(each, field.name) for each in CLASSES for field in attrs.fields(each)]


def zero_of(kind: Any) -> object:
    """What absence is: nothing behind a pointer, else the zero value of the type."""
    text = str(kind)
    if "None" in text:
        return None
    if text.startswith("tuple["):
        return ()
    return 0 if kind == int | str else kind()  # an IntOrString is a number until it is a text


@pytest.mark.parametrize(("each", "name"), FIELDS, ids=[f"{each.__name__}.{name}" for each, name in FIELDS])
def test_an_absent_field_has_the_zero_value_of_its_type(each: type, name: str) -> None:
    default = getattr(each(), name)
    expected = zero_of(get_type_hints(each)[name])

    assert (default, type(default)) == (expected, type(expected))


def test_every_kind_that_the_model_stores_is_among_them() -> None:
    assert {"Service", "EndpointSlice", "Endpoints", "ServiceCIDR", "IPAddress"} <= {
        each.__name__ for each in CLASSES
    }


def test_an_object_is_named_by_its_namespace_and_name() -> None:
    service = objects.Service(objects.Metadata("web", namespace="shop"))

    assert (service.object_name.namespace, service.object_name.name) == ("shop", "web")


def test_headless_is_the_text_none() -> None:
    """API-F-11: clusterIP None, as it is written."""
    assert objects.HEADLESS == "None"
