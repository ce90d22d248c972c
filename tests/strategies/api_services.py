"""Services as people submit them, at the corners of the API, from pools so small that things meet.

Most are sound; one in eight has a field that does not go with the others, so that refusals
are drawn too. Names, node ports and addresses are few: two Services often want one.
"""

from typing import Any

import attrs
from hypothesis import strategies as st

from model.api import objects as api
from model.objects import ObjectName
from tests.strategies.weights import sometimes

NAMESPACE = "shop"
NAMES = ("web", "api", "db", "dns")

NODE_PORTS = (30000, 30001, 30002, 30016, 30017)
"""Static, dynamic and outside, by the ranges that `tests.strategies.machine.requests` draws."""

ADDRESSES = {
    "IPv4": ("10.96.0.1", "10.96.0.2", "10.96.0.18", "10.96.0.0", "10.97.0.3"),
    "IPv6": ("fd00:10:96::1", "fd00:10:96::2", "fd00:10:96::", "fd00:10:97::3"),
}
"""Usable ones, an edge, and one of a range that is not there from the start, for each family."""

_PORTS = (
    api.ServicePort("http", "TCP", port=80, target_port=8080),
    api.ServicePort("http-udp", "UDP", port=80, target_port="web"),
    api.ServicePort("https", "TCP", port=443, target_port="web"),
    api.ServicePort("dns", "UDP", port=53),
)
SELECTORS: tuple[api.Pairs, ...] = ((("app", "web"),), (("app", "web"), ("tier", "front")), ())
_EXTERNAL = ("203.0.113.5", "2001:db8:e::5", "10.96.0.2", "10.32.1.11")
_POLICIES = (None, None, None, "SingleStack", "PreferDualStack", "RequireDualStack")
_FAMILIES: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("IPv4",),
    ("IPv6",),
    ("IPv4", "IPv6"),
    ("IPv6", "IPv4"),
)

_ODD: tuple[dict[str, Any], ...] = (
    {"external_traffic_policy": "Local"},
    {"health_check_node_port": 30001},
    {"load_balancer_class": "example.com/fast"},
    {"load_balancer_source_ranges": ("203.0.113.0/24",)},
    {"ip_family_policy": "SingleStack", "ip_families": ("IPv4", "IPv6")},
    {"cluster_ip": "None"},
    {"cluster_ips": ("10.96.0.1", "10.96.0.2")},
    {"session_affinity": "Sometimes"},
    {"session_affinity_config": api.SessionAffinityConfig(api.ClientIPConfig(0))},
    {"ports": (_PORTS[0], _PORTS[0])},
    {"ports": ()},
    {"external_name": "Not A Name", "type": "ExternalName"},
    {"type": "Wrong"},
    {"external_ips": ("127.0.0.1",)},
    {"allocate_load_balancer_node_ports": False},
)
"""What rarely goes with the rest of a Service."""


def names() -> st.SearchStrategy[ObjectName]:
    return st.sampled_from(NAMES).map(lambda name: ObjectName(NAMESPACE, name))


@st.composite
def services(draw: st.DrawFn) -> api.Service:
    """A Service as submitted: what is left out is for the API server to fill in."""
    name = draw(names())
    metadata = api.Metadata(
        name=name.name,
        namespace=name.namespace,
        labels=draw(sometimes((("service.kubernetes.io/service-proxy-name", "other"),), ())),
        annotations=draw(sometimes((("service.kubernetes.io/topology-mode", "Auto"),), ())),
        finalizers=draw(sometimes(("example.com/hold",), ())),
    )
    return api.Service(metadata, draw(specs()))


