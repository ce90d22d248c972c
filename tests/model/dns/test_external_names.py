"""What ExternalName services answer, and where their chains end."""

import dns.rdatatype
import pytest

from model.dns import ClusterDns, DnsConfig, Upstream
from model.objects import (
    Cluster,
    Endpoint,
    EndpointSlice,
    ObjectName,
    Service,
)
from tests.dns_cluster import (
    CLUSTER,
    NODATA,
    NXDOMAIN,
    Z,
    ask,
    found,
    in_zone,
    service,
)


def chain(length: int) -> tuple[Service, ...]:
    """`hop-1` to `hop-length`, each pointing at the next, and the last one at a service."""
    hops = (service(f"hop-{at}", points_at=in_zone(f"hop-{at + 1}")) for at in range(1, length))
    return (*hops, service(f"hop-{length}", points_at=in_zone("web")), service("web", "10.96.0.20"))


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


def test_a_slice_of_domain_names_is_a_cname_to_coredns_and_has_no_srv() -> None:
    """Proxies skip such slices (addressType FQDN)."""
    names = (Endpoint(("db.example.com",), ready=True),)
    piece = EndpointSlice(ObjectName("a", "db-1"), ObjectName("a", "db"), "FQDN", names)
    cluster = Cluster(services=(service("db", "None"),), slices=(piece,))

    assert ask(f"db.a.svc.{Z}", "A", cluster=cluster) == found("CNAME db.example.com.")
    assert ask(f"db.a.svc.{Z}", "SRV", cluster=cluster) == NODATA
