"""What the controllers publish as the JSON of `svcproof endpoints` (docs/endpoints.md)."""

from collections.abc import Iterable, Sequence

from model.controllers.discrepancy import Discrepancy, Entry, Publication
from model.controllers.publish import Published
from model.objects import (
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    Service,
)

Json = dict[str, object]


def published_json(
    services: Sequence[Service],
    published: Published,
    compared: Sequence[Publication],
    differences: Sequence[Discrepancy],
) -> Json:
    """The whole answer about these Services."""
    verdict = "differs" if differences else "agrees" if compared else "not-compared"
    return {
        "version": 1,
        "verdict": verdict,
        "compared": [each.value for each in compared],
        "services": [_service_json(service, published, differences) for service in services],
    }


def _service_json(service: Service, published: Published, differences: Iterable[Discrepancy]) -> Json:
    endpoints = next((each for each in published.endpoints if each.name == service.name), None)
    return {
        "service": str(service.name),
        "type": service.type.value,
        "selector": None if service.selector is None else dict(service.selector),
        "slices": [_slice_json(one) for one in published.slices if one.service == service.name],
        "endpoints": None if endpoints is None else _endpoints_json(endpoints),
        "differences": [_difference_json(each) for each in differences if each.service == service.name],
    }


def _slice_json(one: EndpointSlice) -> Json:
    return {
        "name": one.name.name,
        "address_type": one.address_type,
        "managed_by": one.managed_by or None,
        "headless": one.headless,
        "ports": [_port_json(port) for port in one.ports],
        "endpoints": [_endpoint_json(endpoint) for endpoint in one.endpoints],
    }


def _endpoints_json(endpoints: Endpoints) -> Json:
    over_capacity = dict(endpoints.annotations).get("endpoints.kubernetes.io/over-capacity")
    return {
        "truncated": over_capacity == "truncated",
        "subsets": [_subset_json(subset) for subset in endpoints.subsets],
    }


def _subset_json(subset: EndpointSubset) -> Json:
    return {
        "addresses": [_address_json(address) for address in subset.addresses],
        "not_ready_addresses": [_address_json(address) for address in subset.not_ready_addresses],
        "ports": [_port_json(port) for port in subset.ports],
    }


def _address_json(address: EndpointAddress) -> Json:
    return {
        "address": address.ip,
        "hostname": address.hostname or None,
        "node": address.node_name or None,
        "pod": address.target and str(address.target),
    }


def _port_json(port: EndpointPort) -> Json:
    value: Json = {"name": port.name, "protocol": port.protocol, "port": port.port}
    return value | ({"app_protocol": port.app_protocol} if port.app_protocol else {})


def _endpoint_json(endpoint: Endpoint) -> Json:
    return {
        "addresses": list(endpoint.addresses),
        "ready": endpoint.ready,
        "serving": endpoint.serving,
        "terminating": endpoint.terminating,
        "hostname": endpoint.hostname,
        "node": endpoint.node_name,
        "zone": endpoint.zone,
        "pod": endpoint.target and str(endpoint.target),
        "for_zones": list(endpoint.zone_hints),
        "for_nodes": list(endpoint.node_hints),
    }


def _difference_json(difference: Discrepancy) -> Json:
    return {
        "object": difference.publication.value,
        "kind": difference.change.value,
        "expected": _entry_json(difference.expected),
        "found": _entry_json(difference.found),
    }


def _entry_json(entry: Entry | None) -> Json | None:
    if entry is None:
        return None
    return {
        "address_type": entry.address_type or None,
        "headless": entry.headless,
        "ports": [_port_json(port) for port in entry.ports],
        "endpoint": None if entry.endpoint is None else _endpoint_json(entry.endpoint),
    }
