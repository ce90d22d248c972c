"""A pod's resolv.conf, and which names a resolver tries with it."""

import dns.rdatatype
import pytest

from model.dns import (
    ClusterDns,
    DnsConfig,
    DnsPolicy,
    NodeDns,
    PodDns,
    ResolvConf,
    Status,
    Upstream,
    dns_server,
    pod_resolv_conf,
    resolve,
)
from model.objects import Cluster, Endpoint, EndpointPort, EndpointSlice, ObjectName, Service, ServiceType

A, AAAA = dns.rdatatype.A, dns.rdatatype.AAAA
NODE = NodeDns(("10.96.0.10",), own=ResolvConf(("192.0.2.53",), ("corp.example",), (("timeout", "2"),)))


def service(name: str, *ips: str, points_at: str = "") -> Service:
    namespace, _, short = name.partition("/")
    kind = ServiceType.EXTERNAL_NAME if points_at else ServiceType.CLUSTER_IP
    return Service(ObjectName(namespace, short), kind, cluster_ips=ips, external_name=points_at)


CLUSTER = Cluster(
    services=(
        service("shop/web", "10.96.0.20"),
        service("shop/six", "fd00::20"),
        service("other/web", "10.96.0.30"),
        service("example/www", "10.96.0.40"),
        service("shop/out", points_at="db.example.com"),
        service("shop/alias", points_at="web.other.svc.cluster.local"),
    )
)
SERVER = ClusterDns.of(CLUSTER)
SHOP = pod_resolv_conf(PodDns("shop"), NodeDns(("10.96.0.10",)))


def tried(name: str, conf: ResolvConf = SHOP) -> list[tuple[str, str]]:
    steps = resolve(SERVER, name, conf).steps
    return [(step.name.removesuffix(".cluster.local."), step.status.value) for step in steps]


def test_dns_res_01_cluster_first_is_the_clusters_server_search_list_and_ndots() -> None:
    expected = ResolvConf(
        ("10.96.0.10",),
        ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"),
        (("ndots", "5"),),  # in place of the node's options
    )

    assert pod_resolv_conf(PodDns("shop"), NODE) == expected
    assert (
        pod_resolv_conf(PodDns("shop", DnsPolicy.CLUSTER_FIRST_WITH_HOST_NET, host_network=True), NODE)
        == expected
    )


@pytest.mark.parametrize(
    "pod", [PodDns("shop", host_network=True), PodDns("shop", DnsPolicy.DEFAULT)], ids=["host", "default"]
)
def test_dns_res_02_on_the_hosts_network_the_nodes_resolv_conf_is_taken(pod: PodDns) -> None:
    assert pod_resolv_conf(pod, NODE) == NODE.own


def test_dns_res_02_none_is_only_what_the_pod_says() -> None:
    own = ResolvConf(("1.1.1.1",), ("a.example",), (("ndots", "2"),))

    assert pod_resolv_conf(PodDns("shop", DnsPolicy.NONE, config=own), NODE) == own


def test_dns_res_02_without_a_cluster_dns_kubelet_falls_back_to_the_node() -> None:
    assert pod_resolv_conf(PodDns("shop"), NodeDns((), own=NODE.own)) == NODE.own


def test_dns_res_03_dns_config_is_appended_once_and_overrides_options() -> None:
    more = ResolvConf(
        ("1.1.1.1", "10.96.0.10"), ("svc.cluster.local", "a.example"), (("ndots", "2"), ("edns0", ""))
    )

    conf = pod_resolv_conf(PodDns("shop", config=more), NodeDns(("10.96.0.10",)))
    assert conf == ResolvConf(
        ("10.96.0.10", "1.1.1.1"),
        ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "a.example"),
        (("ndots", "2"), ("edns0", "")),
    )


def test_dns_res_03_what_exceeds_the_limits_is_dropped_from_the_end() -> None:
    many = ResolvConf(tuple(f"1.1.1.{at}" for at in range(5)), tuple(f"s{at}.example" for at in range(40)))

    conf = pod_resolv_conf(PodDns("shop", DnsPolicy.NONE, config=many), NODE)

    assert conf == ResolvConf(many.nameservers[:3], many.searches[:32])


