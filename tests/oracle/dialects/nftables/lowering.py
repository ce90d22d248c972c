"""Listings of nft written by hand, and packets sent through what they mean."""

from collections.abc import Iterable
from fractions import Fraction

from model.addresses import Family, parse_address
from model.node_config import InterfaceAddress, NodeConfig
from model.outcome import Leaf, Outcome, Target, Verdict
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from oracle.dialects.nftables.lower import lowered
from oracle.dialects.nftables.text import parse_text
from oracle.findings import Trace
from oracle.plain import trace
from oracle.ruleset import Ruleset

V4, V6 = Family.IPV4, Family.IPV6
NODE, NODE6 = "10.32.1.11", "fd00:10:32::11"
OUTSIDE, OUTSIDE6 = "203.0.113.2", "2001:db8:f::2"


def _interface(name: str, address: str, length: int) -> InterfaceAddress:
    family, number = parse_address(address)
    return InterfaceAddress(name, family, number, length)


CONFIG = NodeConfig(
    "node-a",
    addresses=(_interface("eth0", NODE, 24), _interface("eth0", NODE6, 64)),
    addresses_are_complete=True,
    primary=((V4, parse_address(NODE)[1]), (V6, parse_address(NODE6)[1])),
)


def rulesets(listing: str, family: Family = V4) -> tuple[Ruleset, ...]:
    """The rule sets of a family that a listing holds."""
    dump = parse_text(listing.encode(), "nft")
    return tuple(one for one in lowered(dump) if one.family is family)


def table(body: str, *, kind: str = "ip", name: str = "t") -> str:
    """A table of the given objects."""
    return f"table {kind} {name} {{\n{body}\n}}\n"


def chain(name: str, rules: str, base: str = "") -> str:
    """A chain of rules, one a line; `base` is what follows `type`, without the policy."""
    lines = [line.strip() for line in rules.strip().splitlines()]
    head = [f"type {base}; policy accept;"] if base else []
    return "\n".join([f"\tchain {name} {{", *(f"\t\t{line}" for line in [*head, *lines]), "\t}"])


def forward(rules: str, objects: str = "", *, kind: str = "ip") -> str:
    """A table whose rules meet what is forwarded, and the objects they speak of."""
    return table(f"{objects}\n{chain('c', rules, 'filter hook forward priority filter')}", kind=kind)


def prerouting(rules: str, objects: str = "", *, kind: str = "ip") -> str:
    """A table whose rules may translate what comes in."""
    return table(f"{objects}\n{chain('c', rules, 'nat hook prerouting priority dstnat')}", kind=kind)


def packet(
    to: str = "10.96.0.1:80",
    source: str = "",
    *,
    protocol: str = "tcp",
    origin: Origin = Origin.WIRE,
    in_interface: str | None = None,
) -> Packet:
    """A packet to `address:port` or `[address]:port`; from outside unless said otherwise."""
    host, _, port = to.replace("[", "").replace("]:", " ").rpartition(" " if "[" in to else ":")
    family, address = parse_address(host)
    source = source or (OUTSIDE if family is V4 else OUTSIDE6)
    number = PROTOCOL_NUMBERS[protocol]
    return Packet(family, origin, parse_address(source)[1], address, number, int(port), in_interface)


def walked(listing: str, one: Packet | None = None) -> Trace:
    """The packet through the rules, by the reference walk."""
    one = one or packet()
    return trace(rulesets(listing, one.family), CONFIG, one)


def fate(listing: str, one: Packet | None = None) -> Outcome:
    """What becomes of the packet, where that is certain."""
    traced = walked(listing, one)
    assert traced.unsure == ()
    return traced.outcome


def verdicts(listing: str, packets: Iterable[Packet]) -> list[str]:
    """The verdict on each packet."""
    return [fate(listing, one).verdict.value for one in packets]


def is_judged(listing: str, one: Packet | None = None) -> bool:
    """Whether the packet's fate can be told."""
    return walked(listing, one).unsure == ()


def settled(verdict: Verdict, reject_with: str = "") -> Outcome:
    """The outcome of a packet that is not translated."""
    return Outcome((Leaf(verdict, Fraction(1), reject_with=reject_with),))


def to(place: str, odds: Fraction = Fraction(1), *, masquerade: bool = False) -> Leaf:
    """One way of a packet, to `address:port`."""
    host, _, port = place.replace("[", "").replace("]:", " ").rpartition(" " if "[" in place else ":")
    return Leaf(Verdict.DNAT, odds, Target(parse_address(host)[1], int(port)), masquerade)


def sent(*leaves: Leaf) -> Outcome:
    """The outcome of a packet that goes to one of several places."""
    return Outcome(leaves)


PASS, DROP = settled(Verdict.PASS), settled(Verdict.DROP)
