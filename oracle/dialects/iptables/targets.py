"""A rule's target, as text, is an `Action` of the rule set.

Actions that leave a packet's fate alone are `Continue`; those that cannot be judged are
`Unsupported` with the reason. A word that is no target is taken for a chain: whether the
chain exists is for the whole table to say.

Source: rules-iptables 6 (targets); iptables-extensions(8).
"""

from collections.abc import Callable, Container, Sequence
from typing import Final

from model.addresses import Family
from oracle.dialects.iptables.reading import address, mark_and_mask, one_value, whole_number
from oracle.dialects.iptables.tokens import MalformedError, Option, WrongFamilyError, options, words
from oracle.ruleset import (
    Accept,
    Action,
    Continue,
    Dnat,
    Drop,
    Goto,
    Jump,
    Masquerade,
    Redirect,
    Reject,
    Return,
    SetMark,
    Unsupported,
    Untrack,
)

CONTINUE: Final = Continue()

_VERDICTS: Final[dict[str, Action]] = {"ACCEPT": Accept(), "DROP": Drop(), "RETURN": Return()}

_HARMLESS: Final = frozenset(
    {"LOG", "NFLOG", "ULOG", "AUDIT", "TRACE", "CHECKSUM", "TCPMSS", "SET", "CLASSIFY", "DSCP", "TOS"}
)
# fmt: off
_NOT_JUDGED: Final = frozenset({
    "CLUSTERIP", "CONNSECMARK", "DNPT", "ECN", "HL", "HMARK", "IDLETIMER", "LED", "MIRROR", "NETMAP",
    "NFQUEUE", "QUEUE", "RATEEST", "SECMARK", "SNPT", "SYNPROXY", "TCPOPTSTRIP", "TEE", "TPROXY", "TTL",
})
# fmt: on

OLD_DNAT: Final = (
    "the dump was taken with an iptables older than the host's and does not show where the rule sends "
    "packets; use the host's own iptables-save"
)

_BITS: Final = 0xFFFFFFFF


def parse_target(text: str, family: Family, chains: Container[str] = ()) -> Action:
    """What follows `-j`; a declared chain goes before an extension of the same name.

    Raises MalformedError for text that iptables-restore would refuse, WrongFamilyError
    for an address or an error type of the other family.
    """
    raw = words(text)
    if not raw:
        raise MalformedError("-j without a target")
    name, rest = raw[0], raw[1:]
    if name in _VERDICTS:
        return _without_options(_VERDICTS[name], name, rest)
    if name in chains:
        return _without_options(Jump(name), name, rest)
    if name in _HARMLESS:
        return CONTINUE
    read = _TARGETS.get(name)
    if rest == ["[unsupported", "revision]"]:
        return Unsupported(OLD_DNAT if name == "DNAT" else f"{name} [unsupported revision]")
    if read is not None:
        return read(options(" ".join(rest)), family)
    if name in _NOT_JUDGED:
        return Unsupported(f"target {name} is not judged")
    if rest:
        return Unsupported(f"unknown target {name}")
    return Jump(name)


def parse_goto(text: str) -> Action:
    """What follows `-g`: always a chain."""
    raw = words(text)
    if not raw:
        raise MalformedError("-g without a chain")
    return _without_options(Goto(raw[0]), raw[0], raw[1:])


def _without_options(action: Action, name: str, rest: Sequence[str]) -> Action:
    if rest:
        raise MalformedError(f"{rest[0]} after the target {name}, which takes no options")
    return action


def _reject(given: Sequence[Option], family: Family) -> Action:
    prefix, other = ("icmp-", "icmp6-") if family is Family.IPV4 else ("icmp6-", "icmp-")
    kind = f"{prefix}port-unreachable"
    for option in given:
        if option.flag != "--reject-with":
            return Unsupported(f"REJECT {option.text}")
        kind = one_value(option)
        if kind.startswith(other):
            raise WrongFamilyError(kind, family)
    return Reject(kind)


def _dnat(given: Sequence[Option], family: Family) -> Action:
    places = [option for option in given if option.flag == "--to-destination"]
    unknown = [
        option for option in given if option.flag not in ("--to-destination", "--random", "--persistent")
    ]
    if unknown:
        return Unsupported(f"DNAT {unknown[0].text}")
    if len(places) != 1:
        return Unsupported("DNAT without a single --to-destination")
    return _place(one_value(places[0]), family)


def _place(text: str, family: Family) -> Action:
    """Where `address`, `address:port`, `[address]:port` or `:port` leads.

    Ranges are not judged unless they hold one address or port: the kernel's choice
    within a range is its own.
    """
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and port[0] != ":"):
            raise MalformedError(f"{text} is not a destination")
        port = port[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if not host and not port:
        raise MalformedError(f"{text!r} is not a destination")
    low, dash, high = host.partition("-")
    number = address(low, family) if host else None
    if dash and address(high, family) != number:
        return Unsupported(f"DNAT to a range of addresses, {text}")
    to_port = _port(port) if port else None
    if to_port == 0:
        return Unsupported(f"DNAT to a range of ports, {text}")
    return Dnat(number, to_port)


def _port(text: str) -> int:
    """The port of `N` or `N-N`; 0, which is no port, when the text is a range of several."""
    low, dash, high = text.partition("-")
    high, _, _ = high.partition("/")
    number = whole_number(low, 0xFFFF)
    if number == 0:
        raise MalformedError(f"{text} is not a port")
    return 0 if dash and whole_number(high, 0xFFFF) != number else number


def _redirect(given: Sequence[Option], _: Family) -> Action:
    port = None
    for option in given:
        if option.flag in ("--to-ports", "--to-port"):
            port = _port(one_value(option))
            if port == 0:
                return Unsupported(f"REDIRECT to a range of ports, {one_value(option)}")
        elif option.flag != "--random":
            return Unsupported(f"REDIRECT {option.text}")
    return Redirect(port)


def _masquerade(_: Sequence[Option], __: Family) -> Action:
    return Masquerade()


def _mark(given: Sequence[Option], _: Family) -> Action:
    """mark = (mark & ~clear) ^ flip, which all five ways of writing come down to."""
    if len(given) != 1:
        raise MalformedError("MARK takes one option")
    value, mask = mark_and_mask(one_value(given[0]))
    match given[0].flag:
        case "--set-xmark":
            return SetMark(mask, value)
        case "--set-mark":
            return SetMark(mask | value, value)
        case "--or-mark":
            return SetMark(value, value)
        case "--and-mark":
            return SetMark(~value & _BITS, 0)
        case "--xor-mark":
            return SetMark(0, value)
        case _:
            return Unsupported(f"MARK {given[0].text}")


def _connmark(given: Sequence[Option], _: Family) -> Action:
    """Only restoring changes the packet; what it restores is not in the dump."""
    if any(option.flag == "--restore-mark" for option in given):
        return Unsupported("CONNMARK --restore-mark")
    return CONTINUE


def _ct(given: Sequence[Option], _: Family) -> Action:
    return Untrack() if any(option.flag == "--notrack" for option in given) else CONTINUE


def _notrack(_: Sequence[Option], __: Family) -> Action:
    return Untrack()


_TARGETS: Final[dict[str, Callable[[Sequence[Option], Family], Action]]] = {
    "REJECT": _reject,
    "DNAT": _dnat,
    "REDIRECT": _redirect,
    "MASQUERADE": _masquerade,
    "SNAT": _masquerade,
    "MARK": _mark,
    "CONNMARK": _connmark,
    "CT": _ct,
    "NOTRACK": _notrack,
}
