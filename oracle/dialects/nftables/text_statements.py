"""Statements in the text of nft, one after the other to the end of a rule.

Law: what cannot be read becomes one `Unknown` with all that is left of the rule, because
nobody can say where it ends. What xtables translates (`xt match "recent"`, `mark set mark or
0x4000`) is read as nft prints it.
"""

from typing import Final

from oracle.dialects.nftables.datatypes import is_bitmask, types_of
from oracle.dialects.nftables.expressions import (
    Binary,
    BitOp,
    Ct,
    Expression,
    Meta,
    Payload,
    Unknown,
    Verdict,
)
from oracle.dialects.nftables.families import default_reject
from oracle.dialects.nftables.statements import (
    Counter,
    Mangle,
    Match,
    MatchOp,
    NatKind,
    Notrack,
    Opaque,
    Reject,
    SetOp,
    SetUpdate,
    Statement,
    VerdictMap,
    Xt,
)
from oracle.dialects.nftables.symbols import REJECT_CODES
from oracle.dialects.nftables.syntax import TableFamily
from oracle.dialects.nftables.text_expressions import Expressions
from oracle.dialects.nftables.text_nat import Translations
from oracle.dialects.nftables.text_values import JUMPS, VERDICT, VERDICTS, Values, duration
from oracle.dialects.nftables.tokens import RULE_ENDS, Cursor, NotReadError, is_word, shown

_COMPARISONS: Final = {op.value: op for op in MatchOp if op is not MatchOp.IN}
_SET_OPS: Final = {op.value: op for op in SetOp}
_TO_THE_END: Final = frozenset({"queue", "fwd", "synproxy"})
_NAMED_OBJECTS: Final = frozenset({"counter", "quota", "limit", "synproxy", "last"})
_CT_OBJECTS: Final = frozenset({"helper", "timeout", "expectation"})
_LOG_OPTIONS: Final = frozenset({"prefix", "level", "group", "snaplen", "queue-threshold", "flags"})
_LOG_FLAGS: Final = frozenset({"tcp", "ip", "skuid", "ether", "all"})
_XT_KINDS: Final = frozenset({"match", "target", "watcher"})


