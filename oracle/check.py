"""Does a node do what the contract says, for every packet? The main job, end to end."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs

from model.addresses import Family
from model.errors import InputError
from model.expectation import expect
from model.frontends import NodeView, node_view
from model.objects import Cluster
from model.packet import Packet
from oracle.bundle import NodeEvidence
from oracle.dataplane import MODES
from oracle.dialects.cilium.node import check_listed
from oracle.findings import (
    Difference,
    Judged,
    NodeReport,
    NotJudged,
    Trace,
)
from oracle.infer_ipvs import with_servers_at_home
from oracle.names import ChainOwners
from oracle.node_rules import NodeRules, read_node
from oracle.plain import trace
from oracle.roles import every_rule
from oracle.ruleset import Ruleset
from oracle.space.compare import Tally, Undecided, compare, prepare
from oracle.verdict.claims import with_broken_claims
from oracle.verdict.dataplanes import doubled, folded, has_part, missing, without_proxy
from oracle.verdict.grouping import grouped
from oracle.verdict.known_bugs import with_known_bugs
from oracle.verdict.partial import Narrowed, WithoutSources, as_far_as_given, expect_without_sources
from oracle.verdict.replay import Replay
from oracle.verdict.surroundings import hidden_chains, remarks


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
    listed = check_listed(evidence, cluster)
    if listed is not None:
        return listed
    tell("reading the rules")
    node = read_node(evidence, cluster)
    families = tuple(family for family in Family if family in node.by_family)
    differences: list[Difference] = []
    not_judged: list[NotJudged] = list(node.not_read)
    warnings: list[str] = []
    judged: list[Family] = []
    frontends = cells = rules = 0
    for family in Family:
        view = node_view(cluster, node.config.promised(), family) if families else None
        if view is None:
            continue
        if family not in families:
            missing = _missing_dump(view)
            if missing is not None:
                not_judged.append(missing)
            continue
        rulesets = node.by_family[family]
        if not has_part(view, rulesets):
            continue
        judged.append(family)
        frontends += len(view.by_address) + len(view.by_node_port)
        rules += sum(
            len(chain.rules) for one in rulesets for t in one.tables.values() for chain in t.values()
        )
        warnings += remarks(view, rulesets)
        other = without_proxy(view, rulesets)
        if other is not None:
            not_judged.append(other)
            continue
        others = [one for of, sets in node.by_family.items() if of is not family for one in sets]
        given = as_far_as_given(view, rulesets)
        not_judged += given.not_judged
        if not given.has_servers:
            continue
        found, open_questions, count = _judge(given, cluster, others, tell)
        differences += with_known_bugs(cluster, node.config, family, found)
        not_judged += open_questions
        cells += count
    return NodeReport(
        node.config.name or evidence.name,
        _dialect(node),
        tuple(judged),
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
    every = (one for sets in node.by_family.values() for one in sets)
    config, assumed = with_servers_at_home(node.config, every)
    for packet in packets:
        rulesets = node.by_family.get(packet.family)
        if rulesets is None:
            raise _no_dump(node, packet.family)
        yield attrs.evolve(trace(rulesets, config, packet), assumed=assumed)


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
    """The dialects that kube-proxy's mode writes, or those that there are."""
    every = {one for sets in node.by_family.values() for one in sets}
    own = {one for one in every if MODES[one.dialect] is node.config.mode} or every
    names = sorted({one.dialect.value for one in own})
    backends = sorted({one.backend for one in own if one.backend})
    return ", ".join(names) + (f" ({', '.join(backends)})" if backends else "")


def _judge(
    given: Narrowed, cluster: Cluster, others: Sequence[Ruleset], tell: Callable[[str], None]
) -> tuple[list[Difference], list[NotJudged], int]:
    """(differences, questions left open, cells compared) of one family.

    `others` are the rule sets of the other one.
    """
    view, rulesets = given.view, given.rulesets
    tell(f"cutting the {view.family.value} packet space")
    comparison = prepare(view, rulesets)
    demanded = expect
    if not given.tells_sources:
        comparison = attrs.evolve(comparison, contract=WithoutSources(view))
        demanded = expect_without_sources
    tally = Tally()
    undecided: list[Undecided] = []
    replay = Replay(view, rulesets, ChainOwners(cluster.services), demanded)
    for item in compare(comparison, tally, lambda cells: tell(f"{cells} cells compared")):
        if isinstance(item, Undecided):
            undecided.append(item)
        else:
            replay.take(item)
    total = 1 << (view.family.bits + 24)
    if tally.covered != total:
        raise AssertionError(f"the cells cover {tally.covered} of {total} destinations")
    unserved = missing(view, rulesets, others)
    whole = [*doubled(view, rulesets), *([] if unserved is None else [unserved])]
    every = [*whole, *hidden_chains(view, rulesets), *replay.differences]
    found = folded(every, rulesets, view.config.mode)
    further = {} if unserved is not None else replay.unreplayed
    reported = grouped(found, len(view.service_ports), further)
    return (
        [with_broken_claims(view, rulesets, one) for one in reported],
        [*_open_questions(rulesets, undecided), *replay.doubts],
        tally.cells,
    )


def _open_questions(rulesets: tuple[Ruleset, ...], undecided: list[Undecided]) -> list[NotJudged]:
    """Every line that was not judged, once; it matters when some packet's fate hangs on it."""
    matters: dict[tuple[str, int], int] = {}
    for item in undecided:
        for line in item.lines if item.promised else _proxys_lines(rulesets, item.lines):
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


def _proxys_lines(
    rulesets: tuple[Ruleset, ...], lines: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    """The lines, when kube-proxy's are among them: others' rules for others' packets are theirs."""
    wanted = set(lines)
    found = (met for one in rulesets for met in every_rule(one) if (one.file, met.rule.line) in wanted)
    return lines if any(met.is_proxys for met in found) else ()


def _text_of(ruleset: Ruleset, line: int) -> str:
    return next((met.rule.text for met in every_rule(ruleset) if met.rule.line == line), "")
