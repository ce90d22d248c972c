"""What is shown of a failing history is all that is needed for it to fail."""

from oracle.judge.moves import DeleteService, SetNode, SetPod, SetService, Wanted
from oracle.judge.setting import Setting
from oracle.judge.smaller import smallest
from oracle.judge.trial import Case

POD, HERE = SetPod(0, "node-a", "not ready"), SetPod(0, "node-a")
WEB = SetService(0, Wanted("NodePort", has_udp=True, has_affinity=True))


def test_moves_that_are_not_needed_are_left_out() -> None:
    case = Case(Setting(), (SetNode("joins"), HERE, DeleteService(1), WEB, HERE))

    def fails(one: Case) -> Case | None:
        return one if HERE in one.moves and any(isinstance(m, SetService) for m in one.moves) else None

    assert (SetService(0, Wanted()), HERE) == smallest(case, case, fails).moves


def test_what_a_service_needs_to_fail_is_kept() -> None:
    case = Case(Setting(proxy={"nodePortAddresses": ["primary"]}), (WEB,))

    def fails(one: Case) -> Case | None:
        return one if any(isinstance(m, SetService) and m.wanted.has_udp for m in one.moves) else None

    assert Case(Setting(), (SetService(0, Wanted(has_udp=True)),)) == smallest(case, case, fails)


def test_a_pod_that_may_as_well_be_ready_is() -> None:
    case = Case(Setting(), (POD,))

    assert (HERE,) == smallest(case, case, lambda one: one if one.moves else None).moves
