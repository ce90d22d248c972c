"""Histories drawn at random, and the smallest one that an implementation gets wrong.

Equal seeds draw equal histories. What is drawn needs no shape that shrinks well, because
`oracle.judge.smaller` works on the moves themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import TypeVar

from oracle.judge.moves import (
    HOST_POD,
    POD_STATES,
    SERVICES,
    DeleteService,
    Move,
    SetNode,
    SetPod,
    SetService,
    Wanted,
)
from oracle.judge.protocol import Session
from oracle.judge.setting import NODES, Setting
from oracle.judge.smaller import smallest
from oracle.judge.trial import Case, Difference, Tally, play

_POD_CIDRS = "10.244.0.0/16,fd00:10:244::/48"
_FAMILIES = (("IPv4",), ("IPv4", "IPv6"), ("IPv6", "IPv4"), ("IPv6",))

T = TypeVar("T")


def smallest_difference(
    session: Session,
    *,
    mode: str,
    version: str,
    histories: int,
    events: int,
    seed: int,
    tolerance: Fraction,
    tally: Tally,
) -> Difference | None:
    """Plays so many histories; the smallest form of the first that differs, None where none does.

    `tally` counts all that is played, smaller forms included. Raises InputError where the
    implementation breaks the protocol.
    """
    random = Random(seed)
    for _ in range(histories):
        case = drawn_case(random, mode, version, events)
        found = play(case, session, tolerance, tally)
        if found is not None:
            return smallest(case, found, lambda one: play(one, session, tolerance, tally))
    return None


def drawn_case(random: Random, mode: str, version: str, events: int) -> Case:
    """A setting, and up to so many moves in it: half as many at least."""
    setting = Setting(mode, version, random.choice(_configurations(mode)))
    length = random.randint((events + 1) // 2, events)
    return Case(setting, tuple(_move(random) for _ in range(length)))


def _configurations(mode: str) -> tuple[Mapping[str, object], ...]:
    """kube-proxy's own defaults with pod CIDRs, and one setting at a time beside them."""
    usual: dict[str, object] = {"clusterCIDR": _POD_CIDRS}
    others: list[dict[str, object]] = [
        {mode: {"masqueradeAll": True}},
        {"nodePortAddresses": ["primary"]},
        {"nodePortAddresses": ["172.20.0.0/16", "fd00:172:20::/64"]},
    ]
    if mode == "iptables":
        others.append({"iptables": {"localhostNodePorts": False}})
    return (usual, usual, usual, *({**usual, **other} for other in others), {})


def _move(random: Random) -> Move:
    """Services and pods above all; few of each, so that moves meet what is there."""
    makers: Sequence[Callable[[Random], Move]] = (_service, _pod, _deletion, _node)
    return random.choices(makers, (4, 6, 1, 1))[0](random)


def _service(random: Random) -> Move:
    return SetService(_slot(random), _wanted(random))


def _pod(random: Random) -> Move:
    number = random.choice((0, 0, 0, 1, 1, 2, HOST_POD))
    state = random.choices(POD_STATES, (4, 1, 1, 1, 3))[0]
    return SetPod(number, random.choice(NODES), state)


def _deletion(random: Random) -> Move:
    return DeleteService(_slot(random))


def _node(random: Random) -> Move:
    return SetNode(random.choice(("joins", "leaves", "zone-b", "zone-a")))


def _slot(random: Random) -> int:
    slot: int = random.choice((0, 0, 0, *range(1, len(SERVICES))))
    return slot


def _wanted(random: Random) -> Wanted:
    def seldom(value: T, usual: T) -> T:
        return value if random.random() < 0.3 else usual

    return Wanted(
        random.choice(("ClusterIP", "NodePort", "LoadBalancer")),
        random.choice(_FAMILIES),
        has_udp=seldom(True, False),
        external_policy=random.choice(("", "Local")),
        internal_policy=seldom("Local", None),
        has_external_ips=seldom(True, False),
        has_ranges=seldom(True, False),
        is_proxied=seldom(True, False),
        has_affinity=seldom(True, False),
        publishes_not_ready=seldom(True, False),
        distribution=seldom("PreferClose", None),
    )
