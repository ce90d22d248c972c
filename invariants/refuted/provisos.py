"""Claims of the catalogue about health and UDP flows, without the provisos that make them true.

Each has the id of the claim that it overstates. Beside NEG-*, which come from elsewhere.
"""

from collections.abc import Callable

from invariants.flows import flows_lost, is_to_a_frontend, served_flows_lost, stale_flows
from invariants.health import lags, outside_outcomes
from invariants.invariant import Step, Violation
from invariants.refuted.claim import Break, Case, Refuted, refuted
from model.cluster import events, questions
from model.outcome import Verdict
from model.traffic import Delivery


@refuted(
    "INV-67",
    "A node that keeps up and sends what comes from outside to endpoints answers 200 on the health check "
    "node port.",
    Break(
        ("HC-03", "FWD-EP-03"),
        "The node's only endpoint terminates and still serves: it gets new connections, the check fails.",
    ),
    case=Case.STEP,
)
def whoever_serves_is_healthy(step: Step) -> Violation | None:
    """Asked where a connection was made to the Service by the node."""
    event, told = step.event, step.told
    if not isinstance(event, events.Send) or not isinstance(told, Delivery) or not told.is_new:
        return None
    proxy = step.before.proxies[event.node]
    applied = proxy.applied
    of = told.flow.service_port if told.flow else None
    if applied is None or of is None or lags(step.before, proxy):
        return None
    service = applied.services.by_name[of.service]
    family = event.packet.family
    answer = questions.health(step.before, event.node, service.name, family)
    port = next(port for port in service.ports if (port.name, port.protocol) == (of.port_name, of.protocol))
    outside = outside_outcomes(step.before, event.node, family, service, port)
    serves = any(outcome.verdict is Verdict.DNAT for _, outcome in outside)
    if serves and answer is not None and answer.status != 200:
        return Violation(f"{event.node} serves {of} and answers {answer.status}")
    return None


@refuted(
    "INV-69",
    "After a sync that brought a change of UDP endpoints, every UDP flow to a frontend goes to a serving "
    "endpoint of its service port.",
    Break(("CT-04",), "The last endpoint of the service port is gone: its flows stay, and lead nowhere."),
    case=Case.STEP,
)
def no_udp_flow_outlives_its_endpoint(step: Step) -> Violation | None:
    for flow, one, _ in stale_flows(step):
        return Violation(f"{one.name} keeps a flow to {flow.reply_source}, which does not serve")
    return None


@refuted(
    "INV-70",
    "The clean-up of UDP flows spares every flow to an address frontend whose endpoint serves it.",
    Break(
        ("CT-02",),
        "Another Service has a UDP node port of the same number as the frontend's port, and other endpoints: "
        "the clean-up takes the flow for one of that Service.",
    ),
    case=Case.STEP,
)
def served_flows_are_spared(step: Step) -> Violation | None:
    for flow, one, _ in served_flows_lost(step):
        return Violation(f"{one.name} loses a flow to {flow.reply_source}, which serves")
    return None


@refuted(
    "INV-70",
    "The clean-up of UDP flows spares flows to addresses that are no Service's.",
    Break(
        ("CT-02",),
        "A flow to an address outside has by chance the number of a UDP node port as its port: the clean-up "
        "ends it (kubernetes#49881).",
    ),
    case=Case.STEP,
)
def flows_of_others_are_spared(step: Step) -> Violation | None:
    for view, flow in flows_lost(step):
        if not is_to_a_frontend(view, flow):
            return Violation(f"a flow to {flow.reply_source} is gone, of which no Service speaks")
    return None


PROVISOS: tuple[Refuted[Callable[[Step], Violation | None]], ...] = (
    whoever_serves_is_healthy,
    no_udp_flow_outlives_its_endpoint,
    served_flows_are_spared,
    flows_of_others_are_spared,
)
