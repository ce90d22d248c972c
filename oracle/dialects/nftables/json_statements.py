"""Statements in the JSON of nft: each is an object with one key that names it.

Law: a statement that cannot be read is `Unknown` with its JSON; those beside it are read. What
xtables matches and does is hidden in JSON: the object `xt` names it at most.

Source: libnftables-json(5), STATEMENTS; rules-nftables 6.
"""

from collections.abc import Callable, Mapping
from typing import Final

from model.addresses import Family
from oracle.dialects.nftables.datatypes import SERVICE, types_of
from oracle.dialects.nftables.expressions import Concat, Expression, Unknown
from oracle.dialects.nftables.families import FAMILIES, default_reject, nat_family, nat_flags, nat_types
from oracle.dialects.nftables.json_expressions import JsonExpressions, verdict
from oracle.dialects.nftables.json_packet import Json, UnreadableError, json_text, text, whole
from oracle.dialects.nftables.statements import (
    Counter,
    Mangle,
    Masquerade,
    Match,
    MatchOp,
    Nat,
    NatKind,
    Notrack,
    Opaque,
    Redirect,
    Reject,
    SetOp,
    SetUpdate,
    Statement,
    Tproxy,
    VerdictMap,
    Xt,
)
from oracle.dialects.nftables.symbols import REJECT_CODES
from oracle.dialects.nftables.syntax import TableFamily
from oracle.dialects.nftables.text_values import VERDICT

_OPS: Final = {op.value: op for op in MatchOp}
_SET_OPS: Final = {op.value: op for op in SetOp}
_OPAQUE: Final = {
    **{name: name for name in ("log", "last", "limit", "quota", "queue", "dup", "fwd", "synproxy", "flow")},
    "ct count": "connlimit",
    "ct helper": "ct helper",
    "ct timeout": "ct timeout",
    "ct expectation": "ct expectation",
}
_NAMED_OBJECTS: Final = frozenset({"counter", "quota", "limit", "synproxy", "last"})


class JsonStatements:
    """Reads the statements of rules in a table of one family."""

    __slots__ = ("expressions", "family", "readers")

    def __init__(self, expressions: JsonExpressions, family: TableFamily) -> None:
        self.expressions = expressions
        self.family = family
        self.readers: Mapping[str, Callable[[Json], Statement]] = {
            "match": self._match,
            "vmap": self._vmap,
            "counter": _counter,
            "mangle": self._mangle,
            "dnat": lambda body: self._nat(NatKind.DNAT, body),
            "snat": lambda body: self._nat(NatKind.SNAT, body),
            "redirect": lambda body: Redirect(self._port(body), _flags(body)),
            "masquerade": lambda body: Masquerade(self._port(body), _flags(body)),
            "tproxy": self._tproxy,
            "reject": self._reject,
            "set": self._set_update,
            "map": self._set_update,
            "notrack": lambda _: Notrack(),
            "xt": _xt,
        }

    def of_rule(self, found: Json) -> tuple[Statement, ...]:
        """The statements of `expr`. Raises UnreadableError when it is no array."""
        if not isinstance(found, list):
            raise UnreadableError("a rule without expr")
        return tuple([self.statement(item) for item in found])

    def statement(self, found: Json) -> Statement:
        """One statement; Unknown when it cannot be read."""
        if not isinstance(found, dict) or len(found) != 1:
            return Unknown(json_text(found))
        [(name, body)] = found.items()
        if (decided := verdict(found)) is not None:
            return decided
        try:
            if isinstance(body, str) and name in _NAMED_OBJECTS:
                return Opaque(f"objref {name}", json_text(found))
            if name in self.readers:
                return self.readers[name](body)
            if name in _OPAQUE:
                return Opaque(_OPAQUE[name], json_text(found))
        except (UnreadableError, KeyError, TypeError, ValueError, AttributeError):
            pass
        return Unknown(json_text(found))

    def _match(self, body: Json) -> Match:
        left = self.expressions.expression(body["left"])
        types = types_of(left)
        right = self.expressions.expression(body["right"], types)
        return Match(_OPS[body["op"]], left, right)

    def _vmap(self, body: Json) -> VerdictMap:
        key = self.expressions.expression(body["key"])
        return VerdictMap(key, self.expressions.data(body["data"], types_of(key), VERDICT))

    def _mangle(self, body: Json) -> Mangle:
        key = self.expressions.expression(body["key"])
        return Mangle(key, self.expressions.expression(body["value"], types_of(key)))

    def _reject(self, body: Json) -> Reject:
        if body is None:
            return default_reject(self.family)
        kind = text(body["type"])
        if kind == "tcp reset":
            return Reject(kind)
        code = body["expr"]
        if isinstance(code, int):
            code = REJECT_CODES[kind].get(code, str(code))
        return Reject(kind, text(code))

    def _nat(self, kind: NatKind, body: Json) -> Nat:
        body = body or {}
        address, port, family = self._target(body)
        if isinstance(address, Concat) and len(address.parts) == 2 and port is None:
            address, port = address.parts
        return Nat(kind, family, address, port, _flags(body))

    def _tproxy(self, body: Json) -> Tproxy:
        address, port, family = self._target(body)
        return Tproxy(family, address, port)

    def _target(self, body: Json) -> tuple[Expression | None, Expression | None, Family | None]:
        """Address, port and family of a translation."""
        said = FAMILIES[body["family"]] if body.get("family") else None
        types = nat_types(nat_family(said, None, self.family))
        address = self.expressions.expression(body["addr"], types) if "addr" in body else None
        return address, self._port(body), nat_family(said, address, self.family)

    def _port(self, body: Json) -> Expression | None:
        if body is None or "port" not in body:
            return None
        return self.expressions.expression(body["port"], SERVICE)

    def _set_update(self, body: Json) -> SetUpdate:
        """`set` and, with `data`, `map`."""
        op = _SET_OPS[body["op"]]
        name = text(body["set"] if "set" in body else body["map"]).removeprefix("@")
        found = body["elem"]
        timeout = None
        if isinstance(found, dict) and "elem" in found:
            wrapped = found["elem"]
            found = wrapped["val"]
            timeout = whole(wrapped["timeout"]) if "timeout" in wrapped else None
        value = self.expressions.expression(body["data"]) if "data" in body else None
        bound = body.get("stmt", [])
        return SetUpdate(op, name, self.expressions.expression(found), value, timeout, self.of_rule(bound))


def _flags(body: Json) -> tuple[str, ...]:
    """The flags, which may be one text or a list; those of maps stand under a key of their own."""
    words: list[str] = []
    for key in ("flags", "type_flags"):
        given = (body or {}).get(key, [])
        words += [text(word) for word in given] if isinstance(given, list) else [text(given)]
    if "prefix" in words:  # which implies netmap; the text leaves it out
        words = [word for word in words if word != "netmap"]
    return nat_flags(words)


def _counter(body: Json) -> Counter:
    if body is None:
        return Counter()
    return Counter(whole(body["packets"]), whole(body["bytes"]))


def _xt(body: Json) -> Xt:
    if body is None:  # versions before 1.0.2 tell nothing
        return Xt("", "")
    return Xt(text(body["type"]), text(body["name"]))
