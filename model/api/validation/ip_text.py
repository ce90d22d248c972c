"""Written addresses and CIDRs: what old fields tolerate, and what new values must look like (API-F-31).

Two readings exist. The sloppy one is what every consumer of stored objects uses: decimal
octets and hexadecimal groups may have leading zeros, an IPv4-mapped IPv6 address is the
IPv4 address, a CIDR may have host bits. The strict one refuses all three. A value that
was already stored is exempt from both (`stored`). Source: apimachinery
pkg/util/validation/ip.go, KEP-4858.
"""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from model.api.gates import FeatureGates
from model.api.refusal import FieldError
from model.api.validation.field_errors import invalid

Address = IPv4Address | IPv6Address

_NO_ADDRESS = "must be a valid IP address, such as 10.9.8.7 or 2001:db8::ffff"
_NO_CIDR = "must be a valid CIDR, such as 10.9.8.0/24 or 2001:db8::/64"
_IPV6_LINK_LOCAL_MULTICAST_SCOPE = 2  # ff?2::, whatever the flags


def parse_ip(text: str) -> Address | None:
    """The address that a stored value means, read as tolerantly as every consumer reads it.

    >>> parse_ip("010.0.0.1"), parse_ip("::ffff:10.0.0.1"), parse_ip("fe80::1%eth0")
    (IPv4Address('10.0.0.1'), IPv4Address('10.0.0.1'), None)
    """
    groups = text.split(":")
    octets = groups[-1].split(".")
    groups[-1] = ".".join(map(_without_leading_zeros, octets))
    address = _address(":".join([*map(_without_leading_zeros, groups[:-1]), groups[-1]]))
    return (getattr(address, "ipv4_mapped", None) or address) if address else None


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address; a text that is no address is not."""
    return isinstance(parse_ip(text), IPv6Address)


def legacy_ip_errors(
    field: str, text: str, gates: FeatureGates, stored: Collection[str] = ()
) -> tuple[FieldError, ...]:
    """Errors of an address in a field that once tolerated sloppy text (IsValidIPForLegacyField)."""
    if text in stored:
        return ()
    if parse_ip(text) is None:
        return (invalid(field, text, _NO_ADDRESS),)
    return tuple(_strict_ip_errors(field, text)) if gates.strict_ip_cidr_validation else ()


def legacy_cidr_errors(
    field: str, text: str, gates: FeatureGates, stored: Collection[str] = ()
) -> tuple[FieldError, ...]:
    """Errors of a CIDR in a field that once tolerated sloppy text (IsValidCIDRForLegacyField)."""
    if text in stored:
        return ()
    if parse_cidr(text) is None:
        return (invalid(field, text, _NO_CIDR),)
    return tuple(_strict_cidr_errors(field, text)) if gates.strict_ip_cidr_validation else ()


def canonical_ip_errors(field: str, text: str) -> tuple[FieldError, ...]:
    """Errors of an address in a field that demands the canonical text, whatever the gates (IsValidIP)."""
    address = parse_ip(text)
    if address is None:
        return (invalid(field, text, _NO_ADDRESS),)
    if errors := tuple(_strict_ip_errors(field, text)):
        return errors
    return () if text == str(address) else (invalid(field, text, f"must be written as {address}"),)


def canonical_cidr_errors(field: str, text: str) -> tuple[FieldError, ...]:
    """Errors of a CIDR in a field that demands the canonical text, whatever the gates (IsValidCIDR)."""
    if parse_cidr(text) is None:
        return (invalid(field, text, _NO_CIDR),)
    if errors := tuple(_strict_cidr_errors(field, text)):
        return errors
    canonical = str(ip_network(text))
    return () if text == canonical else (invalid(field, text, f"must be written as {canonical}"),)


def endpoint_ip_errors(field: str, text: str) -> tuple[FieldError, ...]:
    """Errors of an address that traffic is to be sent to (EPS-SL-06, API-F-15).

    Unspecified, loopback, link-local and link-local multicast addresses are refused; wider
    multicast and broadcast ones are not.
    """
    address = parse_ip(text)
    if address is None:
        return (invalid(field, text, _NO_ADDRESS),)
    kinds = {
        "unspecified": address.is_unspecified,
        "loopback": address.is_loopback,
        "link-local": address.is_link_local,
        "link-local multicast": _is_link_local_multicast(address),
    }
    return tuple(invalid(field, text, f"must not be {kind}") for kind, holds in kinds.items() if holds)


def parse_cidr(text: str) -> tuple[Address, int] | None:
    """The address as written and the prefix length, read tolerantly; None when it is no CIDR.

    >>> parse_cidr("010.0.0.1/08"), parse_cidr("10.0.0.0"), parse_cidr("10.0.0.0/33")
    ((IPv4Address('10.0.0.1'), 8), None, None)
    """
    written, slash, length = text.partition("/")
    address = parse_ip(written)
    if not slash or address is None or not (length.isascii() and length.isdigit()):
        return None
    # The length of an IPv4-mapped address counts the bits of the IPv6 text it is written in.
    bits = 128 if ":" in written else 32
    digits = length.lstrip("0") or "0"  # of any number, and int() takes no thousands of them
    prefix = int(digits) if len(digits) <= 3 else bits + 1
    return (address, prefix) if prefix <= bits else None


def strict_ip(text: str) -> Address | None:
    """The address of a text without leading zeros, None for others; IPv4-mapped ones stay IPv6."""
    return _address(text)


def _strict_ip_errors(field: str, text: str) -> Iterator[FieldError]:
    address = strict_ip(text)
    if address is None:
        yield invalid(field, text, "must not have leading zeros")
    elif isinstance(address, IPv6Address) and address.ipv4_mapped:
        yield invalid(field, text, "must not be an IPv4-mapped IPv6 address")


def _strict_cidr_errors(field: str, text: str) -> Iterator[FieldError]:
    written, _, length = text.partition("/")
    address = strict_ip(written)
    if address is None or (length.startswith("0") and length != "0"):
        yield invalid(field, text, "must not have leading zeros in address or prefix length")
    elif isinstance(address, IPv6Address) and address.ipv4_mapped:
        yield invalid(field, text, "must not have an IPv4-mapped IPv6 address")
    elif address != ip_network(text, strict=False).network_address:
        yield invalid(field, text, "must not have bits set beyond the prefix length")


def _is_link_local_multicast(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.packed[:3] == bytes((224, 0, 0))
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == _IPV6_LINK_LOCAL_MULTICAST_SCOPE


def _address(text: str) -> Address | None:
    if "%" in text:  # a zone, which Python reads and Kubernetes does not
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def _without_leading_zeros(group: str) -> str:
    return group.lstrip("0") or group[:1]
