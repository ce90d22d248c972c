"""A rule's matches, as text, are a `Condition`: literals, a chance, a list to remember in.

Judged: -s -d -i -o -p; ports and flags of tcp, udp, sctp, dccp, udplite; multiport, mark,
statistic, recent, addrtype, conntrack, state, iprange; comment and nfacct say nothing.
Every other match, and every other option of these, is the fact `unsupported`.

Only the first packet of a connection is asked about, so TCP flags are those of a SYN.

Source: rules-iptables 6; iptables-extensions(8).
"""

from collections.abc import Callable
from typing import Final

from model.addresses import Family
from model.intervals import single
from model.predicate import Fact, Field
from oracle.dialects.iptables.modules import MODULES, WITH_PORTS, port_protocol
from oracle.dialects.iptables.names import PROTOCOLS
from oracle.dialects.iptables.reading import (
    ALL_PROTOCOLS,
    UNCONDITIONAL,
    Condition,
    Reading,
    network,
    one_value,
    whole_number,
)
from oracle.dialects.iptables.tokens import MalformedError, Module, Option, options


def parse_match(text: str, family: Family) -> Condition:
    """What the matches of a rule say (comments already cut out, no target).

    Raises MalformedError for text that iptables-restore would refuse, WrongFamilyError
    for an address of the other family.
    """
    if not text or text.isspace():
        return UNCONDITIONAL
    reading = Reading(family)
    modules: list[tuple[Option | None, list[Option]]] = []
    seen: set[str] = set()
    for option in options(text):
        read_base = _BASE.get(option.flag)
        if read_base is not None:
            if option.flag in seen:
                raise MalformedError(f"{option.flag} is given twice")
            seen.add(option.flag)
            read_base(reading, option)
        elif option.flag == "-m":
            modules.append((option, []))
        elif option.flag in ("-j", "-g"):
            raise MalformedError(f"{option.flag} without a target")
        else:
            if not modules:
                modules.append((None, []))
            modules[-1][1].append(option)
    for named, given in modules:
        _read_module(reading, Module(named, given))
    return reading.condition()


def _read_module(reading: Reading, module: Module) -> None:
    named = module.named
    if named is None:  # options of the protocol's own match, which -p loads by itself
        name = port_protocol(reading)
    elif named.values:
        name = named.values[0]
    else:
        raise MalformedError("-m without a name")
    read = MODULES.get(name)
    plain = named is None or (not named.negated and len(named.values) == 1)
    if read is None or not plain or (name in WITH_PORTS and name != port_protocol(reading)):
        reading.unsupported(module.text)
    else:
        read(reading, module)


def _read_address(reading: Reading, option: Option) -> None:
    span = network(one_value(option), reading.family)
    if span is None:
        reading.unsupported(option.text)
    else:
        field = Field.SOURCE if option.flag == "-s" else Field.DESTINATION
        reading.within(field, span, reading.family.everything, negated=option.negated)


def _read_interface(reading: Reading, option: Option) -> None:
    name = one_value(option)
    fact = Fact("in-interface" if option.flag == "-i" else "out-interface", name)
    if name != "+":
        reading.facts((fact,), negated=option.negated)
    elif option.negated:
        reading.impossible()


def _read_protocol(reading: Reading, option: Option) -> None:
    name = one_value(option).lower()
    number = PROTOCOLS.get(name)
    if name in ("all", "ip", "0"):  # 0 stands for every protocol
        if option.negated:
            raise MalformedError(f"{option.text} matches nothing")
        return
    if number is None:
        if not name.isdigit():
            reading.unsupported(option.text)
            return
        number = whole_number(name, 0xFF)
    if not option.negated:
        reading.protocol = number
    reading.within(Field.PROTOCOL, single(number), ALL_PROTOCOLS, negated=option.negated)


def _read_fragment(reading: Reading, option: Option) -> None:
    reading.unsupported(option.text)


_BASE: Final[dict[str, Callable[[Reading, Option], None]]] = {
    "-s": _read_address,
    "-d": _read_address,
    "-i": _read_interface,
    "-o": _read_interface,
    "-p": _read_protocol,
    "-f": _read_fragment,
}
