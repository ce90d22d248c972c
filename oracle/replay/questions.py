"""What a history can ask: the fate of a packet, a name, a health check, the objects of the moment.

No question changes anything. Each answers in lines for people and in facts for expectations.
"""

import json
from typing import TYPE_CHECKING

from model.addresses import Family
from model.cluster.questions import fate, health, healthz
from model.cluster.state import ClusterState
from model.dns import ClusterDns, DnsConfig, NodeDns, PodDns, dns_server, pod_resolv_conf, resolve
from model.health import Answer
from oracle.replay.describe import outcome_facts
from oracle.replay.entries import Facts, Question, Said, Unanswerable
from oracle.replay.inventory import LISTS, NAMED, listed, named
from oracle.replay.things import PACKET_KEYS, asked_packet, object_name
from oracle.replay.tree import Item
from oracle.report.wording import outcome_text

if TYPE_CHECKING:
    import dns.message

Read = tuple[str, Question]

_TYPES = ("A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "NS", "SOA", "MX", "ANY")


def ask(item: Item) -> Read:
    """`ask: {node, from, to}`: what the node's rules do with the first packet of a new connection."""
    fields = item.fields(*PACKET_KEYS, needed=("node", "from", "to"))
    asked = asked_packet(item, fields, needs_source_port=False)

    def answer(state: ClusterState) -> Said:
        packet = asked.packet(state)
        expectation = fate(state, asked.node, packet)
        family = packet.family
        texts = [outcome_text(outcome, family) for outcome in expectation.allowed]
        owners = f" for {' and '.join(expectation.service_ports)}" if expectation.service_ports else ""
        line = f"{' or '.join(texts)}{owners} [{', '.join(expectation.cites)}]"
        facts = outcome_facts(expectation.allowed[0], family)
        facts |= {"cites": expectation.cites, "owners": expectation.service_ports}
        return Said((line,), facts)

    return asked.subject, Question(answer)


def resolution(item: Item, config: DnsConfig) -> Read:
    """`dns: {name, type, from-namespace}`: what the cluster's DNS answers a pod of the namespace."""
    fields = item.fields("type", "from-namespace", needed=("name",))
    name = fields["name"].text()
    kind = fields["type"].choice(*_TYPES) if "type" in fields else "A"
    namespace = fields["from-namespace"].text() if "from-namespace" in fields else "default"

    def answer(state: ClusterState) -> Said:
        from dns.rdatatype import from_text

        objects = state.objects()
        server = dns_server(objects)
        conf = pod_resolv_conf(PodDns(namespace), NodeDns(server.addresses, config.zone.removesuffix(".")))
        try:
            found = resolve(
                ClusterDns.of(objects, config), name, conf, types=(from_text(kind),), servers=server.addresses
            )
        except ValueError as error:
            raise Unanswerable(str(error)) from None
        last = found.steps[-1]
        records = tuple(text for reply in last.replies for text in _records(reply.message))
        outside = tuple(str(one) for one in found.outside)
        facts: Facts = {
            "status": found.status.value,
            "asked": last.name,
            "addresses": found.addresses if kind in ("A", "AAAA") else (),
            "records": records,
            "outside": outside,
        }
        *tried, heading = [f"{one.status.value} for {one.name}" for one in found.steps]
        rest = [f"{one} is for a server outside the cluster to answer" for one in outside]
        return Said((*tried, heading, *records, *rest), facts)

    return f"{name} {kind} from {namespace}", Question(answer)


def health_check(item: Item) -> Read:
    """`health: {node, service}`: what a load balancer hears on the health check node port."""
    fields = item.fields("family", needed=("node", "service"))
    node, service = fields["node"].text(), object_name(fields["service"])
    words = tuple(one.value for one in Family)
    family = Family(fields["family"].choice(*words) if "family" in fields else Family.IPV4.value)

    def answer(state: ClusterState) -> Said:
        if node not in state.proxies:
            raise Unanswerable(f"there is no node {node}")
        return _heard(health(state, node, service, family))

    return f"{node} of {service}", Question(answer)


def healthz_check(item: Item) -> Read:
    """`healthz: NODE`: what the node's kube-proxy says of itself."""
    node = item.text()

    def answer(state: ClusterState) -> Said:
        if node not in state.proxies:
            raise Unanswerable(f"there is no node {node}")
        return _heard(healthz(state, node))

    return node, Question(answer)


def show(item: Item) -> Read:
    """`show: services` (or slices, pods, ...), or `show: {service: NAME}` for one thing."""
    if isinstance(item.value, str):
        word = item.choice(*LISTS)
        return word, Question(lambda state: listed(state, word))
    fields = item.fields(*NAMED)
    if len(fields) != 1:
        raise item.fault("name one thing, such as {service: shop/web}")
    ((kind, what),) = fields.items()
    name = what.number(1, 65535) if kind == "node-port" else what.text()
    if kind in ("service", "slices", "endpoints", "pod"):
        name = str(object_name(what))
    return f"{kind} {name}", Question(lambda state: named(state, kind, name))


def _heard(answer: Answer | None) -> Said:
    if answer is None:
        return Said(("nobody listens",), {"listening": False})
    body = json.loads(answer.body)
    facts: dict[str, str | int | bool | None] = {"listening": True, "status": answer.status}
    if "localEndpoints" in body:
        facts["local-endpoints"] = body["localEndpoints"]
        facts["healthy"] = body["serviceProxyHealthy"]
        rest = f"{body['localEndpoints']} local endpoints, proxy healthy: {str(facts['healthy']).lower()}"
    else:
        facts["healthy"] = body["healthy"]
        rest = f"healthy: {str(facts['healthy']).lower()}"
    return Said((f"{answer.status}, {rest}",), facts)


def _records(message: "dns.message.Message") -> tuple[str, ...]:
    from dns.rdatatype import to_text

    return tuple(
        f"{rrset.name} {to_text(rrset.rdtype)} {record}" for rrset in message.answer for record in rrset
    )
