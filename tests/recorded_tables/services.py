"""Comparing a Service that the model stored with the one that a real server stored.

Values that the server chose are random: each is replaced by what a rule says of it (its
kind, family and band) and by its place in the order of first appearance, so that sharing
a number is seen. What the request or the object before names is compared as it is.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from rpds import HashTrieMap

from model.api.allocation.bands import address_range, node_port_bands
from model.api.allocation.cluster_ips import canonical_address
from model.api.json_form import from_tree, to_tree
from model.api.objects import HEADLESS, Metadata, Service, ServiceCIDR, ServiceCIDRSpec
from model.api.refusal import Refused
from model.api.registry import DEFAULT_SERVICE_CIDR, Registry
from model.api.service_storage import Accepted
from tests.recorded_tables.case import Mismatch, same

Causes = frozenset[tuple[str, str]]


def registry_with(*cidrs: str) -> Registry:
    """An empty registry whose default ServiceCIDR has these CIDRs, the primary one first."""
    default = ServiceCIDR(Metadata(DEFAULT_SERVICE_CIDR), ServiceCIDRSpec(cidrs))
    return Registry(service_cidrs=HashTrieMap({DEFAULT_SERVICE_CIDR: default}))


def refused_as(status: int, reason: str, causes: Causes, ask: Callable[[], Accepted]) -> None:
    """Raises Mismatch unless the model refuses with this status, reason and set of causes."""
    try:
        accepted = ask()
    except Refused as refusal:
        # A cause of a server's own failure has neither field nor reason.
        found = frozenset((one.field, one.type.value) for one in refusal.causes)
        same((status, reason, causes), (refusal.reason.status, refusal.reason.value, found))
        return
    raise Mismatch(f"recorded {status} {reason} {sorted(causes)}, the model accepts {accepted.service}")


def accepted_as(
    recorded: Mapping[str, Any],
    ask: Callable[[], Accepted],
    *known: Service,
    cidrs: tuple[str, ...],
    dry_run: bool = False,
) -> Registry:
    """The registry after, unless the model refuses or stores another object (Mismatch).

    `known` are the request and the object before: their values are no choice of the server.
    """
    try:
        accepted = ask()
    except Refused as refusal:
        raise Mismatch(f"recorded as accepted, the model refuses: {refusal}") from None
    given = frozenset() if dry_run else frozenset().union(*map(_chosen_values, known))
    show = (lambda service: service) if dry_run else (lambda service: _with_roles(service, given, cidrs))
    expected, found = from_tree(Service, recorded), accepted.service
    same(to_tree(_comparable(show(expected))), to_tree(_comparable(show(found))))
    return accepted.registry


def _comparable(service: Service) -> Service:
    """Without metadata that nobody can foretell."""
    metadata = attrs.evolve(
        service.metadata,
        uid="",
        resource_version="",
        creation_timestamp=None,
        deletion_timestamp=service.metadata.deletion_timestamp and "set",
    )
    return attrs.evolve(service, metadata=metadata)


def _chosen_values(service: Service) -> frozenset[str | int]:
    spec = service.spec
    values: tuple[str | int, ...] = (
        spec.cluster_ip,
        *spec.cluster_ips,
        spec.health_check_node_port,
        *(port.node_port for port in spec.ports),
    )
    return frozenset(values) | {"", 0, HEADLESS}


def _with_roles(service: Service, given: frozenset[str | int], cidrs: tuple[str, ...]) -> Service:
    """With each value that the server chose replaced by its role."""
    roles: dict[str | int, int] = {}

    def address(text: str) -> str:
        if text in given:
            return text
        number = roles.setdefault(text, len(roles))
        return f"{number}: {_band_of_address(text, cidrs)}"

    def port(value: int) -> int:
        if value in given:
            return value
        number = roles.setdefault(value, len(roles))
        bands = node_port_bands(30000, 32767)
        return -number - (1000 if value in bands and value >= bands.middle else 2000)

    spec = service.spec
    return attrs.evolve(
        service,
        spec=attrs.evolve(
            spec,
            cluster_ip=address(spec.cluster_ip),
            cluster_ips=tuple(map(address, spec.cluster_ips)),
            ports=tuple(attrs.evolve(one, node_port=port(one.node_port)) for one in spec.ports),
            health_check_node_port=port(spec.health_check_node_port),
        ),
    )


def _band_of_address(text: str, cidrs: tuple[str, ...]) -> str:
    family, address = canonical_address(text)
    for cidr in cidrs:
        one = address_range(cidr)
        if one.has(family, address):
            return f"{family.value} {'dynamic' if address >= one.usable.middle else 'static'}"
    return f"{family.value} out of range"
