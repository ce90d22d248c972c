"""A folder of one cluster's moments: whole bundles, nodes' folders, or single files of rules.

    NAME/nodes/...          a bundle, or an archive of one: a moment of each node in it
    NAME/iptables-save      a node's folder: with nft and the like, a moment of that node
    NAME.iptables           files of rules: those of one NAME (.ip6tables, .nft, .ipvsadm, .ipset,
                            .json of nft; iptables-save.NAME as well) are one moment of one node

A moment's objects are its own (inside it; NAME.cluster.json, cluster-NAME.json or NAME.yaml beside
files of rules), else those in the folder itself, which several moments share. The forms are not
mixed in one folder. What is none of it is passed over, as in a bundle.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from model.errors import InputError
from model.load import Located, NotKubernetesObjects, cluster_of, read_objects
from model.load.convert import ServiceCIDR
from model.objects import Cluster
from oracle.bundle import EvidenceFile, NodeEvidence, read_bundle, read_text_source
from oracle.bundle.layout import IP_ADDR_NAME, PROXY_CONFIG_NAME, RULES_NAMES
from oracle.bundle.source import access_error, read_path

_ARCHIVE = re.compile(r".+\.(?:tar|tgz|zip|tar\.\w+)")
_TOOL = r"(?:ip6?tables(?:-save)?|nft(?:ables)?|ipvsadm|ipset)"
_ENDING = r"(?:\.(?:txt|json|out|log|dump|rules))?(?:\.gz)?"
_STEM_FIRST = re.compile(rf"(?P<stem>.+?)[._-]{_TOOL}{_ENDING}")
_TOOL_FIRST = re.compile(rf"{_TOOL}[._-](?P<stem>.+?){_ENDING}")
_TEXT = re.compile(r"(?P<stem>[^.].*?)\.(?:json|yaml|yml)(?:\.gz)?")
_OF_OBJECTS = re.compile(r"(?:(?:cluster|objects)[._-](?P<last>.+)|(?P<first>.+)[._-](?:cluster|objects))")
_NFT_JSON = re.compile(rb'\s*\{\s*"nftables"')
_EXPECTED = "expected bundles (NAME/nodes/), or files of rules such as NAME.iptables, NAME.nft"


@attrs.frozen
class Moment:
    """One node at one moment. `cluster` is None where no objects were given for it.

    `name` is what the folder calls it. `object_files` are the moment's own, empty where its
    objects are those that several moments share.
    """

    name: str
    evidence: NodeEvidence
    cluster: Cluster | None = None
    object_files: tuple[EvidenceFile, ...] = ()


@attrs.frozen
class Shared:
    """What holds for every moment that has none of its own."""

    cluster: Cluster | None = None
    proxy_config: tuple[str, bytes] | None = None
    ip_addr: tuple[str, bytes] | None = None


def shared_of(cluster: Sequence[str], proxy_config: str | None, addresses: str | None) -> Shared:
    """The files that the options name. Raises InputError for one that cannot be read."""
    located = [item for path in cluster for item in read_objects(read_text_source(path), path)]
    return Shared(
        cluster_of(located) if cluster else None,
        (proxy_config, read_text_source(proxy_config)) if proxy_config else None,
        (addresses, read_text_source(addresses)) if addresses else None,
    )


def read_moments(folder: str, given: Shared, node: str | None = None) -> tuple[Moment, ...]:
    """Every node's moments in the folder, in the order of their names; of `node` alone if given.

    Raises InputError when the folder holds no moment, forms are mixed, no moment has the
    node, or a file of objects cannot be read; rules are read later.
    """
    try:
        places = sorted(Path(folder).iterdir())
        bundles = [place for place in places if _is_bundle(place)]
        nodes = [place for place in places if place not in bundles and _rules_in(place)]
        files = _Files([place for place in places if place.is_file() and place not in bundles])
    except NotADirectoryError:
        raise InputError(folder, 0, "is no folder: --history wants one that holds several moments") from None
    except OSError as error:
        raise access_error(error, folder) from None
    _insist_on_one_form(folder, places, bundles, nodes, files)
    shared = files.shared(folder, given)
    if bundles:
        moments = tuple(_of_bundles(bundles, shared))
    elif nodes:
        moments = tuple(_node_folder(place, node, shared) for place in nodes)
    else:
        moments = tuple(files.moments(node, shared))
    chosen = moments if node is None else tuple(one for one in moments if one.evidence.name == node)
    if not chosen:
        names = ", ".join(dict.fromkeys(one.evidence.name for one in moments)) or "none"
        raise InputError(folder, 0, f"no node {node!r} at any moment; there are: {names}")
    return chosen


def _insist_on_one_form(
    folder: str, places: Sequence[Path], bundles: list[Path], nodes: list[Path], files: "_Files"
) -> None:
    if any(place.name == "nodes" and place.is_dir() for place in places):
        raise InputError(
            folder, 0, "is one bundle, of one moment: give the folder of several, or no --history"
        )
    forms = [
        names for names in ([p.name for p in bundles], [p.name for p in nodes], files.rules_names) if names
    ]
    if not forms:
        raise InputError(folder, 0, f"no dumps of any moment here: {_EXPECTED}")
    if len(forms) > 1:
        said = " and ".join(names[0] for names in forms)
        raise InputError(
            folder, 0, f"{said} are moments of different forms: give each form a folder of its own"
        )


def _is_bundle(place: Path) -> bool:
    return (place / "nodes").is_dir() or (place.is_file() and _ARCHIVE.fullmatch(place.name) is not None)


def _rules_in(place: Path) -> list[Path]:
    """The files of rules in a node's folder, none if it is no folder."""
    if not place.is_dir():
        return []
    by_name = {path.name.removesuffix(".gz"): path for path in sorted(place.iterdir()) if path.is_file()}
    return [by_name[name] for name in RULES_NAMES if name in by_name]


