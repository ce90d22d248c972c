"""`cilium-dbg service list -o json` is read entry by entry, each with the line it begins at.

An entry has `spec`, what was asked for, and `status.realized`, what the agent has done; the
second counts. Versions differ in what they write of a frontend's protocol: none at all, `ANY`
or `NONE` where one entry serves every protocol, else `TCP`, `UDP`, `SCTP`.

Source: cilium api/v1/models (Service, ServiceSpec, FrontendAddress, BackendAddress).
"""

import enum
import json
from collections.abc import Mapping
from typing import Final, TypeVar

import attrs

from model.addresses import Family, parse_address
from model.errors import InputError
from model.outcome import Target
from model.packet import PROTOCOL_NUMBERS, SCTP, TCP, UDP
from oracle.findings import Line

WILDCARD: Final = 0  # the address of a node port's entry that stands for the node's own
_EVERY_PROTOCOL: Final = ("", "any", "none")
_TRANSPORTS: Final = (TCP, UDP, SCTP)
_E = TypeVar("_E", bound=enum.Enum)


class Scope(enum.Enum):
    """Whose packets an entry serves, where a Service has one of each."""

    EXTERNAL = "external"
    INTERNAL = "internal"


class State(enum.Enum):
    """What a backend may be used for; terminating ones only where none is active."""

    ACTIVE = "active"
    TERMINATING = "terminating"
    TERMINATING_NOT_SERVING = "terminating-not-serving"
    QUARANTINED = "quarantined"
    MAINTENANCE = "maintenance"


@attrs.frozen
class Backend:
    """An endpoint of an entry. `state` is ACTIVE where an old version says nothing."""

    target: Target
    state: State = State.ACTIVE


@attrs.frozen
class Entry:
    """One frontend. `protocol` is None where it serves every protocol; policies are "" if unsaid.

    `address` is 0 for the wildcard of node ports. `foreign` says why the entry is not to be
    held against the cluster's Services, "" where it is.
    """

    line: Line
    family: Family
    address: int
    port: int
    protocol: int | None
    scope: Scope
    type: str
    backends: tuple[Backend, ...]
    external_policy: str = ""
    internal_policy: str = ""
    foreign: str = ""

    @property
    def protocols(self) -> tuple[int, ...]:
        """The numbers of the protocols that the entry serves."""
        return _TRANSPORTS if self.protocol is None else (self.protocol,)

    @property
    def targets(self) -> frozenset[Target]:
        """The backends that new connections are sent to."""
        active = {one.target for one in self.backends if one.state is State.ACTIVE}
        return frozenset(active or {one.target for one in self.backends if one.state is State.TERMINATING})


@attrs.frozen
class ServiceList:
    """A whole list; `unrealized` are the lines of entries that are not yet what was asked for."""

    file: str
    entries: tuple[Entry, ...]
    unrealized: tuple[Line, ...] = ()


def parse_services(data: bytes, file: str) -> ServiceList:
    """The entries of a list. Raises InputError for what is not one, with the line."""
    text = _decoded(data, file)
    entries: list[Entry] = []
    unrealized: list[Line] = []
    decoder = json.JSONDecoder()
    at, line = _skip(text, 0, 1)
    if text[at : at + 1] != "[":
        raise InputError(file, line, "expected a JSON list, from `cilium-dbg service list -o json`")
    at, line = _skip(text, at + 1, line)
    while text[at : at + 1] != "]":
        try:
            raw, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise InputError(file, error.lineno, f"not JSON: {error.msg}") from None
        except ValueError:  # a number of thousands of digits
            raise InputError(file, line, "not JSON: a number that is too long") from None
        except RecursionError:
            raise InputError(file, line, "not JSON: nested too deep") from None
        entry = _entry(raw, file, line)
        entries.append(entry)
        realized = _child(_child(raw, "status", file, line), "realized", file, line)
        if realized and _child(raw, "spec", file, line) != realized:
            unrealized.append(entry.line)
        line += text.count("\n", at, end)
        at, line = _skip(text, end, line)
        if text[at : at + 1] == ",":
            at, line = _skip(text, at + 1, line)
            if text[at : at + 1] == "]":
                raise InputError(file, line, "not JSON: a comma before the list's end")
        elif text[at : at + 1] != "]":
            raise InputError(file, line, "not JSON: the list has no end")
    at, line = _skip(text, at + 1, line)
    if at != len(text):
        raise InputError(file, line, "something follows the list")
    return ServiceList(file, tuple(entries), tuple(unrealized))


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(file, 0, "is not UTF-8 text") from None


