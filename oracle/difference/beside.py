"""What a switch of mode changes beside the fates of single packets: memory, firewalls, leftovers.

Each function looks at one node and gives the items that concern it; none gives one that
concerns nobody there.
"""

from collections.abc import Iterable, Iterator

from model.addresses import Family
from model.frontends import NodeView, ServicePortView, node_view
from model.node_config import ProxyMode
from model.objects import Cluster
from model.predicate import All, Fact, Predicate
from model.proxy_version import minor_version
from oracle.difference.migration import Effect, Item
from oracle.difference.side import Side
from oracle.findings import Line
from oracle.hooks import base_of
from oracle.roles import kind_of
from oracle.ruleset import Drop, Hookpoint, Reject, Ruleset

_IPTABLES, _NFTABLES, _IPVS = ProxyMode.IPTABLES, ProxyMode.NFTABLES, ProxyMode.IPVS


def beside(present: Side, future: Side) -> Iterator[Item]:
    """All that is to be known of one node beside its packets' fates."""
    was, will = present.config.mode, future.config.mode
    cluster = future.cluster or Cluster()
    views = [node_view(cluster, future.config, family) for family in Family]
    name = future.config.name
    yield from _versions(cluster, name, will)
    yield from _affinity(views, name, was, will)
    yield from _ranges(views, name, was, will)
    yield from _dummy_device(views, name, was, will)
    yield from _firewalls(present, views, name, was, will)
    yield from _leftovers(present, name, was, will)


def _versions(cluster: Cluster, name: str, to: ProxyMode) -> Iterator[Item]:
    """What the mode needs of kernel and version (KEP-3866, KEP-5495)."""
    node = cluster.node(name)
    text = (node.kube_proxy_version or node.kubelet_version) if node else ""
    minor = minor_version(text)
    told = (f"{name}: {text}",) if text else ()
    if to is _NFTABLES:
        kernel = "nftables mode needs a kernel of 5.13 or newer, which the objects read here do not tell"
        yield Item("kernel", Effect.CHECK, kernel, nodes=(name,))
        if minor is not None and minor < 29:
            what = "there is no nftables mode before 1.29"
            yield Item("version", Effect.BREAKS, what, nodes=(name,), details=told)
        elif minor is not None and minor < 33:
            what = "nftables mode is not generally available before 1.33 (alpha 1.29, beta 1.31)"
            yield Item("version", Effect.CHECK, what, nodes=(name,), details=told)
    if to is _IPVS and minor is not None and minor >= 35:
        what = "ipvs mode is deprecated since 1.35"
        yield Item("version", Effect.CHECK, what, nodes=(name,), details=told)


def _affinity(views: Iterable[NodeView], name: str, was: ProxyMode, to: ProxyMode) -> Iterator[Item]:
    services = _named(one for view in views for one in view.service_ports if one.affinity_seconds is not None)
    if not services:
        return
    ids = ("MODE-18", "MODE-19", "MODE-20") if _IPVS in (was, to) else ("MODE-18",)
    how = {
        _IPTABLES: "iptables mode remembers 100 clients an endpoint unless the kernel is told otherwise",
        _NFTABLES: "nftables mode remembers clients in a set an endpoint, since their last new connection",
        _IPVS: "ipvs mode remembers clients for each frontend apart, while connections use the entry, and"
        " forgets those of an endpoint that leaves",
    }[to]
    text = f"session affinity forgets every client at the switch; {how}"
    yield Item("affinity", Effect.CHANGES, text, ids, services, (name,))


def _ranges(views: Iterable[NodeView], name: str, was: ProxyMode, to: ProxyMode) -> Iterator[Item]:
    if _IPTABLES not in (was, to):
        return
    services = _named(one for view in views for one in view.service_ports if one.allowed_sources is not None)
    if services:
        verbs = ("refused", "dropped") if to is not _IPTABLES else ("dropped", "refused")
        text = (
            f"whenever a Service with loadBalancerSourceRanges has no endpoint, sources outside them are"
            f" {verbs[1]} and no longer {verbs[0]}"
        )
        yield Item("source-ranges", Effect.CHANGES, text, ("MODE-12",), services, (name,))


