"""Small registries and Services to ask the API server's part about."""

from typing import Any

import attrs
import pytest
from rpds import HashTrieMap

from model.api.defaults import set_defaults
from model.api.objects import Metadata, Service, ServiceCIDR, ServiceCIDRSpec, ServicePort, ServiceSpec
from model.api.refusal import Reason, Refused
from model.api.registry import ApiConfig, Registry
from model.api.requests import create
from model.objects import ObjectName

IPV4_CIDR, IPV6_CIDR = "10.0.0.0/16", "fd00::/112"
WEB = ServicePort("web", port=80)
DNS_TCP = ServicePort("dns-tcp", protocol="TCP", port=53)
DNS_UDP = ServicePort("dns", protocol="UDP", port=53)
WEB_NAME, OTHER_NAME = ObjectName("shop", "web"), ObjectName("shop", "other")
EXTERNAL: dict[str, Any] = {"type": "ExternalName", "external_name": "db.example"}
BALANCER: dict[str, Any] = {"type": "LoadBalancer", "external_traffic_policy": "Local"}


def registry(*cidrs: str, first_node_port: int = 30000, last_node_port: int = 32767) -> Registry:
    """An empty registry; without CIDRs it is dual-stack with IPv4 first."""
    default = ServiceCIDR(Metadata("kubernetes"), ServiceCIDRSpec(cidrs or (IPV4_CIDR, IPV6_CIDR)))
    config = ApiConfig(first_node_port, last_node_port)
    return Registry(config, service_cidrs=HashTrieMap({"kubernetes": default}))


def service(name: str = "web", *ports: ServicePort, **fields: Any) -> Service:
    """A Service in namespace shop, of one port 80 unless ports are given, with a selector."""
    spec = ServiceSpec(ports=ports or (WEB,), **{"selector": (("app", "web"),), **fields})
    return Service(Metadata(name, namespace="shop"), spec)


def defaulted(*ports: ServicePort, **fields: Any) -> Service:
    return set_defaults(service("web", *ports, **fields))


def with_spec(one: Service, **fields: Any) -> Service:
    return attrs.evolve(one, spec=attrs.evolve(one.spec, **fields))


def with_metadata(one: Service, **fields: Any) -> Service:
    return attrs.evolve(one, metadata=attrs.evolve(one.metadata, **fields))


def with_node_ports(one: Service, *numbers: int) -> Service:
    pairs = zip(one.spec.ports, numbers, strict=True)
    return with_spec(one, ports=tuple(attrs.evolve(port, node_port=number) for port, number in pairs))


def holding(state: Registry, *services: Service) -> Registry:
    """The registry after these were created, each with its name's place as seed."""
    for seed, one in enumerate(services):
        state = create(state, one, seed=seed).registry
    return state


def stored(state: Registry, name: str = "web") -> Service:
    return state.services[ObjectName("shop", name)]


def pools(state: Registry) -> tuple[dict[str, ObjectName], dict[int, ObjectName]]:
    """Who owns which address and which node port."""
    return dict(state.ip_owners.items()), dict(state.node_ports.items())


def numbers(one: Service) -> tuple[int, ...]:
    return tuple(port.node_port for port in one.spec.ports)


def refused(ask: Any, *args: Any, **kwargs: Any) -> tuple[Reason, frozenset[tuple[str, str]]]:
    """Why a request is refused, and the causes as field and type."""
    with pytest.raises(Refused) as refusal:
        ask(*args, **kwargs)
    causes = frozenset((cause.field, cause.type.name) for cause in refusal.value.causes)
    return refusal.value.reason, causes


def invalid(*fields: str, type: str = "INVALID") -> tuple[Reason, frozenset[tuple[str, str]]]:
    return Reason.INVALID, frozenset((field, type) for field in fields)
