"""What the answers on health check node ports promise a load balancer, and what they do not."""

from collections.abc import Iterator

from invariants.applied import (
    Entries,
    entries,
    from_outside,
    is_draining,
    is_ready,
    only_owner,
    open_frontends,
)
from invariants.invariant import Violation, state_invariant
from model.addresses import Family, format_address
from model.cluster import questions
from model.cluster.state import Applied, ClusterState, Proxy, applied_view
from model.health import Answer
from model.intervals import contains
from model.objects import Service, ServicePort
from model.outcome import Outcome, Target, Verdict

HEALTH_SECONDS = 60
"""For how long a change may wait for a sync: twice the default sync period (HC-04)."""


@state_invariant(
    "INV-66",
    "A node answers 200 on a health check node port only while it has a ready endpoint on some port of "
    "the Service's slices, and while none of its changes has waited a minute for a sync.",
    source=("HC-01", "HC-02", "HC-03", "HC-04"),
)
def health_means_a_ready_endpoint_on_the_node(state: ClusterState) -> Violation | None:
    for node, service, family, answer in answers(state):
        if answer.status != 200:
            continue
        proxy = state.proxies[node]
        if not _is_ready(proxy, node, service, family):
            return Violation(f"{node} answers 200 for {service.name} without a ready endpoint of its own")
        if lags(state, proxy):
            return Violation(f"{node} answers 200 for {service.name}, while changes have waited a minute")
    return None


@state_invariant(
    "INV-67",
    "A node whose endpoints of a Service with policy Local only serve while they terminate answers 503, "
    "and still sends what comes from outside to them: traffic does not imply health.",
    source=("HC-03", "FWD-EP-03", "FWD-ETP-04"),
)
def draining_nodes_fail_the_check_and_serve(state: ClusterState) -> Violation | None:
    for node, service, family, answer in answers(state):
        proxy = state.proxies[node]
        if _is_ready(proxy, node, service, family):
            continue
        if answer.status != 503:
            return Violation(f"{node} answers {answer.status} for {service.name}, nothing of it is ready")
        for port, found in _ports(proxy, service, family):
            draining = draining_on(found, node)
            if draining:
                for where, outcome in outside_outcomes(state, node, family, service, port):
                    used = {leaf.target for leaf in outcome.leaves}
                    if outcome.verdict is not Verdict.DNAT or used != draining:
                        return Violation(f"{node} does not send {where} to the endpoints that drain there")
    return None


def answers(state: ClusterState) -> Iterator[tuple[str, Service, Family, Answer]]:
    """What each node that listens answers for each Service, in each family."""
    for node in sorted(state.proxies):
        applied = state.proxies[node].applied
        for service in applied.services.by_name.values() if applied else ():
            if service.health_check_node_port:
                for family in Family:
                    answer = questions.health(state, node, service.name, family)
                    if answer is not None:
                        yield node, service, family, answer


def outside_outcomes(
    state: ClusterState, node: str, family: Family, service: Service, port: ServicePort
) -> Iterator[tuple[str, Outcome]]:
    """What is done with new connections from outside to frontends that are this port's alone.

    With the frontend in words; every outcome that is allowed.
    """
    proxy = state.proxies[node]
    everything = proxy.applied.services.by_name if proxy.applied else ()
    view = applied_view(proxy, everything, family)
    for one in view.service_ports:
        name = one.name
        if (name.service, name.port_name, name.protocol) != (service.name, port.name, port.protocol):
            continue
        for address, number in open_frontends(view, one):
            packet = from_outside(view, one.protocol, address, number)
            inside = contains(view.pod_sources or (), packet.source)
            if only_owner(view, packet) is one and not inside:
                for outcome in questions.fate(state, node, packet).allowed:
                    yield f"{format_address(family, address)} port {number}", outcome


def _ports(proxy: Proxy, service: Service, family: Family) -> Iterator[tuple[ServicePort, Entries]]:
    slices = (proxy.applied or Applied()).slices.of(service.name)
    for port in service.ports:
        yield port, entries(slices, family, port.name, port.protocol)


def _is_ready(proxy: Proxy, node: str, service: Service, family: Family) -> bool:
    """Whether the slices list a ready endpoint on the node, on a port of the Service or any other (HC-03)."""
    slices = (proxy.applied or Applied()).slices.of(service.name)
    ports = {(port.name, port.protocol) for one in slices for port in one.ports}
    return any(
        is_ready(each) and each.node_name == node
        for name, protocol in ports
        for listed in entries(slices, family, name, protocol).values()
        for each in listed
    )


def draining_on(found: Entries, node: str) -> set[Target]:
    """The places on the node that serve while they terminate; empty where others may be there too.

    An entry of another kind leaves open which one a proxy goes by (EPS-SL-08).
    """
    local = {place: listed for place, listed in found.items() if any(e.node_name == node for e in listed)}
    if all(is_draining(each) and each.node_name == node for listed in local.values() for each in listed):
        return set(local)
    return set()


def lags(state: ClusterState, proxy: Proxy) -> bool:
    """Whether a change has waited for a minute in which nothing was synced (HC-04)."""
    limit = state.now - HEALTH_SECONDS
    families = {family.value for family, _ in proxy.config.primary}
    if proxy.synced_at > limit or not families:
        return False
    applied = proxy.applied or Applied()
    told = [
        *state.services.changes.since(applied.services.changes.last),
        *(
            change
            for change in state.slices.changes.since(applied.slices.changes.last)
            if change.address_type in families
        ),
    ]
    return any(change.at <= limit for change in told)
