"""Every drawn cluster's DNS answers like a zone file that says the schema again.

The zone file is written line by line from the schema's text, parsed by dnspython, and asked
by plain look-up: a second reading that shares nothing with the first but the objects. What is
claimed of names besides (INV-76..81) is in `invariants.dns`.
"""

import dns.message
import dns.name
import dns.rdatatype
import dns.reversename
import dns.zone
from hypothesis import given

from model.dns import ClusterDns, DnsConfig, Extent, Reply
from model.objects import Cluster, Service, ServiceType
from tests.strategies.dns import dns_clusters

A, AAAA, CNAME = dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.CNAME
SRV, PTR = dns.rdatatype.SRV, dns.rdatatype.PTR
MOST_HOPS = 11


def fq(service: Service) -> str:
    return f"{service.name.name}.{service.name.namespace}.svc.cluster.local."


def is_headless(service: Service) -> bool:
    return service.cluster_ips == ("None",)


def data(reply: Reply, rdtype: dns.rdatatype.RdataType) -> list[str]:
    return [str(record) for rrset in reply.message.answer if rrset.rdtype == rdtype for record in rrset]


def of_type(cluster: Cluster, *, external: bool) -> list[Service]:
    return [item for item in cluster.services if (item.type is ServiceType.EXTERNAL_NAME) == external]


def zone_file(cluster: Cluster) -> str:
    """The records of the DNS schema 1.1.0, sections 2.2 to 2.5, as lines of a zone file."""
    lines = ['dns-version.cluster.local. 28800 IN TXT "1.1.0"']
    for service in cluster.services:
        name = fq(service)
        if service.type is ServiceType.EXTERNAL_NAME:
            if service.external_name.strip(".") != "192.0.2.1":  # DNS-EXT-05
                lines.append(f"{name} 30 IN CNAME {service.external_name.rstrip('.')}.")
        elif is_headless(service):
            lines += headless_lines(cluster, service)
        else:
            for ip in service.cluster_ips:
                lines.append(f"{name} 30 IN {'AAAA' if ':' in ip else 'A'} {ip}")
                lines.append(f"{dns.reversename.from_address(ip)} 30 IN PTR {name}")
            for port in service.ports:
                if port.name:
                    owner = f"_{port.name}._{port.protocol.lower()}.{name}"
                    lines.append(f"{owner} 30 IN SRV 0 0 {port.port} {name}")
    return "\n".join(lines) + "\n"


def headless_lines(cluster: Cluster, service: Service) -> list[str]:
    lines = []
    for piece in cluster.slices:
        for endpoint in piece.endpoints if piece.service == service.name else ():
            if endpoint.ready is False:
                continue
            ip = endpoint.addresses[0]
            label = endpoint.hostname or ip.translate({ord("."): "-", ord(":"): "-"})
            host, kind = f"{label}.{fq(service)}", "AAAA" if ":" in ip else "A"
            lines += [f"{owner} 30 IN {kind} {ip}" for owner in (fq(service), host)]
            lines.append(f"{dns.reversename.from_address(ip)} 30 IN PTR {host}")
            for port in piece.ports:
                if port.name and port.port is not None:
                    owner = f"_{port.name}._{port.protocol.lower()}.{fq(service)}"
                    lines.append(f"{owner} 30 IN SRV 0 0 {port.port} {host}")
    return lines


def plain(rdtype: dns.rdatatype.RdataType, record: object) -> str:
    """A record's data; of an SRV only port and target, for the schema leaves the rest open."""
    text = str(record).lower()
    return " ".join(text.split()[2:]) if rdtype == SRV else text


@given(dns_clusters())
def test_the_answers_are_the_zone_file_that_the_schema_describes(cluster: Cluster) -> None:
    zone = dns.zone.from_text(zone_file(cluster), origin=".", relativize=False, check_origin=False)
    server = ClusterDns.of(cluster, DnsConfig(extent=Extent.SPECIFICATION, fall_through=()))

    for name, rdataset in zone.iterate_rdatasets():
        message = server.ask(name, rdataset.rdtype).message
        answered = [rrset for rrset in message.answer if rrset.rdtype == rdataset.rdtype]
        assert sorted(plain(rdataset.rdtype, record) for rrset in answered for record in rrset) == sorted(
            plain(rdataset.rdtype, record) for record in rdataset
        )


@given(dns_clusters())
def test_an_address_question_for_an_external_name_follows_the_zone_file(cluster: Cluster) -> None:
    zone = dns.zone.from_text(zone_file(cluster), origin=".", relativize=False, check_origin=False)
    server = ClusterDns.of(cluster, DnsConfig(extent=Extent.SPECIFICATION))

    for service in of_type(cluster, external=True):
        name, hops = dns.name.from_text(fq(service)), 0
        while (alias := zone.get_rdataset(name, CNAME)) is not None and hops <= MOST_HOPS:
            name, hops = alias[0].target, hops + 1
        end = zone.get_rdataset(name, A) if hops <= MOST_HOPS else None
        expected = sorted(str(record) for record in end or ())
        assert sorted(data(server.ask(fq(service), A), A)) == expected


@given(dns_clusters())
def test_every_answer_can_be_sent_on_the_wire(cluster: Cluster) -> None:
    server = ClusterDns.of(cluster)

    for service in cluster.services:
        for rdtype in (A, AAAA, SRV, CNAME):
            message = server.ask(fq(service), rdtype).message
            assert dns.message.from_wire(message.to_wire(max_size=65535)) == message
