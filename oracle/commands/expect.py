"""`svcproof expect`: what the contract says must happen to a packet on a node."""

import click

from oracle.commands.options import (
    Asked,
    Sources,
    SpreadCommand,
    answer_options,
    cluster_of,
    evidence_options,
    packet_options,
)
from oracle.commands.terminal import look, note, say, say_json


@click.command(cls=SpreadCommand)
@click.argument("path", metavar="[PATH]", required=False)
@evidence_options
@click.option(
    "--mode",
    type=click.Choice(["iptables", "nftables", "ipvs"]),
    help="kube-proxy's mode  [default: as its configuration says]",
)
@packet_options
@answer_options
def expect(
    path: str | None,
    cluster: tuple[str, ...],
    node: str | None,
    proxy_config: str | None,
    addresses: str | None,
    mode: str | None,
    source: str | None,
    to: str | None,
    origin: str | None,
    in_interface: str | None,
    packets: str | None,
    form: str,
    verbose: bool,
) -> int:
    """Say what the contract wants done with a packet, and the rows that decide it.

    PATH is a bundle as for `check`; its rules are not needed here.

    Exit status: 0 answered, 2 unreadable.
    """
    asked = Asked(source, to, origin, in_interface, packets)
    asked.insist()
    if path is None and not cluster:
        raise click.UsageError("give --cluster and --node, or a bundle PATH")

    from model.expectation import expect_packets
    from model.node_config import ProxyMode
    from oracle.bundle import node_config

    evidence, bundle = Sources(path, cluster, (), node, proxy_config, addresses, packets).read_node()
    objects = cluster_of(bundle, (evidence,))
    config, _ = node_config(evidence, objects, mode=ProxyMode(mode) if mode else None)
    config = config.promised()
    questions = asked.read(config)
    assumed = [*questions.notes, *config.assumptions]
    show = look(verbose)
    for packet, answer in zip(
        questions.packets, expect_packets(objects, config, questions.packets), strict=True
    ):
        if form == "json":
            from oracle.report.as_json import expectation_json

            answer_json = expectation_json(answer, packet.family)
            if asked.is_one:
                answer_json["assumptions"] = assumed
            say_json(answer_json, indent=2 if asked.is_one else None)
        else:
            from oracle.report.as_text import expectation_line, expectation_lines

            if asked.is_one:
                say(expectation_lines(answer, packet.family, show))
            else:
                say([expectation_line(packet, answer, show)])
    for text in assumed:
        note(text)
    return 0
