"""What was collected from nodes and cluster: the records that a bundle is read into."""

from pathlib import Path

import attrs

from model.objects import Cluster
from oracle.bundle.source import read_path, unpacked


@attrs.frozen(init=False)
class EvidenceFile:
    """One file of a bundle; `label` is its name there, without `.gz`."""

    label: str
    _source: bytes | Path = attrs.field(repr=False)

    def __init__(self, label: str, data: bytes | Path) -> None:
        """Content, or the path to read it from when it is asked for; either may be gzipped."""
        self.__attrs_init__(label, data)

    @property
    def data(self) -> bytes:
        """The file's bytes, read and unpacked at each use so that a fleet need not fit in memory.

        Raises InputError when it cannot be read.
        """
        if isinstance(self._source, Path):
            return read_path(self._source, self.label)
        return unpacked(self._source, self.label)


@attrs.frozen
class NodeEvidence:
    """One node's files. `proxy_config` and `ip_addr` are (label, content), None when absent."""

    name: str
    rules: tuple[EvidenceFile, ...] = ()
    proxy_config: tuple[str, bytes] | None = None
    ip_addr: tuple[str, bytes] | None = None


@attrs.frozen
class Bundle:
    """Evidence of one moment. `cluster` is None when no file holds cluster objects.

    `object_files` are those that hold them.
    """

    path: str
    cluster: Cluster | None = None
    nodes: tuple[NodeEvidence, ...] = ()
    object_files: tuple[EvidenceFile, ...] = ()
