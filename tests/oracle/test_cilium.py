"""A node that Cilium serves is judged by the list of frontends that its agent keeps."""

import json
from typing import Any

import attrs
import pytest

from model.errors import InputError
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)
from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node

WEB = ObjectName("shop", "web")
HERE, THERE = "10.0.1.5", "10.0.2.5"
SERVICE = Service(
    WEB,
    ServiceType.LOAD_BALANCER,
    (ServicePort("", "TCP", 80, 30080, 8080),),
    ("10.96.7.7",),
    external_ips=("198.51.100.7",),
    ingress=(Ingress(ip="192.0.2.7"),),
)
PLACES = {
    ("10.96.7.7", 80): "ClusterIP",
    ("198.51.100.7", 80): "ExternalIPs",
    ("192.0.2.7", 80): "LoadBalancer",
    ("0.0.0.0", 30080): "NodePort",
    ("10.32.0.1", 30080): "NodePort",
}
Item = dict[str, Any]


def cluster(service: Service = SERVICE, *endpoints: Endpoint) -> Cluster:
    both = (
        Endpoint((HERE,), node_name="node-1", ready=True),
        Endpoint((THERE,), node_name="node-2", ready=True),
    )
    ports = (EndpointPort("", "TCP", 8080),)
    piece = EndpointSlice(ObjectName("shop", "web-1"), WEB, "IPv4", endpoints or both, ports)
    nodes = (Node("node-1", (("InternalIP", "10.32.0.1"),)),)
    return Cluster(services=(service,), slices=(piece,), nodes=nodes)


def backend(ip: str, **fields: object) -> Item:
    return {"ip": ip, "port": 8080, "protocol": "TCP", "state": "active", "weight": 100, **fields}


def item(ip: str, port: int, type_: str, *backends: Item, **front: object) -> Item:
    spec = {
        "id": 1,
        "frontend-address": {"ip": ip, "port": port, "protocol": "TCP", "scope": "external", **front},
        "backend-addresses": list(backends),
        "flags": {"name": "web", "namespace": "shop", "type": type_},
    }
    return {"spec": spec, "status": {"realized": spec}}


def healthy(*backends: Item) -> list[Item]:
    used = backends or (backend(HERE), backend(THERE))
    return [item(ip, port, type_, *used) for (ip, port), type_ in PLACES.items()]


def judged(items: list[Item], of: Cluster | None = None, *more: EvidenceFile) -> NodeReport:
    file = EvidenceFile("nodes/node-1/cilium-services.json", json.dumps(items).encode())
    return check_node(NodeEvidence("node-1", (file, *more)), of or cluster())


def told(report: NodeReport) -> list[tuple[Kind, str, int]]:
    return [(one.kind, one.frontend, one.frontends) for one in report.differences]


def open_questions(report: NodeReport) -> list[str]:
    return [one.why for one in report.not_judged]


def test_a_healthy_list_has_each_frontend_and_says_what_it_cannot_show() -> None:
    """FWD-OBJ-03: cluster IP, external and balancer's IP, node port at the wildcard and the node."""
    report = judged(healthy())

    assert told(report) == []
    assert (report.dialect, report.judged.frontends, report.judged.rules) == ("cilium", 4, 5)
    assert open_questions(report) == [
        "source translation, source ranges, odds and session affinity of 4 IPv4 frontends"
        " are not in Cilium's list"
    ]
    assert report.verdict is NodeVerdict.NOT_JUDGED


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_each_frontend_that_is_not_listed_is_told(place: tuple[str, int]) -> None:
    items = [one for one in healthy() if one["spec"]["frontend-address"]["ip"] != place[0]]

    assert told(judged(items)) == [(Kind.MISSING_FRONTEND, f"{place[0]}:{place[1]}", 1)]


FAULTS = {
    "one gone": ([backend(HERE)], Kind.MISSING_TARGET),
    "none at all": ([backend(HERE, state="maintenance")], Kind.MISSING_TARGET),
    "a stranger": ([backend(HERE), backend(THERE), backend("10.0.9.9")], Kind.STALE_TARGET),
    "another port": ([backend(HERE), backend(THERE, port=9090)], Kind.WRONG_PORT),
    "quarantined": ([backend(HERE), backend(THERE, state="quarantined")], Kind.MISSING_TARGET),
    "weight 0": ([backend(HERE), backend(THERE, weight=0)], Kind.MISSING_TARGET),
    "taken for terminating": ([backend(HERE), backend(THERE, state="terminating")], Kind.MISSING_TARGET),
}


