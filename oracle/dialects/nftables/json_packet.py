"""What a packet has, in the JSON of nft: payload, meta, ct, fib, and numbers drawn for it.

A reader raises UnreadableError, KeyError, TypeError or AttributeError for JSON that has not
the shape of what its key claims; who calls it makes that `Unknown`.

Source: libnftables-json(5), EXPRESSIONS.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from oracle.dialects.nftables.datatypes import of_number, scalar
from oracle.dialects.nftables.expressions import (
    Ct,
    Expression,
    Fib,
    Meta,
    Numgen,
    Payload,
    RawPayload,
    Scalar,
    Symhash,
    Unknown,
)

Json: TypeAlias = Any
"""What a JSON decoder gives: checked where it is used, never trusted."""


class UnreadableError(Exception):
    """JSON that has not the shape of what it claims to be."""


def json_text(found: Json) -> str:
    """The JSON on one line."""
    try:
        return msgspec.json.encode(found).decode()
    except (OverflowError, ValueError):  # a number beyond 64 bits, half a surrogate pair
        return ascii(found)


def seconds_of(found: Json) -> float | None:
    """The number, None for anything else."""
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def whole(found: Json) -> int:
    """The number. Raises UnreadableError for anything else."""
    if type(found) is not int:
        raise UnreadableError(f"{json_text(found)[:80]} is not a whole number")
    return found


def text(found: Json) -> str:
    """The text. Raises UnreadableError for anything else."""
    if not isinstance(found, str):
        raise UnreadableError(f"{json_text(found)[:80]} is not a text")
    return found


def bound(found: Json, type_name: str) -> Scalar | Unknown:
    """An end of a range. Raises UnreadableError for anything but a number or text."""
    return scalar(found, type_name) if isinstance(found, str) else of_number(whole(found), type_name)


def _payload(body: Json) -> Expression:
    if "base" in body:
        return RawPayload(text(body["base"]), whole(body["offset"]), whole(body["len"]))
    return Payload(text(body["protocol"]), text(body["field"]))


def _meta(body: Json) -> Expression:
    return Meta(text(body["key"]))


def _ct(body: Json) -> Expression:
    key = text(body["key"])
    family = body.get("family")  # beside the key in versions before 0.9
    return Ct(f"{text(family)} {key}" if family else key, text(body.get("dir", "")))


def _fib(body: Json) -> Expression:
    flags = body["flags"]
    return Fib(tuple(map(text, flags if isinstance(flags, list) else [flags])), text(body["result"]))


def _numgen(body: Json) -> Expression:
    return Numgen(text(body["mode"]), whole(body["mod"]), whole(body.get("offset", 0)))


def _symhash(body: Json) -> Expression:
    return Symhash(whole(body["mod"]), whole(body.get("offset", 0)))


def _worded(name: str, *fields: str) -> Callable[[Json], Expression]:
    def words(body: Json) -> Expression:
        return Unknown(" ".join([name, *(text(body[field]) for field in fields if field in body)]))

    return words


OF_PACKET: Final[Mapping[str, Callable[[Json], Expression]]] = {
    "payload": _payload,
    "meta": _meta,
    "ct": _ct,
    "fib": _fib,
    "numgen": _numgen,
    "symhash": _symhash,
    "rt": _worded("rt", "key"),
    "socket": _worded("socket", "key"),
    "ipsec": _worded("ipsec", "dir", "family", "key"),
    "exthdr": _worded("exthdr", "name", "field"),
    "tcp option": _worded("tcp option", "name", "field"),
    "ip option": _worded("ip option", "name", "field"),
}
"""The readers of what stands under each key that names what a packet has."""