def test_dns_res_03_the_search_list_has_2048_characters_at_most() -> None:
    """Ten domains of 204 characters and nine blanks are 2049: one too many."""
    long = tuple(f"{at}{'x' * 203}" for at in range(10))

    conf = pod_resolv_conf(PodDns("shop", DnsPolicy.NONE, config=ResolvConf((), long)), NODE)
    just = pod_resolv_conf(
        PodDns("shop", DnsPolicy.NONE, config=ResolvConf((), (*long[:9], long[9][:-1]))), NODE
    )

    assert [len(conf.searches), len(just.searches)] == [9, 10]


def test_dns_res_03_a_domain_longer_than_a_name_is_left_out_alone() -> None:
    searches = ("a.example", "x" * 254, "b.example")

    conf = pod_resolv_conf(PodDns("shop", DnsPolicy.NONE, config=ResolvConf((), searches)), NODE)

    assert conf.searches == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("options", "ndots"),
    [
        ((), 1),
        ((("ndots", "3"),), 3),
        ((("ndots", "99"),), 15),
        ((("ndots", "x"),), 0),
        ((("ndots", "2x"),), 2),
        ((("ndots", "-1"),), 15),
        ((("ndots", ""),), 1),
    ],
)
def test_dns_res_04_ndots_is_one_unless_set_and_fifteen_at_most(
    options: tuple[tuple[str, str], ...], ndots: int
) -> None:
    """What is no number is read as atoi does, into four bits (resolv/res_init.c)."""
    assert ResolvConf(options=options).ndots == ndots


def test_dns_res_04_a_final_dot_is_tried_as_is_only() -> None:
    assert tried("web.") == [("web.", "OUTSIDE")]
    assert tried("nope.shop.svc.cluster.local.") == [("nope.shop.svc", "NXDOMAIN")]


def test_dns_res_04_fewer_dots_than_ndots_go_through_the_list_and_end_as_is() -> None:
    searched = [("nope.shop.svc", "NXDOMAIN"), ("nope.svc", "NXDOMAIN"), ("nope", "NXDOMAIN")]

    assert tried("nope") == [*searched, ("nope.", "OUTSIDE")]


def test_dns_res_04_as_many_dots_as_ndots_are_tried_as_is_first() -> None:
    """The name is the cluster's, so the answer is known, and the list is gone through after it."""
    name = "a.b.shop.svc.cluster.local"

    assert tried(name) == [
        ("a.b.shop.svc", "NXDOMAIN"),
        ("a.b.shop.svc.cluster.local.shop.svc", "NXDOMAIN"),
        ("a.b.shop.svc.cluster.local.svc", "NXDOMAIN"),
        ("a.b.shop.svc.cluster.local", "NXDOMAIN"),
    ]


def test_dns_res_04_no_data_does_not_end_the_search_but_is_what_is_told_of_it() -> None:
    failing = ClusterDns.of(CLUSTER, DnsConfig(upstream=Upstream.FAILS))

    resolution = resolve(failing, "web", SHOP, types=(AAAA,))

    assert [step.status for step in resolution.steps] == [
        Status.NODATA,
        Status.NXDOMAIN,
        Status.NXDOMAIN,
        Status.SERVFAIL,
    ]
    assert resolution.status is Status.NODATA


def test_dns_res_04_an_answer_in_either_family_wins() -> None:
    resolution = resolve(SERVER, "six", SHOP)

    assert (resolution.status, resolution.addresses) == (Status.ANSWERED, ("fd00::20",))


def test_dns_res_04_a_name_that_gets_too_long_ends_the_list_and_is_still_tried_as_is() -> None:
    name = ".".join(("x" * 60,) * 4)  # 243 characters fit, with a domain behind them they do not

    assert [status for _, status in tried(name)] == ["NAME TOO LONG", "OUTSIDE"]


@pytest.mark.parametrize(
    ("name", "address", "steps"),
    [
        ("web", "10.96.0.20", 1),
        ("web.other", "10.96.0.30", 2),
        ("web.other.svc", "10.96.0.30", 3),
        ("web.other.svc.cluster.local", "10.96.0.30", 4),
        ("web.other.svc.cluster.local.", "10.96.0.30", 1),
        ("WEB.Other", "10.96.0.30", 2),
    ],
)
def test_dns_res_05_each_form_is_found_by_its_own_entry_of_the_list(
    name: str, address: str, steps: int
) -> None:
    resolution = resolve(SERVER, name, SHOP)

    assert (resolution.addresses, len(resolution.steps)) == ((address,), steps)


