"""The addresses of a node's interfaces, from the JSON of `ip -j addr`."""

import attrs
import msgspec

from model.addresses import Family, parse_address
from model.errors import InputError
from model.load.text import check_text, json_fault
from model.load.wire import decode_error_text
from model.node_config import InterfaceAddress

_FAMILIES = ("inet", "inet6")


class _Address(msgspec.Struct):
    family: str = ""
    local: str | None = None
    prefixlen: int | None = None


class _Link(msgspec.Struct):
    ifname: str = ""
    addr_info: list[_Address] | None = None


def parse_ip_addr(data: bytes, file: str) -> tuple[InterfaceAddress, ...]:
    """Each address of each interface, in the order listed.

    Objects without addresses (older iproute2 prints empty ones) and families other than
    IP are passed over. `local` is the node's own end; the peer's address is not its own.
    Raises InputError for anything but that JSON.
    """
    data = check_text(data, file)
    try:
        links = msgspec.json.decode(data, type=list[_Link])
    except msgspec.ValidationError as error:
        path, fault = decode_error_text(error)
        at = f"{path}: " if path else ""
        raise InputError(file, 0, f"not the output of `ip -j addr`: {at}{fault}") from None
    except msgspec.DecodeError as error:
        fault_at = json_fault(data, file, 0, error)
        raise attrs.evolve(fault_at, what=f"not the output of `ip -j addr`: {fault_at.what}") from None
    except RecursionError:
        raise InputError(file, 0, "not the output of `ip -j addr`: nested too deeply") from None
    return tuple(
        _interface_address(link.ifname, item, file)
        for link in links
        for item in link.addr_info or ()
        if item.family in _FAMILIES and item.local
    )


def _interface_address(interface: str, item: _Address, file: str) -> InterfaceAddress:
    try:
        family, address = parse_address(item.local or "")
    except ValueError as error:
        raise InputError(file, 0, f"interface {interface}: {error}") from None
    length = family.bits if item.prefixlen is None else item.prefixlen
    if (
        family is not (Family.IPV4 if item.family == "inet" else Family.IPV6)
        or not 0 <= length <= family.bits
    ):
        what = f"interface {interface}: {item.local}/{length} is not an {item.family} address"
        raise InputError(file, 0, what)
    return InterfaceAddress(interface, family, address, length)
