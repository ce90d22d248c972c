"""Tempting claims about clients: what they keep, and where they return to."""

from collections.abc import Sequence
from typing import NamedTuple

from invariants.invariant import Step, Violation
from invariants.refuted.arrivals import arrivals, is_inside, pod_at
from invariants.refuted.claim import SHOWN, Break, Case, refuted
from model.addresses import format_address
from model.cluster import events
from model.objects import ObjectName, SessionAffinity
from model.packet import UDP
from model.traffic import Delivery


class _Hop(NamedTuple):
    """A packet as it leaves a node that has rewritten it."""

    source: str
    destination: str
    port: int


class _Visit(NamedTuple):
    """When a client last came to a Service, and to which pod."""

    now: int
    pod: ObjectName


@refuted(
    "NEG-06",
    "sessionAffinity ClientIP binds a client to one pod of the Service.",
    Break(("AFF-01",), "A client uses two ports of the Service and gets a pod for each."),
    Break(("AFF-02",), "A client's connections come by two nodes, each of which remembers another pod."),
    Break(
        ("AFF-08",),
        "A client comes by two nodes that put their own addresses in place of its own before they pass it on "
        "to one and the same node port: there it is two clients.",
    ),
    Break(
        ("MODE-18",),
        "After 100 other clients of its pod a client returns within the timeout, and is not known any more.",
    ),
    case=Case.HISTORY,
    modes=SHOWN,
    awaits="in ipvs mode every frontend remembers apart (MODE-18). Shown once that mode is modelled.",
)
def affinity_binds_client_and_service(steps: Sequence[Step]) -> Violation | None:
    """A client is followed through the nodes that rewrite its address."""
    clients: dict[_Hop, str] = {}
    visits: dict[tuple[str, ObjectName], _Visit] = {}
    for step in steps:
        for seen in arrivals(step):
            arrived = _Hop(
                seen.source, format_address(seen.packet.family, seen.packet.destination), seen.packet.port
            )
            client = clients.get(arrived, seen.source)
            if seen.told.target and seen.told.masquerade:
                node = seen.view.config.primary_address(seen.packet.family)
                assert node is not None
                source = format_address(seen.packet.family, node)
                clients[_Hop(source, seen.target, seen.told.target.port)] = client
            pod = pod_at(step.before, seen.target)
            if seen.service.session_affinity is not SessionAffinity.CLIENT_IP or pod is None:
                continue
            last = visits.get((client, seen.service.name))
            visits[client, seen.service.name] = _Visit(step.before.now, pod.name)
            if last is None or last.pod == pod.name:
                continue
            if step.before.now - last.now <= seen.service.affinity_seconds:
                return Violation(
                    f"{client} was sent to {last.pod} of {seen.service.name} and then to {pod.name}"
                )
    return None


@refuted(
    "NEG-07",
    "Inside the cluster clients keep their addresses.",
    Break(
        ("MASQ-01",), "kube-proxy masquerades all, and a pod asks a cluster IP: the endpoint sees the node."
    ),
    Break(
        ("MASQ-02",),
        "A process of a node asks a cluster IP: the endpoint sees the address by which the node reaches it, "
        "whichever it was asked from.",
    ),
    Break(
        ("MASQ-04",),
        "A pod asks an external frontend under externalTrafficPolicy Cluster: the endpoint sees the node.",
    ),
    Break(("MASQ-08",), "A pod asks its own Service and is sent to itself: it sees the node."),
    case=Case.STEP,
    modes=SHOWN,
)
def clients_inside_keep_their_addresses(step: Step) -> Violation | None:
    for seen in arrivals(step):
        if seen.told.masquerade and is_inside(step.before, seen.source):
            return Violation(f"{seen.packet} goes to {seen.target} with an address of {seen.node}")
    return None


@refuted(
    "NEG-11",
    "Once a UDP backend is deleted and the node knows, no packet goes to it.",
    Break(
        ("CT-04",),
        "The only endpoint of a UDP Service is deleted: as none is left to serve, the flows to it are not "
        "cleaned up, and a client that goes on sending from its port is still led to it.",
    ),
    case=Case.STEP,
    modes=SHOWN,
)
def deleted_udp_backends_get_nothing(step: Step) -> Violation | None:
    """A node knows when its proxy has applied what the API holds, and that lists no such address."""
    if not isinstance(step.event, events.Send) or not isinstance(step.told, Delivery):
        return None
    packet, target = step.event.packet, step.told.target
    applied = step.before.proxies[step.event.node].applied
    if packet.protocol != UDP or target is None or applied is None:
        return None
    address = format_address(packet.family, target.address)
    slices = step.before.slices.by_name
    listed = {text for one in slices.values() for each in one.endpoints for text in each.addresses}
    if applied.slices.by_name == slices and address not in listed and pod_at(step.before, address) is None:
        return Violation(f"{packet} goes to {address}, which is no pod's any more")
    return None