def test_dns_res_06_a_service_can_shadow_an_outside_name() -> None:
    """`www.example` is service www of namespace example."""
    assert resolve(SERVER, "www.example", SHOP).addresses == ("10.96.0.40",)


def test_dns_res_04_with_ndots_0_every_name_is_tried_as_is_first() -> None:
    conf = ResolvConf(searches=("shop.svc.cluster.local",), options=(("ndots", "0"),))
    failing = ClusterDns.of(CLUSTER, DnsConfig(upstream=Upstream.FAILS))

    steps = resolve(failing, "web", conf).steps

    assert [step.name for step in steps] == ["web.", "web.shop.svc.cluster.local."]


def test_a_nameserver_is_known_however_its_address_is_spelled() -> None:
    conf = ResolvConf(("fd00:0:0::A",))
    name = "web.shop.svc.cluster.local."

    known = resolve(SERVER, name, conf, servers=("fd00::a",))
    other = resolve(SERVER, name, conf, servers=("fd00::b",))

    assert [known.status, other.status] == [Status.ANSWERED, Status.OUTSIDE]


def test_the_clusters_word_on_a_failed_search_is_of_the_name_that_exists() -> None:
    """web has no IPv6 address; that other names do not exist tells nothing."""
    resolution = resolve(SERVER, "web", SHOP, types=(AAAA,))

    step = resolution.word_of_cluster
    assert step is not None
    assert (step.name, step.status) == ("web.shop.svc.cluster.local.", Status.NODATA)


def test_dns_ext_07_an_external_name_leads_a_client_to_the_other_services_address() -> None:
    assert resolve(SERVER, "alias", SHOP).addresses == ("10.96.0.30",)


def test_dns_ext_06_a_chain_that_leaves_the_cluster_has_no_address_here() -> None:
    resolution = resolve(SERVER, "out", SHOP)

    assert (resolution.status, resolution.addresses) == (Status.ANSWERED, ())
    assert [str(name) for name in resolution.outside] == ["db.example.com."]


def test_dns_res_02_a_pod_that_asks_the_nodes_server_does_not_ask_the_clusters() -> None:
    conf = pod_resolv_conf(PodDns("shop", DnsPolicy.DEFAULT), NODE)

    resolution = resolve(SERVER, "web.shop.svc.cluster.local", conf, servers=("10.96.0.10",))

    assert (resolution.status, [str(name) for name in resolution.outside]) == (
        Status.OUTSIDE,
        ["web.shop.svc.cluster.local."],
    )


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a DNS name"):
        resolve(SERVER, name, SHOP)


def test_dns_res_07_the_server_is_where_its_service_is() -> None:
    cluster = Cluster(
        services=(service("kube-system/kube-dns", "10.0.0.53"), service("default/kubernetes", "10.0.0.1"))
    )

    assert dns_server(cluster).addresses == ("10.0.0.53",)


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (Cluster(services=(service("default/kubernetes", "10.0.0.1"),)), ("10.0.0.10",)),
        (Cluster(service_cidrs=("172.20.0.0/16", "fd00::/108")), ("172.20.0.10", "fd00::a")),
        (Cluster(), ("10.96.0.10",)),
    ],
    ids=["kubernetes", "cidrs", "nothing"],
)
def test_dns_res_07_without_its_service_the_tenth_address_is_taken(
    cluster: Cluster, expected: tuple[str, ...]
) -> None:
    assert dns_server(cluster).addresses == expected


def test_dns_ep_02_a_stateful_pod_is_found_by_hostname_and_service() -> None:
    entry = Endpoint(("10.244.0.5",), ready=True, hostname="db-0")
    of = ObjectName("shop", "db")
    piece = EndpointSlice(ObjectName("shop", "db-1"), of, "IPv4", (entry,), (EndpointPort("", "TCP", 1),))
    server = ClusterDns.of(Cluster(services=(service("shop/db", "None"),), slices=(piece,)))

    assert resolve(server, "db-0.db", SHOP).addresses == ("10.244.0.5",)
