"""Whose doing a difference is: a mode's, a setting's, the objects', or nobody's that is known.

Where each side does what its own contract says, the contracts are what differs. One is
turned into the other in steps (objects, settings, version, mode), and the steps at which
the answer for this packet changes are its causes. Where a side does not do what its own
contract says, no mode excuses it.
"""

import itertools
from collections.abc import Iterator
from functools import cached_property

import attrs

from model.addresses import Family
from model.expectation import expect
from model.frontends import NodeView, node_view
from model.intervals import single
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
from model.objects import Cluster, ServicePortName
from model.outcome import Outcome
from oracle.difference.answers import ContractAnswers
from oracle.difference.beside_ipvs import BESIDE, beside_ids, is_beside
from oracle.difference.cause import Cause, CauseKind
from oracle.difference.changes import changes
from oracle.difference.classes import PacketClass
from oracle.difference.others import is_others_doing
from oracle.difference.parting import Told, parting, rows_apart
from oracle.difference.sentences import sentences
from oracle.difference.side import FamilySide

_IPVS_DEVICE = "kube-ipvs0"

_SETTINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("addresses of the node", ("addresses", "addresses_are_complete", "primary")),
    (
        "detectLocal",
        ("detect_local", "cluster_cidrs", "pod_cidrs", "bridge_interface", "interface_name_prefix"),
    ),
    ("masqueradeAll", ("masquerade_all",)),
    ("nodePortAddresses", ("node_port_addresses",)),
    ("localhostNodePorts", ("localhost_node_ports",)),
    ("zone of the node", ("name", "zone")),
)


@attrs.frozen(eq=False)
class _Step:
    """One thing changed on the way from A's contract to B's, and the contract after it."""

    kind: CauseKind
    what: str
    view: NodeView

    @cached_property
    def contract(self) -> ContractAnswers:
        return ContractAnswers(self.view)


_Turn = tuple[_Step, _Step, tuple[Outcome, ...], tuple[Outcome, ...]]


class Explainer:
    """Explains differences between two sides of one family."""

    def __init__(self, first: FamilySide, second: FamilySide) -> None:
        self._sides = (first, second)
        self._way = list(_steps(first, second))
        self.knows_objects = first.side.cluster is not None and second.side.cluster is not None

    def departing(self, one: PacketClass) -> tuple[int, ...]:
        """The sides (0, 1) that do not do what their own contract says."""
        out: list[int] = []
        for number, outcomes in enumerate((one.before, one.after)):
            allowed = self._allowed(self._way[-number], one)
            side = self._sides[number]
            if side.side.is_contract or set(outcomes) & set(allowed):
                continue
            if not is_beside(side.view, one.packet, outcomes, allowed):
                out.append(number)
        return tuple(out)

    def explained(self, one: PacketClass) -> Cause | None:
        """The cause; None where other owners' rules alone make a dump differ from a contract.

        What they do with packets they would do in every mode.
        """
        if not self.knows_objects:
            return Cause((CauseKind.NO_OBJECTS,), what=("no objects were given to explain it by",))
        departing = self.departing(one)
        if not departing:
            return self._by_contract(one) if self._contracts_part(one) else self._beside(one)
        others = [n for n in departing if is_others_doing(self._sides[n], one.packet)]
        names = tuple("AB"[number] for number in departing)
        if len(others) == len(departing):
            if any(side.side.is_contract for side in self._sides):
                return self._by_contract(one) if self._contracts_part(one) else None
            what = tuple(f"{name}'s rules that are not kube-proxy's do it" for name in names)
            return Cause((CauseKind.OTHERS,), (), what, names)
        return Cause((CauseKind.DEPARTURE,), (), tuple(self._departure(one, n) for n in departing), names)

    def _contracts_part(self, one: PacketClass) -> bool:
        """Whether no outcome is right for both sides."""
        first, second = (self._allowed(step, one) for step in (self._way[0], self._way[-1]))
        return not set(first) & set(second)

    def _beside(self, one: PacketClass) -> Cause | None:
        """The cause where both sides may do what they do, though the contracts agree.

        None where rules of ipvs mode do beside a contract what is neither demanded nor
        forbidden: they would do it in that mode.
        """
        beside = [
            side.view
            for side, outcomes, step in zip(
                self._sides, (one.before, one.after), (self._way[0], self._way[-1]), strict=True
            )
            if not set(outcomes) & set(self._allowed(step, one))
        ]
        if not beside:
            return self._by_contract(one)
        first, second = (side.side for side in self._sides)
        if first.is_contract or second.is_contract:
            return None
        ids = tuple(dict.fromkeys(which for view in beside for which in beside_ids(view, one.packet)))
        if first.config.mode is not second.config.mode:
            return Cause((CauseKind.MODE,), ids, (BESIDE,))
        same = first.cluster == second.cluster
        return Cause((CauseKind.CHOICE if same else CauseKind.OBJECTS,), ids, (BESIDE,))

    def _departure(self, one: PacketClass, number: int) -> str:
        """What is wrong with a side, and whether it would be right for the other's objects."""
        said = f"{'AB'[number]}'s rules are not what its contract says"
        mine, theirs = self._sides[number], self._sides[1 - number]
        if mine.side.cluster != theirs.side.cluster:
            view = self._as_if[number].view
            outcomes = one.after if number else one.before
            if set(outcomes) & set(self._allowed(self._as_if[number], one)):
                told = changes(self._sides[0].view, self._sides[1].view, _names(one, (mine.view, view)))
                late = "; ".join(("they fit the objects of " + "BA"[number], *told))
                return f"{said}; {late}"
        return said

    @cached_property
    def _as_if(self) -> tuple[_Step, _Step]:
        """Each side's contract, had it the other's objects."""
        first, second = (side.side for side in self._sides)
        family = self._sides[0].view.family
        pairs = ((second.cluster, first.config), (first.cluster, second.config))
        views = [node_view(cluster or Cluster(), config, family) for cluster, config in pairs]
        return _Step(CauseKind.OBJECTS, "", views[0]), _Step(CauseKind.OBJECTS, "", views[1])

    def _by_contract(self, one: PacketClass) -> Cause:
        kinds: list[CauseKind] = []
        ids: list[str] = []
        what: list[str] = []
        for before, after, was, is_ in self._turns(one):
            kinds.append(after.kind)
            first = Told(before.view, expect(before.view, one.packet), was[0])
            second = Told(after.view, expect(after.view, one.packet), is_[0])
            if after.kind is CauseKind.MODE:
                rules = parting(one.packet, first, second)
                what += sentences(rules) or (f"{after.what}: other rows decide",)
            elif after.kind is CauseKind.OBJECTS:
                rules = ()
                told = changes(before.view, after.view, _names(one, (before.view, after.view)))
                what += [f"the Services differ: {text}" for text in told] or ["the Services differ"]
            else:
                rules = rows_apart(first, second)
                what.append(f"{after.what} differs")
            ids += rules
        if not kinds:
            cites = expect(self._way[0].view, one.packet).cites
            return Cause((CauseKind.CHOICE,), cites, ("the contract allows either",))
        return Cause(tuple(dict.fromkeys(kinds)), tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(what)))

    def _turns(self, one: PacketClass) -> list[_Turn]:
        """The steps at which the packet's fate changes, with the contracts around them.

        A step that only leaves more or less of a choice is none where another changes the fate.
        """
        steps = [
            (before, after, self._allowed(before, one), self._allowed(after, one))
            for before, after in itertools.pairwise(self._way)
        ]
        changing = [step for step in steps if not set(step[2]) & set(step[3])]
        return changing or [step for step in steps if set(step[2]) != set(step[3])]

    def _allowed(self, step: _Step, one: PacketClass) -> tuple[Outcome, ...]:
        return step.contract.answer(one.region, one.entry).outcomes(one.packet.source)


