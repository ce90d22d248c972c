"""Reverse names, pods' names, the zone itself, ExternalNames, and what a message says beside records."""

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

from model.dns import ClusterDns, DnsConfig, Extent, PodRecords, Upstream
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectName,
    Pod,
    Service,
    ServicePort,
    ServiceType,
)

SCHEMA = DnsConfig(extent=Extent.SPECIFICATION)
VERIFIED = DnsConfig(pods=PodRecords.VERIFIED)
Z = "cluster.local."


def service(name: str, *ips: str, points_at: str = "") -> Service:
    kind = ServiceType.EXTERNAL_NAME if points_at else ServiceType.CLUSTER_IP
    return Service(ObjectName("a", name), kind, (ServicePort("p", "TCP", 80),), ips, external_name=points_at)


def in_zone(name: str) -> str:
    return f"{name}.a.svc.cluster.local"


def chain(length: int) -> tuple[Service, ...]:
    """`hop-1` to `hop-length`, each pointing at the next, and the last one at a service."""
    hops = (service(f"hop-{at}", points_at=in_zone(f"hop-{at + 1}")) for at in range(1, length))
    return (*hops, service(f"hop-{length}", points_at=in_zone("web")), service("web", "10.96.0.20"))


def sliced(of: str, *endpoints: Endpoint) -> EndpointSlice:
    return EndpointSlice(
        ObjectName("a", f"{of}-1"), ObjectName("a", of), "IPv4", endpoints, (EndpointPort("p", "TCP", 8080),)
    )


CLUSTER = Cluster(
    services=(
        service("web", "10.96.0.20", "fd00:10:96::20"),
        service("db", "None"),
        service("db2", "None"),
        service("alias", points_at="web.a.svc.cluster.local."),
        service("to-db", points_at=in_zone("db")),
        service("dangling", points_at=in_zone("gone")),
        service("loop-1", points_at=in_zone("loop-2")),
        service("loop-2", points_at=in_zone("loop-1")),
        service("self", points_at=in_zone("self")),
        service("below", points_at=f"x.{in_zone('below')}"),
        service("literal", points_at="192.0.2.1"),
        service("out", points_at="db.example.com"),
        service("to-out", points_at=in_zone("out")),
    ),
    slices=(
        sliced("web", Endpoint(("10.244.0.9",), ready=True)),
        sliced(
            "db",
            Endpoint(("10.244.0.5",), ready=True, hostname="db-0"),
            Endpoint(("10.244.0.6",), ready=False),
        ),
        sliced("db2", Endpoint(("10.244.0.5",), ready=True)),
        sliced("gone", Endpoint(("10.244.0.7",), ready=True)),  # there is no such service
        # An endpoint with the address of a service.
        EndpointSlice(ObjectName("a", "s"), ObjectName("a", "db"), "IPv4", (Endpoint(("10.96.0.20",)),)),
    ),
    pods=(
        Pod(ObjectName("a", "p"), ips=("10.244.0.5", "fd00::5"), phase="Running"),
        Pod(ObjectName("c", "six"), ips=("fd00::7",), phase="Running"),
        Pod(ObjectName("b", "q"), ips=("10.244.0.6",), phase="Running", terminating=True),
        Pod(ObjectName("b", "r"), ips=("10.244.0.7",), phase="Succeeded"),
    ),
)


def ask(
    name: str, rdtype: str, config: DnsConfig | None = None, cluster: Cluster = CLUSTER
) -> tuple[str, list[str]]:
    """The rcode and the answer section as `type data`, in order."""
    message = ClusterDns.of(cluster, config).ask(name, dns.rdatatype.from_text(rdtype)).message
    return dns.rcode.to_text(message.rcode()), [
        f"{dns.rdatatype.to_text(rrset.rdtype)} {record}" for rrset in message.answer for record in rrset
    ]


NXDOMAIN, NODATA = ("NXDOMAIN", list[str]()), ("NOERROR", list[str]())


def found(*lines: str) -> tuple[str, list[str]]:
    return "NOERROR", list(lines)


