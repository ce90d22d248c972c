"""The zone itself, and what a message says beside its records: codes, flags, SOA, EDNS."""

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

from model.dns import ClusterDns, DnsConfig
from model.objects import (
    Cluster,
    ObjectName,
    Service,
)
from tests.dns_cluster import (
    CLUSTER,
    NODATA,
    NXDOMAIN,
    SCHEMA,
    Z,
    ask,
    found,
)


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
