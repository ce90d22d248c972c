"""Replays of how kube-proxy read Services, slices and its own settings, and of what it wrote."""

from collections.abc import Iterable, Mapping
from typing import Any

from model.addresses import Family, format_address, parse_address, parse_cidr
from model.frontends import NodeView, ServicePortView, node_view
from model.intervals import Intervals, intersect
from model.node_config import InterfaceAddress, NodeConfig
from model.node_ports import node_port_addresses, serves_localhost
from model.objects import Service, TrafficPolicy
from tests.recorded_tables.case import Case, Replay, same
from tests.recorded_tables.health_and_conntrack import cluster_of
from tests.recorded_tables.proxy_slices import (
    categorize_endpoints,
    endpoints_of_slices,
    local_endpoint_ips,
    port_text,
    slice_data_changed,
    slice_update,
    update_endpoints_map,
)
from tests.recorded_tables.written_rules import rules_as_asked


def view_of(item: dict[str, Any] | None, family: Family) -> NodeView:
    named = [] if item is None else [_named(item)]
    cluster = cluster_of(("v1", "Service", named))
    return node_view(cluster, NodeConfig("node"), family)


def _named(item: dict[str, Any]) -> dict[str, Any]:
    """The Service with a name, which some cases leave out."""
    meta = item.get("metadata") or {}
    return {**item, "metadata": {**meta, "name": meta.get("name") or "unnamed"}}


def _with_a_port(item: dict[str, Any]) -> dict[str, Any]:
    """The Service with a port where it has none, without which nothing of it would show."""
    spec = item.get("spec") or {}
    return {**item, "spec": {**spec, "ports": spec.get("ports") or [{"port": 80}]}}


def cluster_ip_by_family(case: Case) -> None:
    family = Family(case["case"]["requestFamily"])

    ports = view_of(_with_a_port(case["case"]["service"]), family).service_ports

    found = {one.cluster_ip for one in ports}
    same({parse_address(text)[1] for text in (case["observed"],) if text}, found)


def should_skip_service(case: Case) -> None:
    """What is skipped has no frontend in either family."""
    ports = [one for family in Family for one in view_of(_with_a_port(case["service"]), family).service_ports]

    same(case["observed"], not ports)


def service_map(case: Case) -> None:
    family = Family(case["case"]["ipFamily"])
    item = case["case"].get("service")
    service = cluster_of(("v1", "Service", [] if item is None else [_named(item)])).services

    ports = view_of(item, family).service_ports

    found = {port_text(one.name): service_port(family, service[0], one) for one in ports}
    same(_with_plain_values(family, case.get("observed") or {}), found)


def _with_plain_values(family: Family, observed: Mapping[str, Any]) -> dict[str, Any]:
    """Ranges by what they cover, so that it does not matter how they are written."""
    return {
        name: {
            **record,
            "loadBalancerSourceRanges": ranges(record["loadBalancerSourceRanges"] or (), family),
            "externalIPs": record["externalIPs"] or [],
            "loadBalancerVIPs": record["loadBalancerVIPs"] or [],
            "sessionAffinityType": record["sessionAffinityType"] or "None",
        }
        for name, record in observed.items()
    }


def ranges(texts: Iterable[str], family: Family) -> list[Intervals]:
    """Those of the family that can be read, in order."""
    return sorted(readable(texts, family))


def readable(texts: Iterable[str], family: Family) -> list[Intervals]:
    """What the addresses or ranges of the family cover, as given."""
    found = []
    for text in texts:
        try:
            of, values = parse_cidr(text.strip())
        except ValueError:
            continue
        found += [values] if of is family else []
    return found


def service_port(family: Family, service: Service, one: ServicePortView) -> dict[str, Any]:
    """The record of a service port; the ranges are the family's of the Service."""
    return {
        "clusterIP": format_address(family, one.cluster_ip),
        "externalIPs": [format_address(family, address) for address in one.external_ips],
        "externalPolicyLocal": one.external_policy is TrafficPolicy.LOCAL,
        "healthCheckNodePort": one.health_check_node_port,
        "internalPolicyLocal": one.internal_policy is TrafficPolicy.LOCAL,
        "loadBalancerSourceRanges": ranges(service.load_balancer_source_ranges, family),
        "loadBalancerVIPs": [format_address(family, address) for address in one.vips],
        "nodePort": one.node_port,
        "port": one.port,
        "protocol": one.name.protocol,
        "sessionAffinityType": service.session_affinity.value,
        "stickyMaxAgeSeconds": one.affinity_seconds or 0,
    }


# Addresses.


def by_family(case: Case) -> None:
    wanted = case["case"]
    family = Family.IPV6 if wanted["wantIPv6"] else Family.IPV4
    other = Family.IPV4 if wanted["wantIPv6"] else Family.IPV6
    given = wanted.get("ipString") or ()

    for of, name in ((family, "expectCorrect"), (other, "expectIncorrect")):
        expected = wanted.get(name) or ()
        same(readable(expected, of), readable(given, of), name)
        same(len(expected), len(readable(given, of)), name)


def node_of(case: Case) -> NodeConfig:
    """A node with the interfaces of the case."""
    addresses = []
    for interface, texts in (case.get("interfaceAddrs") or {}).items():
        for text in texts or ():
            host, _, length = text.partition("/")
            family, address = parse_address(host)
            addresses.append(InterfaceAddress(interface, family, address, int(length)))
    return NodeConfig(
        "node",
        node_port_addresses=tuple(case.get("nodePortAddresses") or ()),
        addresses=tuple(addresses),
        addresses_are_complete=True,
    )


def node_ips(case: Case) -> None:
    """The recorded addresses are those of interfaces, loopback among them."""
    family = Family(case["family"])
    node = node_of(case)

    served = node_port_addresses(node, family)

    recorded_ips = {parse_address(text)[1] for text in case["observed"].get("ips") or ()}
    own = {one.address for one in node.addresses if one.family is family}
    loopback = {address for address in own if intersect(family.loopback, ((address, address),))}
    found = {address for address in own if intersect(served, ((address, address),))}
    # Loopback is not served where it is not local to the node's own senders (MODE-02), so it
    # is asked of the setting instead.
    same(recorded_ips - loopback, found - loopback, "addresses")
    if family is Family.IPV4:
        same(bool(recorded_ips & loopback), bool(found & loopback), "loopback")


def contains_loopback(case: Case) -> None:
    node = NodeConfig("node", node_port_addresses=tuple(case["case"].get("cidrStrings") or ()))

    same(case["case"]["want"], serves_localhost(node, Family.IPV4))


REPLAYS: Mapping[str, Replay] = {
    "tables/TestCategorizeEndpoints": categorize_endpoints,
    "tables/TestEndpointInfoByServicePort": endpoints_of_slices,
    "tables/TestEndpointsMapFromESC": endpoints_of_slices,
    "tables/TestEndpointSliceUpdate": slice_update,
    "tables/TestEsDataChanged": slice_data_changed,
    "tables/TestUpdateEndpointsMap": update_endpoints_map,
    "tables/TestGetLocalEndpointIPs": local_endpoint_ips,
    "tables/TestGetClusterIPByFamily": cluster_ip_by_family,
    "tables/TestShouldSkipService": should_skip_service,
    "tables/TestServiceToServiceMap": service_map,
    "tables/TestMapCIDRsByIPFamily": by_family,
    "tables/TestMapIPsByIPFamily": by_family,
    "tables/NodePortAddresses_GetNodeIPs": node_ips,
    "tables/NodePortAddresses_ContainsIPv4Loopback": contains_loopback,
    "tables/TestNumberIptablesRules": rules_as_asked,
}
