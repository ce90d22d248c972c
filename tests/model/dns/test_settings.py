"""The settings of the cluster's DNS and of a pod's resolver, and where each comes from."""

import attrs
import pytest

from model.dns import DnsConfig, DnsPolicy, PodDns, PodRecords, Upstream, dns_server
from model.dns.config import Extent
from model.dns.resolv_conf import ServerSource
from model.objects import Cluster, ObjectName, Pod, Service

DNS = Service(ObjectName("kube-system", "kube-dns"), cluster_ips=("10.96.0.53",))
API = Service(ObjectName("default", "kubernetes"), cluster_ips=("10.96.0.1", "fd00::1"))


def test_settings_are_named_as_commands_name_them() -> None:
    assert [one.value for one in PodRecords] == ["disabled", "insecure", "verified"]
    assert [one.value for one in Extent] == ["specification", "coredns"]
    assert [one.value for one in Upstream] == ["unknown", "fails"]


def test_what_nobody_sets_is_as_kubeadm_sets_up_coredns() -> None:
    """DNS-TTL-01, DNS-POD-01: the zone cluster.local, 30 seconds, any pod's name, both reverse zones."""
    assert attrs.asdict(DnsConfig()) == {
        "zone": "cluster.local",
        "ttl": 30,
        "pods": PodRecords.INSECURE,
        "extent": Extent.COREDNS,
        "endpoint_pod_names": False,
        "upstream": Upstream.UNKNOWN,
        "reverse_zones": ("in-addr.arpa", "ip6.arpa"),
        "fall_through": ("in-addr.arpa", "ip6.arpa"),
        "namespaces": (),
        "serial": 1,
    }


def test_the_switch_is_set_by_name_only() -> None:
    by_place = DnsConfig("example.org", 5, PodRecords.VERIFIED, Extent.SPECIFICATION, Upstream.FAILS)

    assert (Upstream.FAILS, False) == (by_place.upstream, by_place.endpoint_pod_names)


@pytest.mark.parametrize(
    "field", [{"zone": "a..b"}, {"zone": "."}, {"reverse_zones": ("a..b",)}, {"reverse_zones": (".",)}]
)
def test_what_is_no_domain_is_refused_by_name(field: dict[str, object]) -> None:
    (name,) = field

    with pytest.raises(ValueError, match=f"^{name}: "):
        DnsConfig(**field)  # type: ignore[arg-type]  # fields by name


def test_a_pod_without_a_policy_asks_the_cluster_first() -> None:
    """DNS-RES-02: kubelet takes unset for ClusterFirst, also with the host's network."""
    unset = PodDns.of(Pod(ObjectName("shop", "web"), host_network=True))

    assert (unset.policy, unset.host_network) == (DnsPolicy.CLUSTER_FIRST, True)


@pytest.mark.parametrize(
    ("cluster", "addresses", "source"),
    [
        (Cluster(services=(DNS, API)), ("10.96.0.53",), ServerSource.SERVICE),
        (Cluster(services=(API,)), ("10.96.0.10", "fd00::a"), ServerSource.FIRST_ADDRESS),
        (
            Cluster(service_cidrs=("10.97.0.0/16", "10.98.0.0/16")),
            ("10.97.0.10",),
            ServerSource.SERVICE_CIDR,
        ),
        (Cluster(), ("10.96.0.10",), ServerSource.CONVENTION),
    ],
)
def test_where_the_server_listens_is_told_with_how_it_is_known(
    cluster: Cluster, addresses: tuple[str, ...], source: ServerSource
) -> None:
    """DNS-RES-07"""
    found = dns_server(cluster)

    assert (found.addresses, found.source) == (addresses, source)


def test_each_source_says_what_was_looked_at() -> None:
    assert [one.value for one in ServerSource] == [
        "ClusterIP of service kube-system/kube-dns",
        "tenth address of the service CIDR, which begins at service default/kubernetes",
        "tenth address of the service CIDR",
        "kubeadm's usual address: no object tells the service CIDR",
    ]
