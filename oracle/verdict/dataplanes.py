"""Which dataplanes a dump shows: kube-proxy's own in each of its modes, others' in its place.

What concerns a dump as a whole is told once, with its cause, and not once a Service: two
modes or back ends live at a time, a family or table that a failed sync left out, an empty
dump, a node that another proxy serves.
"""

from collections.abc import Iterator, Sequence

import attrs

from model.addresses import Family, format_address
from model.expectation import expect
from model.frontends import NodeView
from model.node_config import ProxyMode
from model.outcome import Verdict
from model.packet import PROTOCOL_NAMES, Origin, Packet
from oracle.dataplane import MODES, live
from oracle.findings import Difference, Kind, Line, NotJudged
from oracle.plain import trace
from oracle.roles import ChainKind, kind_of
from oracle.ruleset import Dialect, Ruleset

# By how the names of their chains begin, in any table.
_REPLACEMENTS = {
    "CILIUM_": "Cilium",
    "ANTREA-": "Antrea",
    "KUBE-ROUTER-": "kube-router",
    "OVN-KUBE-": "OVN-Kubernetes",
    "cali-": "Calico, if its eBPF dataplane is on,",
}
# By the names of their nft tables.
_REPLACING_TABLES = {
    "ovn-kubernetes": "OVN-Kubernetes",
    "antrea": "Antrea",
    "calico": "Calico, if its eBPF dataplane is on,",
    "k8s_svc": "kpng",
}


def has_part(view: NodeView, rulesets: Sequence[Ruleset]) -> bool:
    """Whether a family has a part on the node: Services, or rules of kube-proxy's own.

    On a node of one family kube-proxy writes nothing of the other, though the cluster has both.
    """
    return bool(view.by_address or view.by_node_port) or any(_root(one) for one in rulesets)


def without_proxy(view: NodeView, rulesets: Sequence[Ruleset]) -> NotJudged | None:
    """A node where another dataplane serves in place of kube-proxy's rules."""
    if not view.by_address or live(rulesets) or any(_root(one) for one in rulesets):
        return None
    chains = {name for one in rulesets for table in one.tables.values() for name in table}
    tables = {table.rpartition(" ")[2] for one in rulesets for table in one.tables}
    by_chain = (who for prefix, who in _REPLACEMENTS.items() if any(n.startswith(prefix) for n in chains))
    by_table = (who for table, who in _REPLACING_TABLES.items() if table in tables)
    for found in (by_chain, by_table):
        for owner in found:
            how = ": give cilium-services.json" if owner == "Cilium" else ""
            why = f"{owner} serves in place of kube-proxy here, and its state is not in these rules{how}"
            return NotJudged(rulesets[0].file, 0, "", why, matters=True)
    return None


def doubled(view: NodeView, rulesets: Sequence[Ruleset]) -> Iterator[Difference]:
    """Service rules of two modes, or of both back ends: two dataplanes translate at once."""
    planes = live(rulesets)
    if len(planes) < 2:
        return
    modes = {plane.mode for plane in planes}
    if len(modes) == 1:
        backends = " and ".join(plane.ruleset.backend or "unknown" for plane in planes)
        what = f"service rules are live in two back ends at once ({backends})"
    else:
        left = " and ".join(plane.name for plane in planes if plane.mode is not view.config.mode)
        what = f"beside the rules of {view.config.mode.value} mode, those left over from {left} are live"
    found = _of_whole_dump(
        view, rulesets, Kind.DOUBLED_DATAPLANE, tuple(plane.line for plane in planes), ("MODE-32",), what
    )
    if found is not None:
        yield found


def missing(view: NodeView, rulesets: Sequence[Ruleset], others: Sequence[Ruleset]) -> Difference | None:
    """No frontend of the family is served though endpoints are there: one cause for all.

    `others` are the node's rule sets of the other family, which tell a failed sync of one
    family from an empty node.
    """
    wanted = [one for one in view.service_ports if any(choice.has for choice in one.choices)]
    is_there = any(_root(one) for one in rulesets)
    if not wanted or (len(wanted) == 1 and is_there) or live(rulesets):
        return None  # of a single one the rules themselves tell more
    cause = _cause(view, rulesets, others)
    what = f"none of {len(wanted)} service ports with endpoints is served ({view.family.value}): {cause}"
    file = rulesets[0].file if rulesets else ""
    found = _of_whole_dump(view, rulesets, Kind.MISSING_FRONTEND, (Line(file, 0, ""),), ("FWD-OBJ-03",), what)
    return None if found is None else attrs.evolve(found, also=tuple(one.name for one in wanted))