def _steps(first: FamilySide, second: FamilySide) -> Iterator[_Step]:
    """The contracts on the way from the first side's to the second's; both ends are among them."""
    family = first.view.family
    config, target = first.side.config, second.side.config
    cluster, other = first.side.cluster or Cluster(), second.side.cluster or Cluster()
    yield _Step(CauseKind.MODE, "", first.view)
    if cluster != other:
        yield _Step(CauseKind.OBJECTS, "", node_view(other, config, family))
    by_default = config.mode is not target.mode and all(_is_default(one, family) for one in (config, target))
    for name, fields in _SETTINGS:
        if name == "nodePortAddresses" and by_default:
            continue
        if name == "localhostNodePorts" and config.mode is not target.mode:
            continue  # only iptables mode has it, so it goes with the mode (MODE-02)
        changed = attrs.evolve(config, **{field: getattr(target, field) for field in fields})
        if config.mode is not target.mode:
            changed = attrs.evolve(changed, addresses=_with_own_bound(config, changed))
        if changed != config:
            config = changed
            yield _Step(CauseKind.SETTING, name, node_view(other, config, family))
    for name, field in (("kube-proxy's version", "readings"), ("the rules' layout", "quirks")):
        if field == "quirks" and config.mode is not target.mode:
            continue  # each mode has its own, so they go with it
        if field == "readings" and set(config.readings) & set(target.readings):
            continue  # it may well be the same version
        changed = attrs.evolve(config, **{field: getattr(target, field)})
        if changed != config:
            config = changed
            yield _Step(CauseKind.VERSION, name, node_view(other, config, family))
    what = f"mode {config.mode.value} -> {target.mode.value}"
    yield _Step(CauseKind.MODE, what, second.view)


def _with_own_bound(config: NodeConfig, changed: NodeConfig) -> tuple[InterfaceAddress, ...]:
    """The changed addresses, but what kube-proxy bound stays: it goes with the mode (MODE-04)."""
    bound = tuple(one for one in config.addresses if one.interface == _IPVS_DEVICE)
    others = tuple(one for one in config.addresses if one.interface != _IPVS_DEVICE)
    theirs = tuple(one for one in changed.addresses if one.interface != _IPVS_DEVICE)
    return config.addresses if theirs == others else (*theirs, *bound)


def _is_default(config: NodeConfig, family: Family) -> bool:
    """Whether node ports are served where the mode serves them by itself (NP-02)."""
    if config.mode is not ProxyMode.NFTABLES or not config.node_port_addresses:
        return not config.node_port_addresses
    primary = config.primary_address(family)
    if config.node_port_addresses == ("primary",):
        return True
    view = node_view(Cluster(), config, family)
    return primary is not None and view.node_port_addresses == single(primary)


def _names(one: PacketClass, views: tuple[NodeView, ...]) -> Iterator[ServicePortName]:
    """The service ports that the packet's place concerns on either side."""
    packet = one.packet
    for view in views:
        owners = view.owners(packet.destination, packet.protocol, packet.port)
        yield from (owner.name for owner, _ in owners)
    for view in views:
        for each in view.service_ports if packet.destination in view.cluster_ips else ():
            if each.cluster_ip == packet.destination:
                yield each.name
