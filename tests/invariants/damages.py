"""Nodes' recorded rules with one fault each: for every claim about packets one that breaks it.

A fault is an edit of node-a's IPv4 rules, or of the objects after the rules were written, as
where a proxy has stopped. Each names the claim that it is there to break; it may break others.
"""

import re
from collections.abc import Callable, Iterator

import attrs

from model.objects import Cluster, Endpoint, EndpointPort, EndpointSlice, TrafficPolicy
from oracle.bundle import EvidenceFile, NodeEvidence, read_bundle
from tests.invariants.recorded import DUMPS

NODE = "node-a"
Edit = tuple[str, str]
"""A pattern over lines, and what each match becomes; there is one at least."""


def _unchanged(cluster: Cluster) -> Cluster:
    return cluster


@attrs.frozen
class Damage:
    """What is wrong of the node in a recorded `case`; `id` is the claim that must notice."""

    id: str
    what: str
    case: str
    edits: tuple[Edit, ...] = ()
    objects: Callable[[Cluster], Cluster] = _unchanged

    def __str__(self) -> str:
        return f"{self.id}: {self.what}"

    def node(self) -> tuple[NodeEvidence, Cluster]:
        """The damaged node and the objects that it is held against."""
        bundle = read_bundle(DUMPS / f"{self.case}.iptables")
        assert bundle.cluster is not None
        evidence = next(one for one in bundle.nodes if one.name == NODE)
        files = tuple(
            EvidenceFile(file.label, self._damaged(file.data.decode()).encode())
            if file.label.endswith("/iptables-save")
            else file
            for file in evidence.rules
        )
        return attrs.evolve(evidence, rules=files), self.objects(bundle.cluster)

    def _damaged(self, rules: str) -> str:
        for pattern, instead in self.edits:
            rules, times = re.subn(f"(?m){pattern}", instead, rules)
            assert times, f"{self}: no line is like {pattern}"
        return rules


def _without(start: str) -> Edit:
    """The lines that start so are gone."""
    return (rf"^{re.escape(start)}.*\n", "")


def internal_policy_local(cluster: Cluster) -> Cluster:
    """Every Service's internalTrafficPolicy became Local."""
    return attrs.evolve(
        cluster,
        services=tuple(
            attrs.evolve(one, internal_traffic_policy=TrafficPolicy.LOCAL) for one in cluster.services
        ),
    )


def web_leads_to_web_open(cluster: Cluster) -> Cluster:
    """The cluster IP of web-open became the only endpoint of web (EPS-SL-06)."""
    return attrs.evolve(cluster, slices=tuple(_led_on(cluster)))


def _led_on(cluster: Cluster) -> Iterator[EndpointSlice]:
    target = next(one for one in cluster.services if one.name.name == "web-open")
    for one in cluster.slices:
        if one.service is not None and one.service.name == "web":
            endpoint = Endpoint(target.cluster_ips, ready=True, serving=True, terminating=False)
            yield attrs.evolve(one, endpoints=(endpoint,), ports=(EndpointPort("", "TCP", 80),))
        else:
            yield one


WEB, OPEN = "E3PXEPMWAWIUT6ZV", "PJA67AB4SVQC3OQI"  # shop/web and shop/web-open in chains' names
TO_WEB = "-A KUBE-SERVICES -d 10.96.147.248/32"
REFUSING = (
    r"^-A KUBE-PROXY-FIREWALL -d",
    f"{TO_WEB} -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable\n"
    "-A KUBE-PROXY-FIREWALL -d",
)

DAMAGES = (
    Damage("INV-35", "a pod that is gone is used", "stale-pod-deleted"),
    Damage("INV-36", "a pod that is not ready is used beside ready ones", "stale-pod-unready"),
    Damage(
        "INV-37",
        "a cluster IP is refused as before it had endpoints",
        "etp-local-lb",
        (_without(TO_WEB), REFUSING),
    ),
    Damage("INV-38", "a cluster IP is left alone", "etp-local-lb", (_without(TO_WEB),)),
    Damage(
        "INV-39",
        "a cluster IP is refused as before it had endpoints",
        "etp-local-lb",
        (_without(TO_WEB), REFUSING),
    ),
    Damage(
        "INV-40",
        "what has no endpoints is swallowed",
        "no-endpoints",
        ((r"-j REJECT --reject-with icmp-port-unreachable$", "-j DROP"),),
    ),
    Damage("INV-41", "the internal policy is ignored", "etp-local-lb", (), internal_policy_local),
    Damage(
        "INV-42",
        "the external policy is ignored",
        "etp-local-lb",
        ((rf"^(-A KUBE-EXT-{WEB}) -j KUBE-SVL-{WEB}$", rf"\1 -j KUBE-SVC-{WEB}"),),
    ),
    Damage(
        "INV-43",
        "pods are held to the node by the external policy",
        "etp-local-lb",
        (_without(f"-A KUBE-EXT-{WEB} -s 10.244.0.0/16"),),
    ),
    Damage(
        "INV-46",
        "the chain of source ranges lets everybody on",
        "etp-local-lb",
        ((rf'^(-A KUBE-FW-{WEB} -m comment --comment "other traffic.*)$', rf"\1 -j KUBE-EXT-{WEB}"),),
    ),
    Damage(
        "INV-54",
        "an endpoint's old port is used",
        "etp-local-lb",
        ((r'("shop/web" -m tcp -j DNAT --to-destination 10.244.0.10):8080', r"\1:9090"),),
    ),
    Damage(
        "INV-55", "a cluster IP among endpoints is looked up again", "etp-local-lb", (), web_leads_to_web_open
    ),
    Damage(
        "INV-56",
        "the first of two endpoints gets a quarter",
        "etp-local-lb",
        ((r"(shop/web -> .*--probability) 0.50000000000", r"\1 0.25000000000"),),
    ),
    Damage(
        "INV-59",
        "an endpoint that chance cannot choose any more is remembered",
        "session-affinity",
        ((r'^-A KUBE-SVC-APX3PLE5GPKACJSI -m comment --comment "[^"]*" -j KUBE-SEP-.*\n', ""),),
    ),
    Damage(
        "INV-62",
        "the node's own connections to a cluster IP keep their source",
        "etp-local-lb",
        (_without(f"-A KUBE-SVC-{WEB} ! -s 10.244.0.0/16"),),
    ),
    Damage(
        "INV-63",
        "what comes from outside keeps its source on the way to another node",
        "etp-cluster-lb",
        (_without(f'-A KUBE-EXT-{WEB} -m comment --comment "masquerade traffic'),),
    ),
    Damage(
        "INV-64",
        "a pod that reaches itself sees its own address",
        "etp-local-lb",
        ((r'^-A KUBE-SEP-\w+ -s 10.244.0.10/32 -m comment --comment "shop/web" -j KUBE-MARK-MASQ\n', ""),),
    ),
    Damage(
        "INV-65",
        "clients from outside are hidden behind the node",
        "etp-local-lb",
        ((r'("masquerade LOCAL traffic for shop/web external.*) -m addrtype --src-type LOCAL', r"\1"),),
    ),
)
"""One for each claim about a packet."""