@st.composite
def specs(draw: st.DrawFn) -> api.ServiceSpec:
    """Coherent, and then perhaps with a field that is not."""
    type = draw(st.sampled_from(("ClusterIP", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName")))
    spec = api.ServiceSpec(
        type=type,
        ports=draw(_ports(with_node_ports=type != "ClusterIP")),
        selector=draw(st.sampled_from(SELECTORS)),
        external_ips=draw(sometimes((draw(st.sampled_from(_EXTERNAL)),), ())),
        session_affinity=draw(sometimes("ClientIP", "")),
        publish_not_ready_addresses=draw(sometimes(True, False)),
        internal_traffic_policy=draw(sometimes("Local")) if type != "ExternalName" else None,
        traffic_distribution=draw(
            st.sampled_from((None, None, "PreferClose", "PreferSameZone", "PreferSameNode"))
        ),
    )
    if spec.session_affinity and draw(st.booleans()):
        timeout = draw(st.sampled_from((1, 60, 86400)))
        spec = attrs.evolve(
            spec, session_affinity_config=api.SessionAffinityConfig(api.ClientIPConfig(timeout))
        )
    if type == "ExternalName":
        spec = attrs.evolve(spec, external_name="db.example.com")
    else:
        spec = draw(_with_addresses(spec))
    if (type != "ClusterIP" and type != "ExternalName") or (spec.external_ips and type == "ClusterIP"):
        spec = attrs.evolve(spec, external_traffic_policy=draw(st.sampled_from(("", "Cluster", "Local"))))
    if type == "LoadBalancer":
        spec = draw(_as_balancer(spec))
    if draw(st.integers(0, 7)) == 7:
        spec = attrs.evolve(spec, **draw(st.sampled_from(_ODD)))
    return spec


@st.composite
def _ports(draw: st.DrawFn, *, with_node_ports: bool) -> tuple[api.ServicePort, ...]:
    chosen: tuple[api.ServicePort, ...] = draw(
        st.sampled_from((_PORTS[:1], _PORTS[:2], _PORTS[:3], _PORTS[2:], _PORTS[3:]))
    )
    if not with_node_ports:
        return chosen
    number = st.sampled_from((0, 0, *NODE_PORTS))
    return tuple(attrs.evolve(port, node_port=draw(number)) for port in chosen)


@st.composite
def _with_addresses(draw: st.DrawFn, spec: api.ServiceSpec) -> api.ServiceSpec:
    """Families, and no address, one that is asked for, one of each family, or headless."""
    policy, families = draw(st.sampled_from(_POLICIES)), draw(st.sampled_from(_FAMILIES))
    if policy == "SingleStack" or (policy is None and len(families) > 1):
        families = families[:1]
    spec = attrs.evolve(spec, ip_family_policy=policy, ip_families=families)
    wanted = draw(st.sampled_from(("none", "none", "none", "one", "each", "headless")))
    ips: tuple[str, ...] = ()
    if wanted == "headless" and spec.type == "ClusterIP":
        ips = ("None",)
    elif wanted in ("one", "each"):
        of = families or ("IPv4",)
        ips = tuple(draw(st.sampled_from(ADDRESSES[family])) for family in of[: 1 if wanted == "one" else 2])
    return attrs.evolve(spec, cluster_ip=next(iter(ips), ""), cluster_ips=ips)


@st.composite
def _as_balancer(draw: st.DrawFn, spec: api.ServiceSpec) -> api.ServiceSpec:
    local = spec.external_traffic_policy == "Local"
    return attrs.evolve(
        spec,
        allocate_load_balancer_node_ports=draw(st.sampled_from((None, True, False))),
        load_balancer_class=draw(sometimes("example.com/fast")),
        load_balancer_source_ranges=draw(sometimes(("203.0.113.0/24", "2001:db8:e::/48"), ())),
        health_check_node_port=draw(sometimes(draw(st.sampled_from(NODE_PORTS)), 0)) if local else 0,
    )


CHANGED_AT_ONCE: tuple[tuple[str, ...], ...] = (
    ("type",),
    ("type", "external_name"),
    ("type", "external_traffic_policy"),
    ("ports",),
    ("ip_family_policy", "ip_families"),
    ("ip_family_policy",),
    ("cluster_ip", "cluster_ips"),
    ("external_ips", "external_traffic_policy"),
    ("external_traffic_policy",),
    ("selector",),
    ("selector", "publish_not_ready_addresses"),
    ("session_affinity", "session_affinity_config"),
    ("allocate_load_balancer_node_ports", "ports"),
    ("load_balancer_class",),
    ("health_check_node_port",),
    ("traffic_distribution",),
)
"""Fields that an update takes from another Service, all else being as stored."""


def with_fields_of(stored: api.Service, other: api.ServiceSpec, fields: tuple[str, ...]) -> api.Service:
    """The stored Service with some of its fields as `other` has them."""
    changed = {field: getattr(other, field) for field in fields}
    if changed.get("type") == "ExternalName":
        changed["external_name"] = "db.example.com"
    return attrs.evolve(stored, spec=attrs.evolve(stored.spec, **changed))


def blanked(service: api.Service) -> api.Service:
    """The Service as a client writes it who leaves out all that was allocated."""
    spec = attrs.evolve(
        service.spec,
        cluster_ip="",
        cluster_ips=(),
        health_check_node_port=0,
        ports=tuple(attrs.evolve(port, node_port=0) for port in service.spec.ports),
    )
    return attrs.evolve(service, spec=spec)


def asked_again(service: api.Service) -> api.Service:
    """The Service as a new one that asks for all the values it had.

    A number on two `port` numbers, which only an update accepts (ALLOC-NP-05, ALLOC-NP-06),
    is asked for once.
    """
    metadata = attrs.evolve(service.metadata, uid="", resource_version="", finalizers=())
    first: dict[int, int] = {}
    ports = tuple(
        port if first.setdefault(port.node_port, port.port) == port.port else attrs.evolve(port, node_port=0)
        for port in service.spec.ports
    )
    return api.Service(metadata, attrs.evolve(service.spec, ports=ports))


def without_node_ports_on_external_name(service: api.Service) -> api.Service:
    """The Service as it is where nobody gives an ExternalName Service node ports (ALLOC-NP-09)."""
    if service.spec.type != "ExternalName":
        return service
    ports = tuple(attrs.evolve(port, node_port=0) for port in service.spec.ports)
    return attrs.evolve(service, spec=attrs.evolve(service.spec, ports=ports))


@st.composite
def statuses(draw: st.DrawFn) -> api.ServiceStatus:
    """What a load balancer controller reports; one in five is no such thing."""
    entry = draw(
        st.sampled_from(
            (
                api.Ingress("192.0.2.9"),
                api.Ingress("192.0.2.9", ip_mode="VIP"),
                api.Ingress("2001:db8:b::9", ip_mode="Proxy"),
                api.Ingress(hostname="lb.example"),
                api.Ingress(hostname="192.0.2.9"),
            )
        )
    )
    return api.ServiceStatus(api.LoadBalancerStatus(draw(st.sampled_from(((entry,), (entry,), ())))))
