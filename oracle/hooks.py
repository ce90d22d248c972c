"""The order in which the kernel asks tables about a packet, and what it knows there.

The one place that says which chains a new packet meets. A packet from the wire meets
prerouting, then either input (it is for the node) or forward and postrouting. A packet
that the node sends meets output and postrouting, and when it is for the node itself it
comes in again by `lo`, past a nat table that has nothing more to say about it.
"""

import attrs

from model.addresses import Family
from model.intervals import Intervals
from model.node_config import InterfaceAddress, NodeConfig


@attrs.frozen
class Hook:
    """One base chain on the way of a packet.

    `inward` is the interface it came in by where that is certain ("lo"), "" where it
    came in by none, None where the packet itself says. `leaves` says whether an
    outgoing interface exists at this hook.
    """

    table: str
    chain: str
    inward: str | None
    leaves: bool


def _hooks(inward: str | None, leaves: bool, *names: str) -> tuple[Hook, ...]:
    pairs = (name.split("/") for name in names)
    return tuple(Hook(table, chain, inward, leaves) for table, chain in pairs)


WIRE_START = _hooks(None, False, "raw/PREROUTING", "mangle/PREROUTING", "nat/PREROUTING")
WIRE_TO_NODE = _hooks(None, False, "mangle/INPUT", "filter/INPUT", "security/INPUT", "nat/INPUT")
WIRE_ONWARD = _hooks(
    None,
    True,
    "mangle/FORWARD",
    "filter/FORWARD",
    "security/FORWARD",
    "mangle/POSTROUTING",
    "nat/POSTROUTING",
)
NODE_START = _hooks("", True, "raw/OUTPUT", "mangle/OUTPUT", "nat/OUTPUT")
NODE_OUT = _hooks("", True, "filter/OUTPUT", "security/OUTPUT", "mangle/POSTROUTING", "nat/POSTROUTING")
NODE_BACK_IN = _hooks(
    "lo",
    False,
    "raw/PREROUTING",
    "mangle/PREROUTING",
    "mangle/INPUT",
    "filter/INPUT",
    "security/INPUT",
)


def start_hooks(from_wire: bool) -> tuple[Hook, ...]:
    """The hooks up to and with destination nat."""
    return WIRE_START if from_wire else NODE_START


def later_hooks(from_wire: bool, to_node: bool) -> tuple[Hook, ...]:
    """The hooks after destination nat; `to_node`: the destination is the node's by now."""
    if from_wire:
        return WIRE_TO_NODE if to_node else WIRE_ONWARD
    return (*NODE_OUT, *NODE_BACK_IN) if to_node else NODE_OUT


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
