"""What names of services, endpoints and ports answer, derived from the DNS schema's text."""

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from model.dns import ClusterDns, DnsConfig, Extent, answer
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


def name(text: str) -> ObjectName:
    namespace, _, short = text.partition("/")
    return ObjectName(namespace, short)


def sliced(
    service: str, *endpoints: Endpoint, ports: tuple[EndpointPort, ...] = (), family: str = "IPv4"
) -> EndpointSlice:
    of = name(service)
    return EndpointSlice(
        ObjectName(of.namespace, f"{of.name}-{family.lower()}"), of, family, endpoints, ports
    )


HTTP, UNNAMED = EndpointPort("http", "TCP", 8080), EndpointPort("", "TCP", 9000)
CLUSTER = Cluster(
    services=(
        Service(
            name("shop/web"),
            ServiceType.LOAD_BALANCER,
            (ServicePort("http", "TCP", 80, node_port=30080), ServicePort("dns", "UDP", 53)),
            ("10.96.0.20", "fd00:10:96::20"),
            external_ips=("203.0.113.7",),
        ),
        Service(name("shop/single"), ports=(ServicePort("", "TCP", 80),), cluster_ips=("10.96.0.21",)),
        Service(name("shop/idle"), ports=(ServicePort("http", "TCP", 80),), cluster_ips=("10.96.0.22",)),
        Service(name("shop/db"), ports=(ServicePort("http", "TCP", 80),), cluster_ips=("None",)),
        Service(name("shop/empty"), ports=(ServicePort("http", "TCP", 80),), cluster_ips=("None",)),
        Service(name("shop/portless"), cluster_ips=("None",)),
        Service(name("shop/six"), ports=(ServicePort("", "TCP", 80),), cluster_ips=("None",)),
        Service(name("shop/sctp"), ports=(ServicePort("sig", "SCTP", 99),), cluster_ips=("10.96.0.23",)),
    ),
    slices=(
        sliced("shop/web", Endpoint(("10.244.0.9",), ready=True), ports=(HTTP,)),
        sliced(
            "shop/db",
            Endpoint(("10.244.0.5",), ready=True, hostname="db-0"),
            Endpoint(("10.244.0.6",), target=name("shop/db-x7")),  # ready unset
            Endpoint(("10.244.0.7",), ready=False),
            Endpoint(("10.244.0.8",), ready=False, serving=True, terminating=True),
            ports=(HTTP, UNNAMED),
        ),
        sliced("shop/db", Endpoint(("fd00::5",), ready=True, hostname="db-0"), ports=(HTTP,), family="IPv6"),
        sliced("shop/empty", Endpoint(("10.244.0.7",), ready=False), ports=(HTTP,)),
        sliced("shop/portless", Endpoint(("10.244.0.5",), ready=True)),
        sliced("shop/six", Endpoint(("fd00::",), ready=True), ports=(UNNAMED,), family="IPv6"),
    ),
    pods=(Pod(name("ops/lone"), ips=("10.244.1.1",)),),
)


def ask(
    short: str, rdtype: str, config: DnsConfig | None = None, cluster: Cluster = CLUSTER
) -> tuple[str, set[str]]:
    """The rcode and the data of the answer section, for a name in the zone or an absolute one."""
    absolute = short if short.endswith(".") else f"{short}.cluster.local."
    message = ClusterDns.of(cluster, config).ask(absolute, dns.rdatatype.from_text(rdtype)).message
    return dns.rcode.to_text(message.rcode()), {str(record) for rrset in message.answer for record in rrset}


NXDOMAIN, NODATA = ("NXDOMAIN", set[str]()), ("NOERROR", set[str]())


def found(*data: str) -> tuple[str, set[str]]:
    return "NOERROR", set(data)


def test_dns_a_01_a_service_is_its_cluster_ips_and_nothing_else() -> None:
    """No external IP, no node port, no endpoint; with endpoints or without."""
    assert ask("web.shop.svc", "A") == found("10.96.0.20")
    assert ask("web.shop.svc", "AAAA") == found("fd00:10:96::20")
    assert ask("idle.shop.svc", "A") == found("10.96.0.22")


def test_dns_a_02_a_family_that_the_service_lacks_is_no_data() -> None:
    assert ask("single.shop.svc", "AAAA") == NODATA


