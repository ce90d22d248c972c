"""`svcproof diff`: every class of packets that two rule sets treat differently, and why."""

import click

from model.errors import InputError
from oracle.commands.options import SpreadCommand, answer_options, evidence_options
from oracle.commands.terminal import Progress, look, note, say, say_json

SAME, DIFFERS, UNREADABLE = 0, 1, 2


@click.command(cls=SpreadCommand)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@evidence_options
@click.option("--unexplained", is_flag=True, help="Tell and count only what no mode or setting explains.")
@answer_options
def diff(
    first: str,
    second: str,
    cluster: tuple[str, ...],
    node: str | None,
    proxy_config: str | None,
    addresses: str | None,
    unexplained: bool,
    form: str,
    verbose: bool,
) -> int:
    """List every class of packets that A and B treat differently, with the cause of each.

    A and B are bundles as for `check`, files of one node's rules in any dialect, or modes:
    mode:iptables, mode:nftables, mode:ipvs ask what that mode would do on the other side's node.
    Files and modes take --cluster, --node, --addresses and --proxy-config for both sides.

    Exit status: 0 no difference, 1 some difference (with --unexplained: one that nothing
    explains), 2 unreadable, or no difference found and not all could be compared.
    """
    from oracle.difference.diff import NodeDiff, diff_sides
    from oracle.difference.read import Given, pairs_of_sides

    if [first, second, *cluster, proxy_config, addresses].count("-") > 1:
        raise click.UsageError("only one input can be standard input")
    progress = Progress()
    show = look(verbose)
    found: list[NodeDiff] = []
    for one, other in pairs_of_sides(first, second, Given(cluster, node, proxy_config, addresses)):
        name = one.config.name or other.config.name
        progress.turn_to(name)
        answer = diff_sides(one, other, progress.tell)
        progress.clear()
        if form == "text":
            from oracle.report.diff_text import diff_lines

            if found:
                say([""])
            label = name or "node"
            say(diff_lines(answer, show, label, only_unexplained=unexplained))
        found.append(answer)
    if form == "json":
        from oracle.report.diff_json import diff_json

        say_json(diff_json(first, second, found, only_unexplained=unexplained), indent=2)
    else:
        from oracle.report.diff_text import aside_lines

        asides = list(aside_lines(found, show))
        say(["", *asides] if asides else [])
    if any(answer.unexplained if unexplained else answer.groups for answer in found):
        return DIFFERS
    left_open = next((item for answer in found for item in answer.not_judged if item.matters), None)
    if left_open is None:
        return SAME
    note(InputError(left_open.file, left_open.line, left_open.why))
    return UNREADABLE