class Statements:
    """Reads the statements of rules in a table of one family."""

    __slots__ = ("cursor", "expressions", "family", "translations")

    def __init__(self, cursor: Cursor, values: Values, family: TableFamily) -> None:
        self.cursor = cursor
        self.family = family
        self.expressions = Expressions(cursor, values)
        self.translations = Translations(self.expressions, family)

    def of_rule(self) -> tuple[Statement, ...]:
        """All statements up to the rule's end, comment or handle, which stay."""
        cursor = self.cursor
        tokens = cursor.tokens
        found: list[Statement] = []
        while (token := tokens[cursor.at]) not in RULE_ENDS and token[:1] != "#":
            if token == "comment" and tokens[cursor.at + 1][:1] == '"':
                break
            start, line = cursor.at, cursor.line
            try:
                found.append(self.statement(token))
            except (NotReadError, RecursionError):
                cursor.at, cursor.line = start, line
                cursor.skip_rule()
                found.append(Unknown(cursor.text_since(start)))
        return tuple(found)

    def statement(self, token: str) -> Statement:
        """One statement. Raises NotReadError for what is none."""
        cursor = self.cursor
        if token in VERDICTS:
            cursor.at += 1
            return VERDICTS[token]
        if token in JUMPS:
            cursor.at += 1
            return Verdict(JUMPS[token], cursor.name())
        if token in ("meta", "ip", "ip6", "tcp", "numgen"):  # by far the most
            return self._about_packet()
        found = self._translation(token) or self._small(token) or self._opaque(token)
        return found if found is not None else self._about_packet()

    def _about_packet(self) -> Statement:
        """What begins with an expression: a match, a lookup of a verdict, an assignment."""
        cursor = self.cursor
        if cursor.token == "ct" and (found := self._ct_object()):
            return found
        left = self.expressions.left()
        if cursor.takes("vmap"):
            return VerdictMap(left, self.expressions.data(types_of(left), VERDICT))
        if isinstance(left, (Meta, Ct, Payload, Unknown)) and cursor.takes("set"):
            return Mangle(left, self.expressions.value(types_of(left)))
        op = _COMPARISONS.get(cursor.token)
        if op is not None:
            cursor.at += 1
        return self._match(left, op)

    def _match(self, left: Expression, op: MatchOp | None) -> Match:
        types = types_of(left)
        is_plain = self.cursor.token != "{" and self.cursor.token[:1] != "@"
        right = self.expressions.right(types)
        if is_bitmask(types) and self.cursor.takes("/"):  # `tcp flags syn / fin,syn,rst,ack`
            mask = self.expressions.right(types)
            return Match(op or MatchOp.EQ, Binary(BitOp.AND, left, mask), right)
        if op is None:
            is_bit_test = is_plain and is_bitmask(types) and not isinstance(left, Binary)
            op = MatchOp.IN if is_bit_test else MatchOp.EQ
        return Match(op, left, right)

    def _translation(self, token: str) -> Statement | None:
        if token not in ("dnat", "snat", "redirect", "masquerade", "tproxy"):
            return None
        self.cursor.at += 1
        match token:
            case "redirect":
                return self.translations.redirect()
            case "masquerade":
                return self.translations.masquerade()
            case "tproxy":
                return self.translations.tproxy()
            case _:
                return self.translations.nat(NatKind(token))

    def _small(self, token: str) -> Statement | None:
        """Statements that have their own record."""
        cursor = self.cursor
        if token in _SET_OPS and cursor.tokens[cursor.at + 1][:1] == "@":
            cursor.at += 1
            return self._set_update(_SET_OPS[token])
        match token:
            case "counter" if cursor.tokens[cursor.at + 1] != "name":
                cursor.at += 1
                return self._counter()
            case "reject":
                cursor.at += 1
                return self._reject()
            case "notrack":
                cursor.at += 1
                return Notrack()
            case "xt":
                cursor.at += 1
                kind = cursor.name()
                if kind not in _XT_KINDS:
                    raise NotReadError(f"xt {kind}")
                return Xt(kind, cursor.name())
            case _:
                return None

    def _counter(self) -> Counter:
        cursor = self.cursor
        if not cursor.takes("packets"):
            return Counter()
        packets = self._whole()
        cursor.expect("bytes")
        return Counter(packets, self._whole())

    def _whole(self) -> int:
        word = self.cursor.name()
        if not word.isascii() or not word.isdigit() or len(word) > 20:
            raise NotReadError(f"{shown(word)} is not a number")
        return int(word)

    def _reject(self) -> Reject:
        cursor = self.cursor
        if not cursor.takes("with"):
            return default_reject(self.family)
        kind = cursor.name()
        if kind == "tcp":
            cursor.expect("reset")
            return Reject("tcp reset")
        if kind not in REJECT_CODES:
            raise NotReadError(f"reject with {kind}")
        cursor.takes("type")  # as nft wrote it before 0.9.9
        code = cursor.name()
        if code.isascii() and code.isdigit():
            code = REJECT_CODES[kind].get(int(code[:4]), code)
        return Reject(kind, code)

    def _set_update(self, op: SetOp) -> SetUpdate:
        """`@name { key [timeout T] [statements] [: value] }`."""
        cursor = self.cursor
        name = cursor.take()[1:]
        cursor.expect("{")
        key = self.expressions.left()
        timeout: float | None = None
        value: Expression | None = None
        bound: list[Statement] = []
        while not cursor.takes("}"):
            if cursor.takes("timeout"):
                timeout = duration(cursor)
            elif cursor.takes("expires"):
                duration(cursor)
            elif cursor.takes("comment"):
                cursor.name()
            elif cursor.takes(":"):
                value = self.expressions.left()
            else:
                bound.append(self.statement(cursor.token))
        return SetUpdate(op, name, key, value, timeout, tuple(bound))

    def _ct_object(self) -> Opaque | None:
        """`ct count over 5`, `ct helper set "h"`."""
        cursor = self.cursor
        start = cursor.at
        kind = cursor.tokens[start + 1]
        if kind == "count":
            cursor.at += 2
            cursor.takes("over")
            self._whole()
            return Opaque("connlimit", cursor.text_since(start))
        if kind in _CT_OBJECTS and cursor.tokens[start + 2] == "set":
            cursor.at += 3
            cursor.name()
            return Opaque(f"ct {kind}", cursor.text_since(start))
        return None

    def _opaque(self, token: str) -> Opaque | None:
        """Statements known by their kind and extent."""
        cursor = self.cursor
        start = cursor.at
        cursor.at += 1
        kind = token
        if token in _NAMED_OBJECTS and cursor.takes("name"):
            cursor.name()
            kind = f"objref {token}"
        elif token in _TO_THE_END:
            cursor.at = start
            cursor.skip_rule()
        elif token == "limit":
            self._limit()
        elif token == "quota":
            cursor.takes("over") or cursor.takes("until")
            self._amount()
            if cursor.takes("used"):
                self._amount()
        elif token == "log":
            self._log()
        elif token == "last":
            if cursor.takes("used"):
                cursor.name()
        elif token == "dup":
            cursor.expect("to")
            cursor.name()
            if cursor.takes("device"):
                cursor.name()
        elif token == "flow" and cursor.token in ("add", "offload"):
            cursor.at += 1
            cursor.name()
        else:
            cursor.at = start
            return None
        return Opaque(kind, cursor.text_since(start))

    def _limit(self) -> None:
        cursor = self.cursor
        cursor.expect("rate")
        cursor.takes("over")
        self._amount()
        if cursor.takes("burst"):
            self._amount()

    def _amount(self) -> None:
        """`10/second`, `5 mbytes/second`, `5 packets`."""
        if "/" not in self.cursor.name():
            self.cursor.name()

    def _log(self) -> None:
        cursor = self.cursor
        while cursor.token in _LOG_OPTIONS:
            if cursor.take() != "flags":
                cursor.name()
            elif cursor.token in _LOG_FLAGS:
                option = cursor.take()
                while option in ("tcp", "ip") and is_word(cursor.token):
                    cursor.name()
                    if not cursor.takes(","):
                        break
