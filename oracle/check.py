"""Does a node do what the contract says, for every packet? The main job, end to end."""

import gc
from collections.abc import Callable, Iterable, Iterator

from model.addresses import Family, format_address
from model.errors import InputError
from model.expectation import expect
from model.frontends import NodeView, node_view
from model.intervals import contains
from model.node_config import ProxyMode
from model.objects import Cluster, ServicePortName
from model.outcome import Verdict
from model.packet import PROTOCOL_NAMES, Packet
from oracle.bundle import NodeEvidence
from oracle.findings import (
    Difference,
    Judged,
    Line,
    NodeReport,
    NotJudged,
    Trace,
)
from oracle.names import ChainOwners
from oracle.node_rules import NodeRules, read_node
from oracle.plain import Walk, trace
from oracle.ruleset import Ruleset
from oracle.space.compare import Suspicion, Tally, Undecided, compare, prepare
from oracle.verdict.classify import faults
from oracle.verdict.fault import Fault
from oracle.verdict.grouping import grouped
from oracle.verdict.surroundings import doubled, hidden_chains, remarks, without_proxy


def check_node(
    evidence: NodeEvidence, cluster: Cluster, progress: Callable[[str], None] | None = None
) -> NodeReport:
    """The verdict on one node, over every family it gave a dump of.

    `progress` is told now and then what is being done. Raises InputError when a file of
    the node cannot be read.
    """
    collecting = gc.isenabled()
    gc.disable()  # a large node is millions of small objects and no cycle among them
    try:
        return _check_node(evidence, cluster, progress or (lambda _: None))
    finally:
        if collecting:
            gc.enable()


def _check_node(evidence: NodeEvidence, cluster: Cluster, tell: Callable[[str], None]) -> NodeReport:
    tell("reading the rules")
    node = read_node(evidence, cluster)
    families = tuple(family for family in Family if family in node.by_family)
    differences: list[Difference] = []
    not_judged: list[NotJudged] = list(node.not_read)
    warnings: list[str] = []
    frontends = cells = rules = 0
    if node.config.mode is not ProxyMode.IPTABLES:
        what = f"kube-proxy runs in {node.config.mode.value} mode there, which is not modelled yet"
        not_judged.append(NotJudged(f"nodes/{node.config.name}", 0, "", what, matters=True))
        families = ()
    for family in Family:
        view = node_view(cluster, node.config, family) if families else None
        if view is None:
            continue
        if family not in families:
            missing = _missing_dump(view)
            if missing is not None:
                not_judged.append(missing)
            continue
        rulesets = node.by_family[family]
        frontends += len(view.by_address) + len(view.by_node_port)
        rules += sum(
            len(chain.rules) for one in rulesets for t in one.tables.values() for chain in t.values()
        )
        warnings += remarks(view, rulesets)
        other = without_proxy(view, rulesets)
        if other is not None:
            not_judged.append(other)
            continue
        found, open_questions, count = _judge(view, cluster, rulesets, tell)
        differences += found
        not_judged += open_questions
        cells += count
    return NodeReport(
        node.config.name or evidence.name,
        _dialect(node),
        families,
        Judged(frontends, cells, rules),
        tuple(differences),
        tuple(not_judged),
        tuple(dict.fromkeys(warnings)),
        node.config.assumptions,
    )


def trace_node(evidence: NodeEvidence, cluster: Cluster | None, packets: Iterable[Packet]) -> Iterator[Trace]:
    """Each packet through the node's rules, in order.

    Raises InputError for rules that cannot be read, or a packet of a family not dumped.
    """
    node = read_node(evidence, cluster)
    for packet in packets:
        rulesets = node.by_family.get(packet.family)
        if rulesets is None:
            raise _no_dump(node, packet.family)
        yield trace(rulesets, node.config, packet)


def _no_dump(node: NodeRules, family: Family) -> InputError:
    tool = "iptables-save" if family is Family.IPV4 else "ip6tables-save"
    return InputError(f"nodes/{node.config.name}", 0, f"no {family.value} rules given: run {tool}")


def _missing_dump(view: NodeView) -> NotJudged | None:
    """Frontends of a family that no dump was given of."""
    count = len(view.by_address) + len(view.by_node_port)
    if not count:
        return None
    tool = "iptables-save" if view.family is Family.IPV4 else "ip6tables-save"
    why = f"{count} {view.family.value} frontends, and no dump of that family: run {tool}"
    return NotJudged(f"nodes/{view.config.name}", 0, "", why, matters=True)


def _dialect(node: NodeRules) -> str:
    backends = {one.backend for sets in node.by_family.values() for one in sets if one.backend}
    return f"iptables ({', '.join(sorted(backends))})" if backends else "iptables"


