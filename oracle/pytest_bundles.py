"""A bundle as pytest items: each claim on its objects and its nodes' rules, and each node's verdict.

`INV-05[bundle]` is a claim about the stored objects, `INV-35[bundle/node-a]` one about that
node's rules, `conforms[bundle/node-a]` the exact judgement of all packets. A claim whose
assumption does not hold there, and a node that cannot be judged, is a skip that says so.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from invariants.catalogue import EVENTUAL, PACKET, STATE
from invariants.invariant import Invariant, PacketCheck, StateCheck
from model.cluster.from_objects import state_of
from model.errors import InputError
from model.frontends import NodeView, node_view
from model.objects import Cluster
from oracle.bundle import Bundle, NodeEvidence, read_bundle
from oracle.check import check_node
from oracle.dump_cases import packet_cases
from oracle.findings import NodeVerdict
from oracle.node_rules import NodeRules, read_node
from oracle.report.as_text import node_lines
from oracle.report.wording import Look


class BrokenPromise(Exception):
    """What the bundle does that a claim rules out."""


class Judgement(pytest.Item):
    """One claim on one part of a bundle."""

    def __init__(self, *, judge: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.judge = judge

    def runtest(self) -> None:
        self.judge()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """One line or few; an unforeseen exception keeps its traceback."""
        if isinstance(excinfo.value, BrokenPromise | InputError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


def items(session: pytest.Session, path: str) -> Iterator[Judgement]:
    """Everything that is judged of the bundle at `path`.

    Raises pytest.UsageError when it cannot be read, or holds no cluster objects.
    """
    try:
        bundle = read_bundle(path)
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    if bundle.cluster is None:
        raise pytest.UsageError(f"{path}: the cluster's objects are missing")
    name = Path(path).name

    def item(title: str, judge: Callable[[], None]) -> Judgement:
        made: Judgement = Judgement.from_parent(session, name=title, judge=judge)
        return made

    for claim in (*STATE, *EVENTUAL):
        yield item(f"{claim.id}[{name}]", _on_objects(claim, bundle))
    for evidence in bundle.nodes:
        of_node = f"{name}/{evidence.name}"
        for about_packets in PACKET:
            yield item(f"{about_packets.id}[{of_node}]", _on_rules(about_packets, evidence, bundle.cluster))
        yield item(f"conforms[{of_node}]", _verdict(evidence, bundle.cluster))


def _on_objects(claim: Invariant[StateCheck], bundle: Bundle) -> Callable[[], None]:
    def judge() -> None:
        state = state_of((file.label, file.data) for file in bundle.object_files)
        if not claim.assumes(state):
            pytest.skip(f"assumes: {claim.assumption}")
        violation = claim.violation(state)
        if violation is not None:
            raise BrokenPromise(f"{claim.id}: {claim.sentence}\n{violation.what}")

    return judge


def _on_rules(claim: Invariant[PacketCheck], evidence: NodeEvidence, cluster: Cluster) -> Callable[[], None]:
    def judge() -> None:
        rules = read_node(evidence, cluster)
        if rules.config.mode not in claim.modes:
            pytest.skip(f"is not claimed of {rules.config.mode.value} mode")
        for view in _views(rules, cluster):
            for place, packet, outcome in packet_cases(rules, view):
                violation = None if outcome is None else claim.violation(place, packet, outcome)
                if violation is not None:
                    raise BrokenPromise(f"{claim.id}: {claim.sentence}\n{violation.what}")

    return judge


def _views(rules: NodeRules, cluster: Cluster) -> Iterator[NodeView]:
    return (node_view(cluster, rules.config.promised(), family) for family in rules.by_family)


def _verdict(evidence: NodeEvidence, cluster: Cluster) -> Callable[[], None]:
    def judge() -> None:
        report = check_node(evidence, cluster)
        lines = "\n".join(node_lines(report, Look()))
        if report.verdict is NodeVerdict.DIFFERS:
            raise BrokenPromise(lines)
        if report.verdict is NodeVerdict.NOT_JUDGED:
            pytest.skip(lines)

    return judge
