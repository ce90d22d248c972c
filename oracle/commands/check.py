"""`svcproof check`: does each node do what the contract says, for every packet?"""

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from model.errors import InputError
from oracle.commands.options import (
    Sources,
    SpreadCommand,
    answer_options,
    cluster_of,
    evidence_options,
    pick_nodes,
    rules_option,
)
from oracle.commands.terminal import Progress, look, note, say, say_json

if TYPE_CHECKING:
    from model.objects import Cluster
    from oracle.bundle import NodeEvidence
    from oracle.findings import NodeReport

HOLDS, DIFFERS, UNREADABLE = 0, 1, 2


@click.command(cls=SpreadCommand)
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option("--history", metavar="DIR", help="A folder of several moments of a node: see docs/history.md.")
@rules_option
@evidence_options
@answer_options
def check(
    paths: tuple[str, ...],
    history: str | None,
    cluster: tuple[str, ...],
    rules: tuple[str, ...],
    node: str | None,
    proxy_config: str | None,
    addresses: str | None,
    form: str,
    verbose: bool,
) -> int:
    """Judge the rules of one node or many against the cluster's objects, for every packet.

    PATH is a folder or archive: objects in cluster.json, and per node nodes/NAME/ with
    iptables-save, ip6tables-save, ip-addr.json, kube-proxy-config.yaml.

    With --history, DIR holds several such bundles, or files of rules, of one node over time.

    Exit status: 0 every node conforms, 1 some node differs, 2 some node could not be judged.
    With --history it is that of the last dump.
    """
    if history is not None:
        from oracle.commands.history import check_history

        if len(paths) > 1:
            raise click.UsageError("--history names a folder of dumps: give no PATH and no --rules with it")
        given = Sources(paths[0] if paths else None, cluster, rules, node, proxy_config, addresses)
        return check_history(history, given, form, verbose)
    if not paths and not rules:
        raise click.UsageError("give a bundle PATH, or --cluster and --rules")
    sources = [Sources(path, cluster, rules, node, proxy_config, addresses) for path in paths or (None,)]
    progress = Progress()
    show = look(verbose)
    judged: list[tuple[str, NodeReport]] = []
    unread = False
    for source in sources:
        try:
            bundle = source.read()
            nodes = pick_nodes(bundle, node, only_one=False)
            objects = cluster_of(bundle, nodes)
        except InputError as error:
            note(error)
            unread = True
            continue
        for report in _reports(nodes, objects, progress):
            alone = len(sources) == 1 and len(nodes) == 1
            if form == "text" and not (alone and not report.families):  # the one line is said already
                from oracle.report.as_text import node_lines

                if judged and (judged[-1][1].differences or report.differences):
                    say([""])
                label = f"{bundle.path} {report.node}" if len(sources) > 1 else report.node
                say(node_lines(report, show, label))
            judged.append((bundle.path, report))
    _finish(judged, form, verbose)
    verdicts = {report.verdict.value for _, report in judged}
    if "differs" in verdicts:
        return DIFFERS
    return UNREADABLE if unread or "not-judged" in verdicts else HOLDS


def _reports(
    nodes: "tuple[NodeEvidence, ...]", objects: "Cluster", progress: Progress
) -> "Iterator[NodeReport]":
    """A report per node; one that cannot be read is reported so, and the others go on."""
    from oracle.check import check_node

    for at, evidence in enumerate(nodes, 1):
        if at > 1:
            gc.collect()  # what is left of the node before
        name = evidence.name
        progress.turn_to(f"{name} ({at} of {len(nodes)})" if len(nodes) > 1 else name)
        try:
            report = check_node(evidence, objects, progress.tell)
        except InputError as error:
            report = unreadable(name, error)
        progress.clear()
        for item in report.not_judged:
            if item.matters:
                where = f"{item.file}:{item.line}" if item.line else item.file
                note(f"{where}: {item.why}")
                break
        yield report


def unreadable(name: str, error: InputError) -> "NodeReport":
    """The report of a node whose evidence cannot be read: nothing judged, and why."""
    from oracle.findings import Judged, NodeReport, NotJudged

    reason = NotJudged(error.file, error.line, "", error.what, matters=True)
    return NodeReport(name, "", (), Judged(0, 0, 0), (), (reason,))


def _finish(judged: "list[tuple[str, NodeReport]]", form: str, verbose: bool) -> None:
    if form == "json" and judged:
        from oracle.report.as_json import check_json

        say_json(check_json(judged), indent=2)
    elif form == "text" and judged:
        from oracle.report.as_text import aside_lines, summary_line

        reports = [report for _, report in judged]
        asides = list(aside_lines(reports, look(verbose)))
        # One conforming node with nothing more to say stays one line.
        if asides and (len(reports) > 1 or reports[0].differences):
            say([""])
        say(asides)
        if len(reports) > 1:
            say(["", summary_line(reports, look(verbose))])
