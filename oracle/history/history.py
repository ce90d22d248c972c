"""Each node's history: every dump judged by the objects of its moment, and what changed between them.

Dumps of two modes are two histories, whatever folder they lie in. Raises InputError only for
what no dump can be judged without; a dump that cannot be read is one that is not judged.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

import attrs

from model.errors import InputError
from model.node_config import ProxyMode
from model.objects import Cluster, ObjectName
from oracle.bundle import node_config
from oracle.findings import NodeReport
from oracle.history.counters import Counters, counters_of, fingerprint
from oracle.history.courses import Began, Course, courses
from oracle.history.moments import Moment
from oracle.history.order import Dated, Order, OrderedBy, dated, in_order
from oracle.history.served import reading_of, served_changes
from oracle.history.services import Change, ChangeKind, service_changes
from oracle.history.settings import settings_changes
from oracle.history.traffic import Resets, Traffic, resets, traffic
from oracle.node_rules import read_node

_CONCERNS_ALL = (ChangeKind.NODE_CHANGED, ChangeKind.RANGE_CHANGED)

Judge = Callable[[Moment], NodeReport]
"""The verdict on one moment; rules that cannot be read are a report that judges nothing."""


@attrs.frozen
class Dump:
    """One moment and its verdict; `time` is that of its headers, None where there is none."""

    name: str
    time: datetime | None
    resource_version: int | None
    has_own_objects: bool
    report: NodeReport


@attrs.frozen
class Between:
    """What changed from one dump to the next, and what the later one's counters tell.

    `from_rules` says that rules told the changes, for want of objects of each moment.
    """

    changes: tuple[Change, ...]
    from_rules: bool
    traffic: tuple[Traffic, ...]
    resets: Resets


@attrs.frozen
class History:
    """One node in one mode, its dumps from first to last; `between` has one entry fewer.

    `mode` is None when no dump tells it.
    """

    node: str
    mode: ProxyMode | None
    order: Order
    dumps: tuple[Dump, ...]
    courses: tuple[Course, ...]
    between: tuple[Between, ...]

    def seconds(self, first: int, last: int) -> int | None:
        """From one dump to a later one by the times in their headers; None unless these gave the order."""
        one, other = self.dumps[first].time, self.dumps[last].time
        if self.order.by is not OrderedBy.HEADER_TIMES or one is None or other is None:
            return None
        return int((other - one).total_seconds())

    @property
    def last(self) -> NodeReport:
        """The report that the exit status is taken from."""
        return self.dumps[-1].report


def histories(moments: Sequence[Moment], judge: Judge) -> Iterator[History]:
    """The history of each node in each mode, nodes in the order of their names."""
    groups: dict[tuple[str, ProxyMode | None], list[Dated]] = {}
    modes = [(_node(one), _mode(one), one) for one in moments]
    for node, mode, moment in modes:
        known = {other for of, other, _ in modes if of == node and other is not None}
        if mode is None and len(known) == 1:
            [mode] = known
        groups.setdefault((node, mode), []).append(dated(moment))
    for (node, mode), group in sorted(groups.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        ordered, order = in_order(group)
        yield _history(node, mode, ordered, order, judge)


def _node(moment: Moment) -> str:
    try:
        return node_config(moment.evidence, moment.cluster)[0].name
    except InputError:
        return moment.evidence.name


def _mode(moment: Moment) -> ProxyMode | None:
    """The mode that kube-proxy's configuration names, else the one that its rules are of."""
    try:
        config, unset = node_config(moment.evidence, moment.cluster)
        return read_node(moment.evidence, moment.cluster).config.mode if "mode" in unset else config.mode
    except InputError:
        return None


def _history(
    node: str, mode: ProxyMode | None, ordered: Sequence[Dated], order: Order, judge: Judge
) -> History:
    dumps: list[Dump] = []
    between: list[Between] = []
    counted: Counters = {}
    for at, one in enumerate(ordered):
        moment = one.moment
        report = judge(moment)
        own = bool(moment.object_files)
        dumps.append(Dump(moment.name, one.time, one.resource_version, own, report))
        now = _counters(moment)
        if at:
            changes, from_rules = _changes(ordered[at - 1].moment, moment)
            met = traffic(dumps[-2].report, counted, report, now)
            between.append(Between(changes, from_rules, met, resets(counted, now)))
        counted = now
    prints = [_fingerprint(one.moment) for one in ordered]
    same_rules = [one == other and one is not None for one, other in pairwise(prints)]

    def began(service: ObjectName | None, at: int) -> Began:
        step = between[at - 1]
        told = {change.service for change in step.changes if not step.from_rules}
        is_theirs = service in told or any(change.kind in _CONCERNS_ALL for change in step.changes)
        return Began.OBJECTS_CHANGED if is_theirs or same_rules[at - 1] else Began.RULES_CHANGED

    followed = courses([dump.report for dump in dumps], began)
    return History(node, mode, order, tuple(dumps), followed, tuple(between))


def _counters(moment: Moment) -> Counters:
    try:
        return counters_of(moment.evidence)
    except InputError:  # said by the moment's own report
        return {}


def _fingerprint(moment: Moment) -> int | None:
    """What is equal for equal rules, None where they cannot be read."""
    try:
        return fingerprint(moment.evidence)
    except InputError:
        return None


def _changes(before: Moment, after: Moment) -> tuple[tuple[Change, ...], bool]:
    """(what changed, whether the rules tell it)."""
    settings = settings_changes(before, after)
    old, new = before.cluster or Cluster(), after.cluster or Cluster()
    if old is not new:
        return (*service_changes(old, new), *settings), False
    try:
        readings = [reading_of(read_node(one.evidence, old), old) for one in (before, after)]
    except InputError:  # said by the moment's own report
        return settings, True
    return (*served_changes(*readings), *settings), True
