"""ServiceCIDR objects, and the first Service of every cluster (ALLOC-IP-01, -09, -10).

A ServiceCIDR that is being deleted gives out nothing more but keeps what it gave, and is
gone only when no address depends on it alone. Its controller's delay of some seconds is
not modelled: a pass decides at once.
Source: `pkg/controller/servicecidrs`, `pkg/controlplane/controller/kubernetesservice`.
"""

import attrs

from model.addresses import Family, format_address, parse_cidr
from model.api.allocation.bands import address_range
from model.api.allocation.cluster_ips import canonical_address
from model.api.objects import (
    Condition,
    Metadata,
    Service,
    ServiceCIDR,
    ServiceCIDRSpec,
    ServiceCIDRStatus,
    ServicePort,
    ServiceSpec,
)
from model.api.refusal import Reason, Refused
from model.api.registry import DEFAULT_SERVICE_CIDR, Registry
from model.api.requests import create
from model.api.service_storage import Accepted
from model.api.validation.service_cidr import validate_service_cidr_create
from model.objects import ObjectName

PROTECTION = "networking.k8s.io/service-cidr-finalizer"
KUBERNETES_SERVICE = ObjectName("default", "kubernetes")


def add_service_cidr(registry: Registry, name: str, cidrs: tuple[str, ...]) -> Registry:
    """The registry with another ServiceCIDR, ready at once; overlapping others is allowed.

    Raises Refused: 422 for what is no ServiceCIDR, 409 when the name is taken.
    """
    metadata = Metadata(name=name, finalizers=(PROTECTION,))
    status = ServiceCIDRStatus((Condition("Ready", "True"),))
    errors = validate_service_cidr_create(ServiceCIDR(metadata, ServiceCIDRSpec(cidrs)))
    if errors:
        raise Refused(Reason.INVALID, f"ServiceCIDR {name} is invalid", errors)
    if name in registry.service_cidrs:
        raise Refused(Reason.ALREADY_EXISTS, f"servicecidrs {name!r} already exists")
    added = ServiceCIDR(metadata, ServiceCIDRSpec(cidrs), status)
    return attrs.evolve(registry, service_cidrs=registry.service_cidrs.insert(name, added))


def delete_service_cidr(registry: Registry, name: str, *, now: str = "1970-01-01T00:00:00Z") -> Registry:
    """The registry with the ServiceCIDR marked, or without it where nothing depends on it alone.

    Raises Refused (404) when there is none.
    """
    one = registry.service_cidrs.get(name)
    if one is None:
        raise Refused(Reason.NOT_FOUND, f"servicecidrs {name!r} not found")
    marked = attrs.evolve(
        one,
        metadata=attrs.evolve(one.metadata, deletion_timestamp=one.metadata.deletion_timestamp or now),
        status=ServiceCIDRStatus((Condition("Ready", "False", "Terminating"),)),
    )
    registry = attrs.evolve(registry, service_cidrs=registry.service_cidrs.insert(name, marked))
    return finalize_service_cidrs(registry)


def finalize_service_cidrs(registry: Registry) -> Registry:
    """The registry without those marked ServiceCIDRs that no address depends on alone (ALLOC-IP-09)."""
    for name, one in sorted(registry.service_cidrs.items()):
        if one.metadata.deletion_timestamp is not None and _may_go(registry, name):
            registry = attrs.evolve(registry, service_cidrs=registry.service_cidrs.remove(name))
    return registry


def holders(registry: Registry, address: str) -> frozenset[str]:
    """The names of the ServiceCIDRs that hold an address, in whatever state they are.

    The network address, and in IPv4 the broadcast address, belong to none.
    """
    family, number = canonical_address(address)
    return frozenset(
        name
        for name, one in registry.service_cidrs.items()
        if any(_holds(cidr, family, number) for cidr in one.spec.cidrs)
    )


def ensure_kubernetes_service(registry: Registry, *, target_port: int = 6443, seed: int = 0) -> Accepted:
    """default/kubernetes, with the first usable address of the primary range (ALLOC-IP-10).

    The API server makes it when it starts, and again when somebody has deleted it.
    Raises Refused when that address is taken.
    """
    stored = registry.services.get(KUBERNETES_SERVICE)
    if stored is not None:
        return Accepted(registry, stored)
    default = registry.service_cidrs.get(DEFAULT_SERVICE_CIDR)
    if default is None or not default.spec.cidrs:
        raise Refused(Reason.INTERNAL_ERROR, f"there is no ServiceCIDR {DEFAULT_SERVICE_CIDR}")
    primary = address_range(default.spec.cidrs[0])
    labels = (("component", "apiserver"), ("provider", "kubernetes"))
    metadata = Metadata(KUBERNETES_SERVICE.name, namespace=KUBERNETES_SERVICE.namespace, labels=labels)
    spec = ServiceSpec(
        ports=(ServicePort("https", port=443, target_port=target_port),),
        cluster_ip=format_address(primary.family, primary.usable.first),
    )
    return create(registry, Service(metadata, spec), seed=seed)


def _holds(cidr: str, family: Family, address: int) -> bool:
    span, ((low, high),) = parse_cidr(cidr)
    return span is family and low < address <= high - (family is Family.IPV4)


def _may_go(registry: Registry, name: str) -> bool:
    cidrs = registry.service_cidrs[name].spec.cidrs
    others = [one for other, one in registry.service_cidrs.items() if other != name]
    if all(any(_covers(wide, cidr) for one in others for wide in one.spec.cidrs) for cidr in cidrs):
        return True
    return not any(holders(registry, address) == {name} for address in registry.ip_owners)


def _covers(wide: str, narrow: str) -> bool:
    wide_family, ((low, high),) = parse_cidr(wide)
    family, ((first, last),) = parse_cidr(narrow)
    return wide_family is family and low <= first and last <= high