@pytest.mark.parametrize(("backends", "kind"), FAULTS.values(), ids=FAULTS)
def test_backends_that_are_not_the_services_are_one_difference(backends: list[Item], kind: Kind) -> None:
    """FWD-EP-02: all ready endpoints; the five entries of the Service share the cause."""
    assert told(judged(healthy(*backends))) == [(kind, "10.96.7.7:80", 5)]


def test_terminating_backends_serve_only_where_none_is_active() -> None:
    """FWD-EP-02: the list names them besides active ones too, and then they take nothing new."""
    leaving = Endpoint((THERE,), node_name="node-2", ready=False, serving=True, terminating=True)
    ready = Endpoint((HERE,), node_name="node-1", ready=True)
    last = healthy(backend(THERE, state="terminating"))
    beside = healthy(backend(HERE), backend(THERE, state="terminating"))

    assert told(judged(last, cluster(SERVICE, leaving))) == []
    assert told(judged(beside, cluster(SERVICE, ready, leaving))) == []
    assert told(judged(healthy(backend(HERE), backend(THERE)), cluster(SERVICE, ready, leaving))) == [
        (Kind.INELIGIBLE_TARGET, "10.96.7.7:80", 5)
    ]


def test_a_terminating_backend_that_no_longer_serves_is_none() -> None:
    """FWD-EP-05: there is a state for it, and the frontend then has nothing."""
    gone = Endpoint((THERE,), node_name="node-2", ready=False, serving=False, terminating=True)
    items = healthy(backend(THERE, state="terminating-not-serving"))

    assert told(judged(items, cluster(SERVICE, gone))) == []


LOCAL = attrs.evolve(SERVICE, external_traffic_policy=TrafficPolicy.LOCAL)


def local_list() -> list[Item]:
    """Of each frontend that is no cluster IP an entry for outsiders, and one for the cluster's own."""
    every = (backend(HERE), backend(THERE))
    items = [item("10.96.7.7", 80, "ClusterIP", *every)]
    for (ip, port), type_ in list(PLACES.items())[1:]:
        items.append(item(ip, port, type_, backend(HERE)))
        items.append(item(ip, port, type_, *every, scope="internal"))
    return items


def test_policy_local_has_an_entry_for_each_scope() -> None:
    """FWD-ETP-04, FWD-ETP-02: outsiders get local endpoints, pods and the node get all."""
    of = cluster(LOCAL)

    assert told(judged(local_list(), of)) == []
    assert told(judged(healthy(), of)) == [
        (Kind.MISSING_FRONTEND, "198.51.100.7:80", 1),
        (Kind.MISSING_FRONTEND, "192.0.2.7:80", 1),
        (Kind.MISSING_FRONTEND, "0.0.0.0:30080", 2),
        (Kind.INELIGIBLE_TARGET, "198.51.100.7:80", 4),
    ]


def test_policy_local_without_a_local_endpoint_has_no_backend() -> None:
    """FWD-ETP-05: what is expected of an outsider is to be dropped."""
    away = Endpoint((THERE,), node_name="node-2", ready=True)
    report = judged(healthy(backend(THERE)), cluster(LOCAL, away))
    found = next(one for one in report.differences if one.kind is Kind.INELIGIBLE_TARGET)

    assert [one.verdict.value for one in found.expected] == ["drop"]
    assert found.cites == ("FWD-EP-03",)
    assert str(found.packet) == "203.0.113.2 -> 198.51.100.7:80 tcp (from the wire)"


def test_internal_policy_local_holds_cluster_ips_to_local_endpoints() -> None:
    """FWD-ITP-02; how Cilium treats its own clients elsewhere then is its own affair, and counted."""
    of = cluster(attrs.evolve(SERVICE, internal_traffic_policy=TrafficPolicy.LOCAL))
    items = healthy()
    items += [
        item(ip, port, t, backend(HERE), scope="internal") for (ip, port), t in list(PLACES.items())[1:]
    ]
    report = judged(items, of)

    assert told(report) == [(Kind.INELIGIBLE_TARGET, "10.96.7.7:80", 1)]
    assert open_questions(report)[1] == (
        "backends of 4 frontends of internal scope:"
        " Cilium holds the cluster's own clients to internalTrafficPolicy here"
    )


