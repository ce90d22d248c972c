"""What the API server holds before it judges: Services, Endpoints, EndpointSlices, ranges, owners.

Kept as stored, field for field, because validation compares every field with the old one.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import attrs
from rpds import HashTrieMap

from model.addresses import format_address, parse_address
from model.api import objects as api
from model.api.adopt import adopt
from model.api.allocation.bands import address_range
from model.api.json_form import from_tree
from model.api.refusal import Refused
from model.api.registry import DEFAULT_SERVICE_CIDR, ApiConfig, Registry
from model.errors import InputError
from model.load.text import parse_documents
from model.load.walk import Found, faults_named, find_objects
from model.objects import ObjectName
from oracle.admission.settings import ASSUMED_CIDR, default_service_cidr

_DISCOVERY = frozenset(("", "discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"))
_NETWORKING = frozenset(("", *(f"networking.k8s.io/{v}" for v in ("v1", "v1beta1", "v1alpha1"))))
_CORE = frozenset(("", "v1"))

T = TypeVar("T", api.Service, api.Endpoints, api.EndpointSlice, api.ServiceCIDR, api.IPAddress)


@attrs.frozen
class Store:
    """The stored objects; `registry` holds the Services with the allocators' pools."""

    registry: Registry = Registry()
    endpoints: "HashTrieMap[ObjectName, api.Endpoints]" = HashTrieMap()
    slices: "HashTrieMap[ObjectName, api.EndpointSlice]" = HashTrieMap()


@attrs.frozen
class Opened:
    """A store, and in words what had to be assumed to have it."""

    store: Store
    assumptions: tuple[str, ...] = ()


def open_store(
    sources: Iterable[tuple[str, bytes]],
    config: ApiConfig = ApiConfig(),
    service_cidrs: tuple[str, ...] = (),
) -> Opened:
    """The store that holds the objects of all files; `sources` are (file label, content).

    `service_cidrs` stand in place of the ServiceCIDR `kubernetes`. An address belongs to
    the Service that its IPAddress object names, else to the first that carries it.
    Raises InputError naming file, object and field.
    """
    found = [item for file, data in sources for item in _found(data, file)]
    ranges = {one.metadata.name: one for one in _all(found, api.ServiceCIDR, _NETWORKING)}
    assumptions: list[str] = []
    services = {one.object_name: one for one in _all(found, api.Service, _CORE)}
    if service_cidrs:
        ranges[DEFAULT_SERVICE_CIDR] = default_service_cidr(service_cidrs)
    elif DEFAULT_SERVICE_CIDR not in ranges:
        ranges[DEFAULT_SERVICE_CIDR] = default_service_cidr((ASSUMED_CIDR,))
        assumptions.append(_assumed(services.values()))
    registry = adopt(
        Registry(
            config,
            service_cidrs=HashTrieMap(ranges.items()),
            ip_owners=HashTrieMap(_owners(_all(found, api.IPAddress, _NETWORKING))),
        ),
        services.values(),
    )
    return Opened(
        Store(
            registry,
            HashTrieMap((one.metadata.object_name, one) for one in _all(found, api.Endpoints, _CORE)),
            HashTrieMap(
                (one.metadata.object_name, one) for one in _all(found, api.EndpointSlice, _DISCOVERY)
            ),
        ),
        tuple(assumptions),
    )


def _found(data: bytes, file: str) -> list[Found]:
    documents = parse_documents(data, file)
    with faults_named(documents, file):
        return list(find_objects(documents, file))


def _all(found: Iterable[Found], shape: type[T], versions: frozenset[str]) -> Iterator[T]:
    """The objects of one kind, field for field; one without a namespace is in `default`."""
    for item in found:
        if item.kind != shape.__name__ or item.version not in versions:
            continue
        try:
            one = from_tree(shape, item.tree())
        except Refused as fault:
            where = f"{item.kind} at {item.place}" if item.place else item.kind
            raise InputError(item.file, 0, f"{where}: {fault}") from None
        if isinstance(one, api.Service | api.Endpoints | api.EndpointSlice) and not one.metadata.namespace:
            one = attrs.evolve(one, metadata=attrs.evolve(one.metadata, namespace="default"))
        yield one


def _owners(addresses: Iterable[api.IPAddress]) -> Iterator[tuple[str, ObjectName]]:
    for one in addresses:
        parent = one.spec.parent_ref
        try:
            text = format_address(*parse_address(one.metadata.name))
        except ValueError:
            continue
        if parent is not None:
            yield text, ObjectName(parent.namespace, parent.name)


def _assumed(services: Iterable[api.Service]) -> str:
    """The assumption of a range, with a Service that it does not fit where there is one."""
    text = f"no ServiceCIDR kubernetes among the objects: {ASSUMED_CIDR} assumed (--service-cidr)"
    held = Registry(service_cidrs=HashTrieMap({"kubernetes": default_service_cidr((ASSUMED_CIDR,))}))
    for service in services:
        for address in service.spec.cluster_ips or (service.spec.cluster_ip,):
            if address not in ("", api.HEADLESS) and not _is_held(held, address):
                return f"{text}, though {service.object_name} has {address}"
    return text


def _is_held(registry: Registry, address: str) -> bool:
    try:
        family, number = parse_address(address)
    except ValueError:
        return True
    return any(address_range(cidr).has(family, number) for cidr, _ in registry.cidrs)
