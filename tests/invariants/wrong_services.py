"""For each claim about stored Services a way to store one that breaks it, and about changes of them."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from model.api import objects as api

Change = Callable[[api.Service], api.Service]
Update = Callable[[api.Service, api.Service], api.Service]
"""What becomes of a Service in an update: of the stored one and of the one that would be stored."""


def _spec(service: api.Service, **fields: Any) -> api.Service:
    return attrs.evolve(service, spec=attrs.evolve(service.spec, **fields))


def has_ip(service: api.Service) -> bool:
    return service.spec.cluster_ip not in ("", "None")


def another_cluster_ip(one: api.Service) -> api.Service:
    return _spec(one, cluster_ip="10.96.255.255") if has_ip(one) else one


def families_in_another_order(one: api.Service) -> api.Service:
    other = {"IPv4": "IPv6", "IPv6": "IPv4"}
    return _spec(one, ip_families=tuple(other[family] for family in one.spec.ip_families))


def two_families_required(one: api.Service) -> api.Service:
    return _spec(one, ip_family_policy="RequireDualStack") if len(one.spec.ip_families) == 1 else one


def names_with_a_policy(one: api.Service) -> api.Service:
    is_name = one.spec.type == "ExternalName"
    return _spec(one, external_traffic_policy="Cluster") if is_name else one


def no_external_policy(one: api.Service) -> api.Service:
    return _spec(one, external_traffic_policy="")


def health_check_for_everybody(one: api.Service) -> api.Service:
    return _spec(one, health_check_node_port=30003) if not one.spec.health_check_node_port else one


def no_node_ports(one: api.Service) -> api.Service:
    ports = tuple(attrs.evolve(port, node_port=0) for port in one.spec.ports)
    return _spec(one, ports=ports) if one.spec.type == "NodePort" else one


def headless_balancer(one: api.Service) -> api.Service:
    return _spec(one, type="LoadBalancer") if one.spec.cluster_ip == "None" else one


def one_name_for_all_ports(one: api.Service) -> api.Service:
    return _spec(one, ports=tuple(attrs.evolve(port, name="all") for port in one.spec.ports))


def affinity_for_ever(one: api.Service) -> api.Service:
    return _spec(one, session_affinity_config=None)


def ingress_for_everybody(one: api.Service) -> api.Service:
    entry = api.Ingress("192.0.2.9", ip_mode="VIP")
    status = api.ServiceStatus(api.LoadBalancerStatus((entry,)))
    return one if one.spec.type == "LoadBalancer" else attrs.evolve(one, status=status)


def node_ports_from_anywhere(one: api.Service) -> api.Service:
    ports = (attrs.evolve(p, node_port=p.node_port and p.node_port - 20_000) for p in one.spec.ports)
    return _spec(one, ports=tuple(ports))


def the_networks_own_address(one: api.Service) -> api.Service:
    """Every range of the cases begins at 10.96.0.0."""
    is_v4 = has_ip(one) and one.spec.cluster_ips == (one.spec.cluster_ip,) and "." in one.spec.cluster_ip
    return _spec(one, cluster_ip="10.96.0.0", cluster_ips=("10.96.0.0",)) if is_v4 else one


STORED: Mapping[str, Change] = {
    "INV-01": another_cluster_ip,
    "INV-02": families_in_another_order,
    "INV-03": two_families_required,
    "INV-04": names_with_a_policy,
    "INV-05": no_external_policy,
    "INV-06": health_check_for_everybody,
    "INV-07": no_node_ports,
    "INV-08": headless_balancer,
    "INV-09": one_name_for_all_ports,
    "INV-10": affinity_for_ever,
    "INV-11": ingress_for_everybody,
    "INV-20": node_ports_from_anywhere,
    "INV-21": the_networks_own_address,
}
"""By the claim that it breaks."""


def moves_to_another_address(old: api.Service, new: api.Service) -> api.Service:
    if not (has_ip(old) and has_ip(new)):
        return new
    return _spec(new, cluster_ip="10.96.0.99", cluster_ips=("10.96.0.99", *new.spec.cluster_ips[1:]))


def loses_its_second_address(old: api.Service, new: api.Service) -> api.Service:
    return _spec(new, cluster_ips=new.spec.cluster_ips[:1]) if len(old.spec.cluster_ips) == 2 else new


def becomes_headless(old: api.Service, new: api.Service) -> api.Service:
    is_plain = has_ip(old) and has_ip(new)
    return _spec(new, cluster_ip="None", cluster_ips=("None",)) if is_plain else new


def gets_another_class(old: api.Service, new: api.Service) -> api.Service:
    both = {old.spec.type, new.spec.type} == {"LoadBalancer"}
    return _spec(new, load_balancer_class="example.com/other") if both else new


UPDATED: Mapping[str, Update] = {
    "INV-12": moves_to_another_address,
    "INV-13": loses_its_second_address,
    "INV-14": becomes_headless,
    "INV-17": gets_another_class,
}