def _dummy_device(views: Iterable[NodeView], name: str, was: ProxyMode, to: ProxyMode) -> Iterator[Item]:
    """MODE-04: where the Services' addresses live."""
    ports = [one for view in views for one in view.service_ports]
    if to is _IPVS and was is not _IPVS and ports:
        text = (
            "the Services' addresses become addresses of every node, on the device kube-ipvs0: routes,"
            " address resolution (strictARP) and what listens on all addresses are concerned"
        )
        yield Item("kube-ipvs0", Effect.CHANGES, text, ("MODE-04",), _named(ports), (name,))
    if was is _IPVS and to is not _IPVS and ports:
        text = (
            "the Services' addresses are no longer addresses of the nodes: what binds to them cannot any more"
        )
        yield Item("kube-ipvs0", Effect.CHANGES, text, ("MODE-04",), _named(ports), (name,))


def _firewalls(
    present: Side, views: Iterable[NodeView], name: str, was: ProxyMode, to: ProxyMode
) -> Iterator[Item]:
    """MODE-26..28: what kube-proxy's own rules let through the host's firewall, as found in this dump."""
    if to is not _NFTABLES:
        return
    rulesets = [one for sets in (present.by_family or {}).values() for one in sets]
    health = _named(one for view in views for one in view.service_ports if one.health_check_node_port)
    forward = tuple(_refusals(rulesets, Hookpoint.FORWARD))
    if forward:
        text = (
            "the host refuses forwarded packets, and nftables mode cannot accept over another table's head:"
            " Services' traffic must be allowed by the administrator"
        )
        yield Item("forward-firewall", Effect.CHECK, text, ("MODE-27",), (), (name,), lines=forward)
    inward = tuple(_refusals(rulesets, Hookpoint.INPUT))
    if inward and health:
        text = (
            "the host refuses incoming packets, and nftables mode has no rule that accepts health checks:"
            " their node ports must be allowed by the administrator"
        )
        yield Item("health-check-firewall", Effect.CHECK, text, ("MODE-28",), health, (name,), lines=inward)
    if was is _IPTABLES and any("KUBE-FORWARD" in one.tables.get("filter", {}) for one in rulesets):
        text = "forwarded packets in state INVALID are no longer dropped"
        yield Item("invalid-packets", Effect.CHANGES, text, ("MODE-26",), (), (name,))


def _refusals(rulesets: Iterable[Ruleset], point: Hookpoint) -> Iterator[Line]:
    """Policies and rules of the host's own that refuse at a hook; kube-proxy's are none of them."""
    for ruleset in rulesets:
        for table, chain in ruleset.base_chains:
            base = base_of(table, chain)
            if base.point is not point or base.is_nat or kind_of(ruleset, table, chain.name) is not None:
                continue
            if isinstance(chain.policy, Drop):
                yield Line(ruleset.file, chain.line, f":{chain.name} DROP")
            for rule in chain.rules:
                if isinstance(rule.then, Drop | Reject) and not _is_about_invalid(rule.when):
                    yield Line(ruleset.file, rule.line, rule.text)


def _is_about_invalid(when: Predicate) -> bool:
    """Whether a rule is only for packets that belong to no connection."""
    return Fact("ctstate", "INVALID") in (when.parts if isinstance(when, All) else (when,))


def _leftovers(present: Side, name: str, was: ProxyMode, to: ProxyMode) -> Iterator[Item]:
    """MODE-32: what the next mode clears away at its start, and what it leaves."""
    rulesets = [one for sets in (present.by_family or {}).values() for one in sets]
    chains = sum(
        kind_of(one, table, chain) is not None
        for one in rulesets
        for table, listed in one.tables.items()
        for chain in listed
    )
    if not chains or _NFTABLES in (was, to):
        return
    text = (
        f"what {was.value} mode leaves is not cleared away when {to.value} mode starts:"
        " run kube-proxy --cleanup on the node, or start the node afresh"
    )
    details = (f"{name}: {chains} chains of kube-proxy's",)
    yield Item("leftovers", Effect.TIDY, text, ("MODE-32",), (), (name,), details=details)


def _named(some: Iterable[ServicePortView]) -> tuple[str, ...]:
    """The Services of service ports, each once."""
    return tuple(dict.fromkeys(str(one.name.service) for one in some))
