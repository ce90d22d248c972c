"""Tempting claims about where a connection goes."""

from invariants.invariant import Step, Violation
from invariants.places import is_held_to_node
from invariants.refuted.arrivals import Arrival, arrivals, opening, pod_at
from invariants.refuted.claim import SHOWN, Break, Case, refuted
from model.addresses import format_address, parse_cidr
from model.frontends import FrontendKind
from model.intervals import contains
from model.objects import Service, TrafficPolicy
from model.outcome import Verdict
from model.packet import PROTOCOL_NAMES


@refuted(
    "NEG-01",
    "Traffic goes only to pods that are ready and do not terminate.",
    Break(
        ("FWD-EP-02", "FWD-EP-03"),
        "A Service's only pod is terminating and still serves: new connections go to it.",
    ),
    Break(
        ("EPS-COND-02",),
        "A Service publishes unready addresses and its pod is not ready: new connections go to it.",
    ),
    case=Case.STEP,
    modes=SHOWN,
)
def only_ready_pods_get_traffic(step: Step) -> Violation | None:
    for seen in arrivals(step):
        pod = pod_at(step.before, seen.target)
        if pod is not None and not (pod.ready and not pod.terminating):
            what = "terminates" if pod.terminating else "is not ready"
            return Violation(f"{seen.packet} goes to {pod.name}, which {what}")
    return None


@refuted(
    "NEG-02",
    "externalTrafficPolicy Local means that external frontends lead to endpoints of the same node only.",
    Break(("FWD-ETP-02",), "A pod of the cluster asks: its connection goes to any endpoint."),
    Break(("FWD-ETP-03",), "A process of the node asks: its connection goes to any endpoint."),
    case=Case.STEP,
    modes=SHOWN,
)
def policy_local_keeps_to_the_node(step: Step) -> Violation | None:
    for seen in arrivals(step):
        if _is_external(seen) and _is_local(seen) and seen.endpoint and not seen.endpoint.local:
            return Violation(f"{seen.packet} goes to {seen.target}, which is not on {seen.node}")
    return None


@refuted(
    "NEG-03",
    "Where policy Local finds no endpoint on the node, the connection is refused.",
    Break(
        ("FWD-REJ-02", "FWD-ITP-01"),
        "internalTrafficPolicy is Local and the only endpoint on another node: what is for the cluster IP "
        "is dropped.",
    ),
    Break(
        ("FWD-REJ-02", "FWD-ETP-05"),
        "externalTrafficPolicy is Local and the only endpoint on another node: what comes from outside is "
        "dropped.",
    ),
    case=Case.STEP,
    modes=SHOWN,
)
def without_local_endpoints_it_is_refused(step: Step) -> Violation | None:
    for seen in arrivals(step):
        if not is_held_to_node(seen.view, seen.packet, seen.owned):
            continue
        usable_here = [one for one in seen.owned.endpoints.values() if one.usable and one.local]
        if not usable_here and seen.told.verdict is Verdict.DROP:
            return Violation(f"{seen.packet} finds no endpoint on {seen.node} and is dropped")
    return None


_OPEN = "A client outside the ranges is let in by "


@refuted(
    "NEG-05",
    "loadBalancerSourceRanges lets nobody else connect to the Service.",
    Break(("FWD-LBSR-03", "NP-04"), _OPEN + "the node port."),
    Break(("FWD-LBSR-03",), _OPEN + "an external IP."),
    Break(("FWD-LBSR-03",), _OPEN + "the cluster IP."),
    Break(("FWD-LBSR-02",), _OPEN + "the load balancer's IPv6 address, as the ranges are of IPv4 only."),
    case=Case.STEP,
    modes=SHOWN,
)
def source_ranges_protect_the_service(step: Step) -> Violation | None:
    for seen in arrivals(step):
        ranges = seen.service.load_balancer_source_ranges
        if ranges and seen.told.verdict is Verdict.DNAT and not _is_in(seen, ranges):
            by = seen.owned.kind.value
            return Violation(f"{seen.packet} is outside {', '.join(ranges)} and is let in by {by}")
    return None


def _is_in(seen: Arrival, ranges: tuple[str, ...]) -> bool:
    spans = (span for family, span in map(parse_cidr, ranges) if family is seen.packet.family)
    return any(contains(span, seen.packet.source) for span in spans)


