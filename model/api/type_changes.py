"""What an update wipes because the new type has no use for it (API-TC-01 to -09).

A field is wiped only when the type no longer has it and the client did not also change
it; a changed one stays and validation decides. Creates wipe nothing. Selector, ports,
externalName, source ranges and loadBalancerIP are never wiped.
Source: `pkg/registry/core/service/strategy.go dropTypeDependentFields`.
"""

import attrs

from model.api.needs import LOAD_BALANCER, may_have_node_ports, needs_cluster_ip, node_ports
from model.api.objects import LoadBalancerStatus, Service, ServiceSpec
from model.api.validation.traffic_policy import is_externally_accessible, needs_health_check


def drop_type_dependent_fields(new: Service, old: Service) -> Service:
    """The new object without what only the old type needed.

    Also clears the load balancer status of anything but a LoadBalancer at once, although
    its controller may still be at work (API-PIPE-03, API-TC-08).
    """
    spec = _without_addresses(new.spec, old.spec)
    spec = _without_node_ports(spec, old.spec)
    if (
        needs_health_check(old)
        and not needs_health_check(new)
        and spec.health_check_node_port == old.spec.health_check_node_port
    ):
        spec = attrs.evolve(spec, health_check_node_port=0)  # API-TC-06
    spec = _without_balancer_fields(spec, old.spec)
    if (
        is_externally_accessible(old)
        and not is_externally_accessible(new)
        and spec.external_traffic_policy == old.spec.external_traffic_policy
    ):
        spec = attrs.evolve(spec, external_traffic_policy="")  # API-TC-09
    status = new.status
    if spec.type != LOAD_BALANCER:
        status = attrs.evolve(status, load_balancer=LoadBalancerStatus())
    return attrs.evolve(new, spec=spec, status=status)


def _without_addresses(spec: ServiceSpec, old: ServiceSpec) -> ServiceSpec:
    """API-TC-01."""
    if not needs_cluster_ip(old) or needs_cluster_ip(spec):
        return spec
    if (spec.cluster_ip, spec.cluster_ips) == (old.cluster_ip, old.cluster_ips):
        spec = attrs.evolve(spec, cluster_ip="", cluster_ips=())
    if spec.ip_families == old.ip_families:
        spec = attrs.evolve(spec, ip_families=())
    if spec.ip_family_policy == old.ip_family_policy:
        spec = attrs.evolve(spec, ip_family_policy=None)
    return spec


def _without_node_ports(spec: ServiceSpec, old: ServiceSpec) -> ServiceSpec:
    """API-TC-03; removing or moving numbers is no change, a number of its own is."""
    if (
        may_have_node_ports(old)
        and not may_have_node_ports(spec)
        and {*node_ports(spec)} <= {*node_ports(old)}
    ):
        spec = attrs.evolve(spec, ports=tuple(attrs.evolve(port, node_port=0) for port in spec.ports))
    return spec


def _without_balancer_fields(spec: ServiceSpec, old: ServiceSpec) -> ServiceSpec:
    """API-TC-08."""
    if old.type != LOAD_BALANCER or spec.type == LOAD_BALANCER:
        return spec
    if spec.allocate_load_balancer_node_ports == old.allocate_load_balancer_node_ports:
        spec = attrs.evolve(spec, allocate_load_balancer_node_ports=None)
    if spec.load_balancer_class == old.load_balancer_class:
        spec = attrs.evolve(spec, load_balancer_class=None)
    return spec