def test_dns_a_03_a_headless_service_is_its_ready_endpoints() -> None:
    assert ask("db.shop.svc", "A") == found("10.244.0.5", "10.244.0.6")
    assert ask("db.shop.svc", "AAAA") == found("fd00::5")


def test_dns_a_03_without_a_ready_endpoint_there_is_no_such_name_in_either_family() -> None:
    assert ask("empty.shop.svc", "A") == NXDOMAIN
    assert ask("empty.shop.svc", "AAAA") == NXDOMAIN


def test_dns_a_03_endpoints_of_the_other_family_only_are_no_data() -> None:
    assert ask("six.shop.svc", "A") == NODATA
    assert ask("six.shop.svc", "AAAA") == found("fd00::")


def test_dns_a_04_unset_is_ready_and_serving_while_terminating_is_not() -> None:
    assert ask("10-244-0-6.db.shop.svc", "A") == found("10.244.0.6")
    assert ask("10-244-0-8.db.shop.svc", "A") == NXDOMAIN


def test_dns_a_05_a_headless_service_without_ports_has_addresses() -> None:
    assert ask("portless.shop.svc", "A") == found("10.244.0.5")
    assert ask("portless.shop.svc", "SRV") == NODATA


def test_dns_a_05_two_ports_do_not_publish_an_address_twice() -> None:
    message = ClusterDns.of(CLUSTER).ask("db.shop.svc.cluster.local.", dns.rdatatype.A).message

    assert [len(rrset) for rrset in message.answer] == [2]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("nope.shop.svc", NXDOMAIN),
        ("web.nowhere.svc", NXDOMAIN),
        ("nowhere.svc", NXDOMAIN),
        ("shop.svc", NODATA),
        ("ops.svc", NODATA),  # only a pod is in it
        ("default.svc", NODATA),
        ("svc", NODATA),
        ("cluster.local.", NODATA),
        ("other", NXDOMAIN),
        ("a.b.c.web.shop.svc", NXDOMAIN),
    ],
)
def test_dns_a_07_namespaces_exist_and_unknown_names_do_not(
    asked: str, expected: tuple[str, set[str]]
) -> None:
    assert ask(asked, "A") == expected


def test_dns_a_07_a_namespace_may_be_told_to_exist() -> None:
    assert ask("staging.svc", "A", DnsConfig(namespaces=("staging",))) == NODATA


def test_dns_ep_01_an_endpoint_is_named_by_hostname_else_by_its_dashed_address() -> None:
    assert ask("db-0.db.shop.svc", "A") == found("10.244.0.5")
    assert ask("10-244-0-6.db.shop.svc", "A") == found("10.244.0.6")
    assert ask("10-244-0-5.db.shop.svc", "A") == NXDOMAIN


def test_dns_ep_01_a_trailing_dash_gets_a_zero() -> None:
    assert ask("fd00--0.six.shop.svc", "AAAA") == found("fd00::")
    assert ask("fd00--.six.shop.svc", "AAAA") == NXDOMAIN


def test_dns_ep_02_a_pods_name_makes_a_record_only_where_the_option_is_on() -> None:
    option = DnsConfig(endpoint_pod_names=True)

    assert ask("db-x7.db.shop.svc", "A") == NXDOMAIN
    assert ask("db-x7.db.shop.svc", "A", option) == found("10.244.0.6")
    assert ask("10-244-0-6.db.shop.svc", "A", option) == NXDOMAIN
    assert ask("db-0.db.shop.svc", "A", option) == found("10.244.0.5")


def test_dns_ep_02_a_pods_name_longer_than_a_label_is_passed_over() -> None:
    pod = ObjectName("shop", "p" * 64)
    cluster = Cluster(
        services=(Service(name("shop/db"), cluster_ips=("None",)),),
        slices=(sliced("shop/db", Endpoint(("10.244.0.5",), target=pod)),),
    )

    assert ask("10-244-0-5.db.shop.svc", "A", DnsConfig(endpoint_pod_names=True), cluster) == found(
        "10.244.0.5"
    )


def test_dns_ep_03_endpoints_that_share_a_hostname_are_all_answered() -> None:
    twins = (Endpoint(("10.244.0.1",), hostname="same"), Endpoint(("10.244.0.2",), hostname="same"))
    cluster = Cluster(
        services=(Service(name("shop/db"), cluster_ips=("None",)),), slices=(sliced("shop/db", *twins),)
    )

    assert ask("same.db.shop.svc", "A", cluster=cluster) == found("10.244.0.1", "10.244.0.2")


