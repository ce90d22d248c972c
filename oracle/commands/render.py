"""`svcproof render`: the rules that a conforming proxy could load on a node, and what a manifest changes."""

from typing import TYPE_CHECKING

import click

from oracle.commands.options import Sources, SpreadCommand, cluster_of
from oracle.commands.terminal import note, say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from model.addresses import Family
    from model.node_config import NodeConfig
    from model.objects import Cluster
    from oracle.writing.files import Line, WrittenFile


@click.command(cls=SpreadCommand)
@click.option("--cluster", metavar="F...", multiple=True, help="Objects, from kubectl.")
@click.option("--from-objects", metavar="F", multiple=True, help="The same as --cluster.")
@click.option("--node", metavar="NAME", required=True, help="The node that the rules are for.")
@click.option(
    "--mode",
    type=click.Choice(["iptables", "nftables"]),
    help="kube-proxy's mode  [default: as its configuration says]",
)
@click.option("--proxy-config", metavar="F", help="kube-proxy's configuration.")
@click.option("--addresses", metavar="F", help="Output of `ip -j addr` on the node.")
@click.option(
    "--family",
    "only",
    type=click.Choice(["IPv4", "IPv6"], case_sensitive=False),
    help="Rules of one family  [default: each that the node has an address of]",
)
@click.option(
    "--with-manifest",
    metavar="F",
    multiple=True,
    help="Objects to apply: say what they change instead of all rules.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def render(
    cluster: tuple[str, ...],
    from_objects: tuple[str, ...],
    node: str,
    mode: str | None,
    proxy_config: str | None,
    addresses: str | None,
    only: str | None,
    with_manifest: tuple[str, ...],
    form: str,
) -> int:
    """Write rules that do on one node what the contract demands for the cluster's objects.

    They are in a layout of their own, in the words of iptables-save or nft; every comment names
    the Service and the rows of the contract. With --with-manifest only what would change is said,
    Service by Service: `-` for rules that go, `+` for rules that come.

    Exit status: 0 written, 2 unreadable.
    """
    files = (*cluster, *from_objects)
    if not files:
        raise click.UsageError("give --cluster")
    if [*files, *with_manifest, proxy_config, addresses].count("-") > 1:
        raise click.UsageError("only one input can be standard input")

    from model.addresses import Family
    from model.errors import InputError
    from model.node_config import ProxyMode
    from oracle.bundle import node_config

    evidence, bundle = Sources(None, files, (), node, proxy_config, addresses).read_node()
    objects = cluster_of(bundle, (evidence,))
    config, _ = node_config(evidence, objects, mode=ProxyMode(mode) if mode else None)
    if config.mode is ProxyMode.IPVS:
        raise InputError(proxy_config or "--mode", 0, "rules of ipvs mode are not written; give --mode")
    families = [one for one in Family if config.primary_address(one) is not None]
    if only is not None:
        families = [one for one in Family if one.value.lower() == only.lower()]
    if not families:
        raise InputError("--node", 0, f"no address of {node} is known: give --addresses or --family")
    if with_manifest:
        _say_changes(files, with_manifest, objects, config, families, form)
    else:
        _say_files(_written(objects, config, families), config, families, form)
    for text in config.assumptions:
        note(text)
    return 0


def _say_files(
    files: "tuple[WrittenFile, ...]", config: "NodeConfig", families: "list[Family]", form: str
) -> None:
    if form == "json":
        from oracle.report.render_json import written_json

        say_json(written_json(config, families, files), indent=2)
        return
    for one in files:
        say(line.text for line in one.lines)


def _say_changes(
    files: tuple[str, ...],
    manifest: tuple[str, ...],
    before: "Cluster",
    config: "NodeConfig",
    families: "list[Family]",
    form: str,
) -> None:
    from oracle.bundle import read_text_source
    from oracle.writing.what_if import applied, changes

    after = applied(
        [(file, read_text_source(file)) for file in files],
        [(file, read_text_source(file)) for file in manifest],
    )
    found = {
        family: tuple(
            changes(
                _lines(_written(before, config, [family])), _lines(_written(after.cluster, config, [family]))
            )
        )
        for family in families
    }
    if form == "json":
        from oracle.report.render_json import changed_json

        say_json(changed_json(config, found, after.notes), indent=2)
    else:
        from oracle.report.render_text import changed_lines

        for family, of_family in found.items():
            say(changed_lines(config.name, family, of_family))
    for text in after.notes:
        note(text)


def _lines(files: "Iterable[WrittenFile]") -> "Iterator[Line]":
    return (line for one in files for line in one.lines)


def _written(
    cluster: "Cluster", config: "NodeConfig", families: "Iterable[Family]"
) -> "tuple[WrittenFile, ...]":
    from model.errors import InputError
    from oracle.writing import NotWritableError, node_files

    try:
        return node_files(cluster, config, families)
    except NotWritableError as fault:
        raise InputError("--mode", 0, f"{config.mode.value} has no words for a rule: {fault}") from None
