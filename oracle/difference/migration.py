"""What an operator must know before kube-proxy's mode is switched: about this cluster, and no more.

Most of it is read off the differences between the present rules and the contract of the
mode to come. An item is there only if something in this cluster is concerned.
"""

import enum
from collections.abc import Callable, Iterable, Sequence

import attrs

from model.addresses import Family
from model.intervals import EMPTY, Intervals, union
from model.node_config import ProxyMode
from oracle.difference.diff import NodeDiff, diff_sides
from oracle.difference.groups import Group
from oracle.difference.side import Side
from oracle.findings import Line, NotJudged


class Effect(enum.Enum):
    """What a switch does; the gravest first. Others script against these words."""

    BREAKS = "breaks"  # somebody who is served now is not then
    OPENS = "opens"  # what is not served now is then
    CHANGES = "changes"  # served or not as before, in another way
    CHECK = "check"  # not to be known from here: look
    TIDY = "tidy"  # to be cleared away


@attrs.frozen
class Item:
    """One thing to know. `topic` is a fixed word for scripts, `text` a sentence without a full stop.

    `addresses` are those at which it happens, by family; `details` are settings and the like.
    """

    topic: str
    effect: Effect
    text: str
    ids: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    addresses: tuple[tuple[Family, Intervals], ...] = ()
    details: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


@attrs.frozen
class NodeSwitch:
    """One node: its present rules and the contract in the mode to come."""

    present: Side
    future: Side
    diff: NodeDiff


@attrs.frozen
class Migration:
    """The answer: items, the gravest first, and what it rests on."""

    to: ProxyMode
    nodes: tuple[NodeSwitch, ...]
    items: tuple[Item, ...]

    @property
    def is_grave(self) -> bool:
        """Whether somebody loses or gains access, or the mode cannot be had."""
        return any(item.effect in (Effect.BREAKS, Effect.OPENS) for item in self.items)

    @property
    def not_judged(self) -> tuple[NotJudged, ...]:
        """What could not be compared on any node."""
        return tuple(dict.fromkeys(item for node in self.nodes for item in node.diff.not_judged))


# The rule that tells most of a difference, the word for scripts, and what happens. In order:
# a difference is told under the first rule here that it cites.
_TOPICS: tuple[tuple[str, str, str], ...] = (
    ("MODE-02", "node-ports-on-loopback", "node ports on 127.0.0.0/8"),
    ("MODE-01", "node-ports-on-other-addresses", "node ports on addresses other than before"),
    ("MODE-11", "node-port-refusals", "node ports without endpoints"),
    (
        "MODE-13",
        "source-ranges-for-the-node",
        "load balancer addresses with source ranges, asked by the node",
    ),
    ("MODE-14", "internal-policy-local", "cluster IPs with internalTrafficPolicy Local, no endpoint here"),
    ("MODE-15", "external-policy-local", "frontends with externalTrafficPolicy Local, no endpoint here"),
    ("MODE-16", "no-short-circuit", "frontends with externalTrafficPolicy Local, asked by pods or the node"),
    (
        "MODE-12",
        "source-ranges-without-endpoints",
        "load balancer addresses with source ranges, no endpoints",
    ),
    ("MODE-10", "own-packets-without-endpoints", "external addresses without endpoints, asked by the node"),
    ("MODE-05", "undefined-ports", "undefined ports of cluster IPs"),
    ("MODE-07", "ping", "ICMP and other protocols at cluster IPs"),
    ("MODE-06", "unallocated-addresses", "addresses of the service range that no Service has"),
    ("MODE-08", "undefined-external-ports", "undefined ports of external and load balancer addresses"),
    ("MODE-21", "hairpin", "pods that reach themselves through a Service, where they run on another node"),
    ("MODE-17", "scheduler", "the choice of endpoints"),
    ("MODE-22", "own-address-as-source", "the node's own packets that start from a cluster IP"),
    ("MODE-30", "loopback-source", "packets from loopback to Services"),
    ("MODE-18", "affinity-of-frontends", "clients that session affinity holds"),
)


def migration(
    nodes: Iterable[tuple[Side, Side]],
    to: ProxyMode,
    beside: Callable[[Side, Side], Iterable[Item]],
    progress: Callable[[Side], Callable[[str], None]],
) -> Migration:
    """All that changes when the nodes are switched to a mode.

    `nodes` are pairs of present rules and the contract to come; `beside` gives what is to
    be known of a node beside its packets' fates; `progress` is asked for a node's teller.
    """
    switches: list[NodeSwitch] = []
    items: list[Item] = []
    for present, future in nodes:
        diff = diff_sides(present, future, progress(present))
        switches.append(NodeSwitch(present, future, diff))
        items += [*_of_groups(diff), *beside(present, future)]
    order = list(Effect)
    told = sorted(_merged(items), key=lambda item: order.index(item.effect))
    return Migration(to, tuple(switches), tuple(told))


def _of_groups(diff: NodeDiff) -> Iterable[Item]:
    for group in diff.groups:
        service = group.subject.text if group.subject.service is not None else ""
        topic, text = _topic(group)
        yield Item(
            topic,
            _effect(group),
            f"{text}: {group.before} -> {group.after}" if group.cause.is_explained else text,
            group.cause.ids,
            (service,) if service else (),
            (diff.node,),
            ((group.family, group.destinations),),
            () if group.cause.is_explained else group.cause.what,
            () if group.cause.is_explained else group.lines[0][-1:],
        )


def _topic(group: Group) -> tuple[str, str]:
    if not group.cause.is_explained:
        return (
            "present-rules",
            "the present rules are not what the contract of the present mode says: check them",
        )
    for rule, topic, text in _TOPICS:
        if rule in group.cause.ids:
            return topic, text
    return "settings", f"{group.subject.kind}, by settings or rows {', '.join(group.cause.ids)}"


def _effect(group: Group) -> Effect:
    if not group.cause.is_explained:
        return Effect.CHECK
    before, after = (one.startswith("delivered") for one in (group.before, group.after))
    if before is after:
        return Effect.CHANGES
    return Effect.BREAKS if before else Effect.OPENS


def _merged(items: Sequence[Item]) -> list[Item]:
    """Items alike in topic, effect and words as one, with everything that they concern."""
    found: dict[tuple[object, ...], Item] = {}
    for item in items:
        key = (item.topic, item.effect, item.text)
        known = found.get(key)
        found[key] = item if known is None else _both(known, item)
    return list(found.values())


def _both(one: Item, other: Item) -> Item:
    addresses = dict(one.addresses)
    for family, values in other.addresses:
        addresses[family] = union(addresses.get(family, EMPTY), values)
    return attrs.evolve(
        one,
        ids=tuple(dict.fromkeys((*one.ids, *other.ids))),
        services=tuple(dict.fromkeys((*one.services, *other.services))),
        nodes=tuple(dict.fromkeys((*one.nodes, *other.nodes))),
        addresses=tuple(addresses.items()),
        details=tuple(dict.fromkeys((*one.details, *other.details))),
        lines=tuple(dict.fromkeys((*one.lines, *other.lines))),
    )
