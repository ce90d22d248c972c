"""How kube-proxy chose endpoints and kept slices: replays of recorded tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from model.addresses import Family, format_address, parse_address
from model.eligibility import endpoint_sets
from model.objects import Cluster, EndpointSlice, ObjectName, ServicePortName
from model.proxy_changes import (
    EndpointsMap,
    SliceCache,
    changed_udp_service_ports,
    local_ready_addresses,
)
from model.proxy_endpoints import EndpointList, ProxyEndpoint, endpoint_text
from model.proxy_version import Reading
from tests.recorded_tables.case import Case, same
from tests.recorded_tables.health_and_conntrack import cluster_of

SLICES = "discovery.k8s.io/v1"
ZONE = "topology.kubernetes.io/zone"


def cluster_of_slices(items: Iterable[dict[str, Any]]) -> Cluster:
    return cluster_of((SLICES, "EndpointSlice", list(items)))


def slice_of(item: dict[str, Any], family: Family = Family.IPV4) -> EndpointSlice:
    """The slice; some cases leave the address type out, which no proxy would be told of."""
    return cluster_of_slices([{**item, "addressType": item.get("addressType") or family.value}]).slices[0]


# Endpoints as they were recorded: a record each, in the order of text.


def recorded(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    hints = {name: sorted(endpoint.get(name) or ()) for name in ("zoneHints", "nodeHints")}
    return {**endpoint, **hints}


def told(family: Family, one: ProxyEndpoint) -> dict[str, Any]:
    return {
        "endpoint": endpoint_text(family, one.address, one.port),
        "ip": format_address(family, one.address),
        "isLocal": one.local,
        "port": one.port,
        "ready": one.ready,
        "serving": one.serving,
        "terminating": one.terminating,
        "zoneHints": sorted(one.zone_hints),
        "nodeHints": sorted(one.node_hints),
    }


def port_text(name: ServicePortName) -> str:
    return f"{name.service}:{name.port_name}/{name.protocol}"


def told_map(family: Family, endpoints: EndpointsMap) -> dict[str, Any]:
    return {port_text(name): [told(family, one) for one in listed] for name, listed in endpoints.items()}


def recorded_map(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Endpoints by service port; where they were recorded by text, in the order of it."""
    return {
        name: [recorded(one) for one in (listed.values() if isinstance(listed, dict) else listed or ())]
        for name, listed in (found or {}).items()
    }


def endpoint_of(record: Mapping[str, Any]) -> ProxyEndpoint:
    host, _, port = record["endpoint"].rpartition(":")
    return ProxyEndpoint(
        parse_address(host.strip("[]"))[1],
        int(port),
        record["ready"],
        record["serving"],
        record["terminating"],
        record["isLocal"],
        tuple(record.get("zoneHints") or ()),
        tuple(record.get("nodeHints") or ()),
    )


def port_name(text: str) -> ServicePortName:
    service, _, rest = text.partition(":")
    namespace, _, name = service.partition("/")
    port, _, protocol = rest.rpartition("/")
    return ServicePortName(ObjectName(namespace, name), port, protocol)


# Eligibility.


def categorize_endpoints(case: Case) -> None:
    wanted, service = case["case"], case["case"]["serviceInfo"]
    listed = wanted.get("endpoints") or ()
    endpoints = tuple(endpoint_of(record) for record in listed)
    family = Family.IPV6 if any("[" in one["endpoint"] for one in listed) else Family.IPV4
    external = bool(service["nodePort"] or service["externalIPs"] or service["loadBalancerVIPs"])

    sets = endpoint_sets(
        endpoints,
        uses_cluster=not service["internalPolicyLocal"] or external,
        uses_local=service["internalPolicyLocal"] or (service["externalPolicyLocal"] and external),
        node_name=wanted["nodeName"],
        zone=(wanted.get("nodeLabels") or {}).get(ZONE),
        reading=Reading(node_hints=wanted["preferSameEnabled"]),
    )

    def texts(found: EndpointList | None) -> set[str]:
        return {endpoint_text(family, one.address, one.port) for one in found or ()}

    observed = case["observed"]
    same(set(observed.get("clusterEndpoints") or ()), texts(sets.cluster), "cluster")
    same(set(observed.get("localEndpoints") or ()), texts(sets.local), "local")
    same(set(observed.get("allEndpoints") or ()), texts(sets.cluster) | texts(sets.local), "all")
    same(observed["hasAnyEndpoints"], sets.has, "has any")


