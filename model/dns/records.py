"""Record sets made of entries, as they stand in a message: owner, TTL, class IN, data."""

from collections.abc import Iterable, Sequence

import attrs
import dns.name
import dns.rdatatype
import dns.rrset

from model.addresses import Family, format_address
from model.dns.lookup import Entry
from model.dns.names import parse_host

SCHEMA_VERSION, VERSION_TTL = "1.1.0", 28800  # DNS-VER-01
_LONGEST_SOA_TTL = 300

TYPE_OF = {Family.IPV4: dns.rdatatype.A, Family.IPV6: dns.rdatatype.AAAA}


@attrs.frozen
class Found:
    """The sections of a positive or empty answer, and the names that the upstream must answer for."""

    answer: tuple[dns.rrset.RRset, ...] = ()
    additional: tuple[dns.rrset.RRset, ...] = ()
    outside: tuple[dns.name.Name, ...] = ()


def record_set(
    owner: dns.name.Name, ttl: int, rdtype: dns.rdatatype.RdataType, data: Iterable[str]
) -> tuple[dns.rrset.RRset, ...]:
    """One record set, or none where there is no data; equal data stands in it once."""
    texts = tuple(dict.fromkeys(data))
    return (dns.rrset.from_text(owner, ttl, "IN", rdtype, *texts),) if texts else ()


def addresses(entries: Iterable[Entry], rdtype: dns.rdatatype.RdataType) -> list[str]:
    """The entries' addresses of the record type's family, in order."""
    parsed = (parse_host(entry.host) for entry in entries)
    return [format_address(*address) for address in parsed if address and TYPE_OF[address[0]] is rdtype]


def srv_records(owner: dns.name.Name, ttl: int, entries: Sequence[Entry]) -> Found:
    """One SRV for each target and port, and the targets' addresses beside them (DNS-SRV-01..03).

    Priority 0; the weight is 100 over the number of entries, at least 1, where an entry
    without a port and a second family of an address count as well. Entries that are names
    have no SRV.
    """
    counted = [entry for entry in entries if parse_host(entry.host) is not None]
    weight = max(100 // len(counted), 1) if counted else 1
    usable = [entry for entry in counted if entry.port is not None]
    targets: dict[dns.name.Name, list[Entry]] = {}
    for entry in usable:
        targets.setdefault(entry.owner, []).append(entry)
    data = (f"0 {weight} {entry.port} {entry.owner}" for entry in usable)
    additional = [
        rrset
        for target, of in targets.items()
        for rdtype in TYPE_OF.values()
        for rrset in record_set(target, ttl, rdtype, addresses(of, rdtype))
    ]
    return Found(record_set(owner, ttl, dns.rdatatype.SRV, data), tuple(additional))


def soa(zone: dns.name.Name, ttl: int, serial: int) -> dns.rrset.RRset:
    """The zone's SOA, with the timers that CoreDNS gives it; it lives 300 seconds at most."""
    data = f"ns.dns.{zone} hostmaster.{zone} {serial} 7200 1800 86400 {ttl}"
    return dns.rrset.from_text(zone, min(ttl, _LONGEST_SOA_TTL), "IN", dns.rdatatype.SOA, data)
