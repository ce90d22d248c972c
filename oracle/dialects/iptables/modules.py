"""What each match module's options say, one reader per module that can be judged.

A reader gets the options that followed `-m NAME` and adds to the `Reading`; an option
that it does not know is the fact `unsupported`, alone where options are independent,
the whole module where they are not.

Only the first packet of a connection is asked about, so TCP flags are those of a SYN.

Source: rules-iptables 6; iptables-extensions(8).
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from model.addresses import Family, parse_cidr
from model.packet import SCTP, TCP, UDP
from model.predicate import Fact, Field
from oracle.dialects.iptables.names import DCCP, UDPLITE
from oracle.dialects.iptables.odds import probability
from oracle.dialects.iptables.reading import (
    ALL_PORTS,
    Reading,
    address,
    address_range,
    mark_and_mask,
    one_value,
    port_list,
    ports,
    whole_number,
)
from oracle.dialects.iptables.tokens import MalformedError, Module, Option

WITH_PORTS: Final = {"tcp": TCP, "udp": UDP, "sctp": SCTP, "dccp": DCCP, "udplite": UDPLITE}
_WITH_PORTS_NUMBERS: Final = {number: name for name, number in WITH_PORTS.items()}

_MULTICAST: Final = {Family.IPV4: parse_cidr("224.0.0.0/4")[1], Family.IPV6: parse_cidr("ff00::/8")[1]}

_DECIDED_BY_SYN: Final = {"FIN", "SYN", "RST", "ACK"}
_STATES: Final = {"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "DNAT", "SNAT"}


def port_protocol(reading: Reading) -> str:
    """The protocol that -p names, if it is one with ports; else empty."""
    return _WITH_PORTS_NUMBERS.get(reading.protocol, "")


def _read_ports(reading: Reading, module: Module) -> None:
    for option in module.given:
        match option.flag:
            case "--dport":
                reading.within(Field.PORT, ports(one_value(option)), ALL_PORTS, negated=option.negated)
            case "--sport":
                reading.within(Field.SOURCE_PORT, ports(one_value(option)), ALL_PORTS, negated=option.negated)
            case "--syn":
                _read_flags(reading, option, _DECIDED_BY_SYN, {"SYN"})
            case "--tcp-flags" if len(option.values) == 2:
                mask, wanted = (set(value.split(",")) - {"NONE"} for value in option.values)
                _read_flags(reading, option, mask, wanted)
            case _:
                reading.unsupported(option.text)


def _read_flags(reading: Reading, option: Option, mask: set[str], wanted: set[str]) -> None:
    """A first packet has SYN and neither FIN, RST nor ACK; of other flags nothing is known."""
    if not mask <= _DECIDED_BY_SYN or not wanted <= mask:
        reading.unsupported(option.text)
    elif (wanted == mask & {"SYN"}) == option.negated:
        reading.impossible()


def _read_multiport(reading: Reading, module: Module) -> None:
    if not port_protocol(reading):
        reading.unsupported(module.text)
        return
    for option in module.given:
        match option.flag:
            case "--dports" | "--dport" | "--destination-ports":
                reading.within(Field.PORT, port_list(one_value(option)), ALL_PORTS, negated=option.negated)
            case "--sports" | "--sport" | "--source-ports":
                reading.within(
                    Field.SOURCE_PORT, port_list(one_value(option)), ALL_PORTS, negated=option.negated
                )
            case "--ports" if option.negated:
                reading.within(Field.PORT, port_list(one_value(option)), ALL_PORTS, negated=True)
                reading.within(Field.SOURCE_PORT, port_list(one_value(option)), ALL_PORTS, negated=True)
            case _:
                reading.unsupported(option.text)


def _read_mark(reading: Reading, module: Module) -> None:
    for option in module.given:
        if option.flag == "--mark":
            value, mask = mark_and_mask(one_value(option))
            reading.facts((Fact("mark", f"{value:#x}/{mask:#x}"),), negated=option.negated)
        else:
            reading.unsupported(option.text)


def _read_statistic(reading: Reading, module: Module) -> None:
    by_flag = {option.flag: option for option in module.given}
    mode = one_value(by_flag["--mode"]) if "--mode" in by_flag else ""
    chance = by_flag.get("--probability" if mode == "random" else "--every")
    if chance is None or not by_flag.keys() <= {"--mode", "--probability", "--every", "--packet"}:
        reading.unsupported(module.text)
        return
    if mode == "random":
        odds = probability(one_value(chance))
    else:
        every = whole_number(one_value(chance), 0xFFFFFFFF)
        if not every:
            raise MalformedError(f"{chance.text} counts nothing")
        odds = Fraction(1, every)
    reading.chance(1 - odds if chance.negated else odds, module.text, random=mode == "random")


def _read_recent(reading: Reading, module: Module) -> None:
    by_flag = {option.flag: option for option in module.given}
    name = one_value(by_flag["--name"]) if "--name" in by_flag else "DEFAULT"
    seconds = whole_number(one_value(by_flag["--seconds"]), 0xFFFFFFFF) if "--seconds" in by_flag else 0
    whole = (
        "--mask" not in by_flag or address(one_value(by_flag["--mask"]), reading.family) == reading.family.top
    )
    does = [by_flag[flag] for flag in ("--set", "--rcheck", "--update") if flag in by_flag]
    readable = {"--set", "--rcheck", "--update", "--name", "--seconds", "--mask", "--reap", "--rsource"}
    if not whole or len(does) != 1 or not by_flag.keys() <= readable:
        reading.unsupported(module.text)
    elif does[0].flag != "--set":
        reading.facts((Fact("recent", f"{name}/{seconds}"),), negated=does[0].negated)
    elif does[0].negated:
        reading.unsupported(module.text)
    else:
        reading.remembers(name, module.text)


def _read_addrtype(reading: Reading, module: Module) -> None:
    if not {option.flag for option in module.given} <= {"--src-type", "--dst-type"}:
        reading.unsupported(module.text)  # limit-iface changes what LOCAL means
        return
    for option in module.given:
        types = one_value(option).split(",")
        is_source = option.flag == "--src-type"
        if types == ["MULTICAST"]:
            field = Field.SOURCE if is_source else Field.DESTINATION
            reading.within(
                field, _MULTICAST[reading.family], reading.family.everything, negated=option.negated
            )
        elif types == ["LOCAL"] or ("LOCAL" in types and reading.family is Family.IPV4):
            facts = [Fact("source-local" if is_source else "destination-local")]
            others = [name for name in types if name != "LOCAL"]
            if others:
                facts.append(reading.doubt(f"addrtype {option.flag} {','.join(others)}"))
            reading.facts(facts, negated=option.negated)
        else:
            reading.unsupported(f"addrtype {option.text}")


def _read_conntrack(reading: Reading, module: Module) -> None:
    for option in module.given:
        states = one_value(option).split(",") if option.flag in ("--ctstate", "--state") else []
        if states and set(states) <= _STATES:
            reading.facts((Fact("ctstate", state) for state in states), negated=option.negated)
        else:
            reading.unsupported(option.text)


def _read_iprange(reading: Reading, module: Module) -> None:
    for option in module.given:
        field = {"--src-range": Field.SOURCE, "--dst-range": Field.DESTINATION}.get(option.flag)
        if field is None:
            reading.unsupported(option.text)
        else:
            span = address_range(one_value(option), reading.family)
            reading.within(field, span, reading.family.everything, negated=option.negated)


def _read_nothing(_: Reading, __: Module) -> None:
    """comment explains, nfacct counts; both are always true."""


MODULES: Final[dict[str, Callable[[Reading, Module], None]]] = {
    **dict.fromkeys(WITH_PORTS, _read_ports),
    "multiport": _read_multiport,
    "mark": _read_mark,
    "statistic": _read_statistic,
    "recent": _read_recent,
    "addrtype": _read_addrtype,
    "conntrack": _read_conntrack,
    "state": _read_conntrack,
    "iprange": _read_iprange,
    "comment": _read_nothing,
    "nfacct": _read_nothing,
}
