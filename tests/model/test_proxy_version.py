"""Versions of kube-proxy differ where their sources do, from one minor version to the next."""

import pytest

from model.proxy_version import Quirk, Reading, ZoneHints, minor_version, quirks_of, versions_text

HINTS = "service.kubernetes.io/topology-aware-hints"
MODE = "service.kubernetes.io/topology-mode"


@pytest.mark.parametrize(
    ("zone_hints", "annotations", "expected"),
    [
        (ZoneHints.NEVER, {HINTS: "auto"}, False),
        (ZoneHints.AUTO, {HINTS: "auto"}, True),
        (ZoneHints.AUTO, {HINTS: "Auto"}, True),
        (ZoneHints.AUTO, {HINTS: "AUTO"}, False),
        (ZoneHints.AUTO, {MODE: "Auto"}, False),
        (ZoneHints.AUTO, {}, False),
        (ZoneHints.ANNOTATED, {HINTS: "auto"}, True),
        (ZoneHints.ANNOTATED, {MODE: "Auto"}, True),
        (ZoneHints.ANNOTATED, {MODE: "example.com/any"}, True),
        (ZoneHints.ANNOTATED, {MODE: "disabled"}, False),
        (ZoneHints.ANNOTATED, {MODE: "Disabled"}, False),
        (ZoneHints.ANNOTATED, {HINTS: "Disabled", MODE: "Auto"}, False),
        (ZoneHints.ANNOTATED, {HINTS: "", MODE: "Auto"}, True),
        (ZoneHints.ANNOTATED, {}, False),
        (ZoneHints.ALWAYS, {}, True),
        (ZoneHints.ALWAYS, {MODE: "Disabled"}, True),
    ],
)
def test_zone_hints_count_as_the_annotations_ask(
    zone_hints: ZoneHints, annotations: dict[str, str], expected: bool
) -> None:
    """KEP-2433, KEP-4444: the old annotation goes before the new one; FWD-TOPO-04 asks none."""
    assert Reading(zone_hints=zone_hints).uses_zone_hints(annotations) == expected


@pytest.mark.parametrize(
    ("last", "quirk"),
    [
        (35, Quirk.MARKS_PER_ENDPOINT),
        (35, Quirk.EARLY_OUTPUT),
        (32, Quirk.RANGES_UNKNOWN),
        (33, Quirk.SHORT_CUT_LOST),
        (29, Quirk.LATE_CHECKS),
        (29, Quirk.LATE_FIREWALL),
        (28, Quirk.OPEN_OUTPUT),
        (25, Quirk.OPEN_ADDRESSES),
        (19, Quirk.NO_FALLBACK),
    ],
)
def test_a_version_has_each_quirk_up_to_its_last(last: int, quirk: Quirk) -> None:
    assert (quirk in quirks_of(last), quirk in quirks_of(last + 1)) == (True, False)


def test_quirks_of_old_layouts_are_not_read_off_a_version_in_other_modes() -> None:
    """They are in the rules of iptables mode to be seen."""
    assert quirks_of(14).isdisjoint({Quirk.MARKED_DROPS, Quirk.EARLY_REFUSALS, Quirk.UNGUARDED})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v1.30.5", 30),
        ("1.29", 29),
        ("Kubernetes v1.36.2", 36),
        (" v1.28.0+k3s1 ", 28),
        ("v1.31-alpha", 31),
        ("v1.99.0", 36),  # newer than the newest counts as it
        ("v2.1.0", None),
        ("v1.x", None),
        ("on 1.30.5", None),
    ],
)
def test_the_minor_version_is_read_from_the_start_of_a_text(text: str, expected: int | None) -> None:
    assert minor_version(text) == expected


def test_versions_are_told_as_a_span() -> None:
    """Up to 1.23 no zone hints and nothing that still serves; 1.24 and 1.25 with the annotation."""
    oldest = Reading(node_hints=False, zone_hints=ZoneHints.NEVER, still_serving=False)
    alpha = Reading(node_hints=False, zone_hints=ZoneHints.AUTO, still_serving=False)

    assert versions_text([oldest]) == "1.23 or older"
    assert versions_text([alpha]) == "1.24 to 1.25"
