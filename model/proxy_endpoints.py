"""The endpoints of each service port as one node's proxy sees them.

All slices with the Service's label are merged, whoever manages them (EPS-SL-07);
ports are joined by name and protocol, never by number (EPS-PORT-05). One `ip:port`
counts once: an entry that is not terminating beats one that is, and any other tie
is unspecified (EPS-SL-08), so merging gives every list the proxy may hold.
"""

import itertools
from collections.abc import Iterable, Mapping

import attrs

from model.addresses import Family, format_address, parse_address
from model.controllers.ip_text import read_ip
from model.objects import EndpointSlice

MAX_ALTERNATIVES = 64  # ties beyond this many combinations: the first ones stand for all


@attrs.frozen
class ProxyEndpoint:
    """One `ip:port` with its conditions read as consumers do (EPS-COND-03)."""

    address: int
    port: int
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    local: bool = False  # the endpoint's node is this node
    zone_hints: tuple[str, ...] = ()
    node_hints: tuple[str, ...] = ()

    @property
    def still_serving(self) -> bool:
        """Serving while it terminates: usable when nothing ready is left (KEP-1669)."""
        return self.serving and self.terminating

    @property
    def usable(self) -> bool:
        return self.ready or (self.serving and self.terminating)


def endpoint_text(family: Family, address: int, port: int) -> str:
    """`ip:port` or `[ip]:port`; affinity scans endpoints in the order of this text (AFF-03)."""
    host = format_address(family, address)
    return f"{host}:{port}" if family is Family.IPV4 else f"[{host}]:{port}"


PortKey = tuple[str, str]  # port name, protocol
EndpointList = tuple[ProxyEndpoint, ...]


def merge_slices(
    slices: Iterable[EndpointSlice], family: Family, node_name: str
) -> Mapping[PortKey, tuple[EndpointList, ...]]:
    """For each port name and protocol, every endpoint list the proxy may hold.

    Lists are in the order of endpoint text. There is exactly one list unless entries
    of one `ip:port` tie and differ.
    """
    # By endpoint text: the first entry of each, and all of them where there are more.
    first: dict[PortKey, dict[str, ProxyEndpoint]] = {}
    tied: dict[PortKey, dict[str, list[ProxyEndpoint]]] = {}
    for one in slices:
        if one.address_type != family.value:
            continue  # the other family and FQDN are not for this proxy (EPS-SL-05)
        ports = [
            (port.port, key, first.setdefault(key, {}))
            for port in one.ports
            if port.port and (key := (port.name, port.protocol))
        ]
        for endpoint in one.endpoints:
            if not endpoint.addresses:
                continue
            host = endpoint.addresses[0]  # the first only (EPS-SEL-06)
            try:
                of, address = parse_address(host)
            except ValueError:
                found = read_ip(host)  # leading zeros count for nothing (API-F-31)
                if found is None:
                    continue
                host = found[1]
                of, address = parse_address(host)
            if of is not family:
                continue
            for number, key, entries in ports:
                entry = ProxyEndpoint(
                    address,
                    number,
                    endpoint.ready is not False,
                    endpoint.serving is not False,
                    endpoint.terminating is True,
                    endpoint.node_name == node_name,
                    endpoint.zone_hints,
                    endpoint.node_hints,
                )
                # By now an IPv4 address can be written in one way only.
                text = f"{host}:{number}" if of is Family.IPV4 else endpoint_text(of, address, number)
                earlier = entries.setdefault(text, entry)
                if earlier is not entry:
                    tied.setdefault(key, {}).setdefault(text, [earlier]).append(entry)
    return {key: _choices(entries, tied.get(key, {})) for key, entries in first.items() if entries}


def _choices(
    first: Mapping[str, ProxyEndpoint], tied: Mapping[str, list[ProxyEndpoint]]
) -> tuple[EndpointList, ...]:
    """Every way to keep one entry an `ip:port`, in text order."""
    ordered = sorted(first)
    if not tied:
        return (tuple([first[text] for text in ordered]),)
    candidates = [_best(tied[text]) if text in tied else [first[text]] for text in ordered]
    return tuple(itertools.islice(itertools.product(*candidates), MAX_ALTERNATIVES))


def _best(options: list[ProxyEndpoint]) -> list[ProxyEndpoint]:
    staying = [option for option in options if not option.terminating]
    return list(dict.fromkeys(staying or options))
