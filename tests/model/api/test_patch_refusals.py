"""What a patch cannot do is refused with a reason and in words, and lists keep their order."""

from typing import Any

import pytest

from model.api.patched_lists import hashable, in_applied_order, in_patch_order
from model.api.patches import PatchType, patched, refuse_patch_options
from model.api.refusal import ErrorType, Reason, Refused
from model.api.validation.field_errors import internal
from tests.model.api.api_cases import WEB_NAME, service


def refusal(patch: Any, kind: PatchType) -> tuple[Reason, str]:
    with pytest.raises(Refused) as fault:
        patched(service(), patch, kind, WEB_NAME)
    return fault.value.reason, fault.value.what


def applied(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}} | fields


def test_what_cannot_be_decoded_is_the_patchs_fault() -> None:
    """500 without a reason for apply, whose field manager fails; 422 for the others."""
    wrong = {"spec": {"type": 5}}

    assert refusal(applied(**wrong), PatchType.APPLY) == (
        Reason.UNKNOWN,
        "failed to create typed patch object: spec.type: must be a string, not a number",
    )
    assert refusal(wrong, PatchType.MERGE) == (Reason.INVALID, f"the patch of {WEB_NAME} is invalid")


def test_a_directive_of_an_item_is_one_of_two() -> None:
    patch = {"spec": {"ports": [{"port": 80, "$patch": "merge"}]}}

    assert refusal(patch, PatchType.STRATEGIC_MERGE) == (Reason.UNKNOWN, "unknown patch type: 'merge'")


def test_an_item_without_its_key_cannot_be_merged() -> None:
    reason, what = refusal({"spec": {"ports": [{"name": "x"}]}}, PatchType.STRATEGIC_MERGE)

    assert (reason, what.endswith("does not contain declared merge key: port")) == (Reason.UNKNOWN, True)


@pytest.mark.parametrize(
    ("kind", "manager", "force", "causes"),
    [
        (PatchType.APPLY, "", None, ["fieldManager: is required for apply patch"]),
        (PatchType.APPLY, "me", True, []),
        (PatchType.MERGE, "", True, ["force: may not be specified for non-apply patch"]),
        (PatchType.MERGE, "", False, ["force: may not be specified for non-apply patch"]),
        (PatchType.MERGE, "", None, []),
    ],
)
def test_options_fit_the_kind_of_patch(
    kind: PatchType, manager: str, force: bool | None, causes: list[str]
) -> None:
    options = {"field_manager": manager, "force": force}
    if not causes:
        refuse_patch_options(kind, **options)  # type: ignore[arg-type]  # options by name
        return

    with pytest.raises(Refused) as fault:
        refuse_patch_options(kind, **options)  # type: ignore[arg-type]  # options by name

    assert (fault.value.reason, fault.value.what) == (Reason.INVALID, "PatchOptions are invalid")
    assert [str(cause) for cause in fault.value.causes] == causes


@pytest.mark.parametrize(
    ("stored", "coming", "expected"),
    [
        ("abc", "", "abc"),
        ("abc", "ca", "cab"),
        ("abc", "ax", "abcx"),
        ("abc", "xa", "xabc"),
        ("abcd", "bxd", "abcxd"),
        ("ab", "xyb", "axyb"),
        ("", "xy", "xy"),
    ],
)
def test_what_is_applied_keeps_its_order_and_the_rest_follows_what_it_followed(
    stored: str, coming: str, expected: str
) -> None:
    """structured-merge-diff, merge of lists with keys."""
    merged = {name: name for name in {*stored, *coming}}

    assert "".join(in_applied_order(merged, stored, coming)) == expected


def test_an_internal_error_says_what_happened() -> None:
    error = internal("spec.clusterIPs", "cannot tell the families of its values")

    assert (error.type, str(error)) == (
        ErrorType.INTERNAL,
        "spec.clusterIPs: cannot tell the families of its values",
    )


@pytest.mark.parametrize(
    ("merged", "wanted", "stored", "expected"),
    [
        ((80, 443), (80,), (443,), (80, 443)),
        ((80, 443), (443,), (80, 443), (80, 443)),
        ((80, 443), (80,), (80, 443), (80, 443)),
        ((80, 443), (443,), (443, 80), (443, 80)),
        ((80, 443), (80,), (80,), (80, 443)),
        ((53, 80, 443), (443, 80), (53, 80, 443), (53, 443, 80)),
        ((53, 80, 443), (443, 53), (53, 80, 443), (80, 443, 53)),
        ((), (80,), (), ()),
    ],
)
def test_what_a_patch_names_is_in_its_order_and_the_rest_before_what_it_preceded(
    merged: tuple[int, ...], wanted: tuple[int, ...], stored: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    """What is new stands before those that the patch does not name."""
    found = in_patch_order([(number, number) for number in merged], stored, wanted)

    assert list(expected) == found


def test_only_texts_and_numbers_name_an_item() -> None:
    assert (80, "TCP") == (hashable(80), hashable("TCP"))
    for value in ([80], None, {"port": 80}):
        with pytest.raises(Refused) as refused:
            hashable(value)
        assert (Reason.BAD_REQUEST, f"{value!r} cannot name an item of a list") == (
            refused.value.reason,
            refused.value.what,
        )
