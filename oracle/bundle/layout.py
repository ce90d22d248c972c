"""Where a bundle keeps what: a folder or archive of cluster objects and nodes' files.

    cluster.json|yaml             any files of kubectl objects at the top, found by content
    nodes/NAME/iptables-save      and ip6tables-save, nft, nft.json, ipvsadm, ipset
    nodes/NAME/cilium-services.json
    nodes/NAME/kube-proxy-config.yaml
    nodes/NAME/ip-addr.json       the output of `ip -j addr`

Each may be gzipped and then ends in `.gz`. Files named `*-before.*` hold an earlier state
and are passed over, as is anything else.
"""

import re
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from model.errors import InputError
from model.load import Located, NotKubernetesObjects, cluster_of, read_objects
from model.load.convert import ServiceCIDR
from model.objects import Cluster
from oracle.bundle.archive import archive_files, in_memory
from oracle.bundle.evidence import Bundle, EvidenceFile, NodeEvidence
from oracle.bundle.source import (
    MAX_BYTES,
    STANDARD_INPUT,
    access_error,
    read_path,
    read_text_source,
    unpacked,
)

RULES_NAMES = (
    "iptables-save",
    "ip6tables-save",
    "nft",
    "nft.json",
    "ipvsadm",
    "ipset",
    "cilium-services.json",
)
PROXY_CONFIG_NAME = "kube-proxy-config.yaml"
IP_ADDR_NAME = "ip-addr.json"
_NODE_NAMES = frozenset((*RULES_NAMES, PROXY_CONFIG_NAME, IP_ADDR_NAME))
_OBJECTS = re.compile(r"(?!.*-before\.)[^/]+\.(?:json|yaml|yml)(?:\.gz)?")
_EXPECTED = "expected cluster.json or cluster.yaml and nodes/NAME/iptables-save and the like"


def read_bundle(path: str | Path) -> Bundle:
    """The bundle in a folder, a tar archive (packed or not) or a zip; `-` is an archive on standard input.

    Raises InputError when there is nothing at the path, nothing of a bundle in it, or
    when a file of objects cannot be read; rules are read later, by EvidenceFile.data.
    """
    label = str(path)
    if label == STANDARD_INPUT:
        data = in_memory(sys.stdin.buffer.read(MAX_BYTES))
        return _bundle(label, archive_files(data, label, _is_wanted), "")
    path = Path(path)
    try:
        if path.is_dir():
            return _bundle(label, dict(_folder_files(path)), _hint(path))
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(label, 0, "is neither a folder nor a file")
        with path.open("rb") as file:
            return _bundle(label, archive_files(file, label, _is_wanted), "")
    except OSError as error:
        raise access_error(error, label) from None


def bundle_from_files(
    cluster_files: tuple[str, ...],
    rules_files: tuple[str, ...],
    node: str | None,
    proxy_config: str | None,
    addresses: str | None,
) -> Bundle:
    """One node's bundle of files given one by one; any path may be `-`, standard input, once.

    Without `node` the name is that of the cluster's only Node, "" when it has none or several.
    """
    given = [*cluster_files, *rules_files, *filter(None, (proxy_config, addresses))]
    if given.count(STANDARD_INPUT) > 1:
        raise InputError(STANDARD_INPUT, 0, "standard input can be only one of the files")
    located = [item for path in cluster_files for item in read_objects(read_text_source(path), path)]
    cluster = cluster_of(located) if cluster_files else None
    if node is None:
        node = cluster.nodes[0].name if cluster and len(cluster.nodes) == 1 else ""
    evidence = NodeEvidence(
        name=node,
        rules=tuple(EvidenceFile(path, read_text_source(path)) for path in rules_files),
        proxy_config=(proxy_config, read_text_source(proxy_config)) if proxy_config else None,
        ip_addr=(addresses, read_text_source(addresses)) if addresses else None,
    )
    return Bundle(path="", cluster=cluster, nodes=(evidence,))


def _is_wanted(path: str) -> bool:
    """Whether an archive's member is a bundle's file, whatever folder the bundle is in."""
    parts = path.split("/")
    if len(parts) >= 3 and parts[-3] == "nodes":
        return parts[-1].removesuffix(".gz") in _NODE_NAMES
    return "nodes" not in parts[:-1] and _OBJECTS.fullmatch(parts[-1]) is not None


def _folder_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(path below the folder, path) of a folder's bundle files."""
    for path in sorted(folder.iterdir()):
        if _OBJECTS.fullmatch(path.name) and not path.name.startswith(".") and path.is_file():
            yield path.name, path
    nodes = folder / "nodes"
    for node in sorted(nodes.iterdir()) if nodes.is_dir() else ():
        for path in sorted(node.iterdir()) if node.is_dir() else ():
            if path.name.removesuffix(".gz") in _NODE_NAMES:
                yield f"nodes/{node.name}/{path.name}", path


def _hint(folder: Path) -> str:
    """What a folder that is no bundle may be instead."""
    names = sorted(path.name for path in folder.iterdir())
    if any(name.removesuffix(".gz") in RULES_NAMES for name in names):
        return "; this is one node's folder: give the one above nodes/, or --rules"
    inner = [name for name in names if (folder / name / "nodes").is_dir()]
    return f"; there is one in {', '.join(inner[:5])}" if inner else ""


def _bundle(label: str, files: Mapping[str, bytes | Path], hint: str) -> Bundle:
    located: list[Located] = []
    object_files: list[EvidenceFile] = []
    is_cluster_named = False
    nodes: dict[str, dict[str, bytes | Path]] = {}
    for path, source in files.items():
        parts = path.split("/")
        if len(parts) == 3 and parts[0] == "nodes":
            name = parts[2].removesuffix(".gz")
            of_node = nodes.setdefault(parts[1], {})
            if name in of_node:
                raise InputError(f"{label}/nodes/{parts[1]}", 0, f"both {name} and {name}.gz are here")
            of_node[name] = source
        elif len(parts) == 1:
            is_cluster = path.startswith("cluster.")
            is_cluster_named |= is_cluster
            try:
                located.extend(read_objects(_content(source, path), path))
                object_files.append(EvidenceFile(path, source))
            except NotKubernetesObjects:
                if is_cluster:
                    raise
    cluster: Cluster | None = None
    # The cluster's address ranges alone say nothing about Services.
    if is_cluster_named or any(not isinstance(item.object, ServiceCIDR) for item in located):
        cluster = cluster_of(located)
    if cluster is None and not nodes:
        raise InputError(label, 0, f"no bundle here: {_EXPECTED}{hint}")
    evidence = tuple(_node(name, nodes[name]) for name in sorted(nodes))
    return Bundle(label, cluster, evidence, tuple(object_files))


def _node(name: str, files: dict[str, bytes | Path]) -> NodeEvidence:
    def small(file: str) -> tuple[str, bytes] | None:
        label = f"nodes/{name}/{file}"
        return (label, _content(files[file], label)) if file in files else None

    rules = [EvidenceFile(f"nodes/{name}/{file}", files[file]) for file in RULES_NAMES if file in files]
    return NodeEvidence(name, tuple(rules), small(PROXY_CONFIG_NAME), small(IP_ADDR_NAME))


def _content(source: bytes | Path, label: str) -> bytes:
    return read_path(source, label) if isinstance(source, Path) else unpacked(source, label)