def test_dns_ptr_01_a_cluster_ip_points_at_its_service_before_any_endpoint() -> None:
    assert ask("20.0.96.10.in-addr.arpa.", "PTR") == found(f"PTR web.a.svc.{Z}")


def test_dns_ptr_01_ipv6_is_asked_in_nibbles() -> None:
    nibbles = ".".join(reversed("fd000010009600000000000000000020"))

    assert ask(f"{nibbles}.ip6.arpa.", "PTR") == found(f"PTR web.a.svc.{Z}")


def test_dns_ptr_01_an_endpoint_points_at_its_name_in_every_headless_service() -> None:
    expected = found(f"PTR db-0.db.a.svc.{Z}", f"PTR 10-244-0-5.db2.a.svc.{Z}")

    assert ask("5.0.244.10.in-addr.arpa.", "PTR") == expected
    assert ask("5.0.244.10.in-addr.arpa.", "PTR", SCHEMA) == expected


@pytest.mark.parametrize("name", ["6.0.244.10", "1.2.3.4", "20.0.96", "x.0.96.10", "9.20.0.96.10"])
def test_dns_ptr_01_other_addresses_and_no_addresses_have_no_name(name: str) -> None:
    assert ask(f"{name}.in-addr.arpa.", "PTR") == NXDOMAIN


def test_dns_ptr_02_endpoints_of_other_services_are_an_extension() -> None:
    assert ask("9.0.244.10.in-addr.arpa.", "PTR") == found(f"PTR 10-244-0-9.web.a.svc.{Z}")
    assert ask("9.0.244.10.in-addr.arpa.", "PTR", SCHEMA) == NXDOMAIN


def test_a_reverse_name_that_the_cluster_lacks_is_passed_on_where_the_zone_falls_through() -> None:
    name = "4.3.2.1.in-addr.arpa."

    kept = ClusterDns.of(CLUSTER, DnsConfig(fall_through=())).ask(name, dns.rdatatype.PTR)
    passed = ClusterDns.of(CLUSTER).ask(name, dns.rdatatype.PTR)
    failed = ClusterDns.of(CLUSTER, DnsConfig(upstream=Upstream.FAILS)).ask(name, dns.rdatatype.PTR)

    assert [kept.outside, len(passed.outside), len(failed.outside)] == [(), 1, 1]
    assert failed.message.rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize(
    ("config", "name", "expected"),
    [
        (DnsConfig(pods=PodRecords.DISABLED), "10-244-0-5.a", NXDOMAIN),
        (DnsConfig(pods=PodRecords.DISABLED), "a", NXDOMAIN),
        (DnsConfig(), "1-2-3-4.a", found("A 1.2.3.4")),
        (DnsConfig(), "1-2-3-4.nowhere", NXDOMAIN),
        (DnsConfig(), "1-2-3.a", NXDOMAIN),
        (DnsConfig(), "1-2-3-400.a", NXDOMAIN),
        (DnsConfig(), "fd00--5.a", NODATA),
        (DnsConfig(), "a", NODATA),
        (VERIFIED, "10-244-0-5.a", found("A 10.244.0.5")),
        (VERIFIED, "10-244-0-5.b", NXDOMAIN),
        (VERIFIED, "fd00--5.a", NXDOMAIN),  # not the pod's primary address
        (VERIFIED, "fd00--7.c", NODATA),
        (VERIFIED, "fd00-0-0-0-0-0-0-7.c", NXDOMAIN),  # not the text of the pod's address
        (DnsConfig(), "fd00-0-0-0-0-0-0-7.c", NODATA),
        (DnsConfig(), "fd00--.a", NODATA),
        (DnsConfig(), "1-2--3.a", NODATA),  # 1:2::3
        (DnsConfig(), "x.y.1-2-3-4.a", found("A 1.2.3.4")),
        (VERIFIED, "10-244-0-6.b", NXDOMAIN),  # terminating
        (VERIFIED, "10-244-0-7.b", NXDOMAIN),  # finished
        (SCHEMA, "10-244-0-5.a", NXDOMAIN),
    ],
)
def test_dns_pod_01_pod_names_answer_as_the_mode_says(
    config: DnsConfig, name: str, expected: tuple[str, list[str]]
) -> None:
    assert ask(f"{name}.pod.{Z}", "A", config) == expected