def _skip(text: str, at: int, line: int) -> tuple[int, int]:
    """The place of the next character that is no white space, and its line."""
    while at < len(text) and text[at] in " \t\r\n":
        line += text[at] == "\n"
        at += 1
    return at, line


def _entry(raw: object, file: str, line: int) -> Entry:
    if not isinstance(raw, dict):
        raise InputError(file, line, "an entry of the list is not an object")
    realized = _child(_child(raw, "status", file, line), "realized", file, line)
    of = realized or _child(raw, "spec", file, line)
    front = _child(of, "frontend-address", file, line)
    if not front:
        raise InputError(file, line, "an entry without frontend-address")
    flags = _child(of, "flags", file, line)
    ip, port = _text(front, "ip", file, line), _port(front, file, line)
    family, address = _address(ip, file, line)
    protocol = _protocol(_text(front, "protocol", file, line), file, line)
    type_ = _text(flags, "type", file, line) or "ClusterIP"
    shown = f"{ip}:{port}" if family is Family.IPV4 else f"[{ip}]:{port}"
    name = "/".join(filter(None, (_text(flags, "namespace", file, line), _text(flags, "name", file, line))))
    scope = _word(Scope, _text(front, "scope", file, line) or "external", "scope", file, line)
    text = " ".join(filter(None, (shown, scope.value, type_, name)))
    listed = of.get("backend-addresses") or []
    if not isinstance(listed, list):
        raise InputError(file, line, "backend-addresses is not a list")
    foreign = _foreign(type_, flags, file, line) or ("" if port else "ports that no Service has")
    backends: list[Backend] = []
    for item in listed:
        if not isinstance(item, dict):
            raise InputError(file, line, "an item of backend-addresses is not an object")
        host = _text(item, "ip", file, line)
        if "@" in host:  # address@cluster, of a mesh
            foreign = foreign or "backends of other clusters"
            continue
        of_family, number = _address(host, file, line)
        if of_family is not family:
            foreign = foreign or "translation between IPv4 and IPv6"
        backends.append(Backend(Target(number, _port(item, file, line)), _state(item, file, line)))
    return Entry(
        line=Line(file, line, text),
        family=family,
        address=address,
        port=port,
        protocol=protocol,
        scope=scope,
        type=type_,
        backends=tuple(backends),
        external_policy=_text(flags, "extTrafficPolicy", file, line)
        or _text(flags, "trafficPolicy", file, line),
        internal_policy=_text(flags, "intTrafficPolicy", file, line),
        foreign=foreign,
    )


def _foreign(type_: str, flags: Mapping[str, object], file: str, line: int) -> str:
    """Why an entry says nothing of a Service of this cluster's, "" if it does."""
    if type_ in ("HostPort", "LocalRedirect"):
        return f"type {type_}"
    if type_ not in ("ClusterIP", "NodePort", "ExternalIPs", "LoadBalancer"):
        raise InputError(file, line, f"unknown type {type_!r} of a frontend")
    return "Services of other clusters" if _text(flags, "cluster", file, line) else ""


def _state(item: Mapping[str, object], file: str, line: int) -> State:
    """A weight of 0 is maintenance, whatever the state."""
    state = _word(State, _text(item, "state", file, line) or "active", "state of a backend", file, line)
    weight = item.get("weight")
    if weight is not None and (not isinstance(weight, int) or isinstance(weight, bool)):
        raise InputError(file, line, f"weight {weight!r} is not a number")
    return State.MAINTENANCE if weight == 0 else state


def _word(kind: type[_E], text: str, what: str, file: str, line: int) -> _E:
    try:
        return kind(text.lower())
    except ValueError:
        raise InputError(file, line, f"unknown {what} {text!r}") from None


def _protocol(text: str, file: str, line: int) -> int | None:
    if text.lower() in _EVERY_PROTOCOL:
        return None
    number = PROTOCOL_NUMBERS.get(text.lower())
    if number not in _TRANSPORTS:
        raise InputError(file, line, f"unknown protocol {text!r} of a frontend")
    return number


def _address(text: str, file: str, line: int) -> tuple[Family, int]:
    try:
        return parse_address(text)
    except ValueError as error:
        raise InputError(file, line, str(error)) from None


def _port(of: Mapping[str, object], file: str, line: int) -> int:
    port = of.get("port", 0)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 0xFFFF:
        raise InputError(file, line, f"{port!r} is not a port")
    return port


def _text(of: Mapping[str, object], key: str, file: str, line: int) -> str:
    value = of.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(file, line, f"{key} is not text")
    return value


def _child(of: Mapping[str, object], key: str, file: str, line: int) -> dict[str, object]:
    value = of.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError(file, line, f"{key} is not an object")
    return value
