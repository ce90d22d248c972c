"""The lines that kube-proxy writes by the ten thousand, read without the general readers.

Each function answers as its careful twin would (`cut`, `parse_match`, `parse_target`, a
chain's declaration), or with None, and then the twin must be asked: tests hold every
answer equal. None of them is needed; without this file a large dump takes twice as long.
"""

import re
from collections.abc import Container
from functools import lru_cache
from socket import AF_INET, inet_pton
from typing import Final

from model.addresses import Family
from model.intervals import single
from model.packet import SCTP, TCP, UDP
from model.predicate import All, Fact, Field, Predicate, Within
from oracle.dialects.iptables.reading import ALL_PORTS, Condition, Reading, network, ports
from oracle.dialects.iptables.tokens import Cut
from oracle.ruleset import Action, Dnat, Jump

Literals = tuple[Predicate, ...]

_NAME: Final = r'([^\s"!-][^\s"]*)'
_ALL_BITS: Final = {Family.IPV4: "255.255.255.255", Family.IPV6: ":".join(["ffff"] * 8)}

# Addresses, protocol and port, in the order in which iptables-save prints them.
_FRONTEND: Final = re.compile(
    r"(?:( !)? -s ([0-9a-f.:]+/\d+))?(?: -d ([0-9a-f.:]+/\d+))?"
    r"(?: -p (tcp|udp|sctp)(?: -m \4(?: --dport ([0-9:]+))?)?)?",
    re.ASCII,
)
_ASKS: Final = re.compile(
    r" -m recent --rcheck --seconds (0|[1-9]\d{0,8}) --reap"
    rf" --name {_NAME} --mask (\S+) --rsource",
    re.ASCII,
)
_REMEMBERS: Final = re.compile(
    rf" -p (tcp|udp|sctp) -m recent --set --name {_NAME} --mask (\S+) --rsource -m \1", re.ASCII
)
_PROTOCOLS: Final = {
    name: (Within(Field.PROTOCOL, single(number)),)
    for name, number in (("tcp", TCP), ("udp", UDP), ("sctp", SCTP))
}

_SOURCE: Final = Field.SOURCE
_DNAT: Final = "DNAT --to-destination "
_VERDICTS: Final = frozenset({"ACCEPT", "DROP", "RETURN"})


def is_plain(match: str) -> bool:
    """Whether `cut` would part this text from a ` -j ` after it, and change nothing in it."""
    return '"' not in match and "\t" not in match and "--comment" not in match and " -g" not in match


def quick_cut(rest: str) -> Cut | None:
    """What `cut` gives, for the lines that hardly differ from kube-proxy's.

    Sound because with exactly one pair of quotes, and that pair the value of
    `-m comment --comment` with no target before it, nothing else can be quoted.
    """
    if '"' in rest:
        parts = rest.split('"', 3)
        if len(parts) != 3:
            return None
        before, comment, after = parts
        if (
            before[-22:] != " -m comment --comment "
            or comment[-1:] == "\\"
            or (after and after[0] != " ")
            or " -j " in before
        ):
            return None
        rest = before[:-22] + after
    match, found, target = rest.partition(" -j ")
    if "\t" in rest or "--comment" in match or " -g" in match:
        return None
    if not found:
        return None if match.endswith(" -j") else (match, "", "")
    return (match, "-j", target) if target.strip(" ") else None


def quick_match(text: str, family: Family) -> Condition | None:
    """What `parse_match` gives, for a source, a frontend, or a source that is remembered.

    Raises what it raises.
    """
    if text[:4] == " -s " and text[-3:] == "/32" and family is Family.IPV4:
        try:
            host = int.from_bytes(inet_pton(AF_INET, text[4:-3]))  # no cache: each comes once
        except (OSError, ValueError):
            return None
        return Condition(All((Within(_SOURCE, ((host, host),)),)))
    if frontend := _FRONTEND.fullmatch(text):
        return _frontend(frontend, family)
    if (asks := _ASKS.fullmatch(text)) and asks[3] == _ALL_BITS[family]:
        return Condition(All((Fact("recent", f"{asks[2]}/{asks[1]}"),)))
    if (remembers := _REMEMBERS.fullmatch(text)) and remembers[3] == _ALL_BITS[family]:
        return Condition(All(_PROTOCOLS[remembers[1]]), None, remembers[2])
    return None


def _frontend(found: re.Match[str], family: Family) -> Condition:
    negated, source, destination, protocol, port = found.groups()
    literals: Literals = ()
    if source:
        literals = _address(Field.SOURCE, source, family, bool(negated))
    if destination:
        literals += _address(Field.DESTINATION, destination, family, False)
    if protocol:
        literals += _PROTOCOLS[protocol]
    if port:
        literals += _port(port)
    return Condition(All(literals))


@lru_cache(maxsize=1 << 14)  # a frontend's address comes several times, a pod range in every Service
def _address(field: Field, text: str, family: Family, negated: bool) -> Literals:
    reading = Reading(family)
    span = network(text, family)
    assert span is not None  # only a dotted mask can have holes
    reading.within(field, span, family.everything, negated=negated)
    return tuple(reading.literals)


@lru_cache(maxsize=1 << 14)
def _port(text: str) -> Literals:
    reading = Reading(Family.IPV4)
    reading.within(Field.PORT, ports(text), ALL_PORTS, negated=False)
    return tuple(reading.literals)


def quick_target(text: str, chains: Container[str]) -> Action | None:
    """What `parse_target` gives for a chain already declared, and for a plain DNAT in IPv4."""
    if text[:22] != _DNAT or "DNAT" in chains:
        return Jump(text) if text in chains and text not in _VERDICTS else None
    host, _, port = text[22:].partition(":")
    number = _port_number(port)
    if not number:
        return None
    try:
        return Dnat(int.from_bytes(inet_pton(AF_INET, host)), number)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=1 << 16)
def _port_number(text: str) -> int:
    """The port of a plain decimal text, 0 for every other text."""
    plain = text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= 5
    number = int(text) if plain else 0
    return number if number <= 0xFFFF else 0


def quick_chain(line: str) -> str | None:
    """The name in `:NAME - [0:0]`, which is how all but the base chains are declared."""
    name = line[1:-8]
    if line[:1] == ":" and line[-8:] == " - [0:0]" and name and " " not in name and name.isprintable():
        return name
    return None
