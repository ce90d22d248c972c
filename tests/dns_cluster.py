"""A small cluster with a name of every kind, and one way to ask for them."""

import dns.rcode
import dns.rdatatype

from model.dns import ClusterDns, DnsConfig, Extent, PodRecords
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