# The slice cache.


def endpoints_of_slices(case: Case) -> None:
    """The cases keep each slice as waiting and look at those of one Service."""
    wanted = case["case"]
    name = ObjectName(wanted["namespacedName"]["Namespace"], wanted["namespacedName"]["Name"])
    cache = SliceCache(Family.IPV4, wanted["hostname"])
    for item in wanted.get("endpointSlices") or ():
        cache = cache.updated(slice_of(item))

    found = cache.synced()[0].endpoints()

    of_service = {port: listed for port, listed in found.items() if port.service == name}
    same(recorded_map(case.get("observed")), told_map(Family.IPV4, of_service))


def slice_update(case: Case) -> None:
    family = Family(case["ipFamily"])
    cache = SliceCache(family, case["nodeName"])
    for item in case.get("startingSlices") or ():
        cache = cache.updated(slice_of(item, family))
    cache, _ = cache.synced()
    one = slice_of(case["paramEndpointSlice"], family)

    after = cache.removed(one) if case["paramRemoveSlice"] else cache.updated(one)

    same(case["expectedReturnVal"], after is not cache, "matters")
    changes = {
        str(change.service): {
            "previous": told_map(family, change.before),
            "current": told_map(family, change.after),
        }
        for change in after.synced()[1]
    }
    observed = {
        service: {moment: recorded_map(change.get(moment)) for moment in ("previous", "current")}
        for service, change in (case.get("observedChanges") or {}).items()
    }
    same(observed, changes, "changes")


def slice_data_changed(case: Case) -> None:
    cache = SliceCache(Family.IPV4, "")
    if case.get("initialSlice") is not None:
        cache, _ = cache.updated(slice_of(case["initialSlice"])).synced()

    same(case["observed"], cache.updated(slice_of(case["updatedSlice"])) is not cache)


def update_endpoints_map(case: Case) -> None:
    wanted, observed = case["case"], case["observed"]
    before = [item and slice_of(item) for item in wanted.get("previousEndpointSlices") or ()]
    after = [item and slice_of(item) for item in wanted.get("currentEndpointSlices") or ()]
    cache = SliceCache(Family.IPV4, case["nodeName"])
    for one in before:
        cache = cache.updated(one) if one else cache
    cache, _ = cache.synced()
    same(recorded_map(wanted.get("previousEndpointsMap")), told_map(Family.IPV4, cache.endpoints()), "before")
    for was, one in zip(before, after, strict=True):
        if one:
            cache = cache.updated(one)
        elif was:
            cache = cache.removed(was)

    cache, changes = cache.synced()

    same(recorded_map(observed.get("endpointsMap")), told_map(Family.IPV4, cache.endpoints()), "endpoints")
    same(
        sorted(observed.get("updatedServices") or ()), [str(change.service) for change in changes], "services"
    )
    same(observed["conntrackCleanupRequired"], bool(changed_udp_service_ports(changes)), "clean-up")
    local = local_ready_addresses(cache.endpoints())
    counts = {str(service): len(addresses) for service, addresses in local.items()}
    same(observed.get("localReadyEndpoints") or {}, counts, "local ready endpoints")


def local_endpoint_ips(case: Case) -> None:
    endpoints = {
        port_name(name): tuple(endpoint_of(record) for record in listed or ())
        for name, listed in (case["case"].get("endpointsMap") or {}).items()
    }

    def text(service: ObjectName, address: int) -> str:
        listed = (one for name in endpoints if name.service == service for one in endpoints[name])
        of = Family.IPV4 if any(one.address == address < 1 << 32 for one in listed) else Family.IPV6
        return format_address(of, address)

    found = {
        str(service): sorted(text(service, address) for address in addresses)
        for service, addresses in local_ready_addresses(endpoints).items()
    }
    same({service: sorted(ips) for service, ips in (case.get("observed") or {}).items() if ips}, found)
