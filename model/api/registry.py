"""What the API server holds about Services: the objects, and who owns which address and port.

Persistent maps: a change shares all it does not touch with the state before, so every
earlier state stays readable and a transition costs the size of its change. The pools are
state of their own and not derived from the Services, as in the real server: they can
disagree (ALLOC-NP-09), which repair looks for (ALLOC-NP-10, ALLOC-IP-08).
"""

from collections.abc import Iterable

import attrs
from rpds import HashTrieMap

from model.addresses import Family, parse_cidr
from model.api.gates import FeatureGates
from model.api.objects import Service, ServiceCIDR
from model.objects import ObjectName

DEFAULT_SERVICE_CIDR = "kubernetes"


@attrs.frozen
class ApiConfig:
    """Flags of the API server. The node port range is inclusive (ALLOC-NP-01)."""

    first_node_port: int = 30000
    last_node_port: int = 32767
    gates: FeatureGates = FeatureGates()


@attrs.frozen
class Registry:
    """The stored Services and the allocators' pools.

    `service_cidrs` are ServiceCIDR objects by name; the one called `kubernetes` is the
    cluster's default, whose first CIDR gives the primary family (API-DS-02).
    `ip_owners` maps an address in canonical text to the Service its IPAddress object
    names as parent (ALLOC-IP-01). `node_ports` maps a number to the Service it was
    allocated for (ALLOC-NP-03); the real pool is a set of numbers, and nothing in the
    server's behaviour may ask for the owner: it is kept for INV-19 to speak of.
    `leaked_node_ports` counts how often repair has seen a number that no Service uses.
    `revision` counts writes; a written object carries it as its resource version.
    """

    config: ApiConfig = ApiConfig()
    services: "HashTrieMap[ObjectName, Service]" = HashTrieMap()
    service_cidrs: "HashTrieMap[str, ServiceCIDR]" = HashTrieMap()
    ip_owners: "HashTrieMap[str, ObjectName]" = HashTrieMap()
    node_ports: "HashTrieMap[int, ObjectName]" = HashTrieMap()
    leaked_node_ports: "HashTrieMap[int, int]" = HashTrieMap()
    revision: int = 0

    @property
    def families(self) -> tuple[Family, ...]:
        """The families the cluster gives addresses of, the primary one first (API-DS-02).

        They are the default ServiceCIDR's, as flags name them; further ServiceCIDRs add
        addresses, never a family. Without that object, IPv4 alone.
        """
        default = self.service_cidrs.get(DEFAULT_SERVICE_CIDR)
        if default is None:
            return (Family.IPV4,)
        return tuple(dict.fromkeys(parse_cidr(cidr)[0] for cidr in default.spec.cidrs)) or (Family.IPV4,)

    @property
    def cidrs(self) -> Iterable[tuple[str, ServiceCIDR]]:
        """Every CIDR with the ServiceCIDR that names it."""
        return ((cidr, one) for one in self.service_cidrs.values() for cidr in one.spec.cidrs)


def written(registry: Registry, service: Service) -> tuple[Registry, Service]:
    """The registry after a write of this Service, and the Service with its new resource version."""
    revision = registry.revision + 1
    metadata = attrs.evolve(service.metadata, resource_version=str(revision))
    service = attrs.evolve(service, metadata=metadata)
    services = registry.services.insert(service.object_name, service)
    return attrs.evolve(registry, services=services, revision=revision), service
