"""IP addresses of stored objects, read as leniently as controllers and proxies read them.

They accept leading zeros, which Kubernetes accepted once (API-F-31), and write the canonical
text (k8s.io/utils/net ParseIPSloppy).
"""

import ipaddress
from functools import lru_cache

from model.addresses import Family, parse_address


@lru_cache(maxsize=1 << 16)
def read_ip(text: str) -> tuple[Family, str] | None:
    """The family and canonical text of an address, None where there is none.

    An IPv4-mapped IPv6 address is an IPv4 address.

    >>> read_ip("010.0.0.01")
    (<Family.IPV4: 'IPv4'>, '10.0.0.1')
    """
    if ":" not in text:
        parts = text.split(".")
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
            return None
        numbers = [int(part[-4:]) if part[:-4].strip("0") == "" else 256 for part in parts]
        return (Family.IPV4, ".".join(map(str, numbers))) if max(numbers) < 256 else None
    try:
        _, number = parse_address(text)
    except ValueError:
        return None
    address = ipaddress.IPv6Address(number)
    if address.ipv4_mapped is not None:
        return Family.IPV4, str(address.ipv4_mapped)
    return Family.IPV6, str(address)
