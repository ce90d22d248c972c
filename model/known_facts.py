"""What is known of a packet whose source is left open: the facts of its node and of its place.

A fact that depends on the source is the region of sources of which it is true; every
other one is settled. `model.expectation` works the same facts out packet by packet.
"""

from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    FROM_CLUSTER_IP,
    FROM_DESTINATION,
    FROM_HOST,
    FROM_LOOPBACK,
    IS_ICMP,
    LOOPBACK_GUARDED,
    MASQUERADE_ALL,
    ON_NODE_PORT_ADDRESS,
    SENT_BY_NODE,
    TO_BOUND,
    TO_CLUSTER_IP,
    TO_HEALTH_CHECK,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
)
from model.frontends import NodeView
from model.intervals import EMPTY, Intervals, contains, single
from model.modes import VERSION_FACTS
from model.node_config import ProxyMode
from model.packet import ICMP, TCP, UDP, Origin
from model.predicate import Fact

KnownFacts = dict[Fact, bool | Intervals]


def node_facts(view: NodeView) -> KnownFacts:
    """What is so on the node, whatever the packet."""
    return {
        FROM_HOST: view.local_addresses,
        FROM_LOOPBACK: view.family.loopback,
        LOOPBACK_GUARDED: view.guards_loopback,
        DETECTOR_PRESENT: view.detector,
        MASQUERADE_ALL: view.config.masquerade_all,
        **{fact: quirk in view.config.quirks for fact, quirk in VERSION_FACTS.items()},
    }


def place_facts(view: NodeView, destination: int, protocol: int, port: int, origin: Origin) -> KnownFacts:
    """What is so of every packet of this origin to the place.

    What only ipvs mode asks is left open in the others, so that places are told apart no more
    than they need be.
    """
    is_ipvs = view.config.mode is ProxyMode.IPVS
    return {
        TO_LOOPBACK: contains(view.family.loopback, destination),
        DESTINATION_LOCAL: contains(view.local_addresses, destination),
        ON_NODE_PORT_ADDRESS: contains(view.node_port_addresses, destination),
        TO_CLUSTER_IP: destination in view.cluster_ips,
        TO_SERVICE_RANGE: contains(view.service_ranges, destination),
        SENT_BY_NODE: origin is Origin.NODE,
        IS_ICMP: protocol in ICMP,
        TO_BOUND: destination in view.bound,
        TO_HEALTH_CHECK: is_ipvs and protocol in (TCP, UDP) and port in view.health_check_ports,
        FROM_DESTINATION: single(destination) if is_ipvs else EMPTY,
        FROM_CLUSTER_IP: view.cluster_ips_at.get((protocol, port), EMPTY) if is_ipvs else EMPTY,
    }
