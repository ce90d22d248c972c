"""What a Pod's spec says of its DNS."""

import json
from typing import Any

import pytest

from model.dns import NodeDns, PodDns, pod_resolv_conf
from model.errors import InputError
from model.load import load_cluster
from model.objects import DnsPolicy, Pod, PodDnsConfig


def read_pod(spec: dict[str, Any]) -> Pod:
    written = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": spec,
    }
    return load_cluster([("c.json", json.dumps(written).encode())]).pods[0]


def test_policy_and_config_are_read_as_written() -> None:
    config = {
        "nameservers": ["192.0.2.53"],
        "searches": ["a.example", "b.example"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }

    pod = read_pod({"dnsPolicy": "None", "dnsConfig": config})

    assert (pod.dns_policy, pod.dns_config) == (
        DnsPolicy.NONE,
        PodDnsConfig(("192.0.2.53",), ("a.example", "b.example"), (("ndots", "2"), ("edns0", ""))),
    )


@pytest.mark.parametrize("spec", [{}, {"dnsPolicy": "", "dnsConfig": None}])
def test_without_them_the_policy_is_unset_and_the_config_empty(spec: dict[str, Any]) -> None:
    pod = read_pod(spec)

    assert (pod.dns_policy, pod.dns_config) == (None, PodDnsConfig())


def test_a_policy_that_kubernetes_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="dnsPolicy"):
        read_pod({"dnsPolicy": "ClusterLast"})


def nameservers_of(spec: dict[str, Any]) -> tuple[str, ...]:
    node = NodeDns(("10.96.0.10",))
    return pod_resolv_conf(PodDns.of(read_pod(spec)), node).nameservers


@pytest.mark.parametrize(
    ("spec", "nameservers"),
    [
        ({}, ("10.96.0.10",)),
        ({"dnsPolicy": "Default"}, ()),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, ()),
        ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, ("10.96.0.10",)),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.53"]}}, ("192.0.2.53",)),
        ({"dnsConfig": {"nameservers": ["192.0.2.53"]}}, ("10.96.0.10", "192.0.2.53")),
    ],
)
def test_dns_res_02_a_pod_asks_whom_its_policy_and_config_say(
    spec: dict[str, Any], nameservers: tuple[str, ...]
) -> None:
    """The node's own resolv.conf is empty here."""
    assert nameservers_of(spec) == nameservers


def test_dns_res_03_a_pods_own_options_and_searches_take_part() -> None:
    config = {"searches": ["a.example"], "options": [{"name": "ndots", "value": "1"}]}

    conf = pod_resolv_conf(PodDns.of(read_pod({"dnsConfig": config})), NodeDns(("10.96.0.10",)))

    assert (conf.ndots, conf.searches[-1]) == (1, "a.example")
