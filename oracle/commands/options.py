"""The options that several commands share, and what they name: evidence and questions.

`--cluster` and `--rules` take every value up to the next option, or may be repeated.
A bundle and single files are not mixed: an answer has one source.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import attrs
import click

from model.errors import InputError

if TYPE_CHECKING:
    from model.node_config import NodeConfig
    from model.objects import Cluster
    from oracle.bundle import Bundle, NodeEvidence
    from oracle.packets import Questions

_SPREAD = ("--cluster", "--rules")
KUBECTL = "kubectl get services,endpoints,endpointslices,pods,nodes -A -o json"

_F = TypeVar("_F", bound=Callable[..., object])


class SpreadCommand(click.Command):
    """A command whose `--cluster A B` means `--cluster A --cluster B`, and so for `--rules`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(arguments: list[str]) -> list[str]:
    """The arguments with the option repeated before each of its values.

    >>> spread(["--rules", "a", "b", "--node", "n"])
    ['--rules', 'a', '--rules', 'b', '--node', 'n']
    """
    out: list[str] = []
    option: str | None = None
    filled = True
    for at, argument in enumerate(arguments):
        if argument == "--":
            return out + arguments[at:]
        if argument.startswith("-") and argument != "-":
            option, filled = (argument, False) if argument in _SPREAD else (None, True)
        elif option is not None:
            out += [option] if filled else []
            filled = True
        out.append(argument)
    return out


@attrs.frozen
class Sources:
    """Where the evidence of one node comes from: a bundle, or files one by one.

    `packets` is here only so that standard input is not asked for twice.
    """

    path: str | None = None
    cluster: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    node: str | None = None
    proxy_config: str | None = None
    addresses: str | None = None
    packets: str | None = None

    def read(self) -> "Bundle":
        """The bundle that the sources make. Raises InputError, or UsageError for a wrong mix."""
        from oracle.bundle import bundle_from_files, read_bundle

        files = [*self.cluster, *self.rules, *filter(None, (self.proxy_config, self.addresses))]
        if [*files, self.path, self.packets].count("-") > 1:
            raise click.UsageError("only one input can be standard input")
        if self.path is None:
            return bundle_from_files(self.cluster, self.rules, self.node, self.proxy_config, self.addresses)
        if files:
            raise click.UsageError("give a bundle PATH or single files, not both")
        return read_bundle(self.path)

    def read_node(self) -> "tuple[NodeEvidence, Bundle]":
        """The one node that the sources name, and the bundle it is in."""
        bundle = self.read()
        return pick_nodes(bundle, self.node, only_one=True)[0], bundle


def pick_nodes(bundle: "Bundle", name: str | None, only_one: bool) -> "tuple[NodeEvidence, ...]":
    """The nodes of the bundle that are asked about. Raises InputError that lists their names."""
    if not bundle.nodes:
        raise InputError(bundle.path, 0, "no node here (nodes/NAME/iptables-save and the like)")
    names = ", ".join(node.name for node in bundle.nodes)
    if name is not None:
        chosen = tuple(node for node in bundle.nodes if node.name == name)
        if not chosen:
            raise InputError(bundle.path, 0, f"no node {name!r}; there are: {names}")
        return chosen
    if only_one and len(bundle.nodes) > 1:
        raise InputError(bundle.path, 0, f"which node? choose one with --node: {names}")
    return bundle.nodes


def cluster_of(bundle: "Bundle", nodes: "tuple[NodeEvidence, ...]") -> "Cluster":
    """The objects by which these nodes are to be judged.

    Raises InputError when there are none, saying how to get them, or when it is not known
    which node is meant: its name tells which endpoints are its own.
    """
    from oracle.bundle import node_config

    if bundle.cluster is None:
        place = bundle.path or "--cluster"
        raise InputError(place, 0, f"no cluster objects to judge by; add the output of: {KUBECTL}")
    # hostnameOverride names a node too.
    if not all(node.name or node_config(node, bundle.cluster)[0].name for node in nodes):
        names = ", ".join(node.name for node in bundle.cluster.nodes) or "the objects hold no Node"
        raise InputError("--node", 0, f"which node? give its name: {names}")
    return bundle.cluster


@attrs.frozen
class Asked:
    """The packets that the options ask about."""

    source: str | None
    to: str | None
    origin: str | None
    in_interface: str | None
    packets: str | None

    @property
    def is_one(self) -> bool:
        return self.packets is None

    def read(self, config: "NodeConfig") -> "Questions":
        """The questions. Raises InputError, or UsageError when there is no question or two."""
        from oracle.bundle import read_text_source
        from oracle.packets import ask_one, read_packets

        self.insist()
        if self.packets is None:
            return ask_one(self.source or "", self.to or "", self.origin, self.in_interface, config)
        return read_packets(read_text_source(self.packets).splitlines(), self.packets, config)

    def insist(self) -> None:
        """Raises UsageError unless exactly one packet, or one file of packets, is given."""
        if self.packets is None and not (self.source and self.to):
            raise click.UsageError("give --from and --to, or --packets")
        if self.packets is not None and (self.source or self.to or self.origin or self.in_interface):
            raise click.UsageError("--packets goes without --from, --to, --origin and --in-interface")


def evidence_options(command: _F) -> _F:
    """--cluster, --node, --proxy-config and --addresses."""
    for option in (
        click.option("--addresses", metavar="F", help="Output of `ip -j addr` on the node."),
        click.option("--proxy-config", metavar="F", help="kube-proxy's configuration."),
        click.option("--node", metavar="NAME", help="The node's name."),
        click.option("--cluster", metavar="F...", multiple=True, help=f"Objects, from `{KUBECTL}`."),
    ):
        command = option(command)
    return command


def rules_option(command: _F) -> _F:
    """--rules."""
    return click.option(
        "--rules",
        metavar="F...",
        multiple=True,
        help="The node's rules: iptables-save, ip6tables-save, nft [-j] list ruleset, ipvsadm, ipset.",
    )(command)


def packet_options(command: _F) -> _F:
    """--from, --to, --origin, --in-interface and --packets."""
    for option in (
        click.option(
            "--packets", metavar="F.jsonl", help="Many packets, one JSON object a line; - is stdin."
        ),
        click.option("--in-interface", metavar="NAME", help="The interface it enters the node by."),
        click.option(
            "--origin",
            type=click.Choice(["wire", "node"]),
            help="Where it meets the rules  [default: node for an address of the node, else wire]",
        ),
        click.option(
            "--to", metavar="ADDR:PORT/PROTO", help="10.96.0.10:53/udp, [fd00::a]:80/tcp, 10.0.0.1/icmp."
        ),
        click.option("--from", "source", metavar="ADDR", help="The packet's source address."),
    ):
        command = option(command)
    return command


def answer_options(command: _F) -> _F:
    """--format and --verbose."""
    for option in (
        click.option("--verbose", "-v", is_flag=True, help="Leave nothing out of a text answer."),
        click.option(
            "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
        ),
    ):
        command = option(command)
    return command
