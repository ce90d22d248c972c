"""`svcproof check --history`: one node or more at several moments."""

from typing import TYPE_CHECKING

import click

from model.errors import InputError
from oracle.commands.options import Sources, cluster_of
from oracle.commands.terminal import Progress, look, note, say, say_json

if TYPE_CHECKING:
    from oracle.findings import NodeReport
    from oracle.history.history import History
    from oracle.history.moments import Moment

HOLDS, DIFFERS, UNREADABLE = 0, 1, 2


def check_history(folder: str, given: Sources, form: str, verbose: bool) -> int:
    """Each node's dumps in their order; the exit status is that of the last of each.

    Raises InputError when the folder does not hold moments that can be judged.
    """
    if given.path is not None or given.rules:
        raise click.UsageError("--history names a folder of dumps: give no PATH and no --rules with it")

    from oracle.bundle import Bundle
    from oracle.history.history import histories
    from oracle.history.moments import read_moments, shared_of

    shared = shared_of(given.cluster, given.proxy_config, given.addresses)
    moments = read_moments(folder, shared, given.node)
    for one in moments:
        cluster_of(Bundle(f"{folder}/{one.name}", one.cluster, (one.evidence,)), (one.evidence,))
    progress = Progress()
    found: list[History] = []
    for history in histories(moments, lambda moment: _judged(moment, progress)):
        if form == "text":
            from oracle.report.history_text import history_lines

            say([""] if found else [])
            say(history_lines(history, look(verbose)))
        found.append(history)
    if form == "json":
        from oracle.report.history_json import history_json

        say_json(history_json(folder, found), indent=2)
    verdicts = {history.last.verdict.value for history in found}
    if "differs" in verdicts:
        return DIFFERS
    return UNREADABLE if "not-judged" in verdicts else HOLDS


def _judged(moment: "Moment", progress: Progress) -> "NodeReport":
    """The report of one moment; rules that cannot be read are one line, and judge nothing."""
    from model.objects import Cluster
    from oracle.check import check_node
    from oracle.findings import Judged, NodeReport, NotJudged

    name = moment.evidence.name
    progress.turn_to(f"{name} in {moment.name}")
    try:
        report = check_node(moment.evidence, moment.cluster or Cluster(), progress.tell)
    except InputError as error:
        reason = NotJudged(error.file, error.line, "", error.what, matters=True)
        report = NodeReport(name, "", (), Judged(0, 0, 0), (), (reason,))
    progress.clear()
    for item in report.not_judged:
        if item.matters:
            where = f"{item.file}:{item.line}" if item.line else item.file
            note(f"{moment.name}: {where}: {item.why}")
            break
    return report
