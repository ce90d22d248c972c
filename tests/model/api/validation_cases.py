"""Objects without any fault, to be spoilt one field at a time, and errors in a form to compare."""

from collections.abc import Iterable
from typing import Any

import attrs

from model.api.gates import FeatureGates
from model.api.objects import Metadata, Service, ServicePort, ServiceSpec
from model.api.refusal import FieldError

GATES = FeatureGates()
BEFORE_STRICT_TEXT = FeatureGates(strict_ip_cidr_validation=False)
BEFORE_RELAXED_NAMES = FeatureGates(relaxed_service_name_validation=False)
BEFORE_SAME_ZONE = FeatureGates(prefer_same_traffic_distribution=False)

METADATA = Metadata(name="web", namespace="shop", resource_version="7")
PORT = ServicePort(protocol="TCP", port=80, target_port=8080)
CLUSTER_IP = ServiceSpec(
    type="ClusterIP",
    ports=(PORT,),
    cluster_ip="10.96.0.10",
    cluster_ips=("10.96.0.10",),
    ip_families=("IPv4",),
    ip_family_policy="SingleStack",
    session_affinity="None",
    internal_traffic_policy="Cluster",
)
DUAL_STACK = attrs.evolve(
    CLUSTER_IP,
    cluster_ips=("10.96.0.10", "fd00::10"),
    ip_families=("IPv4", "IPv6"),
    ip_family_policy="RequireDualStack",
)
HEADLESS = attrs.evolve(CLUSTER_IP, cluster_ip="None", cluster_ips=("None",))
NODE_PORT = attrs.evolve(CLUSTER_IP, type="NodePort", external_traffic_policy="Cluster")
LOAD_BALANCER = attrs.evolve(
    CLUSTER_IP,
    type="LoadBalancer",
    external_traffic_policy="Cluster",
    allocate_load_balancer_node_ports=True,
)
EXTERNAL_NAME = ServiceSpec(type="ExternalName", external_name="db.example.com", session_affinity="None")


def service(spec: ServiceSpec = CLUSTER_IP, **metadata: Any) -> Service:
    """A Service of the given spec, with some of its metadata replaced."""
    return Service(attrs.evolve(METADATA, **metadata), spec)


def found(errors: Iterable[FieldError]) -> list[str]:
    """Errors as `field TYPE`, in alphabetical order, repeated ones repeated.

    The order in which the API server reports errors is no promise.
    """
    return sorted(f"{one.field} {one.type.name}" for one in errors)
