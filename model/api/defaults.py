"""Defaults that depend on the object alone, set while a request is decoded.

Law: `set_defaults` is idempotent. Defaults that depend on the cluster or on the stored
object are elsewhere: families in `model.api.families`, values kept across updates in
`model.api.carry_over`. Source: `pkg/apis/core/v1/defaults.go SetDefaults_Service`.
"""

import attrs

from model.api.needs import CLUSTER_IP, LOAD_BALANCER, NODE_PORT
from model.api.objects import (
    ClientIPConfig,
    Ingress,
    Service,
    ServicePort,
    ServiceSpec,
    SessionAffinityConfig,
)
from model.api.validation.traffic_policy import is_externally_accessible
from model.objects import SessionAffinity, TrafficPolicy

DEFAULT_AFFINITY_SECONDS = 10800  # three hours
DEFAULT_PROTOCOL = "TCP"
DEFAULT_IP_MODE = "VIP"


def set_defaults(service: Service) -> Service:
    """The Service with every default that its own fields decide.

    API-F-02, -05, -07, -19 to -22, -24 and -29.
    """
    spec = _with_affinity(service.spec)
    spec = attrs.evolve(spec, type=spec.type or CLUSTER_IP, ports=tuple(map(_with_port_defaults, spec.ports)))
    if not spec.external_traffic_policy and is_externally_accessible(attrs.evolve(service, spec=spec)):
        spec = attrs.evolve(spec, external_traffic_policy=TrafficPolicy.CLUSTER.value)
    if spec.internal_traffic_policy is None and spec.type in (CLUSTER_IP, NODE_PORT, LOAD_BALANCER):
        spec = attrs.evolve(spec, internal_traffic_policy=TrafficPolicy.CLUSTER.value)
    if spec.type != LOAD_BALANCER:
        return attrs.evolve(service, spec=spec)
    if spec.allocate_load_balancer_node_ports is None:
        spec = attrs.evolve(spec, allocate_load_balancer_node_ports=True)
    ingress = tuple(map(_with_ip_mode, service.status.load_balancer.ingress))
    balancer = attrs.evolve(service.status.load_balancer, ingress=ingress)
    return attrs.evolve(service, spec=spec, status=attrs.evolve(service.status, load_balancer=balancer))


def _with_affinity(spec: ServiceSpec) -> ServiceSpec:
    """API-F-20 and -21: a config that lacks the timeout is replaced as a whole."""
    affinity = spec.session_affinity or SessionAffinity.NONE.value
    config = spec.session_affinity_config
    if affinity == SessionAffinity.NONE.value:
        config = None
    elif affinity == SessionAffinity.CLIENT_IP.value and (
        config is None or config.client_ip is None or config.client_ip.timeout_seconds is None
    ):
        config = SessionAffinityConfig(ClientIPConfig(DEFAULT_AFFINITY_SECONDS))
    return attrs.evolve(spec, session_affinity=affinity, session_affinity_config=config)


def _with_port_defaults(port: ServicePort) -> ServicePort:
    return attrs.evolve(
        port,
        protocol=port.protocol or DEFAULT_PROTOCOL,
        target_port=port.port if port.target_port in (0, "") else port.target_port,
    )


def _with_ip_mode(ingress: Ingress) -> Ingress:
    if ingress.ip and ingress.ip_mode is None:
        return attrs.evolve(ingress, ip_mode=DEFAULT_IP_MODE)
    return ingress
