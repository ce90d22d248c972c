"""What a drawn Service and its endpoints look like, before names, addresses and node ports are given out.

Traits are listed simplest first, so that hypothesis shrinks towards a ClusterIP Service
with one TCP port and no endpoints.
"""

import attrs
from hypothesis import strategies as st

from model.objects import (
    Endpoint,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)
from tests.strategies.nodes import NODES, ZONES
from tests.strategies.weights import evenly, mostly

_READY = (True, True, False)
_UNSET = (None, None, None)  # read as ready (EPS-COND-03)
_PUBLISHED = (True, False, True)  # publishNotReadyAddresses of a terminating pod
_DRAINING = (False, True, True)
_GONE = (False, False, True)  # terminating and not serving
_UNREADY = (False, False, False)
_MIRRORED_UNREADY = (False, None, None)  # EPS-MIR-04

_MOODS = (
    (_READY,),
    (_READY,),
    (_READY, _UNREADY, _DRAINING),
    (_DRAINING,),
    (_DRAINING, _GONE, _UNREADY),
    (_GONE,),
    (_UNREADY, _MIRRORED_UNREADY, _GONE),
    (_READY, _UNSET, _PUBLISHED, _DRAINING, _GONE, _UNREADY, _MIRRORED_UNREADY),
)
"""Conditions that the endpoints of one service are drawn from."""

_TYPES = (
    ServiceType.CLUSTER_IP,
    ServiceType.NODE_PORT,
    ServiceType.LOAD_BALANCER,
    ServiceType.NODE_PORT,
    ServiceType.LOAD_BALANCER,
    ServiceType.EXTERNAL_NAME,
)

_PORT_SETS = (
    (ServicePort("", "TCP", 80),),
    (ServicePort("", "UDP", 53),),
    (ServicePort("web", "TCP", 80),),
    (ServicePort("dns", "UDP", 53), ServicePort("dns-tcp", "TCP", 53)),  # one number, two protocols
    (ServicePort("web", "TCP", 80), ServicePort("tls", "TCP", 443), ServicePort("assoc", "SCTP", 80)),
)

_RANGES = (
    (),
    ("198.51.100.0/24",),
    ("198.51.100.7/32", "10.32.1.11/32"),  # holds the node's own address
    ("10.32.1.0/24", "fd00:10:32:1::/64"),
    ("2001:db8:c::/64",),  # one family only: the other stays open (FWD-LBSR-02)
    ("198.51.100.0/25", "198.51.100.128/26", "2001:db8:c::7/128"),
    ("10.244.0.0/16",),
    ("198.51.100.0/24", "0.0.0.0/0"),  # no restriction at all
)


@attrs.frozen
class Drawn:
    """One service and its slices before names, addresses and ports are given out."""

    service: Service
    families: tuple[str, ...]
    external: tuple[str, ...]  # what each external IP is: own, node, peer or, with clashes, shared, stolen
    ingress: tuple[str, ...]  # what each ingress entry is: vip, unset, proxy, name; with clashes shared
    has_node_ports: bool
    one_node_port: bool  # TCP and UDP under one number
    endpoints: tuple[Endpoint, ...]  # `addresses` holds templates, filled in for each family
    split: bool  # over two slices
    flaw: str


@st.composite
def drawn_services(draw: st.DrawFn, clashes: bool) -> Drawn:
    kind = draw(evenly(*_TYPES))
    is_balancer = kind is ServiceType.LOAD_BALANCER
    externals = ["own", "node", "peer", *(("shared", "stolen") if clashes else ())]
    ingresses = ["vip", "vip", "unset", "proxy", "name", *(("shared",) * 4 if clashes else ())]
    has_node_ports = kind is ServiceType.NODE_PORT or (is_balancer and draw(mostly(True, False)))
    external = tuple(draw(st.lists(evenly(*externals), max_size=2, unique=True)))
    is_name = kind is ServiceType.EXTERNAL_NAME
    has_policy = kind in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER) or (external and not is_name)
    is_sticky = draw(st.booleans())
    policies = evenly(*TrafficPolicy)
    service = Service(
        name=ObjectName("shop", ""),
        type=kind,
        ports=draw(evenly(*_PORT_SETS)),
        cluster_ips=draw(mostly((), ("None",))) if kind is ServiceType.CLUSTER_IP else (),
        external_traffic_policy=draw(policies) if has_policy else TrafficPolicy.CLUSTER,
        internal_traffic_policy=TrafficPolicy.CLUSTER if is_name else draw(policies),
        load_balancer_source_ranges=draw(evenly(*_RANGES)) if is_balancer else (),
        session_affinity=SessionAffinity.CLIENT_IP if is_sticky else SessionAffinity.NONE,
        affinity_seconds=draw(evenly(10800, 1, 60, 86400)) if is_sticky else 10800,
        selector=draw(evenly((("app", "web"),), None)),
        external_name="elsewhere.example" if is_name else "",
        labels=draw(mostly((), (("service.kubernetes.io/service-proxy-name", "other"),))),
    )
    return Drawn(
        service=service,
        families=draw(evenly(("IPv4",), ("IPv6",), ("IPv4", "IPv6"), ("IPv6", "IPv4"))),
        external=external,
        ingress=tuple(draw(st.lists(evenly(*ingresses), min_size=1, max_size=3))) if is_balancer else (),
        has_node_ports=has_node_ports,
        one_node_port=draw(st.booleans()),
        endpoints=draw(_endpoints()),
        split=draw(st.booleans()),
        flaw=draw(mostly("", "headless slice", "other port name", "no port number", "twin", "draining twin")),
    )


@st.composite
def _endpoints(draw: st.DrawFn) -> tuple[Endpoint, ...]:
    """The endpoints of a service, conditions of one mood, hints of one kind.

    `addresses` holds `pod NODE NUMBER` or `host NODE`; no two are equal.
    """
    mood = draw(evenly(*_MOODS))
    hints = draw(evenly("", "own zone", "own node", "partial", "elsewhere"))
    found: dict[str, Endpoint] = {}
    for number in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(NODES) - 1))
        place = draw(mostly(f"pod {at} {number + 2}", f"host {at}"))
        ready, serving, terminating = draw(evenly(*mood))
        zone_hint = {"own zone": ZONES[at], "own node": ZONES[at], "elsewhere": "zone-9"}.get(hints, "")
        if hints == "partial" and number:
            zone_hint = ZONES[at]
        found[place] = Endpoint(
            addresses=(place,),
            ready=ready,
            serving=serving,
            terminating=terminating,
            node_name=draw(mostly(NODES[at], None)),
            zone=ZONES[at],
            zone_hints=(zone_hint,) if zone_hint else (),
            node_hints=(NODES[at],) if hints == "own node" else (),
        )
    return tuple(found.values())
