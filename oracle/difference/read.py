"""What the user named, read into pairs of sides: bundles, files of rules, modes.

A mode is the contract of the other side's node and objects under that mode, as if
kube-proxy were started in it with the same configuration file. A file of rules is read
with the objects, addresses and configuration that are given once for both sides.
"""

import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from model.errors import InputError
from model.modes import verdict_rows
from model.node_config import NodeConfig, ProxyMode
from model.objects import Cluster
from oracle.bundle import (
    Bundle,
    EvidenceFile,
    NodeEvidence,
    bundle_from_files,
    node_config,
    read_bundle,
    read_text_source,
)
from oracle.dataplane import MODES, live
from oracle.difference.side import Side
from oracle.node_rules import read_node
from oracle.ruleset import Ruleset

MODE_PREFIX = "mode:"
_IPVS_DEVICE = "kube-ipvs0"
_LIKE_RULES = (
    "detect_local",
    "cluster_cidrs",
    "bridge_interface",
    "interface_name_prefix",
    "masquerade_all",
    "masquerade_bit",
)


@attrs.frozen
class Given:
    """The evidence that is given once, for sides that are files or modes."""

    cluster: tuple[str, ...] = ()
    node: str | None = None
    proxy_config: str | None = None
    addresses: str | None = None

    def bundle(self, rules: Sequence[str]) -> Bundle:
        """The bundle that files of rules make with what is given."""
        return bundle_from_files(self.cluster, tuple(rules), self.node, self.proxy_config, self.addresses)

    @property
    def is_any(self) -> bool:
        """Whether any file is given."""
        return bool(self.cluster or self.proxy_config or self.addresses)


def pairs_of_sides(first: str, second: str, given: Given) -> Iterator[tuple[Side, Side]]:
    """The two sides of each node that both have.

    Raises InputError for what cannot be read, or when no node is on both sides.
    """
    names = (first, second)
    modes = tuple(_mode(name) for name in names)
    bundles = tuple(
        read_bundle(name) if mode is None and is_bundle(name) else None
        for name, mode in zip(names, modes, strict=True)
    )
    if all(mode is not None for mode in modes):
        bundle = given.bundle(())
        nodes = [(bundle.nodes[0], bundle.nodes[0], bundle.cluster, bundle.cluster)]
    else:
        if given.is_any and any(bundle is not None for bundle in bundles):
            raise InputError("--cluster", 0, "a bundle has its own objects, addresses and configuration")
        nodes = list(_nodes(names, modes, bundles, given))
    for mine, theirs, objects, other_objects in nodes:
        sides = (side_of(first, mine, objects, modes[0]), side_of(second, theirs, other_objects, modes[1]))
        alone = [mode is None and bundle is None for mode, bundle in zip(modes, bundles, strict=True)]
        yield attrs.evolve(sides[0], is_one_file=alone[0]), attrs.evolve(sides[1], is_one_file=alone[1])


def side_of(label: str, evidence: NodeEvidence, cluster: Cluster | None, mode: ProxyMode | None) -> Side:
    """A node's rules as a side, or its contract under a mode. Raises InputError."""
    if mode is None:
        node = read_node(evidence, cluster)
        config = _with_mode_of_rules(node.config, [one for sets in node.by_family.values() for one in sets])
        _insist_on_contract(label, config.mode)
        return Side(label, config, cluster, dict(node.by_family), node.not_read)
    if cluster is None:
        raise InputError(label, 0, "a mode needs the cluster's objects: give --cluster, or a bundle")
    _insist_on_contract(label, mode)
    return Side(label, config_in_mode(evidence, cluster, mode), cluster, None)


def _insist_on_contract(label: str, mode: ProxyMode) -> None:
    try:
        verdict_rows(mode)
    except NotImplementedError as error:
        raise InputError(label, 0, str(error)) from None


