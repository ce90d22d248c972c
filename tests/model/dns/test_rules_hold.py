"""What is true of every drawn cluster's DNS (INV-76..81), and a zone file that says the schema again.

The zone file is written line by line from the schema's text, parsed by dnspython, and asked
by plain look-up: a second reading that shares nothing with the first but the objects.
"""

from ipaddress import ip_address

import dns.message
import dns.name
import dns.rdatatype
import dns.reversename
import dns.zone
from hypothesis import given
from hypothesis import strategies as st

from model.dns import ClusterDns, DnsConfig, Extent, Reply, ResolvConf, resolve
from model.objects import Cluster, Endpoint, Service, ServiceType
from tests.dns_strategies import dns_clusters

A, AAAA, CNAME = dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.CNAME
SRV, PTR = dns.rdatatype.SRV, dns.rdatatype.PTR
MOST_HOPS = 11
SEARCHED = ResolvConf(("10.96.0.10",), ("shop.svc.cluster.local", "svc.cluster.local"), (("ndots", "5"),))


def fq(service: Service) -> str:
    return f"{service.name.name}.{service.name.namespace}.svc.cluster.local."


def is_headless(service: Service) -> bool:
    return service.cluster_ips == ("None",)


def ready_endpoints(cluster: Cluster, service: Service) -> list[Endpoint]:
    return [
        endpoint
        for piece in cluster.slices
        if piece.service == service.name
        for endpoint in piece.endpoints
        if endpoint.ready in (True, None)
    ]


def addresses(endpoint: Endpoint) -> set[str]:
    """As records spell them: an object may hold another text of an IPv6 address."""
    return {str(ip_address(ip)) for ip in endpoint.addresses}


def data(reply: Reply, rdtype: dns.rdatatype.RdataType) -> list[str]:
    return [str(record) for rrset in reply.message.answer if rrset.rdtype == rdtype for record in rrset]


def both_families(server: ClusterDns, name: str) -> list[str]:
    return [*data(server.ask(name, A), A), *data(server.ask(name, AAAA), AAAA)]


def of_type(cluster: Cluster, *, external: bool) -> list[Service]:
    return [item for item in cluster.services if (item.type is ServiceType.EXTERNAL_NAME) == external]


@given(dns_clusters())
def test_inv_76_a_service_is_its_cluster_ips_or_its_ready_addresses_and_never_a_mixture(
    cluster: Cluster,
) -> None:
    server = ClusterDns.of(cluster)

    for service in of_type(cluster, external=False):
        ready = {ip for endpoint in ready_endpoints(cluster, service) for ip in addresses(endpoint)}
        expected = ready if is_headless(service) else set(service.cluster_ips)
        assert set(both_families(server, fq(service))) == expected


@given(dns_clusters())
def test_inv_77_an_endpoint_that_is_not_ready_is_nowhere(cluster: Cluster) -> None:
    """Not even where a proxy still sends to it because it serves while it terminates."""
    server = ClusterDns.of(cluster)
    published = {
        ip
        for service in cluster.services
        for endpoint in ready_endpoints(cluster, service)
        for ip in addresses(endpoint)
    }
    hidden = {
        ip for piece in cluster.slices for entry in piece.endpoints for ip in addresses(entry)
    } - published

    for ip in hidden:
        assert server.ask(dns.reversename.from_address(ip), PTR).message.answer == []
    for service in cluster.services:
        for reply in (server.ask(fq(service), rdtype) for rdtype in (A, AAAA, SRV)):
            records = [*reply.message.answer, *reply.message.additional]
            assert hidden.isdisjoint(str(record) for rrset in records for record in rrset)


@given(dns_clusters())
def test_inv_78_every_srv_target_has_an_address_and_every_named_port_a_record(cluster: Cluster) -> None:
    server = ClusterDns.of(cluster)

    for service in of_type(cluster, external=False):
        named = {(port.name, port.protocol.lower()) for port in service.ports if port.name}
        records = [
            line
            for port, protocol in named
            for line in data(server.ask(f"_{port}._{protocol}.{fq(service)}", SRV), SRV)
        ]
        ready = {ip for entry in ready_endpoints(cluster, service) for ip in addresses(entry)}
        most = len(named) * len(ready)
        assert len(records) <= most if is_headless(service) else len(records) == len(named)
        assert all(both_families(server, line.split()[3]) for line in records)


@given(dns_clusters())
def test_inv_79_the_ptr_of_a_cluster_ip_is_its_service(cluster: Cluster) -> None:
    server = ClusterDns.of(cluster)

    for service in of_type(cluster, external=False):
        for ip in () if is_headless(service) else service.cluster_ips:
            assert data(server.ask(dns.reversename.from_address(ip), PTR), PTR) == [fq(service)]


@given(dns_clusters())
def test_inv_80_a_chain_of_external_names_ends_and_is_whole_or_absent(cluster: Cluster) -> None:
    server = ClusterDns.of(cluster)

    for service in of_type(cluster, external=True):
        reply = server.ask(fq(service), A)
        *hops, last = reply.message.answer or (None,)
        if last is None:
            continue
        if last.rdtype == CNAME:
            assert [last[0].target] == list(reply.outside)
            hops.append(last)
        assert all(rrset.rdtype == CNAME for rrset in hops)
        assert 1 <= len(hops) <= MOST_HOPS
        targets = [rrset[0].target for rrset in hops]
        assert [rrset.name for rrset in reply.message.answer][1:] == targets[: len(reply.message.answer) - 1]


@given(
    dns_clusters(),
    st.sampled_from(
        (
            "svc-0",
            "svc-0.shop",
            "alias-0.names",
            "a.b.c.d.e.f",
            "svc-0.shop.svc",
            "nope.shop.svc.cluster.local",
        )
    ),
)
def test_inv_81_a_search_is_deterministic_and_a_final_dot_makes_one_step(cluster: Cluster, name: str) -> None:
    server = ClusterDns.of(cluster)

    once, again = resolve(server, name, SEARCHED), resolve(ClusterDns.of(cluster), name, SEARCHED)
    absolute = resolve(server, f"{name}.", SEARCHED)

    assert [step.name for step in once.steps] == [step.name for step in again.steps]
    assert (once.status, once.addresses) == (again.status, again.addresses)
    assert [step.name for step in absolute.steps] == [f"{name}."]


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
