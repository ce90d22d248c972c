"""Expressions in the JSON of nft: each is a value, or an object with one key that names it.

A literal is read in the type of what it stands beside, as in text. What is no expression
known here is `Unknown` with its JSON; for kinds whose meaning has no place here (`rt`,
`socket`, `tcp option` ...) it is the words that the text has for them.

Source: libnftables-json(5); rules-nftables 6.
"""

from typing import Final

from oracle.dialects.nftables.datatypes import (
    INTEGER,
    UNTYPED,
    Types,
    of_number,
    scalar,
    types_of,
)
from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Binary,
    BitOp,
    Concat,
    Element,
    Expression,
    Jhash,
    MapLookup,
    SetLiteral,
    SetReference,
    Unknown,
    Value,
    Verdict,
)
from oracle.dialects.nftables.json_packet import (
    OF_PACKET,
    Json,
    UnreadableError,
    bound,
    json_text,
    seconds_of,
    whole,
)
from oracle.dialects.nftables.spans import prefix, span
from oracle.dialects.nftables.text_values import JUMPS, VERDICT, VERDICTS, together

_BIT_OPS: Final = {op.value: op for op in BitOp}


def verdict(found: Json) -> Verdict | None:
    """The verdict of `{"accept": null}` or `{"jump": {"target": NAME}}`; None for anything else."""
    if not isinstance(found, dict) or len(found) != 1:
        return None
    [(word, body)] = found.items()
    if word in VERDICTS:
        return VERDICTS[word]
    if word in JUMPS:
        target = body.get("target") if isinstance(body, dict) else body
        if isinstance(target, str):
            return Verdict(JUMPS[word], target)
    return None


class JsonExpressions:
    """Reads expressions; remembers what words mean in a type."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Value]] = {}

    def expression(self, found: Json, types: Types = UNTYPED) -> Expression:
        """The expression, or literal in these types; Unknown when it cannot be read."""
        kind = type(found)
        if kind is str:
            return self._word(found, types[0])
        if kind is bool:
            return "exists" if found else "missing"
        if kind is int:
            return of_number(found, types[0])
        if kind is list and found:
            return together([self._single(item, types[0]) for item in found])
        if kind is dict and len(found) == 1:
            [(name, body)] = found.items()
            try:
                return self._object(name, body, types)
            except (UnreadableError, KeyError, TypeError, ValueError, AttributeError):
                return Unknown(json_text(found))
        return Unknown(json_text(found))

    def data(self, found: Json, types: Types, value_types: Types) -> SetLiteral | SetReference | Unknown:
        """The map of a lookup."""
        if isinstance(found, str) and found[:1] == "@":
            return SetReference(found[1:])
        if isinstance(found, dict) and len(found) == 1 and "set" in found:
            return SetLiteral(self.elements(found["set"], types, value_types))
        return Unknown(json_text(found))

    def elements(self, found: Json, types: Types, value_types: Types, line: int = 0) -> tuple[Element, ...]:
        """The elements of a set or, with types of values, of a map.

        Raises UnreadableError when an element of a map has no value.
        """
        items = found if isinstance(found, list) else [found]
        if not value_types:
            return tuple([self._element(item, None, types, line) for item in items])
        of_verdicts = value_types == VERDICT
        made: list[Element] = []
        for item in items:
            if not isinstance(item, list) or len(item) != 2:
                raise UnreadableError(f"{json_text(item)[:80]} is no element of a map")
            key, body = item
            value: Expression | None = verdict(body) if of_verdicts else self.expression(body, value_types)
            made.append(self._element(key, Unknown(json_text(body)) if value is None else value, types, line))
        return tuple(made)

    def _element(self, found: Json, value: Expression | None, types: Types, line: int) -> Element:
        if type(found) is dict and "elem" in found:
            body = found["elem"]
            if not isinstance(body, dict) or "val" not in body:
                raise UnreadableError(f"{json_text(found)[:80]} is no element")
            comment = body.get("comment", "")
            return Element(
                self._key(body["val"], types),
                value,
                seconds_of(body.get("timeout")),
                seconds_of(body.get("expires")),
                comment if isinstance(comment, str) else "",
                line,
            )
        return Element(self._key(found, types), value, None, None, "", line)

    def _key(self, found: Json, types: Types) -> Expression:
        return ANYTHING if found == "*" else self.expression(found, types)

    def _word(self, word: str, type_name: str) -> Expression:
        known = self.known.get(type_name)
        if known is None:
            known = self.known[type_name] = {}
        value = known.get(word)
        if value is None:
            if word[:1] == "@" and len(word) > 1:
                return SetReference(word[1:])
            value = known[word] = ANYTHING if word == "*" else scalar(word, type_name)
        return value

    def _single(self, found: Json, type_name: str) -> Value:
        """A literal without parts. Raises UnreadableError for anything else."""
        value = self.expression(found, (type_name,))
        if isinstance(value, (int, str, Unknown)):
            return value
        raise UnreadableError(json_text(found))

    def _object(self, name: str, body: Json, types: Types) -> Expression:
        if name in _BIT_OPS:
            return self._binary(_BIT_OPS[name], body, types)
        if name in OF_PACKET:
            return OF_PACKET[name](body)
        match name:
            case "concat":
                return self._concat(body, types)
            case "prefix":
                base = bound(body["addr"], types[0])
                return prefix(base, whole(body["len"]), types[0], json_text({name: body}))
            case "range":
                low, high = body
                ends = bound(low, types[0]), bound(high, types[0])
                return span(*ends, json_text({name: body}))
            case "set":
                return SetLiteral(self.elements(body, types, ()))
            case "elem":
                return self.expression(body["val"], types)
            case "map":
                key = self.expression(body["key"])
                return MapLookup(key, self.data(body["data"], types_of(key), types))
            case "jhash":
                of = self.expression(body["expr"])
                seed = body.get("seed")
                return Jhash(
                    of,
                    whole(body["mod"]),
                    None if seed is None else whole(seed),
                    whole(body.get("offset", 0)),
                )
            case "accept" | "drop" | "return" | "continue" | "jump" | "goto":
                found = verdict({name: body})
                return Unknown(json_text({name: body})) if found is None else found
            case _:
                raise UnreadableError(name)

    def _concat(self, body: Json, types: Types) -> Expression:
        if not isinstance(body, list) or not body:
            raise UnreadableError("an empty concatenation")
        count = len(types)
        return Concat(
            tuple([self.expression(part, (types[at] if at < count else "",)) for at, part in enumerate(body)])
        )

    def _binary(self, op: BitOp, body: Json, types: Types) -> Expression:
        """An operation; of more than two parts (`a | b | c`) from the left, of literals their union."""
        if not isinstance(body, list) or len(body) < 2:
            raise UnreadableError("an operation on less than two things")
        if op is BitOp.OR and all(isinstance(part, (str, int)) for part in body):
            return together([self._single(part, types[0]) for part in body])
        left = self.expression(body[0], types)
        right_types = INTEGER if op in (BitOp.LSHIFT, BitOp.RSHIFT) else types_of(left)
        for part in body[1:]:
            left = Binary(op, left, self.expression(part, right_types))
        return left
