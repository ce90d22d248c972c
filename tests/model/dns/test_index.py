"""What CoreDNS knows of a cluster: its namespaces, its pods' addresses, and addresses written in any way."""

import pytest

from model.addresses import Family, parse_address
from model.dns.client import Resolution, Status, Step
from model.dns.config import DnsConfig
from model.dns.index import ALWAYS_THERE, index_cluster
from model.dns.names import parse_host
from model.objects import Cluster, Endpoints, EndpointSlice, ObjectName, Pod, Service

CONFIG = DnsConfig()


def test_a_namespace_is_there_if_anything_is_in_it() -> None:
    """DNS-POD-01: namespaces are not among the objects, so what lies in them tells."""
    cluster = Cluster(
        services=(Service(ObjectName("of-service", "x")),),
        slices=(EndpointSlice(ObjectName("of-slice", "x"), None, "IPv4"),),
        endpoints=(Endpoints(ObjectName("of-endpoints", "x")),),
        pods=(Pod(ObjectName("of-pod", "x")),),
    )
    found = index_cluster(cluster, CONFIG).namespaces

    assert found - ALWAYS_THERE == {"of-service", "of-slice", "of-endpoints", "of-pod"}


def test_every_cluster_has_these_namespaces() -> None:
    assert index_cluster(Cluster(), CONFIG).namespaces == {
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    }


@pytest.mark.parametrize(
    ("phase", "terminating", "expected"),
    [
        ("Running", False, True),
        ("Pending", False, True),
        ("Running", True, False),
        ("Succeeded", False, False),
        ("Failed", False, False),
        ("Unknown", False, False),
    ],
)
def test_a_pod_has_a_name_while_coredns_watches_it(phase: str, terminating: bool, expected: bool) -> None:
    """status.phase and metadata.deletionTimestamp; the primary address alone."""
    pod = Pod(ObjectName("shop", "web"), ips=("10.244.0.5", "fd00::5"), phase=phase, terminating=terminating)

    found = index_cluster(Cluster(pods=(pod,)), CONFIG).pod_addresses

    assert found == ({("shop", "10.244.0.5")} if expected else set())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", parse_address("10.0.0.1")),
        ("fd00::1", parse_address("fd00::1")),
        ("::ffff:10.0.0.1", (Family.IPV4, 0x0A000001)),
        ("::10.0.0.1", (Family.IPV6, 0x0A000001)),
        ("web", None),
    ],
)
def test_an_ipv4_mapped_address_is_ipv4_as_to_go(text: str, expected: object) -> None:
    assert parse_host(text) == expected


def asked(name: str, status: Status, reason: str = "") -> Step:
    return Step(name, status, replies=(object(),), reason=reason)  # type: ignore[arg-type]  # one reply, unread


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["nx a", "nx b", "nx c"], "c"),
        (["nx a", "nx b because", "nx c"], "b"),
        (["nx a because", "empty b", "nx c"], "b"),
        (["empty a", "empty b"], "a"),
        (["outside a"], None),
        (["nx a", "outside b because"], "a"),
    ],
)
def test_the_cluster_says_most_by_a_name_that_exists_then_by_a_reason_then_by_the_last(
    steps: list[str], expected: str | None
) -> None:
    kinds = {"nx": Status.NXDOMAIN, "empty": Status.NODATA, "outside": Status.OUTSIDE}
    tried = []
    for kind, name, *why in map(str.split, steps):
        tried.append(asked(name, kinds[kind], " ".join(why)))

    word = Resolution(tuple(tried), Status.NXDOMAIN).word_of_cluster

    assert (word and word.name) == expected
