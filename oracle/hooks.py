"""The order in which the kernel asks base chains about a new packet, and what it knows there.

The one place that says which chains a packet meets. A packet from the wire meets
prerouting, then either input (it is for the node) or forward and postrouting. A packet
that the node sends meets output and postrouting, and when it is for the node itself it
comes in again by `lo`, past nat, which has nothing more to say about it. At each point
the chains of all rule sets are asked by priority.

IPVS takes what it serves out of input, or out of output, and sends it on its way anew: to
another host, its packets meet output and postrouting, whoever sent them.
"""

from collections.abc import Iterable, Sequence

import attrs

from model.addresses import Family
from model.intervals import Intervals
from model.node_config import InterfaceAddress, NodeConfig
from oracle.ruleset import Base, Chain, Dialect, Hookpoint, Ruleset


@attrs.frozen
class Hook:
    """One point on the way of a packet.

    `inward` is the interface it came in by where that is certain ("lo"), "" where it
    came in by none, None where the packet itself says. `leaves` says whether an outgoing
    interface exists at this point, `translates` whether nat and IPVS are asked there.
    """

    point: Hookpoint
    inward: str | None
    leaves: bool
    translates: bool = True


@attrs.frozen(eq=False)
class Stop:
    """One base chain on the way of a packet."""

    hook: Hook
    ruleset: Ruleset
    table: str
    chain: Chain
    is_nat: bool

    @property
    def is_ipvs(self) -> bool:
        """Whether it stands for the kernel's virtual servers."""
        return self.ruleset.dialect is Dialect.IPVS


_PRE, _IN, _FORWARD = Hookpoint.PREROUTING, Hookpoint.INPUT, Hookpoint.FORWARD
_OUT, _POST = Hookpoint.OUTPUT, Hookpoint.POSTROUTING

WIRE_FIRST = Hook(_PRE, None, leaves=False)
WIRE_TO_NODE = (Hook(_IN, None, leaves=False),)
WIRE_ONWARD = (Hook(_FORWARD, None, leaves=True), Hook(_POST, None, leaves=True))
NODE_FIRST = Hook(_OUT, "", leaves=True)
NODE_OUT = (Hook(_POST, "", leaves=True),)
NODE_BACK_IN = (
    Hook(_PRE, "lo", leaves=False, translates=False),
    Hook(_IN, "lo", leaves=False, translates=False),
)
# What IPVS sends to another host. Its source may still be rewritten, its destination no more.
IPVS_OUT = (Hook(_OUT, "", leaves=True, translates=False), Hook(_POST, "", leaves=True))

_PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
_DESTINATION_NAT, _SOURCE_NAT = -100, 100


def first_hook(from_wire: bool) -> Hook:
    """The hook at which destinations are translated by nat."""
    return WIRE_FIRST if from_wire else NODE_FIRST


def later_hooks(from_wire: bool, to_node: bool) -> tuple[Hook, ...]:
    """The hooks after the first; `to_node`: the destination is the node's by now."""
    if from_wire:
        return WIRE_TO_NODE if to_node else WIRE_ONWARD
    return (*NODE_OUT, *NODE_BACK_IN) if to_node else NODE_OUT


def base_of(table: str, chain: Chain) -> Base:
    """Where a base chain hangs; iptables' names say it (NF_IP_PRI_* of the kernel)."""
    if chain.base is not None:
        return chain.base
    point = Hookpoint(chain.name.lower())
    if table == "nat":
        return Base(point, _place_of_nat(point), is_nat=True)
    return Base(point, _PRIORITIES[table])


def _place_of_nat(point: Hookpoint) -> int:
    """The priority at which the kernel asks what translates at a point."""
    return _DESTINATION_NAT if point in (_PRE, _OUT) else _SOURCE_NAT


def stops(rulesets: Sequence[Ruleset], hook: Hook) -> tuple[Stop, ...]:
    """The base chains asked at a hook, in order; of equal ones those of the earlier rule set first.

    The kernel asks all that translate at one place of its own among the others, whatever priority
    they are listed with; that orders them among themselves (nf_nat_core.c).
    """
    found: list[tuple[tuple[int, int], Stop]] = []
    for ruleset in rulesets:
        for table, chain in ruleset.base_chains:
            base = base_of(table, chain)
            if base.point is hook.point:
                stop = Stop(hook, ruleset, table, chain, base.is_nat)
                if hook.translates or not (base.is_nat or stop.is_ipvs):
                    place = _place_of_nat(base.point) if base.is_nat else base.priority
                    found.append(((place, base.priority), stop))
    return tuple(stop for _, stop in sorted(found, key=lambda one: one[0]))


