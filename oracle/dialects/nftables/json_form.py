"""The JSON of `nft -j list ruleset` or `nft -j list table` is a `Dump`.

Law: an object whose kind is not known is noted as an object of its table; what stands in the
array is never passed over. A file may hold several listings, one per line. Objects belong to
tables by name, in any order but one: a rule comes after its chain.

The place of a thing is its index in the array `nftables`, from 0.

Source: rules-nftables 6; libnftables-json(5).
"""

import gc
import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from model.errors import InputError
from oracle.dialects.nftables.datatypes import Types, types_of
from oracle.dialects.nftables.expressions import VerdictKind
from oracle.dialects.nftables.foreign import refuse_encoding
from oracle.dialects.nftables.json_expressions import JsonExpressions
from oracle.dialects.nftables.json_packet import Json, UnreadableError, json_text, seconds_of, text, whole
from oracle.dialects.nftables.json_statements import JsonStatements
from oracle.dialects.nftables.syntax import (
    Chain,
    ChainType,
    Dump,
    Form,
    Hook,
    NamedObject,
    NamedSet,
    Rule,
    Table,
    TableFamily,
)
from oracle.dialects.nftables.tables import add_table

_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_COMMANDS: Final = frozenset(
    {"add", "create", "insert", "replace", "delete", "flush", "list", "reset", "rename"}
)

_INSTEAD: Final = "give the output of nft -j list ruleset"


def parse_json(data: bytes, file: str) -> Dump:
    """What a listing in JSON says.

    Raises InputError with file, line or object, and fault when the data is no whole listing.
    """
    refuse_encoding(data, file)
    collecting = gc.isenabled()
    gc.disable()  # hundreds of thousands of tuples and no cycle: collecting only costs time
    try:
        documents = _documents(data.removeprefix(b"\xef\xbb\xbf"), file)
        tables: dict[tuple[TableFamily, str], Table] = {}
        version = ""
        for objects in documents:
            listing = _Listing(file)
            listing.read(objects)
            version = version or listing.version
            for table in listing.tables():
                add_table(tables, table, file)
        if not tables:
            raise InputError(file, 0, "no table in the listing")
        return Dump(file, Form.JSON, tuple(tables.values()), version)
    finally:
        if collecting:
            gc.enable()


