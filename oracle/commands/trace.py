"""`svcproof trace`: one packet, or many, through a node's dump."""

import click

from oracle.commands.options import (
    Asked,
    Sources,
    SpreadCommand,
    answer_options,
    evidence_options,
    packet_options,
    rules_option,
)
from oracle.commands.terminal import look, note, say, say_json


@click.command(cls=SpreadCommand)
@click.argument("path", metavar="[PATH]", required=False)
@rules_option
@evidence_options
@packet_options
@answer_options
def trace(
    path: str | None,
    cluster: tuple[str, ...],
    rules: tuple[str, ...],
    node: str | None,
    proxy_config: str | None,
    addresses: str | None,
    source: str | None,
    to: str | None,
    origin: str | None,
    in_interface: str | None,
    packets: str | None,
    form: str,
    verbose: bool,
) -> int:
    """Follow a packet through a node's rules: every rule it meets, each target with its odds.

    PATH is a bundle as for `check`; its cluster objects are not needed here.

    Exit status: 0 answered, 2 unreadable, or the answer depends on a line not judged.
    """
    asked = Asked(source, to, origin, in_interface, packets)
    asked.insist()
    if path is None and not rules:
        raise click.UsageError("give --rules, or a bundle PATH")

    from oracle.bundle import node_config
    from oracle.check import trace_node

    evidence, bundle = Sources(path, cluster, rules, node, proxy_config, addresses, packets).read_node()
    config, _ = node_config(evidence, bundle.cluster)
    questions = asked.read(config)
    show = look(verbose)
    unsure = None
    assumed: dict[str, None] = {}
    for packet, answer in zip(
        questions.packets, trace_node(evidence, bundle.cluster, questions.packets), strict=True
    ):
        if answer.unsure and unsure is None:
            unsure = answer.unsure[0]
        if answer.assumed:
            assumed[answer.assumed] = None
        if form == "json":
            from oracle.report.as_json import trace_json

            say_json(trace_json(answer, packet.family), indent=2 if asked.is_one else None)
        else:
            from oracle.report.as_text import trace_line, trace_lines

            say(
                trace_lines(answer, packet.family, show)
                if asked.is_one
                else [trace_line(packet, answer, show)]
            )
    for text in (*questions.notes, *assumed):
        note(text)
    if unsure is None:
        return 0
    place = f"{unsure.file}:{unsure.line}" if unsure.line else unsure.file
    note(f"{place}: the answer depends on this line, which cannot be judged: {unsure.why}")
    return 2