def config_in_mode(evidence: NodeEvidence, cluster: Cluster, mode: ProxyMode) -> NodeConfig:
    """The node's configuration, were kube-proxy started in that mode with the same file.

    What no file says is taken from the node's rules, as far as it means the same in both modes.
    """
    config, unset = node_config(evidence, cluster, mode=mode)
    if mode is not ProxyMode.IPVS:
        own = tuple(one for one in config.addresses if one.interface != _IPVS_DEVICE)
        config = attrs.evolve(config, addresses=own)  # MODE-04
    if not evidence.rules:
        return config
    present = read_node(evidence, cluster).config
    config = attrs.evolve(config, readings=present.readings)
    if "cluster_cidrs" not in unset:
        return config
    taken = {name: getattr(present, name) for name in _LIKE_RULES}
    listed = present.node_port_addresses
    if listed and listed != ("primary",):
        taken["node_port_addresses"] = listed
    said = dict.fromkeys((*present.assumptions, f"mode {mode.value} asked for"))
    return attrs.evolve(config, **taken, assumptions=tuple(said))


def _with_mode_of_rules(config: NodeConfig, rulesets: Sequence[Ruleset]) -> NodeConfig:
    """The mode that the rules were written in, where they are of one mode only."""
    found = {MODES[one.ruleset.dialect] for one in live(rulesets)}
    if len(found) != 1 or config.mode in found:
        return config
    mode = found.pop()
    said = f"the rules are of mode {mode.value}, whatever the configuration says"
    return attrs.evolve(config, mode=mode, assumptions=(*config.assumptions, said))


def _mode(text: str) -> ProxyMode | None:
    """The mode of `mode:NAME`, None for a path. Raises InputError for a mode that there is not."""
    if not text.startswith(MODE_PREFIX):
        return None
    try:
        return ProxyMode(text.removeprefix(MODE_PREFIX))
    except ValueError:
        names = ", ".join(mode.value for mode in ProxyMode)
        raise InputError(text, 0, f"no such mode; there are {names}") from None


def is_bundle(path: str) -> bool:
    """Whether a path is a folder or an archive, and not one file of rules."""
    if path == "-" or not Path(path).exists():
        return False
    return Path(path).is_dir() or zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


_Node = tuple[NodeEvidence, NodeEvidence, Cluster | None, Cluster | None]


def _nodes(
    names: tuple[str, str],
    modes: tuple[ProxyMode | None, ...],
    bundles: tuple[Bundle | None, ...],
    given: Given,
) -> Iterator[_Node]:
    """The evidence and objects of both sides, node by node; a mode has the other side's."""
    read: list[Bundle | None] = list(bundles)
    for number, name in enumerate(names):
        if read[number] is None and modes[number] is None:
            read[number] = _file_side(name, bundles[1 - number], given)
    one, other = read
    if one is None or other is None:
        only = one or other
        assert only is not None
        chosen = _chosen(only, given.node)
        yield from ((node, node, only.cluster, only.cluster) for node in chosen)
        return
    if given.node is None and all(bundle is not None for bundle in bundles):
        shared = {node.name for node in one.nodes} & {node.name for node in other.nodes}
        if not shared:
            there = " and ".join(
                ", ".join(node.name for node in each.nodes) or "none" for each in (one, other)
            )
            raise InputError(names[1], 0, f"no node is in both bundles: {there}")
        theirs = {node.name: node for node in other.nodes}
        for node in one.nodes:
            if node.name in shared:
                yield node, theirs[node.name], one.cluster, other.cluster
        return
    yield _one(one, given.node), _one(other, given.node), one.cluster, other.cluster


def _file_side(path: str, beside: Bundle | None, given: Given) -> Bundle:
    """A file of rules with what is given; beside a bundle, with that bundle's node."""
    if beside is None:
        return given.bundle((path,))
    node = _one(beside, given.node)
    rules = (EvidenceFile(path, read_text_source(path)),)
    return attrs.evolve(beside, path=path, nodes=(attrs.evolve(node, rules=rules),))


def _chosen(bundle: Bundle, name: str | None) -> tuple[NodeEvidence, ...]:
    return bundle.nodes if name is None else (_one(bundle, name),)


def _one(bundle: Bundle, name: str | None) -> NodeEvidence:
    """The node of that name, or the only one. Raises InputError that lists the names."""
    found = [node for node in bundle.nodes if name is None or node.name == name]
    if len(found) == 1:
        return found[0]
    names = ", ".join(node.name for node in bundle.nodes) or "none"
    what = (
        f"which node? choose one with --node: {names}" if found else f"no node {name!r}; there are: {names}"
    )
    raise InputError(bundle.path or "--node", 0, what)