def test_zone_hints_may_be_heeded_or_not() -> None:
    """FWD-TOPO-01: Cilium heeds them only if it is told to, which its list does not show."""
    hinted = (
        Endpoint((HERE,), node_name="node-1", ready=True, zone_hints=("a",)),
        Endpoint((THERE,), node_name="node-2", ready=True, zone_hints=("b",)),
    )
    of = cluster(SERVICE, *hinted)
    node = attrs.evolve(of.nodes[0], labels=(("topology.kubernetes.io/zone", "a"),))
    of = attrs.evolve(of, nodes=(node,))

    assert told(judged(healthy(backend(HERE)), of)) == []
    assert told(judged(healthy(), of)) == []
    assert told(judged(healthy(backend(THERE)), of)) == [(Kind.MISSING_TARGET, "10.96.7.7:80", 5)]


@pytest.mark.parametrize("protocol", ["ANY", "NONE", None])
def test_an_entry_without_protocol_serves_each(protocol: str | None) -> None:
    """Before protocols were told apart one entry stood for all of them."""
    ports = (*SERVICE.ports, ServicePort("u", "UDP", 80, 0, 8080))
    of = cluster(attrs.evolve(SERVICE, ports=ports))
    (piece,) = of.slices
    of = attrs.evolve(of, slices=(attrs.evolve(piece, ports=(*piece.ports, EndpointPort("u", "UDP", 8080))),))
    items = healthy()
    for one in items:
        one["spec"]["frontend-address"]["protocol"] = protocol

    assert told(judged(items, of)) == []
    assert (Kind.MISSING_FRONTEND, "10.96.7.7:80", 1) in told(judged(healthy(), of))


def test_an_entry_that_no_service_asks_for_is_surplus() -> None:
    """FWD-OBJ-03: a cluster IP that was given back to the range."""
    extra = item("10.96.9.9", 80, "ClusterIP", backend(HERE))

    assert told(judged([*healthy(), extra])) == [(Kind.UNEXPECTED_FRONTEND, "10.96.9.9:80", 1)]


def test_node_ports_answer_on_further_addresses_of_the_node() -> None:
    """NP-02: without `ip -j addr` any address may be the node's; its backends are judged."""
    right = item("172.17.0.1", 30080, "NodePort", backend(HERE), backend(THERE))
    wrong = item("172.17.0.1", 30080, "NodePort", backend(HERE))

    assert told(judged([*healthy(), right])) == []
    assert told(judged([*healthy(), wrong])) == [(Kind.MISSING_TARGET, "172.17.0.1:30080", 1)]


FLAGS = {
    "type": (0, {"type": "LoadBalancer"}, Kind.WRONG_VERDICT),
    "internal policy": (0, {"intTrafficPolicy": "Local"}, Kind.WRONG_VERDICT),
    "external policy": (2, {"extTrafficPolicy": "Local"}, Kind.WRONG_VERDICT),
    "external policy of old versions": (2, {"trafficPolicy": "Local"}, Kind.WRONG_VERDICT),
}


@pytest.mark.parametrize(("at", "flags", "kind"), FLAGS.values(), ids=FLAGS)
def test_type_and_policies_are_the_services(at: int, flags: Item, kind: Kind) -> None:
    """FWD-OBJ-03, FWD-ITP-02, FWD-ETP-06: a cluster IP obeys the internal policy, others the external."""
    items = healthy()
    items[at]["spec"]["flags"].update(flags)

    assert [found for found, _, _ in told(judged(items))] == [kind]


def test_what_is_of_no_service_here_is_counted() -> None:
    """Ports of pods on the host, redirects, and Services of a mesh's other clusters."""
    remote = item("10.96.9.9", 80, "ClusterIP", backend(HERE))
    remote["spec"]["flags"]["cluster"] = "east"
    items = [*healthy(), item("10.32.0.1", 9000, "HostPort", backend(HERE)), remote]
    report = judged(items)

    assert told(report) == []
    assert open_questions(report)[1:] == ["1 entries: Services of other clusters", "1 entries: type HostPort"]


def test_services_with_annotations_of_ciliums_own_are_not_judged() -> None:
    of = cluster(attrs.evolve(SERVICE, annotations=(("service.cilium.io/global", "true"),)))
    report = judged(healthy(backend("10.9.9.9")), of)

    assert told(report) == []
    assert open_questions(report)[1] == "5 frontends: their Services have annotations of Cilium's own"