@refuted(
    "NEG-08",
    "A service port is joined with an endpoint port by number: targetPort or, if it is unset, port.",
    Break(
        ("EPS-PORT-05",),
        "A slice written by hand gives the port's name another number: connections go to that number.",
    ),
    Break(
        ("EPS-PORT-05", "FWD-REJ-01"),
        "A slice written by hand has the number under another name: connections are refused.",
    ),
    case=Case.STEP,
    modes=SHOWN,
)
def ports_are_joined_by_number(step: Step) -> Violation | None:
    for seen in arrivals(step):
        number = _number(seen)
        if seen.told.target and seen.told.target.port != number:
            return Violation(f"{seen.packet} goes to port {seen.told.target.port}, not to {number}")
        if seen.told.verdict is Verdict.REJECT and _lists(seen, number):
            return Violation(f"{seen.packet} is refused, though a slice lists port {number}")
    return None


def _number(seen: Arrival) -> int:
    name = seen.owned.service_port.name
    port = next(
        one for one in seen.service.ports if (one.name, one.protocol) == (name.port_name, name.protocol)
    )
    return port.target_port if isinstance(port.target_port, int) and port.target_port else port.port


def _lists(seen: Arrival, number: int) -> bool:
    """Whether a ready endpoint is listed at the number, under whatever name."""
    applied = seen.state.proxies[seen.node].applied
    protocol = seen.owned.service_port.name.protocol
    return applied is not None and any(
        (port.port, port.protocol) == (number, protocol)
        and any(each.ready is not False for each in one.endpoints)
        for one in applied.slices.of(seen.service.name)
        if one.address_type == seen.packet.family.value
        for port in one.ports
    )


@refuted(
    "NEG-09",
    "trafficDistribution goes by each endpoint: those with a hint for the node's zone are taken first.",
    Break(
        ("FWD-TOPO-01",),
        "Of two ready endpoints one is in the client's zone, and the other on a node without a zone has no "
        "hint: connections go to both.",
    ),
    case=Case.STEP,
    modes=SHOWN,
)
def hints_count_one_by_one(step: Step) -> Violation | None:
    for seen in arrivals(step):
        if not seen.service.traffic_distribution or is_held_to_node(seen.view, seen.packet, seen.owned):
            continue
        zone = seen.view.config.zone
        near = [one for one in seen.owned.endpoints.values() if one.ready and zone in one.zone_hints]
        if near and seen.endpoint and seen.endpoint not in near:
            return Violation(
                f"{seen.packet} goes to {seen.target}, though another endpoint has a hint for {zone}"
            )
    return None


@refuted(
    "NEG-15",
    "A cluster IP answers pings, and refuses ports that its Service does not have.",
    Break(("MODE-05",), "A connection to a port that the Service does not have is left alone, unanswered."),
    Break(("MODE-07",), "A ping to the cluster IP is left alone, and no node has the address to answer."),
    case=Case.STEP,
    modes=SHOWN,
    awaits="nftables mode refuses both, and drops what is for an address without a Service (MODE-05..07); "
    "ipvs mode answered pings until 1.25 and refuses both since 1.26. Shown once these modes are modelled.",
)
def a_cluster_ip_is_an_address_like_others(step: Step) -> Violation | None:
    opened = opening(step)
    if opened is None or any(arrivals(step)):
        return None
    _, proxy, packet, told = opened
    text = format_address(packet.family, packet.destination)
    services = proxy.applied.services.by_name.values() if proxy.applied else ()
    if told.verdict is Verdict.PASS and any(text in one.cluster_ips for one in services):
        name = PROTOCOL_NAMES.get(packet.protocol, "")
        return Violation(f"{name} {packet} is for a cluster IP and is neither answered nor refused")
    return None


@refuted(
    "NEG-16",
    "What a node short-circuits past externalTrafficPolicy Local is always delivered.",
    Break(
        ("FWD-ETP-08", "FWD-ETP-02", "MASQ-05", "SRC-02"),
        "Pods are known by the cluster's CIDR. A pod of one node asks the node port of another one, which "
        "sends it on to an endpoint elsewhere with the pod's address: the answer goes straight to the pod, "
        "past the node that would have to translate it back.",
    ),
    case=Case.STEP,
    modes=SHOWN,
)
def the_short_circuit_delivers(step: Step) -> Violation | None:
    """An answer is translated back if it comes by the node: to its own address, or to a pod on it."""
    for seen in arrivals(step):
        client = pod_at(step.before, seen.source)
        if not (_is_external(seen) and _is_local(seen) and seen.endpoint and client):
            continue
        if not (seen.told.masquerade or seen.endpoint.local or client.node_name == seen.node):
            return Violation(
                f"{seen.packet} goes to {seen.target}, whose answer goes straight to {client.name} on "
                f"{client.node_name}, past {seen.node}"
            )
    return None


def _is_external(seen: Arrival) -> bool:
    return seen.owned.kind is not FrontendKind.CIP


def _is_local(seen: Arrival) -> bool:
    service: Service = seen.service
    return service.external_traffic_policy is TrafficPolicy.LOCAL