def folded(found: Sequence[Difference], rulesets: Sequence[Ruleset], mode: ProxyMode) -> list[Difference]:
    """The differences without those that one about the whole dump explains, which counts them.

    Under a doubled dataplane that is what the other mode's rules do; where nothing is
    served, every Service that is not.
    """
    causes = [one for one in found if one.service_port is None and one.kind in _WHOLE]
    if not causes:
        return list(found)
    foreign = {one.file for one in rulesets if MODES[one.dialect] is not mode}
    kept: list[Difference] = []
    explained: dict[Kind, list[Difference]] = {}
    for one in found:
        if one in causes:
            continue
        of_leftovers = bool(one.lines) and all(line.file in foreign for line in one.lines)
        of_nothing = one.kind is Kind.MISSING_FRONTEND or one.found.verdict is Verdict.PASS
        if of_nothing and any(c.kind is Kind.MISSING_FRONTEND for c in causes):
            explained.setdefault(Kind.MISSING_FRONTEND, []).append(one)
        elif of_leftovers and any(c.kind is Kind.DOUBLED_DATAPLANE for c in causes):
            explained.setdefault(Kind.DOUBLED_DATAPLANE, []).append(one)
        else:
            kept.append(one)
    return [*(_counting(cause, explained.get(cause.kind, ())) for cause in causes), *kept]


_WHOLE = (Kind.DOUBLED_DATAPLANE, Kind.MISSING_FRONTEND)


def _counting(cause: Difference, explained: Sequence[Difference]) -> Difference:
    names = {one.service_port for one in explained if one.service_port is not None}
    return attrs.evolve(
        cause,
        frontends=sum(one.frontends for one in explained) or cause.frontends,
        also=tuple(sorted({*cause.also, *names})),
    )


def _cause(view: NodeView, rulesets: Sequence[Ruleset], others: Sequence[Ruleset]) -> str:
    mode = view.config.mode
    roots = [root for one in rulesets if (root := _root(one))]
    if mode is ProxyMode.NFTABLES:
        if any(ruleset.dialect is Dialect.NFTABLES for ruleset, _ in roots):
            return "the table kube-proxy is there and its maps are empty, as after a flush"
        if any(plane.ruleset.dialect is Dialect.NFTABLES for plane in live(others)):
            return f"this family's table kube-proxy is missing while the other's is there{_refused(view)}"
        return "no table kube-proxy is in the dump: kube-proxy never wrote it, or it was deleted"
    if mode is ProxyMode.IPVS:
        return "no virtual server is there"
    tables = {table for _, table in roots}
    if "nat" in tables:
        return "chain KUBE-SERVICES of table nat leads to no Service, as after a flush"
    if tables:
        return "filter holds kube-proxy's chains and nat does not: a sync that failed half way"
    return "kube-proxy's chains are not in the dump: it never ran here, or they were flushed"


def _refused(view: NodeView) -> str:
    """Why a whole transaction may have been refused: two Services that claim one frontend."""
    for (address, protocol, port), owners in view.by_address.items():
        names = list(dict.fromkeys(str(one.name) for one, _ in owners))
        if len(names) > 1:
            place = f"{format_address(view.family, address)}:{port}/{PROTOCOL_NAMES[protocol].upper()}"
            return (
                f"; {names[0]} and {names[1]} both claim {place}, for which kube-proxy 1.30 had its whole"
                " transaction refused"
            )
    return ": a transaction that the kernel refuses leaves nothing of itself"


def _root(ruleset: Ruleset) -> tuple[Ruleset, str] | None:
    """The rule set and the table in which it has kube-proxy's entry chain, nat's first."""
    found = [
        table
        for table, chains in ruleset.tables.items()
        if any(
            kind_of(ruleset, table, name) is ChainKind.ROOT
            for name, chain in chains.items()
            if chain.rules or ruleset.dialect is not Dialect.IPVS  # whose entry every kernel has
        )
    ]
    return (ruleset, "nat" if "nat" in found else found[0]) if found else None


def _of_whole_dump(
    view: NodeView,
    rulesets: Sequence[Ruleset],
    kind: Kind,
    lines: tuple[Line, ...],
    cites: tuple[str, ...],
    explanation: str,
) -> Difference | None:
    """A difference that no single Service is to blame for, with a packet that shows it."""
    packet = _any_packet(view)
    if packet is None:
        return None
    traced = trace(rulesets, view.config, packet)
    if traced.unsure:
        return None  # what nobody can judge may serve it
    address = format_address(view.family, packet.destination)
    return Difference(
        kind,
        view.family,
        None,
        None,
        PROTOCOL_NAMES[packet.protocol].upper(),
        f"{address}:{packet.port}" if view.family is Family.IPV4 else f"[{address}]:{packet.port}",
        packet,
        expect(view, packet).allowed,
        traced.outcome,
        lines,
        cites,
        explanation,
    )


def _any_packet(view: NodeView) -> Packet | None:
    """A packet of the node's own to a cluster IP, one with endpoints if there is any."""
    source = view.config.primary_address(view.family) or view.family.loopback[0][0]
    owned = sorted(
        view.by_address.items(),
        key=lambda item: not any(choice.has for one, _ in item[1] for choice in one.choices),
    )
    for (address, protocol, port), _ in owned:
        return Packet(view.family, Origin.NODE, source, address, protocol, port)
    return None