def _judge(
    view: NodeView, cluster: Cluster, rulesets: tuple[Ruleset, ...], tell: Callable[[str], None]
) -> tuple[list[Difference], list[NotJudged], int]:
    """(differences, questions left open, cells compared) of one family."""
    tell(f"cutting the {view.family.value} packet space")
    comparison = prepare(view, rulesets)
    owners = ChainOwners(cluster.services)
    tally = Tally()
    undecided: list[Undecided] = []
    differences: list[Difference] = [*doubled(view, rulesets), *hidden_chains(view, rulesets)]
    for item in compare(comparison, tally, lambda cells: tell(f"{cells} cells compared")):
        if isinstance(item, Undecided):
            undecided.append(item)
        else:
            differences += _confirmed(view, rulesets, owners, item)
    total = 1 << (view.family.bits + 24)
    if tally.covered != total:
        raise AssertionError(f"the cells cover {tally.covered} of {total} destinations")
    return (
        grouped(differences, len(view.service_ports)),
        _open_questions(rulesets, undecided),
        tally.cells,
    )


def _confirmed(
    view: NodeView, rulesets: tuple[Ruleset, ...], owners: ChainOwners, item: Suspicion
) -> Iterator[Difference]:
    """The differences that the plain walk of the suspicion's packet confirms.

    Raises AssertionError when it finds none where rules of a Service are concerned: the
    two walks must agree.
    """
    packet = item.packet
    expectation = expect(view, packet)
    traced = trace(rulesets, view.config, packet)
    if traced.outcome in expectation.allowed:
        if _tolerated(view, packet, traced):
            return
        raise AssertionError(f"the walks disagree about {packet}")
    if _tolerated(view, packet, traced):
        return
    walk = Walk(rulesets, view.config, packet)
    ends = walk.run()
    met = tuple(walk.met.values())
    for fault in faults(packet, item.owners, expectation, traced.outcome, ends, met):
        name, port = _service_of(item, fault, owners)
        yield Difference(
            fault.kind,
            view.family,
            name,
            port if port is not None else packet.port,
            PROTOCOL_NAMES.get(packet.protocol, str(packet.protocol)).upper(),
            _frontend(packet),
            packet,
            expectation.allowed,
            traced.outcome,
            fault.lines or _base_lines(rulesets),
            expectation.cites,
            fault.explanation,
        )


def _tolerated(view: NodeView, packet: Packet, traced: Trace) -> bool:
    """Deviations that are no fault: a cache of this node answers for the Service.

    A node-local DNS cache takes the cluster IP as an address of the node and switches
    connection tracking off for it, so the packet is meant to stay untranslated.
    """
    outcome = traced.outcome
    untracked = any("-j NOTRACK" in line.text or "-j CT --notrack" in line.text for line in traced.path)
    at_home = contains(view.local_addresses, packet.destination) or not view.config.addresses_are_complete
    return outcome.verdict is Verdict.PASS and untracked and at_home


def _service_of(
    item: Suspicion, fault: Fault, owners: ChainOwners
) -> tuple[ServicePortName | None, int | None]:
    if item.owners:
        one = item.owners[0][0]
        return one.name, one.port
    for line in fault.lines:
        name = owners.of_rule(line.text)
        if name is not None:
            return name, owners.port(name)
    return None, None


def _frontend(packet: Packet) -> str:
    host = format_address(packet.family, packet.destination)
    return f"{host}:{packet.port}" if packet.family is Family.IPV4 else f"[{host}]:{packet.port}"


def _base_lines(rulesets: tuple[Ruleset, ...]) -> tuple[Line, ...]:
    """Where the rules should have begun: the first base chain of nat."""
    for ruleset in rulesets:
        chain = ruleset.tables.get("nat", {}).get("PREROUTING")
        if chain is not None:
            return (Line(ruleset.file, chain.line, f":{chain.name}"),)
    return (Line(rulesets[0].file, 0, ""),)


def _open_questions(rulesets: tuple[Ruleset, ...], undecided: list[Undecided]) -> list[NotJudged]:
    """Every line that was not judged, once; it matters when some packet's fate hangs on it."""
    matters: dict[tuple[str, int], int] = {}
    for item in undecided:
        for line in item.lines:
            matters[line] = matters.get(line, 0) + 1
    out: list[NotJudged] = []
    for ruleset in rulesets:
        reasons = {note.line: note.what for note in ruleset.unsupported}
        texts = {note.line: note.text for note in ruleset.unsupported}
        for (file, number), cells in matters.items():
            if file == ruleset.file:
                why = reasons.pop(number, "depends on what the packet alone does not say")
                text = texts.get(number) or _text_of(ruleset, number)
                out.append(
                    NotJudged(file, number, text, f"{why}; {cells} classes of packets hang on it", True)
                )
        out += [
            NotJudged(ruleset.file, line, texts[line], why, matters=False)
            for line, why in reasons.items()
            if (ruleset.file, line) not in matters
        ]
    return out


def _text_of(ruleset: Ruleset, line: int) -> str:
    for chains in ruleset.tables.values():
        for chain in chains.values():
            for rule in chain.rules:
                if rule.line == line:
                    return rule.text
    return ""
