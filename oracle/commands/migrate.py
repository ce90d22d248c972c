"""`svcproof migrate`: what an operator must know before kube-proxy's mode is switched."""

from collections.abc import Callable, Iterator
from pathlib import Path
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
    from model.node_config import ProxyMode
    from model.objects import Cluster
    from oracle.bundle import NodeEvidence
    from oracle.difference.migration import Item
    from oracle.difference.side import Side

FINE, GRAVE, UNREADABLE = 0, 1, 2


@click.command(cls=SpreadCommand)
@click.argument("path", metavar="[PATH]", required=False)
@click.option(
    "--to",
    "target",
    type=click.Choice(["iptables", "nftables", "ipvs"]),
    required=True,
    help="The mode to come.",
)
@rules_option
@click.option("--from-dump", metavar="F", multiple=True, help="The same as --rules; a folder is a bundle.")
@evidence_options
@answer_options
def migrate(
    path: str | None,
    target: str,
    rules: tuple[str, ...],
    from_dump: tuple[str, ...],
    cluster: tuple[str, ...],
    node: str | None,
    proxy_config: str | None,
    addresses: str | None,
    form: str,
    verbose: bool,
) -> int:
    """Say what a switch of kube-proxy's mode changes in this cluster: who loses access, what is refused.

    PATH is a bundle as for `check`. All of its nodes are asked, or the one of --node.

    Exit status: 0 nobody loses or gains access, 1 somebody does or the mode cannot be had,
    2 unreadable, or some packets could not be compared.
    """
    if path is None and len(from_dump) == 1 and not rules and not cluster and Path(from_dump[0]).is_dir():
        path, from_dump = from_dump[0], ()
    rules += from_dump
    if path is None and not rules:
        raise click.UsageError("give a bundle PATH, or --rules and --cluster")

    from model.node_config import ProxyMode
    from oracle.difference.migration import migration

    bundle = Sources(path, cluster, rules, node, proxy_config, addresses).read()
    nodes = pick_nodes(bundle, node, only_one=False)
    objects = cluster_of(bundle, nodes)
    mode = ProxyMode(target)
    progress = Progress()

    def told(present: "Side") -> Callable[[str], None]:
        progress.turn_to(present.config.name)
        return progress.tell

    evidence = {f"nodes/{one.name}": one for one in nodes}
    answer = migration(
        _sides(nodes, objects, mode),
        mode,
        lambda present, future: _beside(evidence, present, future),
        told,
    )
    progress.clear()
    if form == "json":
        from oracle.report.migrate_json import migrate_json

        say_json(migrate_json(bundle.path, answer), indent=2)
    else:
        from oracle.report.migrate_text import migrate_lines

        say(migrate_lines(answer, look(verbose)))
    if answer.is_grave:
        return GRAVE
    left_open = next((item for item in answer.not_judged if item.matters), None)
    if left_open is None:
        return FINE
    note(InputError(left_open.file, left_open.line, left_open.why))
    return UNREADABLE


def _sides(
    nodes: "tuple[NodeEvidence, ...]", cluster: "Cluster", mode: "ProxyMode"
) -> "Iterator[tuple[Side, Side]]":
    """Each node's present rules and its contract to come; nodes that are in the mode are left out."""
    from oracle.difference.read import side_of

    for one in nodes:
        present = side_of(f"nodes/{one.name}", one, cluster, None)
        if present.config.mode is mode:
            note(f"nodes/{one.name}: is in mode {mode.value} already")
            continue
        yield present, side_of(f"mode:{mode.value}", one, cluster, mode)


def _beside(evidence: "dict[str, NodeEvidence]", present: "Side", future: "Side") -> "Iterator[Item]":
    """What a switch changes at a node beside its packets' fates."""
    from model.objects import Cluster
    from oracle.difference.beside import beside
    from oracle.difference.settings import settings

    yield from beside(present, future)
    one = evidence[present.label]
    yield from settings(one, future.cluster or Cluster(), present.config.mode, future.config.mode)
