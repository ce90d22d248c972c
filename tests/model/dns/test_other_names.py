"""Reverse names, pods' names, and names that only CoreDNS has."""

import dns.rcode
import dns.rdatatype
import pytest

from model.dns import ClusterDns, DnsConfig, PodRecords, Upstream
from tests.dns_cluster import (
    CLUSTER,
    NODATA,
    NXDOMAIN,
    SCHEMA,
    VERIFIED,
    Z,
    ask,
    found,
)


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
