"""Evidence: bundles of files from cluster and nodes, and what they say about one node."""

from oracle.bundle.evidence import Bundle, EvidenceFile, NodeEvidence
from oracle.bundle.layout import bundle_from_files, read_bundle
from oracle.bundle.node import ASSUMED_WITHOUT_CONFIG, LIKE_KUBELET, node_config
from oracle.bundle.source import read_text_source

__all__ = [
    "ASSUMED_WITHOUT_CONFIG",
    "LIKE_KUBELET",
    "Bundle",
    "EvidenceFile",
    "NodeEvidence",
    "bundle_from_files",
    "node_config",
    "read_bundle",
    "read_text_source",
]