def test_dns_pod_01_ipv6_pods_have_dashes_for_colons() -> None:
    assert ask(f"fd00--5.a.pod.{Z}", "AAAA") == found("AAAA fd00::5")


def test_dns_ver_01_the_schema_version_is_a_txt_record_for_eight_hours() -> None:
    message = ClusterDns.of(CLUSTER).ask(f"DNS-Version.{Z}", dns.rdatatype.TXT).message

    assert [rrset.to_text() for rrset in message.answer] == [f'DNS-Version.{Z} 28800 IN TXT "1.1.0"']


def test_dns_ttl_01_records_live_as_long_as_configured() -> None:
    message = ClusterDns.of(CLUSTER, DnsConfig(ttl=5)).ask(f"web.a.svc.{Z}", dns.rdatatype.A).message

    assert [rrset.ttl for rrset in message.answer] == [5]


@pytest.mark.parametrize("ttl", [-1, 3601])
def test_dns_ttl_01_a_ttl_beyond_an_hour_is_refused(ttl: int) -> None:
    with pytest.raises(ValueError, match=f"ttl: {ttl} is not within 0 and 3600"):
        DnsConfig(ttl=ttl)


@pytest.mark.parametrize("zone", ["", ".", "a..b", "x" * 64])
def test_a_zone_that_is_no_domain_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="zone: "):
        DnsConfig(zone=zone)


def test_another_cluster_domain_moves_all_names() -> None:
    config = DnsConfig(zone="k8s.example.org")

    assert ask("web.a.svc.k8s.example.org.", "A", config) == found("A 10.96.0.20")
    assert ask(f"web.a.svc.{Z}", "A", config) == ("SERVFAIL", [])


def test_dns_ext_01_a_cname_question_gets_the_name_pointed_at() -> None:
    assert ask(f"out.a.svc.{Z}", "CNAME") == found("CNAME db.example.com.")
    assert ask(f"web.a.svc.{Z}", "CNAME") == NODATA


@pytest.mark.parametrize("label", ["x", "_p._tcp", "p.tcp", "10-0-0-1"])
@pytest.mark.parametrize("rdtype", ["A", "SRV", "CNAME"])
def test_dns_ext_01_nothing_is_below_an_external_name(label: str, rdtype: str) -> None:
    """CoreDNS passes such a service over when an endpoint, port or protocol is asked for (findServices)."""
    assert ask(f"{label}.out.a.svc.{Z}", rdtype) == NXDOMAIN


@pytest.mark.parametrize("rdtype", ["SRV", "MX", "TXT"])
def test_dns_ext_01_ports_of_an_external_name_have_no_effect(rdtype: str) -> None:
    assert ask(f"out.a.svc.{Z}", rdtype) == NODATA


def test_dns_ext_02_a_target_inside_is_followed_to_its_addresses() -> None:
    assert ask(f"alias.a.svc.{Z}", "A") == found(f"CNAME web.a.svc.{Z}", "A 10.96.0.20")
    assert ask(f"alias.a.svc.{Z}", "AAAA") == found(f"CNAME web.a.svc.{Z}", "AAAA fd00:10:96::20")


def test_dns_ext_03_a_target_that_is_missing_or_lacks_the_type_is_no_data_without_cname() -> None:
    assert ask(f"dangling.a.svc.{Z}", "A") == NODATA
    assert ask(f"to-db.a.svc.{Z}", "AAAA") == NODATA


@pytest.mark.parametrize("name", ["loop-1", "loop-2", "self", "below"])
def test_dns_ext_04_a_loop_or_a_target_below_itself_is_no_data(name: str) -> None:
    assert ask(f"{name}.a.svc.{Z}", "A") == NODATA


