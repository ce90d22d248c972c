"""The same objects, recorded in two modes: the modes' rules account for all that differs."""

from pathlib import Path

import pytest

from oracle.difference.cause import CauseKind
from oracle.difference.diff import NodeDiff, diff_sides
from oracle.difference.read import Given, pairs_of_sides

# kube-proxy 1.30 had one family's whole transaction refused there.
HALF = "kp130-busy-1"
KNOWN = (CauseKind.MODE, CauseKind.SETTING, CauseKind.CHOICE, CauseKind.OBJECTS)


def recorded_in_both(folder: Path) -> list[str]:
    """The names of healthy scenarios that were recorded in both modes."""
    names = {path.name.removesuffix(".iptables") for path in folder.glob("*.iptables")}
    both = [name for name in sorted(names) if (folder / f"{name}.nftables").is_dir()]
    return [name for name in both if not name.startswith(("stale-", "broken-", "scale-")) and name != HALF]


def test_only_what_the_modes_do_otherwise_differs_between_them(recorded: Path) -> None:
    """MODE-01, MODE-02, MODE-05, MODE-06, MODE-07, MODE-10, MODE-11, MODE-12, MODE-21."""
    real = recorded / "real"
    names = recorded_in_both(real)
    if not names:
        pytest.skip("no scenario in both modes there")
    wrong: list[tuple[str, str, object]] = []
    seen: set[str] = set()
    for name in names:
        for one, other in pairs_of_sides(
            str(real / f"{name}.iptables"), str(real / f"{name}.nftables"), Given()
        ):
            answer = diff_sides(one, other)
            assert not answer.is_open, (name, answer.not_judged)
            seen |= {rule for group in answer.groups for rule in group.cause.ids}
            wrong += [(name, answer.node, group) for group in strange(answer)]

    assert wrong == []
    assert {"MODE-02", "MODE-05", "MODE-06", "MODE-07", "MODE-21"} <= seen


def strange(answer: NodeDiff) -> list[object]:
    """The differences that are not explained, or by something else than mode and moment."""
    return [
        group
        for group in answer.groups
        if not group.cause.is_explained or not set(group.cause.kinds) <= set(KNOWN)
    ]


def test_rules_in_either_mode_are_what_the_other_dump_asks_the_mode_for(recorded: Path) -> None:
    """`mode:nftables` beside rules of iptables foretells the rules recorded in nftables mode."""
    real = recorded / "real"
    for name in ("nodeport", "no-endpoints", "etp-local-lb"):
        for of, mode in (("iptables", "nftables"), ("nftables", "iptables")):
            foretold = list(pairs_of_sides(str(real / f"{name}.{of}"), f"mode:{mode}", Given()))
            found = list(pairs_of_sides(str(real / f"{name}.{mode}"), f"mode:{mode}", Given()))
            assert foretold
            assert found
            for one, other in found:
                assert diff_sides(one, other).groups == (), (name, mode)
            for one, other in foretold:
                answer = diff_sides(one, other)
                assert answer.groups, (name, of)
                assert strange(answer) == []
