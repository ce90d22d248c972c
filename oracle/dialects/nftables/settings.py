"""Settings of kube-proxy that its nftables rules give away, for want of its configuration.

Only what most of the rules concerned agree on is taken, and each value taken is said: a
fault in the rules could otherwise pass for a setting.

Sources: rules-nftables 1 and 4; MODE-01, MODE-06; SRC-02; MASQ-01 to MASQ-03, MASQ-09.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from model.addresses import Family, format_address
from model.node_config import DetectLocalMode
from oracle.dialects.nftables.expressions import (
    Address,
    Binary,
    BitOp,
    Expression,
    Fib,
    Meta,
    Payload,
    Range,
    SetLiteral,
    SetReference,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.names import proxy_tables
from oracle.dialects.nftables.statements import Mangle, Match, MatchOp, Statement, VerdictMap
from oracle.dialects.nftables.syntax import Dump, Rule, Table

_HEADER: Final = {Family.IPV4: "ip", Family.IPV6: "ip6"}
_MARK: Final = Meta("mark")
_DEFAULT_BIT: Final = 14
_NODE_PORTS: Final = SetReference("service-nodeports")


@attrs.frozen
class Settings:
    """What the rules say; None and empty where they do not.

    `node_port_addresses` is empty for every local address, else the addresses served, as
    CIDRs. `said` has a line for each finding.
    """

    detect_local: DetectLocalMode | None = None
    cluster_cidrs: tuple[str, ...] = ()
    bridge_interface: str = ""
    interface_name_prefix: str = ""
    masquerade_all: bool | None = None
    masquerade_bit: int | None = None
    node_port_addresses: tuple[str, ...] | None = None
    service_cidrs: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


_Local = tuple[str, str]  # how pods are told apart ("cidr", "bridge", "prefix", "all", "none"), and the value


def settings(dump: Dump) -> Settings:
    """The settings that a dump's kube-proxy tables give away."""
    tables = proxy_tables(dump)
    found = Settings()
    locals_ = {family: _local(table, family) for family, table in tables.items()}
    found = _with_detector(found, {family: one for family, one in locals_.items() if one is not None}, tables)
    found = _with_node_ports(found, tables)
    bits = Counter(bit for table in tables.values() for bit in _bits(table))
    if bits:
        (bit, _), *others = bits.most_common(2)
        if not others or bits[bit] > others[0][1]:
            found = attrs.evolve(found, masquerade_bit=bit)
            if bit != _DEFAULT_BIT:
                found = _saying(found, f"masqueradeBit is {bit}")
    cidrs = tuple(cidr for family, table in tables.items() for cidr in _service_cidrs(table, family))
    if cidrs:
        found = _saying(
            attrs.evolve(found, service_cidrs=cidrs), f"the service ranges are {', '.join(cidrs)}"
        )
    return found


def _saying(found: Settings, what: str) -> Settings:
    return attrs.evolve(found, said=(*found.said, f"read off the rules: {what}"))


def _with_detector(
    found: Settings, locals_: Mapping[Family, _Local], tables: Mapping[Family, Table]
) -> Settings:
    cidrs: list[str] = []
    for family, (kind, value) in locals_.items():
        found = attrs.evolve(found, masquerade_all=kind == "all")
        match kind:
            case "cidr":
                cidrs.append(value)
                found = _saying(found, f"sources in {value} are pods ({family.value})")
            case "bridge":
                mode = DetectLocalMode.BRIDGE_INTERFACE
                found = attrs.evolve(found, detect_local=mode, bridge_interface=value)
                found = _saying(found, f"what comes in by {value} is from pods ({family.value})")
            case "prefix":
                mode = DetectLocalMode.INTERFACE_NAME_PREFIX
                found = attrs.evolve(found, detect_local=mode, interface_name_prefix=value)
                found = _saying(found, f"what comes in by {value}* is from pods ({family.value})")
            case "all":
                found = _saying(found, f"masqueradeAll is on ({family.value})")
                pods = _most_common(_short_circuits(tables[family], family))
                if pods is not None and pods[0] == "cidr":
                    cidrs.append(pods[1])
                elif pods is None and found.detect_local is None:
                    found = attrs.evolve(found, detect_local=DetectLocalMode.NONE)
            case _:
                if found.detect_local is None:
                    found = attrs.evolve(found, detect_local=DetectLocalMode.NONE)
                found = _saying(found, f"pods are not told apart ({family.value})")
    if cidrs:
        mode = DetectLocalMode.CLUSTER_CIDR
        found = attrs.evolve(found, detect_local=mode, cluster_cidrs=tuple(cidrs))
    return found


def _local(table: Table, family: Family) -> _Local | None:
    """How the rules of cluster IPs tell pods apart; None where there are no such rules to ask."""
    asked = list(_cluster_ip_conditions(table, family))
    if asked:
        return _most_common(iter(asked))
    # 1.36 writes its one rule with the layout, older ones a rule with each service.
    services = table.chains.get("services")
    has_layout = "hairpin-connections" in table.sets and services is not None and bool(services.rules)
    return ("none", "") if has_layout or _cluster_ip_chains(table) else None


