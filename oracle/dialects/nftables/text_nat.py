"""Translations in the text of nft: `dnat to`, `snat to`, `redirect`, `masquerade`, `tproxy`.

The target is an address, a range, `address:port` (IPv6 in brackets), `:port`, or an expression
whose map gives address and port together. Versions before 1.0.5 write `addr . port to`.
"""

from typing import Final

from model.addresses import Family
from oracle.dialects.nftables.datatypes import SERVICE, Types
from oracle.dialects.nftables.expressions import Concat, Expression, Unknown
from oracle.dialects.nftables.families import FAMILIES, nat_family, nat_flags, nat_types
from oracle.dialects.nftables.statements import Masquerade, Nat, NatKind, Redirect, Tproxy
from oracle.dialects.nftables.syntax import TableFamily
from oracle.dialects.nftables.text_expressions import Expressions
from oracle.dialects.nftables.text_values import meaning
from oracle.dialects.nftables.tokens import NotReadError, is_word

_FLAGS: Final = frozenset({"random", "fully-random", "persistent", "netmap"})
_KINDS_OF_MAPS: Final = frozenset({"prefix", "interval"})


class Translations:
    """Reads what stands after the name of a translation."""

    __slots__ = ("expressions", "family")

    def __init__(self, expressions: Expressions, family: TableFamily) -> None:
        self.expressions = expressions
        self.family = family

    def nat(self, kind: NatKind) -> Nat:
        """`[ip|ip6] [prefix|interval] to TARGET [flags]`."""
        cursor = self.expressions.cursor
        said = self._family()
        flags = []
        if cursor.token in _KINDS_OF_MAPS:
            flags.append(cursor.take())
        if cursor.takes("addr"):
            cursor.expect(".")
            cursor.expect("port")
        cursor.expect("to")
        address, port = self._target(nat_types(nat_family(said, None, self.family)))
        if isinstance(address, Concat) and len(address.parts) == 2 and port is None:
            address, port = address.parts
        flags += self._flags()
        return Nat(kind, nat_family(said, address, self.family), address, port, nat_flags(flags))

    def redirect(self) -> Redirect:
        """`[to :PORT] [flags]`."""
        return Redirect(self._port(), nat_flags(self._flags()))

    def masquerade(self) -> Masquerade:
        """`[to :PORTS] [flags]`."""
        return Masquerade(self._port(), nat_flags(self._flags()))

    def tproxy(self) -> Tproxy:
        """`[ip|ip6] to TARGET`."""
        cursor = self.expressions.cursor
        said = self._family()
        cursor.expect("to")
        address, port = self._target(nat_types(nat_family(said, None, self.family)))
        return Tproxy(nat_family(said, address, self.family), address, port)

    def _family(self) -> Family | None:
        cursor = self.expressions.cursor
        if cursor.token not in FAMILIES or cursor.tokens[cursor.at + 1] not in {
            "to",
            "addr",
            *_KINDS_OF_MAPS,
        }:
            return None
        return FAMILIES[cursor.take()]

    def _flags(self) -> list[str]:
        cursor = self.expressions.cursor
        found: list[str] = []
        while cursor.token in _FLAGS:
            found.append(cursor.take())
            if not cursor.takes(","):
                break
        return found

    def _port(self) -> Expression | None:
        cursor = self.expressions.cursor
        if not cursor.takes("to"):
            return None
        address, port = self._target(SERVICE)
        if address is not None or port is None:
            raise NotReadError("a translation to an address where a port should be")
        return port

    def _target(self, types: Types) -> tuple[Expression | None, Expression | None]:
        """Address and port."""
        cursor = self.expressions.cursor
        token = cursor.token
        address: Expression | None
        if token == "[":
            address = self._bracketed(types[0])
        elif token[:1] == ":" and token[:2] != "::":
            address = None
        elif _looks_literal(token):
            address, port = _address_and_port(token, types[0])
            cursor.at += 1
            if port is not None or cursor.token != ".":
                return address, port
            cursor.at -= 1
            address = self.expressions.value(types)
        else:
            address = self.expressions.value(types)
        return address, self._port_after()

    def _port_after(self) -> Expression | None:
        """The port of `:PORT`; the colon clings to what follows it."""
        cursor = self.expressions.cursor
        token = cursor.token
        if token[:1] != ":":
            return None
        if token == ":":
            cursor.at += 1
        else:
            cursor.tokens[cursor.at] = token[1:]
        return self.expressions.value(SERVICE)

    def _bracketed(self, type_name: str) -> Expression:
        """`[address]` or `[address]-[address]`."""
        cursor = self.expressions.cursor
        low = self._in_brackets()
        if cursor.takes("-"):
            return meaning(f"{low}-{self._in_brackets()}", type_name)
        return meaning(low, type_name)

    def _in_brackets(self) -> str:
        cursor = self.expressions.cursor
        cursor.expect("[")
        text = cursor.name()
        cursor.expect("]")
        return text


def _looks_literal(token: str) -> bool:
    """Whether the token is an address, with or without port, and no keyword."""
    return is_word(token) and (token[0].isdigit() or ":" in token)


def _address_and_port(word: str, type_name: str) -> tuple[Expression, Expression | None]:
    """The parts of `address[-address][:port[-port]]`; IPv6 without brackets has no port."""
    if word.count(":") == 1:
        address, _, port = word.partition(":")
        return _known(address, type_name), _known(port, "inet_service")
    return _known(word, type_name), None


def _known(word: str, type_name: str) -> Expression:
    value = meaning(word, type_name)
    return Unknown(word) if isinstance(value, str) else value
