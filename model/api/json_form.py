"""API objects to and from their JSON.

Law: `from_tree(type(x), to_tree(x)) == x`. Reading is as strict as the API server's
decoder: a number for a string, one with a fraction, or one beyond its field's bits is
refused, and so is a time that is not one; fields that are not listed are skipped. It is
as lenient too: a null is an absent field, and as an item of a list or map the zero value.
Writing omits what has its zero value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import GenericAlias
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from model.api.objects import Pairs
from model.api.refusal import Reason, Refused

_INT32 = range(-(1 << 31), 1 << 31)
_INT64 = range(-(1 << 63), 1 << 63)
_INT64_FIELDS = ("generation", "deletion_grace_period_seconds")  # all others have 32 bits
_TIME_FIELDS = ("creation_timestamp", "deletion_timestamp")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_INITIALISMS = re.compile(r"(Ip|Cidr)(s?)(?=[A-Z]|$)")

T = TypeVar("T")


def from_tree(cls: type[T], tree: object) -> T:
    """The object that a tree of JSON values describes.

    Raises Refused (400 BadRequest), naming the field, when a value has the wrong type.
    """
    try:
        return _CONVERTER.structure(tree, cls)
    except (cattrs.BaseValidationError, TypeError, ValueError) as error:
        faults = cattrs.transform_error(error, path="", format_exception=lambda fault, _: str(fault))
        raise Refused(Reason.BAD_REQUEST, "; ".join(map(_place_first, faults))) from None


def to_tree(value: object) -> dict[str, Any]:
    """The JSON tree of an object; fields with their zero value are left out."""
    tree: dict[str, Any] = _CONVERTER.unstructure(value)
    return tree


def field_name(name: str) -> str:
    """The name of a field in JSON.

    >>> [field_name(name) for name in ("cluster_ips", "load_balancer_ip", "client_ip", "ip_mode")]
    ['clusterIPs', 'loadBalancerIP', 'clientIP', 'ipMode']
    """
    first, *rest = name.split("_")
    return _INITIALISMS.sub(
        lambda m: m[1].upper() + m[2], first + "".join(word.capitalize() for word in rest)
    )


def _place_first(fault: str) -> str:
    what, _, path = fault.rpartition(" @ ")
    place = re.sub(r"[a-z_]+", lambda name: field_name(name[0]), path.removeprefix("."))
    return f"{place}: {what}" if place else what


def _string(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {_json_kind(value)}")
    # Half of a character's two escapes stands for none; the decoder puts this in its place.
    return _LONE_SURROGATES.sub("\ufffd", value)


def _int32(value: object, _: object) -> int:
    return _integer(value, _INT32, 32)


def _int64(value: object, _: object) -> int:
    return _integer(value, _INT64, 64)


def _integer(value: object, numbers: range, bits: int) -> int:
    if isinstance(value, float):
        raise ValueError(f"must be a whole number, not {value}")
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be a whole number, not {_json_kind(value)}")
    if value not in numbers:
        raise ValueError(f"{_written(value)} does not fit into {bits} bits")
    return value


def _written(number: int) -> str:
    # Python refuses to write out numbers of thousands of digits.
    return str(number) if number.bit_length() < 1000 else "the number"


def _time(value: object, _: object) -> str:
    text = _string(value, None)
    try:
        datetime.fromisoformat(text)
    except ValueError:
        is_time = False
    else:
        is_time = _RFC_3339.fullmatch(text) is not None
    if not is_time:
        raise ValueError(f"{text!r} is not a time as RFC 3339 has it, such as 2006-01-02T15:04:05Z")
    return text


def _boolean(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_json_kind(value)}")
    return value


def _int_or_string(value: object, _: object) -> int | str:
    return _string(value, _) if isinstance(value, str) else _int32(value, _)


def _pairs(value: object, _: object) -> Pairs:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a map of strings, not {_json_kind(value)}")
    return tuple(
        sorted((_string(key, None), "" if one is None else _string(one, None)) for key, one in value.items())
    )


def _is_list(cls: Any) -> bool:
    return get_origin(cls) is tuple


def _list_hook(cls: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    item = get_args(cls)[0]
    items: Any = GenericAlias(list, (item,))

    def structure(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list, not {_json_kind(value)}")
        zero: object = "" if item is str else {}
        return tuple(converter.structure([zero if one is None else one for one in value], items))

    return structure


def _json_kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case _:
            return "a list"


def _structure_hook(cls: type[Any], converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    hooks = dict.fromkeys(_INT64_FIELDS, _int64) | dict.fromkeys(_TIME_FIELDS, _time)
    fields: dict[str, Any] = {
        one.name: override(rename=field_name(one.name), struct_hook=hooks.get(one.name))
        for one in attrs.fields(cls)
    }
    generated = make_dict_structure_fn(cls, converter, **fields)

    def structure(value: object, _: object) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"must be an object, not {_json_kind(value)}")
        return generated({key: one for key, one in value.items() if one is not None}, cls)

    return structure


def _unstructure_hook(cls: type[Any], converter: cattrs.Converter) -> Callable[[Any], Any]:
    fields: dict[str, Any] = {
        one.name: override(rename=field_name(one.name), omit_if_default=True) for one in attrs.fields(cls)
    }
    return make_dict_unstructure_fn(cls, converter, **fields)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(int, _int32)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(int | str, _int_or_string)
    converter.register_structure_hook_factory(_is_list, _list_hook)
    converter.register_structure_hook_func(lambda cls: cls == Pairs, _pairs)
    converter.register_unstructure_hook_func(lambda cls: cls == Pairs, dict)
    converter.register_structure_hook_factory(attrs.has, _structure_hook)
    converter.register_unstructure_hook_factory(attrs.has, _unstructure_hook)
    return converter


_CONVERTER = _converter()