def test_a_list_of_cluster_ips_alone_leaves_the_rest_to_another_proxy() -> None:
    """Without its replacement of kube-proxy Cilium serves no other frontend."""
    report = judged(healthy()[:1])

    assert told(report) == []
    assert open_questions(report)[1].startswith("4 frontends that are no cluster IPs: Cilium lists none")


def test_ipv6_frontends_are_judged_with_their_own_wildcard() -> None:
    """FWD-OBJ-01: a family's frontends have endpoints of that family."""
    service = attrs.evolve(SERVICE, cluster_ips=("fd00::7",), external_ips=(), ingress=())
    of = cluster(service, Endpoint(("fd01::5",), node_name="node-1", ready=True))
    of = attrs.evolve(of, slices=(attrs.evolve(of.slices[0], address_type="IPv6"),))
    right = [
        item("fd00::7", 80, "ClusterIP", backend("fd01::5")),
        item("::", 30080, "NodePort", backend("fd01::5")),
    ]

    assert told(judged(right, of)) == []
    assert told(judged([right[0], item("::", 30080, "NodePort")], of)) == [
        (Kind.MISSING_TARGET, "[::]:30080", 1)
    ]


def test_an_empty_list_serves_nothing() -> None:
    assert {kind for kind, _, _ in told(judged([]))} == {Kind.MISSING_FRONTEND}


def test_what_is_realized_counts_and_what_is_not_yet_is_said() -> None:
    items = healthy()
    items[0]["spec"] = item("10.96.7.7", 80, "ClusterIP", backend(HERE))["spec"]
    report = judged(items)

    assert told(report) == []
    assert len(report.warnings) == 1


BROKEN = {
    "no list": ("{}", 1, "expected a JSON list"),
    "no JSON": ('[\n{"spec": }]', 2, "not JSON"),
    "endless number": ("[" + "9" * 5000 + "]", 1, "a number that is too long"),
    "deep": ("[" * 200_000, 1, "nested too deep"),
    "cut off": ("[\n" + json.dumps(item("10.96.7.7", 80, "ClusterIP")), 2, "the list has no end"),
    "no frontend": ('[\n\n{"spec": {}}]', 3, "without frontend-address"),
    "no address": ("[\n" + json.dumps(item("10.96.7", 80, "ClusterIP")) + "]", 2, "is not an IP address"),
    "strange state": (
        "[\n" + json.dumps(item("10.96.7.7", 80, "ClusterIP", backend(HERE, state="odd"))) + "]",
        2,
        "unknown state of a backend 'odd'",
    ),
    "strange type": ("[\n" + json.dumps(item("10.96.7.7", 80, "Odd")) + "]", 2, "unknown type 'Odd'"),
    "port": ("[\n" + json.dumps(item("10.96.7.7", 65536, "ClusterIP")) + "]", 2, "65536 is not a port"),
}


@pytest.mark.parametrize(("text", "line", "what"), BROKEN.values(), ids=BROKEN)
def test_a_list_that_cannot_be_read_is_told_by_its_line(text: str, line: int, what: str) -> None:
    file = EvidenceFile("nodes/node-1/cilium-services.json", text.encode())
    with pytest.raises(InputError) as caught:
        check_node(NodeEvidence("node-1", (file,)), cluster())

    assert (caught.value.line, what in caught.value.what) == (line, True)


def test_a_list_is_known_by_its_content() -> None:
    file = EvidenceFile("services.txt", json.dumps(healthy(), indent=2).encode())
    report = check_node(NodeEvidence("node-1", (file,)), cluster())

    assert (report.dialect, told(report)) == ("cilium", [])


def test_only_check_can_use_a_list() -> None:
    file = EvidenceFile("cilium-services.json", b"[]")
    with pytest.raises(InputError, match="only check can judge it"):
        read_node(NodeEvidence("node-1", (file,)), cluster())


KUBE_PROXY = """\
*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.7.7/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SVC-AAAAAAAAAAAAAAAA -p tcp -j DNAT --to-destination 10.0.1.5:8080
COMMIT
"""


def test_service_rules_of_kube_proxy_beside_the_list_are_said() -> None:
    """Two proxies translate at once, and the list tells of one (MODE-32)."""
    rules = EvidenceFile("nodes/node-1/iptables-save", KUBE_PROXY.encode())
    report = judged(healthy(), None, rules)

    assert open_questions(report)[0] == (
        "service rules of kube-proxy (iptables) are live beside Cilium's: judge them alone"
    )