def test_dns_ext_04_eleven_hops_are_followed_and_twelve_are_not() -> None:
    hops = [f"CNAME hop-{at}.a.svc.{Z}" for at in range(2, 12)]

    eleven = ask(f"hop-1.a.svc.{Z}", "A", cluster=Cluster(services=chain(11)))
    twelve = ask(f"hop-1.a.svc.{Z}", "A", cluster=Cluster(services=chain(12)))

    assert eleven == found(*hops, f"CNAME web.a.svc.{Z}", "A 10.96.0.20")
    assert twelve == NODATA


def test_dns_ext_04_a_cname_question_gets_only_the_first_hop() -> None:
    assert ask(f"loop-1.a.svc.{Z}", "CNAME") == found(f"CNAME loop-2.a.svc.{Z}")
    assert ask(f"to-out.a.svc.{Z}", "CNAME") == found(f"CNAME out.a.svc.{Z}")


@pytest.mark.parametrize("rdtype", ["A", "AAAA", "CNAME"])
def test_dns_ext_05_a_target_that_is_an_address_makes_no_name(rdtype: str) -> None:
    assert ask(f"literal.a.svc.{Z}", rdtype) == NXDOMAIN


def test_dns_ext_06_a_target_outside_is_named_as_outside() -> None:
    reply = ClusterDns.of(CLUSTER).ask(f"to-out.a.svc.{Z}", dns.rdatatype.A)

    assert [str(rrset[0]) for rrset in reply.message.answer] == [f"out.a.svc.{Z}", "db.example.com."]
    assert [str(name) for name in reply.outside] == ["db.example.com."]


def test_dns_ext_06_the_cname_is_left_out_when_the_upstream_fails() -> None:
    failing = DnsConfig(upstream=Upstream.FAILS)

    assert ask(f"out.a.svc.{Z}", "A", failing) == NODATA
    assert ask(f"to-out.a.svc.{Z}", "A", failing) == NODATA


def test_dns_ext_07_a_headless_target_gives_its_endpoints() -> None:
    assert ask(f"to-db.a.svc.{Z}", "A") == found(f"CNAME db.a.svc.{Z}", "A 10.244.0.5", "A 10.96.0.20")


def test_a_negative_answer_carries_the_zones_soa() -> None:
    message = ClusterDns.of(CLUSTER).ask(f"nope.a.svc.{Z}", dns.rdatatype.A).message

    soa = f"{Z} 30 IN SOA ns.dns.{Z} hostmaster.{Z} 1 7200 1800 86400 30"
    assert [rrset.to_text() for rrset in message.authority] == [soa]


def test_the_soa_lives_five_minutes_at_most() -> None:
    message = ClusterDns.of(CLUSTER, DnsConfig(ttl=3600)).ask(Z, dns.rdatatype.SOA).message

    assert [rrset.ttl for rrset in message.answer] == [300]


def test_answers_are_authoritative_and_echo_the_question() -> None:
    query = dns.message.make_query(f"web.a.svc.{Z}", "A")

    message = ClusterDns.of(CLUSTER).reply(query).message

    assert (message.id, message.question) == (query.id, query.question)
    assert message.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD


def test_edns_is_answered_with_the_size_and_flag_of_the_question() -> None:
    """CoreDNS gives the client's own OPT record back (request.go SizeAndDo)."""
    plain = dns.message.make_query(f"web.a.svc.{Z}", "A")
    edns = dns.message.make_query(f"web.a.svc.{Z}", "A", want_dnssec=True, payload=1232)
    edns.flags |= dns.flags.CD

    without, with_edns = (ClusterDns.of(CLUSTER).reply(query).message for query in (plain, edns))

    assert without.edns == -1
    assert (with_edns.edns, with_edns.payload, with_edns.ednsflags) == (0, 1232, dns.flags.DO)
    assert with_edns.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD | dns.flags.CD