def _of_bundles(places: Iterable[Path], shared: Shared) -> Iterator[Moment]:
    for place in places:
        try:
            bundle = read_bundle(place)
        except InputError as error:
            raise _within(place, error) from None
        cluster = shared.cluster if bundle.cluster is None else bundle.cluster
        files = () if bundle.cluster is None else bundle.object_files
        for evidence in bundle.nodes:
            yield Moment(place.name, _completed(evidence, shared), cluster, files)


def _node_folder(place: Path, node: str | None, shared: Shared) -> Moment:
    inside = _Files([path for path in sorted(place.iterdir()) if path.is_file()])
    rules = tuple(
        EvidenceFile(f"{place.name}/{path.name.removesuffix('.gz')}", path) for path in _rules_in(place)
    )
    try:
        own = inside.shared(str(place), Shared())
    except InputError as error:
        raise _within(place, error) from None
    cluster = shared.cluster if own.cluster is None else own.cluster
    evidence = NodeEvidence(_node_name(node, cluster), rules, own.proxy_config, own.ip_addr)
    files = () if own.cluster is None else inside.object_files
    return Moment(place.name, _completed(evidence, shared), cluster, files)


def _within(place: Path, error: InputError) -> InputError:
    """The error with the moment's name before that of its file, unless that says it already."""
    file = error.file if error.file.startswith(str(place)) else f"{place.name}/{error.file}"
    return InputError(file, error.line, error.what)


def _completed(evidence: NodeEvidence, shared: Shared) -> NodeEvidence:
    return attrs.evolve(
        evidence,
        proxy_config=evidence.proxy_config or shared.proxy_config,
        ip_addr=evidence.ip_addr or shared.ip_addr,
    )


def _node_name(node: str | None, cluster: Cluster | None) -> str:
    if node is not None:
        return node
    return cluster.nodes[0].name if cluster is not None and len(cluster.nodes) == 1 else ""


class _Files:
    """The files of one folder, sorted into rules by stem, objects, and settings."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._rules: dict[str, list[Path]] = {}
        self._settings: dict[str, Path] = {}
        self._texts: list[tuple[str, Path]] = []
        for path in paths:
            name = path.name.removesuffix(".gz")
            if name in (PROXY_CONFIG_NAME, IP_ADDR_NAME):
                self._settings[name] = path
            elif name in RULES_NAMES:  # of a node's folder
                continue
            elif found := _STEM_FIRST.fullmatch(path.name) or _TOOL_FIRST.fullmatch(path.name):
                self._rules.setdefault(found["stem"], []).append(path)
            elif found := _TEXT.fullmatch(path.name):
                if _NFT_JSON.match(read_path(path, path.name)[:4096]):
                    self._rules.setdefault(found["stem"], []).append(path)
                else:
                    self._texts.append((found["stem"], path))

    @property
    def rules_names(self) -> list[str]:
        return [path.name for paths in self._rules.values() for path in paths]

    @property
    def object_files(self) -> tuple[EvidenceFile, ...]:
        """Files that may hold objects of the whole folder."""
        return tuple(EvidenceFile(path.name, path) for stem, path in self._texts if self._stem(stem) is None)

    def shared(self, folder: str, given: Shared) -> Shared:
        """What the folder and the options say for every moment. Raises InputError if both say it."""
        cluster = _cluster_in([path for stem, path in self._texts if self._stem(stem) is None])
        if cluster is not None and given.cluster is not None:
            raise InputError(folder, 0, "objects are here and in --cluster: give one set of them")

        def one(name: str, of_options: tuple[str, bytes] | None) -> tuple[str, bytes] | None:
            path = self._settings.get(name)
            return of_options or (None if path is None else (path.name, read_path(path, path.name)))

        return Shared(
            given.cluster if cluster is None else cluster,
            one(PROXY_CONFIG_NAME, given.proxy_config),
            one(IP_ADDR_NAME, given.ip_addr),
        )

    def moments(self, node: str | None, shared: Shared) -> Iterator[Moment]:
        """One moment for each stem, of the one node that all of them are taken to be of."""
        for stem, paths in sorted(self._rules.items()):
            own = [path for text, path in self._texts if self._stem(text) == stem]
            cluster = _cluster_in(own)
            files = () if cluster is None else tuple(EvidenceFile(path.name, path) for path in own)
            cluster = shared.cluster if cluster is None else cluster
            rules = tuple(EvidenceFile(path.name.removesuffix(".gz"), path) for path in paths)
            evidence = NodeEvidence(_node_name(node, cluster), rules, shared.proxy_config, shared.ip_addr)
            yield Moment(stem, evidence, cluster, files)

    def _stem(self, text: str) -> str | None:
        """The stem of rules that a file of objects belongs to, None for one of all moments."""
        found = _OF_OBJECTS.fullmatch(text)
        stem = (found["last"] or found["first"]) if found else text
        return stem if stem in self._rules else None


def _cluster_in(paths: Sequence[Path]) -> Cluster | None:
    """The objects in these files; None where none of them holds any but address ranges."""
    located: list[Located] = []
    for path in paths:
        try:
            located += read_objects(read_path(path, path.name), path.name)
        except NotKubernetesObjects:
            if path.name.startswith("cluster."):
                raise
    return cluster_of(located) if any(not isinstance(one.object, ServiceCIDR) for one in located) else None