def _documents(data: bytes, file: str) -> list[list[Json]]:
    """The arrays `nftables` of the file's listings: one, or one in each line."""
    lines = data.split(b"\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if len(filled) > 1 and all(b'"nftables"' in lines[number][:64] for number in filled):
        return [_document(lines[number], file, number + 1) for number in filled]
    return [_document(data, file, 1)]


def _document(data: bytes, file: str, line: int) -> list[Json]:
    """The array `nftables` of the listing that begins in this line."""
    try:
        return _array(msgspec.json.decode(data), file)
    except RecursionError:
        raise InputError(file, line, "JSON nested too deeply for a listing of nft") from None
    except UnicodeDecodeError as fault:
        raise InputError(file, line, f"not JSON: a text is not UTF-8 ({fault.reason})") from None
    except msgspec.DecodeError as fault:
        raise _not_json(data, file, fault, line) from None


def _not_json(data: bytes, file: str, fault: msgspec.DecodeError, first: int) -> InputError:
    """What is wrong with the JSON that begins in line `first`."""
    said = str(fault)
    at = _BYTE.search(said)
    end = len(data.rstrip())
    if "truncated" in said or (at and int(at[1]) >= end):
        return InputError(
            file, first + data.count(b"\n", 0, end), "truncated: the JSON ends before it is complete"
        )
    line = first + data.count(b"\n", 0, int(at[1]) if at else 0)
    return InputError(file, line, f"not JSON: {said.splitlines()[0][:200]}")


def _array(found: Json, file: str) -> list[Json]:
    if isinstance(found, dict) and isinstance(found.get("nftables"), list):
        return list(found["nftables"])
    if isinstance(found, dict) and ("apiVersion" in found or "kind" in found):
        raise InputError(file, 1, f"this looks like JSON of kubectl, not a listing of nft; {_INSTEAD}")
    raise InputError(file, 1, f"this is JSON, but not a listing of nft; {_INSTEAD}")


class _Building:
    """A table while its objects are read; `rules` of a chain grow."""

    __slots__ = ("chains", "flags", "line", "objects", "rules", "sets", "statements")

    def __init__(self, line: int, flags: tuple[str, ...], statements: JsonStatements) -> None:
        self.line = line
        self.flags = flags
        self.statements = statements
        self.sets: dict[str, NamedSet] = {}
        self.chains: dict[str, Chain] = {}
        self.rules: dict[str, list[Rule]] = {}
        self.objects: list[NamedObject] = []


class _Listing:
    """One array while it is being read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.version = ""
        self.expressions = JsonExpressions()
        self.built: dict[tuple[str, str], _Building] = {}

    def read(self, objects: list[Json]) -> None:
        """Read all objects. Raises InputError naming the one at fault."""
        for index, found in enumerate(objects):
            try:
                self._object(index, found)
            except RecursionError:
                raise InputError(self.file, 0, f"object {index} of nftables: nested too deeply") from None
            except (UnreadableError, KeyError, TypeError, ValueError, AttributeError) as fault:
                raise InputError(self.file, 0, f"object {index} of nftables: {_said(fault)}") from None

    def tables(self) -> tuple[Table, ...]:
        """The tables read, in the order of the listing."""
        return tuple(
            Table(
                TableFamily(family),
                name,
                table.line,
                table.sets,
                {key: _with_rules(chain, tuple(table.rules[key])) for key, chain in table.chains.items()},
                tuple(table.objects),
                table.flags,
            )
            for (family, name), table in self.built.items()
        )

    def _object(self, index: int, found: Json) -> None:
        if not isinstance(found, dict) or len(found) != 1:
            raise UnreadableError("not an object with one key")
        [(kind, body)] = found.items()
        if kind in _COMMANDS:
            raise UnreadableError(f"{kind} is a command for nft -f, not part of a listing")
        if not isinstance(body, dict):
            raise UnreadableError(f"{kind} without a body")
        match kind:
            case "rule":
                self._rule(index, body)
            case "metainfo":
                self.version = str(body.get("version", ""))
            case "table":
                self._table(index, body)
            case "chain":
                table = self._of(body)
                name = _fresh(table.chains, body, kind)
                table.chains[name] = _chain(body, name, index)
                table.rules[name] = []
            case "set" | "map":
                table = self._of(body)
                name = _fresh(table.sets, body, kind)
                table.sets[name] = self._set(body, name, index)
            case "element":
                raise UnreadableError("an element on its own; list the ruleset or table instead")
            case _:
                self._of(body).objects.append(NamedObject(kind, text(body["name"]), index))

    def _table(self, index: int, body: Mapping[str, Json]) -> None:
        family, name = TableFamily(text(body["family"])), text(body["name"])
        if (family.value, name) in self.built:
            raise UnreadableError(f"table {family.value} {name[:80]!r} comes twice")
        statements = JsonStatements(self.expressions, family)
        self.built[family.value, name] = _Building(index, _words(body.get("flags")), statements)

    def _of(self, body: Mapping[str, Json]) -> _Building:
        """The table of an object. Raises UnreadableError when it has not been listed before."""
        table = self.built.get((body["family"], body["table"]))
        if table is None:
            place = f"{text(body['family'])} {text(body['table'])}"[:80]
            raise UnreadableError(f"it belongs to table {place!r}, which is not listed before it")
        return table

    def _rule(self, index: int, body: Mapping[str, Json]) -> None:
        table = self._of(body)
        rules = table.rules.get(body["chain"])
        if rules is None:
            raise UnreadableError(
                f"a rule of chain {text(body['chain'])[:80]!r}, which is not listed before it"
            )
        statements = table.statements.of_rule(body["expr"])
        comment, handle = body.get("comment", ""), body.get("handle", 0)
        rules.append(
            Rule(
                statements,
                index,
                "",
                comment if isinstance(comment, str) else "",
                handle if isinstance(handle, int) else 0,
            )
        )

    def _set(self, body: Mapping[str, Json], name: str, index: int) -> NamedSet:
        types = self._types(body["type"])
        value_types = self._types(body["map"]) if "map" in body else ()
        size = body.get("size")
        return NamedSet(
            name,
            types,
            index,
            value_types,
            _words(body.get("flags")),
            seconds_of(body.get("timeout")),
            None if size is None else whole(size),
            self.expressions.elements(body.get("elem", []), types, value_types, index),
        )

    def _types(self, found: Json) -> Types:
        """A type's name, names joined by ` . `, a list of names, or a `typeof`."""
        if isinstance(found, str):
            return tuple(found.split(" . "))
        if isinstance(found, list) and found:
            return tuple(text(name) for name in found)
        if isinstance(found, dict) and "typeof" in found:
            return types_of(self.expressions.expression(found["typeof"]))
        raise UnreadableError(f"{json_text(found)[:80]} is no type")


def _said(fault: Exception) -> str:
    if isinstance(fault, KeyError):
        return f"{fault.args[0]!r} is missing or not known"[:200]
    return " ".join(str(fault).split())[:200]


def _fresh(known: Mapping[str, Any], body: Mapping[str, Json], kind: str) -> str:
    name = text(body["name"])
    if name in known:
        raise UnreadableError(f"{kind} {name[:80]!r} comes twice in its table")
    return name


def _chain(body: Mapping[str, Json], name: str, index: int) -> Chain:
    if "hook" not in body:
        return Chain(name, (), index)
    return Chain(
        name,
        (),
        index,
        Hook(body["hook"]),
        ChainType(body["type"]),
        whole(body["prio"]),
        VerdictKind.DROP if body.get("policy", "accept") == "drop" else VerdictKind.ACCEPT,
        _words(body.get("dev")),
    )


def _with_rules(chain: Chain, rules: tuple[Rule, ...]) -> Chain:
    return attrs.evolve(chain, rules=rules)


def _words(found: Json) -> tuple[str, ...]:
    """Flags or devices: none, one text or a list."""
    if found is None:
        return ()
    return tuple(sorted(text(word) for word in found)) if isinstance(found, list) else (text(found),)