def test_dns_ep_03_endpoint_names_of_a_cluster_ip_service_are_an_extension() -> None:
    assert ask("10-244-0-9.web.shop.svc", "A") == found("10.244.0.9")
    assert ask("10-244-0-9.web.shop.svc", "A", SCHEMA) == NXDOMAIN


def test_dns_srv_01_a_named_port_points_at_the_service_and_its_own_port() -> None:
    assert ask("_http._tcp.single.shop.svc", "SRV") == NXDOMAIN
    assert ask("_http._tcp.idle.shop.svc", "SRV") == found("0 100 80 idle.shop.svc.cluster.local.")
    assert ask("_dns._udp.web.shop.svc", "SRV", SCHEMA) == found("0 50 53 web.shop.svc.cluster.local.")


def test_dns_srv_02_headless_points_at_each_endpoint_and_the_endpoints_port() -> None:
    """db-0 stands once: it has two addresses and one port."""
    expected = found(
        "0 33 8080 db-0.db.shop.svc.cluster.local.",
        "0 33 8080 10-244-0-6.db.shop.svc.cluster.local.",
    )

    assert ask("_http._tcp.db.shop.svc", "SRV") == expected
    assert ask("_http._tcp.db.shop.svc", "SRV", SCHEMA) == expected


def test_dns_srv_03_the_bare_name_answers_with_all_ports_as_an_extension() -> None:
    targets = {line.split(" ", 2)[2] for line in ask("db.shop.svc", "SRV")[1]}

    assert targets == {
        "8080 db-0.db.shop.svc.cluster.local.",
        "9000 db-0.db.shop.svc.cluster.local.",
        "8080 10-244-0-6.db.shop.svc.cluster.local.",
        "9000 10-244-0-6.db.shop.svc.cluster.local.",
    }
    assert ask("db.shop.svc", "SRV", SCHEMA) == NODATA


def test_dns_srv_03_the_weight_is_a_share_of_100_and_at_least_1() -> None:
    many = [Endpoint((f"10.244.{at // 200}.{at % 200 + 1}",), ready=True) for at in range(101)]
    cluster = Cluster(
        services=(Service(name("shop/db"), cluster_ips=("None",)),),
        slices=(sliced("shop/db", *many, ports=(HTTP,)),),
    )

    _, data = ask("_http._tcp.db.shop.svc", "SRV", cluster=cluster)
    assert {line.split()[1] for line in data} == {"1"}


def test_dns_srv_04_the_protocol_label_is_the_ports_protocol() -> None:
    assert ask("_sig._sctp.sctp.shop.svc", "SRV") == found("0 100 99 sctp.shop.svc.cluster.local.")
    assert ask("_sig._tcp.sctp.shop.svc", "SRV") == NXDOMAIN


def test_port_labels_without_underscores_and_addresses_of_port_names_are_extensions() -> None:
    assert ask("http.tcp.idle.shop.svc", "SRV") == found("0 100 80 idle.shop.svc.cluster.local.")
    assert ask("http.tcp.idle.shop.svc", "SRV", SCHEMA) == NXDOMAIN
    assert ask("_http._tcp.idle.shop.svc", "A") == found("10.96.0.22")
    assert ask("_http._tcp.idle.shop.svc", "A", SCHEMA) == NODATA


def test_names_are_compared_without_case_and_answered_in_the_letters_asked() -> None:
    query = dns.message.make_query("WEB.Shop.SVC.Cluster.Local.", "A")

    message = answer(CLUSTER, query)

    assert [str(message.answer[0].name), message.id] == ["WEB.Shop.SVC.Cluster.Local.", query.id]
    assert ask("Db-0.DB.shop.svc", "A") == found("10.244.0.5")


def test_services_whose_names_fit_no_label_have_no_records() -> None:
    cluster = Cluster(services=(Service(ObjectName("shop", "s" * 64), cluster_ips=("10.96.0.9",)),))

    assert ask("9.0.96.10.in-addr.arpa.", "PTR", DnsConfig(fall_through=()), cluster) == NXDOMAIN
