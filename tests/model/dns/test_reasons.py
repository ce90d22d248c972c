"""What is said of a question that got no record: the objects concerned and the rule."""

import dns.name
import dns.rdatatype
import pytest

from model.dns import ClusterDns, DnsConfig, PodRecords
from model.dns.reasons import reason_for_nothing
from model.objects import Cluster, Endpoint, EndpointPort, EndpointSlice, ObjectName, Service, ServicePort
from model.objects import ServiceType as Type

READY, UNREADY = Endpoint(("10.244.0.5",), hostname="db-0"), Endpoint(("10.244.0.6",), ready=False)


def service(name: str, ip: str = "", points_at: str = "") -> Service:
    kind = Type.EXTERNAL_NAME if points_at else Type.CLUSTER_IP
    ports = (ServicePort("http", "TCP", 80), ServicePort("", "UDP", 53))
    return Service(ObjectName("shop", name), kind, ports, (ip,) if ip else (), external_name=points_at)


def sliced(of: str, *endpoints: Endpoint) -> EndpointSlice:
    ports = (EndpointPort("sql", "TCP", 5432),)
    return EndpointSlice(ObjectName("shop", f"{of}-1"), ObjectName("shop", of), "IPv4", endpoints, ports)


CLUSTER = Cluster(
    services=(
        service("web", "10.96.0.20"),
        service("db", "None"),
        service("empty", "None"),
        service("gone", points_at="nope.shop.svc.cluster.local"),
        service("literal", points_at="192.0.2.1"),
        service("mail", "fd00::25"),
        Service(
            ObjectName("office", "mail"), ports=(ServicePort("", "TCP", 25),), cluster_ips=("10.96.0.25",)
        ),
    ),
    slices=(sliced("db", READY), sliced("empty", UNREADY)),
)


def reason(name: str, kind: str, config: DnsConfig | None = None) -> str:
    server = ClusterDns.of(CLUSTER, config)
    asked = dns.name.from_text(f"{name}.cluster.local")
    return reason_for_nothing(server.index, server.config, asked, dns.rdatatype.from_text(kind))


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("web.shop.svc", "AAAA", "shop/web has no IPv6 address to publish (DNS-A-02)"),
        ("db.shop.svc", "AAAA", "shop/db has no IPv6 address to publish (DNS-A-03)"),
        ("empty.shop.svc", "A", "no endpoint of shop/empty is ready (DNS-A-03, DNS-A-04)"),
        ("db-1.db.shop.svc", "A", "no ready endpoint of shop/db is called db-1 (DNS-EP-01)"),
        ("_x._tcp.web.shop.svc", "SRV", "named ports of shop/web: _http._tcp (DNS-SRV-01, DNS-SRV-03)"),
        ("_x._tcp.db.shop.svc", "SRV", "named ports of shop/db: _sql._tcp (DNS-SRV-01, DNS-SRV-03)"),
        ("x.gone.shop.svc", "A", "shop/gone is an ExternalName: there is nothing below it (DNS-EXT-01)"),
        (
            "gone.shop.svc",
            "A",
            "externalName nope.shop.svc.cluster.local of shop/gone leads to no A record "
            "(DNS-EXT-03, DNS-EXT-04)",
        ),
        ("gone.shop.svc", "SRV", "shop/gone is an ExternalName and has no SRV record (DNS-EXT-01)"),
        (
            "literal.shop.svc",
            "A",
            "externalName 192.0.2.1 of shop/literal is an address, not a name (DNS-EXT-05)",
        ),
        ("web.other.svc", "A", "service web is not in namespace other but in shop"),
        ("mail.other.svc", "A", "service mail is not in namespace other but in shop, office"),
        ("mail.shop.svc", "A", "shop/mail has no IPv4 address to publish (DNS-A-02)"),
        (
            "_x._tcp.mail.office.svc",
            "SRV",
            "named ports of office/mail: none (DNS-SRV-01, DNS-SRV-03)",
        ),
    ],
)
def test_a_reason_names_the_objects_and_the_rule(name: str, kind: str, expected: str) -> None:
    assert reason(name, kind) == expected


@pytest.mark.parametrize(
    "name", ["nope.shop.svc", "web", "svc", "shop.svc", "x.web.other.svc", "1-2-3.x.pod"]
)
def test_where_the_objects_tell_nothing_no_reason_is_made_up(name: str) -> None:
    assert reason(name, "A") == ""


@pytest.mark.parametrize("name", ["web.shop.svc", "db.shop.svc", "1-2-3.shop.pod", "1-2-3-4.shop.pod"])
def test_of_a_type_that_no_object_publishes_nothing_is_said(name: str) -> None:
    """Neither of a Service's name, with or without a cluster IP, nor of an address that is none."""
    assert reason(name, "TXT") == ""


def test_of_pods_the_mode_is_told() -> None:
    disabled = reason("1-2-3-4.shop.pod", "A", DnsConfig(pods=PodRecords.DISABLED))
    verified = reason("1-2-3-4.shop.pod", "A", DnsConfig(pods=PodRecords.VERIFIED))

    assert [disabled, verified] == [
        "records of pods are disabled (DNS-POD-01)",
        "no running pod of the namespace has that address (DNS-POD-01)",
    ]