def start_stops(rulesets: Sequence[Ruleset], from_wire: bool, to_node: bool) -> tuple[Stop, ...]:
    """The base chains up to and with the last one that may translate the destination.

    `to_node`: the packet is for an address of the node, so that IPVS is asked at input.
    """
    first = first_hook(from_wire)
    way = [*stops(rulesets, first)]
    if from_wire and to_node:
        way += stops(rulesets, WIRE_TO_NODE[0])
    last = max((at for at, stop in enumerate(way) if _translates_destination(stop, first)), default=-1)
    return tuple(way[: last + 1])


def later_stops(
    rulesets: Sequence[Ruleset], from_wire: bool, to_node: bool, after: Stop | None
) -> tuple[Stop, ...]:
    """The base chains on the rest of the way.

    `after` is the one that translated the destination, None where none did and the way goes
    on from where `start_stops` ended. `to_node` speaks of the destination as it is by now.
    """
    first, later = first_hook(from_wire), later_hooks(from_wire, to_node)
    if after is None:
        way = _all(rulesets, (first, *later))
        return way[len(start_stops(rulesets, from_wire, to_node)) :]
    if after.is_ipvs:
        if not to_node:
            return _all(rulesets, IPVS_OUT)
        later = () if from_wire else later
        return (*_rest(stops(rulesets, after.hook), after), *_all(rulesets, later))
    rest = _rest(stops(rulesets, first), after)
    return (*(stop for stop in rest if not stop.is_nat), *_all(rulesets, later))


def _translates_destination(stop: Stop, first: Hook) -> bool:
    return stop.is_ipvs or (stop.is_nat and stop.hook is first)


def _all(rulesets: Sequence[Ruleset], hooks: Iterable[Hook]) -> tuple[Stop, ...]:
    return tuple(stop for hook in hooks for stop in stops(rulesets, hook))


def _rest(way: Sequence[Stop], after: Stop) -> tuple[Stop, ...]:
    """What comes behind a chain at its hook; it may be another object for the same chain."""
    at = next(at for at, stop in enumerate(way) if stop.chain is after.chain)
    return tuple(way[at + 1 :])


def interface_matches(pattern: str, interface: str) -> bool:
    """Whether an interface is one that `-i`/`-o` means; a final `+` is any ending."""
    return interface.startswith(pattern[:-1]) if pattern.endswith("+") else interface == pattern


def subnet(one: InterfaceAddress) -> Intervals:
    """The addresses that are reached directly by an address's interface."""
    host_bits = one.family.bits - one.prefix_length
    low = one.address >> host_bits << host_bits
    return ((low, low | (1 << host_bits) - 1),)


def leaves_by(config: NodeConfig, family: Family, pattern: str, destination: int) -> bool | None:
    """Whether a packet for another host leaves by an interface that `-o` means.

    None where that is not known. An interface in whose subnet the destination is takes it;
    one with subnets of its own that do not hold it does not (a docker0), unless it is the
    one of the node's primary address, where the other routes lead.
    """
    interface = connected_interface(config, family, destination)
    if interface is not None:
        return interface_matches(pattern, interface)
    if pattern == "lo":
        return False
    if not config.addresses_are_complete or pattern.endswith("+"):
        return None
    own = [one for one in config.addresses if one.family is family and one.interface == pattern]
    primary = config.primary_address(family)
    if not own or primary is None or any(one.address == primary for one in own):
        return None
    return None if any(one.prefix_length == family.bits for one in own) else False


def is_attached(config: NodeConfig, family: Family, source: int) -> bool:
    """Whether an address is in a network that hangs on this node alone, behind an interface
    other than the one of the node's primary address (a docker0, a pod bridge)."""
    interface = connected_interface(config, family, source)
    primary = config.primary_address(family)
    if interface is None or primary is None:
        return False
    return all(one.address != primary for one in config.addresses if one.interface == interface)


def connected_interface(config: NodeConfig, family: Family, destination: int) -> str | None:
    """The interface whose own subnet holds the address, None when no subnet says.

    Only connected routes are certain from a list of addresses.
    """
    best: tuple[int, str] | None = None
    for one in config.addresses:
        length = one.prefix_length
        if one.family is not family or not one.interface or length >= family.bits or one.interface == "lo":
            continue
        if one.address >> (family.bits - length) == destination >> (family.bits - length) and (
            best is None or length > best[0]
        ):
            best = (length, one.interface)
    return best[1] if best else None
