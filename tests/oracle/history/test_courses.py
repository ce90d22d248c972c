"""A difference is followed from dump to dump by its service port, kind and family."""

from fractions import Fraction
from pathlib import Path

import attrs
import pytest

from model.addresses import Family
from model.objects import ObjectName, ServicePortName
from model.outcome import Leaf, Outcome, Verdict
from oracle.findings import Difference, Judged, Kind, NodeReport, NotJudged
from oracle.history.courses import Became, Began, courses
from oracle.history.history import histories
from oracle.history.moments import Shared, read_moments
from tests.handmade import packet
from tests.oracle.history.kept import State, keep_bundle, rules

WEB, API = (ServicePortName(ObjectName("shop", name), "", "TCP") for name in ("web", "api"))
REFUSED = Outcome((Leaf(Verdict.REJECT, Fraction(1)),))
STALE = Difference(
    Kind.STALE_TARGET, Family.IPV4, WEB, 80, "TCP", "10.96.0.1:80", packet(), (REFUSED,), REFUSED, (), (), ""
)
UNSURE = NotJudged("iptables-save", 3, "", "why", matters=True)


def report(*differences: Difference, unsure: tuple[NotJudged, ...] = ()) -> NodeReport:
    return NodeReport("node-a", "iptables", (Family.IPV4,), Judged(1, 1, 1), differences, unsure)


def followed(*reports: NodeReport, began: Began = Began.OBJECTS_CHANGED) -> list[tuple[str, Became]]:
    """(service port, what became of it) of each course."""
    found = courses(reports, lambda _service, _at: began)
    return [(str(one.subject.service_port), one.became) for one in found]


@pytest.mark.parametrize(
    ("seen", "began", "expected"),
    [
        ("+", Began.UNTOLD, Became.PERSISTS),
        (".+", Began.RULES_CHANGED, Became.PERSISTS),
        ("+.+", Began.OBJECTS_CHANGED, Became.PERSISTS),
        ("+.", Began.RULES_CHANGED, Became.LAG),  # what began before the first dump nobody knows
        (".+.", Began.OBJECTS_CHANGED, Became.LAG),
        (".+.", Began.RULES_CHANGED, Became.CAME_AND_WENT),
        ("+.+.", Began.OBJECTS_CHANGED, Became.CAME_AND_WENT),
        ("?+.", Began.RULES_CHANGED, Became.LAG),  # nor what began while nothing could be judged
        ("+?.", Began.OBJECTS_CHANGED, Became.LAG),
        ("+?+.", Began.OBJECTS_CHANGED, Became.LAG),
        ("+?", Began.OBJECTS_CHANGED, Became.UNTOLD),
        ("+.?", Began.OBJECTS_CHANGED, Became.LAG),
    ],
)
def test_what_becomes_of_a_difference(seen: str, began: Began, expected: Became) -> None:
    """`+` a dump that shows it, `.` one that does not, `?` one that could not be judged in full."""
    kinds = {"+": report(STALE), ".": report(), "?": report(unsure=(UNSURE,))}

    assert followed(*(kinds[one] for one in seen), began=began) == [("shop/web", expected)]


def test_a_dump_judged_in_part_shows_what_it_shows() -> None:
    """What it found is there, whatever else it could not judge."""
    found = courses([report(), report(STALE, unsure=(UNSURE,))], lambda _service, _at: Began.RULES_CHANGED)

    assert [(one.became, one.spells[0].began) for one in found] == [(Became.PERSISTS, Began.RULES_CHANGED)]


def test_a_shared_cause_is_followed_for_each_service() -> None:
    """One of the two heals; what persists stands first."""
    both, api_alone = attrs.evolve(STALE, also=(API,)), attrs.evolve(STALE, service_port=API)

    assert followed(report(both), report(api_alone)) == [
        ("shop/api", Became.PERSISTS),
        ("shop/web", Became.LAG),
    ]


@pytest.mark.parametrize(
    "other",
    [
        attrs.evolve(STALE, kind=Kind.MISSING_TARGET),
        attrs.evolve(STALE, family=Family.IPV6),
        attrs.evolve(STALE, service_port=attrs.evolve(WEB, port_name="tls")),
    ],
)
def test_another_kind_family_or_port_is_another_difference(other: Difference) -> None:
    found = courses([report(STALE), report(other)], lambda _service, _at: Began.OBJECTS_CHANGED)

    assert {(one.difference, one.became) for one in found} == {
        (STALE, Became.LAG),
        (other, Became.PERSISTS),
    }


def test_another_frontend_of_the_port_is_the_same_difference() -> None:
    """It is shown as when it was last seen."""
    later = attrs.evolve(STALE, frontend="192.0.2.1:80")
    found = courses([report(STALE), report(later)], lambda _service, _at: Began.OBJECTS_CHANGED)

    assert [(one.difference, len(one.spells)) for one in found] == [(later, 1)]


def test_what_is_no_services_is_followed_by_its_frontend() -> None:
    one = attrs.evolve(STALE, service_port=None, port=None)
    other = attrs.evolve(one, frontend="10.96.0.2:80")

    assert followed(report(one, other), report(other)) == [("None", Became.PERSISTS), ("None", Became.LAG)]


@pytest.mark.parametrize(
    ("later_rules", "expected"),
    [
        (rules(State((10, 11)), time="Mon Nov 23 11:19:32 2026"), Began.OBJECTS_CHANGED),
        (rules(State((10,))), Began.RULES_CHANGED),
    ],
)
def test_rules_that_are_what_they_were_began_nothing(
    tmp_path: Path, later_rules: str, expected: Began
) -> None:
    """Their Service unchanged, other objects must have: only rules that changed can be at fault."""
    keep_bundle(tmp_path, "1", State((10, 11)), rules(State((10, 11))))
    keep_bundle(tmp_path, "2", State((10, 11), others=("api",)), later_rules)
    reports = {"1": report(), "2": report(STALE)}

    [history] = histories(read_moments(str(tmp_path), Shared()), lambda moment: reports[moment.name])

    assert [spell.began for one in history.courses for spell in one.spells] == [expected]