def _cluster_ip_chains(table: Table) -> set[str]:
    """The chains of service ports to which cluster IPs lead at once."""
    dispatch = table.sets.get("service-ips")
    targets = (
        {one.value.chain for one in dispatch.elements if isinstance(one.value, Verdict)}
        if dispatch
        else set()
    )
    return {name for name in targets if name in table.chains and not name.startswith("external-")}


def _most_common(found: Iterator[_Local]) -> _Local | None:
    counted = Counter(found)
    if not counted:
        return None
    (best, count), *_ = counted.most_common(1)
    return best if 2 * count > counted.total() else None


def _cluster_ip_conditions(table: Table, family: Family) -> Iterator[_Local]:
    """The condition of each rule that marks traffic to cluster IPs."""
    daddr = Payload(_HEADER[family], "daddr")
    for name in sorted({"services"} & table.chains.keys() | _cluster_ip_chains(table)):
        for rule in table.chains[name].rules:
            if not _marks(rule) or not any(isinstance(s, Match) and s.left == daddr for s in rule.statements):
                continue
            conditions = [
                one for s in rule.statements if (one := _condition(s, family, MatchOp.NE)) is not None
            ]
            yield conditions[0] if conditions else ("all", "")


def _short_circuits(table: Table, family: Family) -> Iterator[_Local]:
    """How external chains under policy Local tell pods apart."""
    for name, chain in table.chains.items():
        if name.startswith("external-"):
            for rule in chain.rules:
                if len(rule.statements) == 2 and isinstance(rule.statements[1], Verdict):
                    condition = _condition(rule.statements[0], family, MatchOp.EQ)
                    if condition is not None:
                        yield condition


def _marks(rule: Rule) -> bool:
    last = rule.statements[-1] if rule.statements else None
    if isinstance(last, Mangle):
        return last.key == _MARK
    return isinstance(last, Verdict) and last.chain == "mark-for-masquerade"


def _condition(statement: Statement, family: Family, op: MatchOp) -> _Local | None:
    """What a match says of where pods are, None where it speaks of something else."""
    match statement:
        case Match(found, Payload(header, "saddr"), right) if found is op and header == _HEADER[family]:
            cidr = _cidr(right, family)
            return None if cidr is None else ("cidr", cidr)
        case Match(found, Meta("iif" | "iifname"), str() as name) if found is op:
            return ("prefix", name[:-1]) if name.endswith("*") else ("bridge", name)
    return None


def _cidr(value: Expression, family: Family) -> str | None:
    """An address or prefix as a CIDR, None for a range that is no prefix."""
    match value:
        case Address(of, low) if of is family:
            high = low
        case Range(Address(of, low), Address(_, high)) if of is family:
            pass
        case _:
            return None
    width = high - low
    if width & (width + 1) or low & width:
        return None
    return f"{format_address(family, low)}/{family.bits - width.bit_length()}"


def _with_node_ports(found: Settings, tables: Mapping[Family, Table]) -> Settings:
    """Where node ports are served: the addresses of a set, or every local one."""
    served: list[str] = []
    everywhere = False
    for family, table in tables.items():
        chain = table.chains.get("services")
        for rule in chain.rules if chain else ():
            if not any(
                isinstance(s, VerdictMap) and s.data == SetReference("service-nodeports")
                for s in rule.statements
            ):
                continue
            for statement in rule.statements:
                match statement:
                    case Match(MatchOp.EQ, Fib(("daddr",), "type"), "local"):
                        everywhere = True
                    case Match(MatchOp.EQ, Payload(_, "daddr"), SetReference(name)) if name in table.sets:
                        keys = [element.key for element in table.sets[name].elements]
                        served += [cidr for key in keys if (cidr := _cidr(key, family)) is not None]
    if served:
        found = attrs.evolve(found, node_port_addresses=tuple(served))
        return _saying(found, f"node ports are served on {', '.join(served)}")
    if everywhere:
        found = attrs.evolve(found, node_port_addresses=())
        return _saying(found, "node ports are served on every local address")
    return found


def _bits(table: Table) -> Iterator[int]:
    """The bit that each rule of masquerading asks for or sets, where it is one."""
    for name, chain in table.chains.items():
        if name not in ("masquerading", "mark-for-masquerade", "services"):
            continue
        for rule in chain.rules:
            for statement in rule.statements:
                match statement:
                    case Match(_, Binary(BitOp.AND, left, int() as bits), _) if left == _MARK:
                        yield from _single(bits)
                    case Mangle(key, Binary(BitOp.OR | BitOp.XOR, left, int() as bits)) if (
                        key == left == _MARK
                    ):
                        yield from _single(bits)


def _single(bits: int) -> Iterator[int]:
    if bits and not bits & (bits - 1):
        yield bits.bit_length() - 1


def _service_cidrs(table: Table, family: Family) -> Sequence[str]:
    """The ranges whose unallocated addresses are dropped (MODE-06)."""
    chain = table.chains.get("cluster-ips-check")
    found: list[str] = []
    for rule in chain.rules if chain else ():
        if Verdict(VerdictKind.DROP) not in rule.statements:
            continue
        for statement in rule.statements:
            if isinstance(statement, Match) and isinstance(statement.left, Payload):
                right = statement.right
                keys = [one.key for one in right.elements] if isinstance(right, SetLiteral) else [right]
                found += [cidr for key in keys if (cidr := _cidr(key, family)) is not None]
    return found