def test_a_newer_edns_is_refused_by_its_version() -> None:
    query = dns.message.make_query(f"web.a.svc.{Z}", "A", use_edns=1)

    message = ClusterDns.of(CLUSTER).reply(query).message

    assert (message.rcode(), message.edns, message.answer) == (dns.rcode.BADVERS, 0, [])


def test_a_name_in_no_zone_of_the_cluster_is_left_to_the_upstream() -> None:
    reply = ClusterDns.of(CLUSTER).ask("www.example.com.", dns.rdatatype.A)

    assert (reply.message.rcode(), [str(name) for name in reply.outside]) == (
        dns.rcode.SERVFAIL,
        ["www.example.com."],
    )


def test_other_types_are_no_data_where_the_name_exists() -> None:
    assert ask(f"web.a.svc.{Z}", "ANY") == NODATA
    assert ask(f"nope.a.svc.{Z}", "ANY") == NXDOMAIN
    assert ask("20.0.96.10.in-addr.arpa.", "A", SCHEMA) == NODATA
    assert ask(f"nope.a.svc.{Z}", "TXT", SCHEMA) == NXDOMAIN


@pytest.mark.parametrize("rdtype", ["TXT", "SOA"])
@pytest.mark.parametrize("name", [f"nope.a.svc.{Z}", f"nope.{Z}", "4.3.2.1.in-addr.arpa.", "x.in-addr.arpa."])
def test_coredns_has_no_data_for_a_text_or_soa_of_any_other_name_even_of_none(name: str, rdtype: str) -> None:
    """It looks for no name then (Services for TXT, ServeDNS for SOA), and so passes nothing on."""
    reply = ClusterDns.of(CLUSTER).ask(name, dns.rdatatype.from_text(rdtype))

    assert (ask(name, rdtype), reply.outside) == (NODATA, ())


@pytest.mark.parametrize("label", ["_tcp", "_p"])
def test_coredns_has_no_name_between_a_service_and_its_ports(label: str) -> None:
    """A single label below a service is an endpoint's hostname to it, also where names lie below that."""
    assert ask(f"{label}.web.a.svc.{Z}", "A") == NXDOMAIN


def test_a_lone_underscore_is_any_port_and_any_protocol_to_coredns() -> None:
    assert ask(f"_._.web.a.svc.{Z}", "SRV") == found(f"SRV 0 50 80 web.a.svc.{Z}")
    assert ask(f"_._.web.a.svc.{Z}", "SRV", SCHEMA) == NXDOMAIN


def test_a_slice_of_domain_names_is_a_cname_to_coredns_and_has_no_srv() -> None:
    """Proxies skip such slices (addressType FQDN)."""
    names = (Endpoint(("db.example.com",), ready=True),)
    piece = EndpointSlice(ObjectName("a", "db-1"), ObjectName("a", "db"), "FQDN", names)
    cluster = Cluster(services=(service("db", "None"),), slices=(piece,))

    assert ask(f"db.a.svc.{Z}", "A", cluster=cluster) == found("CNAME db.example.com.")
    assert ask(f"db.a.svc.{Z}", "SRV", cluster=cluster) == NODATA


def test_the_zones_name_server_is_the_service_of_the_dns() -> None:
    dns_service = Service(ObjectName("kube-system", "kube-dns"), cluster_ips=("10.96.0.10",))
    cluster = Cluster(services=(dns_service,))

    assert ask(Z, "NS", cluster=cluster) == found(f"NS kube-dns.kube-system.svc.{Z}")
    assert ask(f"ns.dns.{Z}", "A", cluster=cluster) == found("A 10.96.0.10")
    assert ask(f"ns.dns.{Z}", "A", SCHEMA, cluster) == NXDOMAIN


def test_what_is_no_question_is_refused() -> None:
    two = dns.message.make_query("a.", "A")
    two.question += dns.message.make_query("b.", "A").question
    notify = dns.message.make_query("a.", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    chaos = dns.message.make_query("version.bind.", "TXT", dns.rdataclass.CH)

    rcodes = [ClusterDns.of(CLUSTER).reply(query).message.rcode() for query in (two, notify, chaos)]

    assert rcodes == [dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED]
