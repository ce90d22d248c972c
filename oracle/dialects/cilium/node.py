"""A node that gave Cilium's list is judged by it, and by nothing of kube-proxy's settings."""

from collections.abc import Sequence

import attrs

from model.addresses import Family
from model.errors import InputError
from model.frontends import node_view
from model.node_config import ProxyMode
from model.objects import Cluster
from model.proxy_version import LATEST, reading_of
from oracle.bundle import ASSUMED_WITHOUT_CONFIG, EvidenceFile, NodeEvidence, node_config
from oracle.bundle.layout import RULES_NAMES
from oracle.dataplane import live
from oracle.dialects.cilium.judge import judge_services
from oracle.dialects.cilium.listing import parse_services
from oracle.dialects.recognise import Tool, tool_of
from oracle.findings import Difference, Judged, NodeReport, NotJudged
from oracle.node_rules import rulesets_of

LIST_NAME = "cilium-services.json"


def check_listed(evidence: NodeEvidence, cluster: Cluster) -> NodeReport | None:
    """The verdict on a node by Cilium's list, None where it gave none.

    Raises InputError for files that cannot be read, or two lists.
    """
    lists = [file for file in evidence.rules if _is_list(file)]
    if not lists:
        return None
    if len(lists) > 1:
        raise InputError(lists[1].label, 0, f"Cilium's services as in {lists[0].label}: give one list")
    given = parse_services(lists[0].data, lists[0].label)
    config, _ = node_config(evidence, cluster)
    # Endpoints are read as the contract has them, whatever version of kube-proxy others run.
    config = attrs.evolve(config, mode=ProxyMode.IPTABLES, readings=(reading_of(LATEST),))
    differences: list[Difference] = []
    not_judged = _beside([file for file in evidence.rules if file not in lists])
    families: list[Family] = []
    frontends = entries = 0
    for family in Family:
        view = node_view(cluster, config, family)
        count = len(view.by_address) + len(view.by_node_port)
        if not count and all(one.family is not family for one in given.entries):
            continue
        found = judge_services(given, view, cluster)
        families.append(family)
        frontends += count
        entries += found.entries
        differences += found.differences
        not_judged += found.not_judged
    return NodeReport(
        node=config.name or evidence.name,
        dialect="cilium",
        families=tuple(families),
        judged=Judged(frontends, 0, entries),
        differences=tuple(differences),
        not_judged=tuple(not_judged),
        warnings=tuple(
            f"{one.file}:{one.line}: not yet what was asked for: {one.text}" for one in given.unrealized
        ),
        assumptions=tuple(one for one in config.assumptions if one not in ASSUMED_WITHOUT_CONFIG.values()),
    )


def _is_list(file: EvidenceFile) -> bool:
    """A file of a bundle is known by its name, and need not be read for this."""
    name = file.label.rsplit("/", 1)[-1].removesuffix(".gz")
    if name in RULES_NAMES:
        return name == LIST_NAME
    return tool_of(file.data, file.label) is Tool.CILIUM


def _beside(files: Sequence[EvidenceFile]) -> list[NotJudged]:
    """Rules that were given beside the list are read only for service rules of kube-proxy's."""
    if not files:
        return []
    sets = [one for of in rulesets_of(files).values() for one in of]
    planes = live(sets)
    if planes:
        why = f"service rules of kube-proxy ({planes[0].name}) are live beside Cilium's: judge them alone"
        return [NotJudged(planes[0].line.file, planes[0].line.line, "", why, matters=True)]
    return [NotJudged(files[0].label, 0, "", "rules beside Cilium's list are not walked", matters=False)]
