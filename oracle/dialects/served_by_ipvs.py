"""Rules of iptables that ask which virtual server sent a packet on, told by the virtual servers.

`-m ipvs --vaddr A --vproto P --vport N` is true of what IPVS took at such a virtual server and of
nothing else. A packet keeps no note of that, so it is given one: each match is a bit above the
32 that a packet's mark has, which the virtual servers it means set on what they send on. What
else the module can ask stays a condition nobody can judge.

Source: iptables-extensions(8), net/netfilter/xt_ipvs.c. iptables-save prints `--vproto` as
`--proto` in some versions, which means the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from model.addresses import Family, parse_address
from model.intervals import contains, single
from model.packet import PROTOCOL_NUMBERS
from model.predicate import ALWAYS, All, Fact, Not, Predicate
from oracle.dialects.iptables.reading import network
from oracle.dialects.iptables.tokens import MalformedError, WrongFamilyError
from oracle.dialects.ipvs.records import IpvsDump, VirtualServerEntry
from oracle.ruleset import Chain, Note, Rule, Ruleset, SetMark

_FIRST_BIT: Final = 32  # marks of the kernel end below
_OPTION: Final = re.compile(r"(! )?--(ipvs|v?proto|vaddr|vport)(?: ([^\s-]\S*))?(?: |$)")


def with_virtual_servers(rulesets: Sequence[Ruleset], dump: IpvsDump | None) -> list[Ruleset]:
    """Rule sets of iptables with what they ask of IPVS told; without virtual servers as they are."""
    if dump is None:
        return list(rulesets)
    bits = _bits(rulesets)
    return [_told(one, bits) for one in rulesets] if bits else list(rulesets)


def marking(rulesets: Sequence[Ruleset], dump: IpvsDump) -> Mapping[VirtualServerEntry, int]:
    """The bits that each virtual server sets on what it sends on, for these rule sets as they were read."""
    found: dict[VirtualServerEntry, int] = {}
    for (family, text), bit in _bits(rulesets).items():
        for one in dump.virtual_servers:
            if one.family is family and _is_meant(text, one):
                found[one] = found.get(one, 0) | bit
    return found


def with_mark(chain: Chain, bits: int) -> Chain:
    """A virtual server's chain that first sets these bits."""
    of = chain.rules[0]
    setting = Rule(ALWAYS, SetMark(bits, bits), chain.line, of.text if of.line == chain.line else "")
    return attrs.evolve(chain, rules=[setting, *chain.rules])


def _bits(rulesets: Sequence[Ruleset]) -> dict[tuple[Family, str], int]:
    """A bit for each match that can be told, by its family and text."""
    asked = dict.fromkeys(
        (ruleset.family, fact.argument)
        for ruleset in rulesets
        for chains in ruleset.tables.values()
        for chain in chains.values()
        for rule in chain.rules
        if " -m ipvs " in rule.text
        for fact in _asked(rule)
        if _options(fact.argument, ruleset.family) is not None
    )
    return {key: 1 << _FIRST_BIT + at for at, key in enumerate(asked)}


def _asked(rule: Rule) -> Iterator[Fact]:
    for part in rule.when.parts if isinstance(rule.when, All) else (rule.when,):
        if isinstance(part, Fact) and part.name == "unsupported" and part.argument.startswith("-m ipvs "):
            yield part


def _told(ruleset: Ruleset, bits: Mapping[tuple[Family, str], int]) -> Ruleset:
    told: set[tuple[int, str]] = set()
    of_family = {text: bit for (family, text), bit in bits.items() if family is ruleset.family}

    def literal(rule: Rule, part: Predicate) -> Predicate:
        if not (isinstance(part, Fact) and part.name == "unsupported" and part.argument in of_family):
            return part
        told.add((rule.line, f"match not judged: {part.argument}"))
        bit = of_family[part.argument]
        is_not_ipvs = part.argument.removeprefix("-m ipvs ").strip() == "! --ipvs"
        served = Fact("mark", f"{bit:#x}/{bit:#x}")
        return Not(served) if is_not_ipvs else served

    def rule_of(rule: Rule) -> Rule:
        if " -m ipvs " not in rule.text:
            return rule
        parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
        return rule._replace(when=All(tuple(literal(rule, part) for part in parts)))

    tables = {
        table: {
            name: attrs.evolve(chain, rules=[rule_of(rule) for rule in chain.rules])
            for name, chain in chains.items()
        }
        for table, chains in ruleset.tables.items()
    }
    notes: tuple[Note, ...] = tuple(n for n in ruleset.unsupported if (n.line, n.what) not in told)
    return attrs.evolve(ruleset, tables=tables, unsupported=notes)


def _is_meant(text: str, one: VirtualServerEntry) -> bool:
    """Whether the match holds of what the virtual server sends on; `! --ipvs` is left to the rule."""
    if one.frontend is None:
        return text.strip().endswith(" --ipvs")  # of a mark: its address is the packet's own
    for negated, option, value in _options(text, one.family) or ():
        match option:
            case "proto":
                holds = one.frontend.protocol == value
            case "vaddr":
                holds = isinstance(value, tuple) and contains(value, one.frontend.address)
            case "vport":
                holds = one.frontend.port == value
            case _:
                holds, negated = True, False
        if holds is negated:
            return False
    return True


def _options(text: str, family: Family) -> list[tuple[bool, str, object]] | None:
    """(negated, option, number or addresses) for each option; None where one cannot be told."""
    rest = text.removeprefix("-m ipvs ")
    found: list[tuple[bool, str, object]] = []
    while rest:
        option = _OPTION.match(rest)
        if option is None:
            return None
        rest = rest[option.end() :]
        name = option[2].removeprefix("v") if option[2].endswith("proto") else option[2]
        value = _value(name, option[3], family)
        if value is None:
            return None
        found.append((option[1] is not None, name, value))
    return found


def _value(name: str, text: str | None, family: Family) -> object | None:
    if name == "ipvs" or text is None:
        return True if name == "ipvs" and text is None else None
    if name == "vaddr":
        try:
            return network(text, family) if "/" in text else single(_address(text, family))
        except (ValueError, MalformedError, WrongFamilyError):
            return None
    number = PROTOCOL_NUMBERS.get(text.lower()) if name == "proto" else None
    return number if number is not None else int(text) if text.isdigit() else None


def _address(text: str, family: Family) -> int:
    of, address = parse_address(text)
    if of is not family:
        raise ValueError(f"{text} is not an {family.value} address")
    return address
