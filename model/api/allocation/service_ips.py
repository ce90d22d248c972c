"""Which cluster IPs a request for a Service takes and releases.

Source: `pkg/registry/core/service/storage/alloc.go allocClusterIPs, updateClusterIPs`.
"""

from collections.abc import Iterable
from random import Random

import attrs

from model.addresses import Family
from model.api.allocation.cluster_ips import (
    NoAddress,
    check_address_dry,
    placeholder_address,
    release_address,
    take_address,
    take_next_address,
)
from model.api.families import keeps_preferred_families
from model.api.needs import EXTERNAL_NAME, needs_cluster_ip
from model.api.objects import HEADLESS, Service
from model.api.refusal import Reason, Refused
from model.api.registry import Registry
from model.api.validation.field_errors import invalid


def take_ips_for_new(
    registry: Registry, service: Service, draw: Random, *, dry_run: bool
) -> tuple[Registry, Service]:
    """A new Service, or one that was ExternalName, with an address of each of its families.

    Headless and ExternalName ones get none (ALLOC-IP-06). Raises Refused: 422 for an
    address that cannot be had (ALLOC-IP-05), 500 when nothing is free (ALLOC-IP-04).
    """
    if not needs_cluster_ip(service.spec) or service.spec.cluster_ips[:1] == (HEADLESS,):
        return registry, service
    return _take(registry, service, range(len(service.spec.ip_families)), draw, dry_run=dry_run)


def take_ips_for_update(
    registry: Registry, new: Service, old: Service, draw: Random, *, dry_run: bool
) -> tuple[Registry, Service, tuple[str, ...]]:
    """An updated Service with its addresses, and those to release once it is written.

    From ExternalName all are taken afresh (API-TC-02), to ExternalName all are released
    (API-TC-01); an upgrade takes the second alone (API-DS-09), a downgrade releases it.
    Everything else keeps what it has (ALLOC-IP-07). Raises Refused as for a new one.
    """
    if keeps_preferred_families(new, old):
        return registry, new, ()
    if old.spec.type == EXTERNAL_NAME:
        registry, new = take_ips_for_new(registry, new, draw, dry_run=dry_run)
        return registry, new, ()
    if old.spec.cluster_ips[:1] == (HEADLESS,):
        return registry, new, ()
    if new.spec.type == EXTERNAL_NAME:
        return registry, new, old.spec.cluster_ips
    before, after = len(old.spec.ip_families), len(new.spec.ip_families)
    if (before, after) == (1, 2):
        registry, new = _take(registry, new, (1,), draw, dry_run=dry_run)
        return registry, new, ()
    return registry, new, old.spec.cluster_ips[1:] if (before, after) == (2, 1) else ()


def release_ips(registry: Registry, service: Service) -> Registry:
    """Releases the addresses of a Service that is deleted, whoever owns them (API-TC-11)."""
    if not needs_cluster_ip(service.spec) or service.spec.cluster_ips[:1] == (HEADLESS,):
        return registry
    return release_addresses(registry, service.spec.cluster_ips)


def release_addresses(registry: Registry, addresses: Iterable[str]) -> Registry:
    for address in addresses:
        registry = release_address(registry, address)
    return registry


def _take(
    registry: Registry, service: Service, places: Iterable[int], draw: Random, *, dry_run: bool
) -> tuple[Registry, Service]:
    """With an address at each of these places of clusterIPs; an empty place means any address."""
    spec = service.spec
    addresses = [*spec.cluster_ips, *[""] * (len(spec.ip_families) - len(spec.cluster_ips))]
    for place in places:
        wanted = addresses[place]
        try:
            if wanted and dry_run:
                check_address_dry(registry, wanted, draw)
            elif wanted:
                registry = take_address(registry, service.object_name, wanted)
            else:
                family = Family(spec.ip_families[place])
                registry, addresses[place] = _take_next(registry, service, family, draw, dry_run=dry_run)
        except NoAddress as fault:
            raise _refused(service, wanted, fault) from None
    cluster_ip = addresses[0] if addresses else spec.cluster_ip
    return registry, attrs.evolve(
        service, spec=attrs.evolve(spec, cluster_ip=cluster_ip, cluster_ips=tuple(addresses))
    )


def _take_next(
    registry: Registry, service: Service, family: Family, draw: Random, *, dry_run: bool
) -> tuple[Registry, str]:
    if dry_run:
        return registry, placeholder_address(registry, family, draw)
    return take_next_address(registry, service.object_name, family, draw)


def _refused(service: Service, wanted: str, fault: NoAddress) -> Refused:
    if not wanted:
        return Refused(Reason.INTERNAL_ERROR, f"failed to allocate a serviceIP: {fault}")
    detail = f"failed to allocate IP {wanted}: {fault}"
    cause = invalid("spec.clusterIPs", service.spec.cluster_ips, detail)
    return Refused(Reason.INVALID, f"Service {service.object_name} is invalid", (cause,))
