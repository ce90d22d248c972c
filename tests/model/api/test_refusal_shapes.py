"""Refusals and repairs are named as the API server names them, and each reason has one status."""

import attrs
import pytest

from model.api.refusal import ErrorType, FieldError, Reason, Refused
from model.api.repair import RepairReason, repair_cluster_ips
from model.api.warnings import cidr_warnings
from tests.model.api.api_cases import holding, registry, service, with_spec


def test_causes_are_named_as_in_an_answer() -> None:
    """apimachinery/pkg/util/validation/field, and CauseTypeFieldManagerConflict."""
    assert {one.name: one.value for one in ErrorType} == {
        "INVALID": "FieldValueInvalid",
        "REQUIRED": "FieldValueRequired",
        "FORBIDDEN": "FieldValueForbidden",
        "DUPLICATE": "FieldValueDuplicate",
        "NOT_SUPPORTED": "FieldValueNotSupported",
        "TOO_LONG": "FieldValueTooLong",
        "TOO_MANY": "FieldValueTooMany",
        "INTERNAL": "InternalError",
        "FIELD_MANAGER_CONFLICT": "FieldManagerConflict",
    }


@pytest.mark.parametrize(
    ("reason", "text", "status"),
    [
        (Reason.BAD_REQUEST, "BadRequest", 400),
        (Reason.NOT_FOUND, "NotFound", 404),
        (Reason.ALREADY_EXISTS, "AlreadyExists", 409),
        (Reason.CONFLICT, "Conflict", 409),
        (Reason.INVALID, "Invalid", 422),
        (Reason.INTERNAL_ERROR, "InternalError", 500),
        (Reason.UNKNOWN, "", 500),
    ],
)
def test_a_reason_has_one_status(reason: Reason, text: str, status: int) -> None:
    """apimachinery/pkg/apis/meta/v1."""
    assert (reason.value, reason.status) == (text, status)


def test_a_refusal_is_told_by_its_causes_or_else_by_what_it_says() -> None:
    causes = (FieldError(ErrorType.REQUIRED, "a", "must be set"), FieldError(ErrorType.INVALID, "b", "1: no"))

    assert str(Refused(Reason.INVALID, "Service shop/web is invalid", causes)) == "a: must be set; b: 1: no"
    assert str(Refused(Reason.NOT_FOUND, "Service shop/web is not there")) == "Service shop/web is not there"


def test_repairs_are_named_as_in_their_events() -> None:
    """pkg/registry/core/service: portallocator/controller and ipallocator/controller."""
    assert [one.value for one in RepairReason] == [
        "PortNotAllocated",
        "PortAlreadyAllocated",
        "PortOutOfRange",
        "ClusterIPNotValid",
        "ClusterIPOutOfRange",
        "ClusterIPNotAllocated",
        "ClusterIPAlreadyAllocated",
        "IPAddressNotAllocated",
        "IPAddressWrongReference",
    ]


def test_a_rival_with_a_text_that_is_no_address_does_not_carry_it() -> None:
    """ALLOC-IP-08: repair reads what others stored, whatever it is."""
    state = holding(registry("10.0.0.0/16"), service("web", cluster_ip="10.0.0.9", cluster_ips=("10.0.0.9",)))
    other = with_spec(service("other"), cluster_ip="10.0.0.9", cluster_ips=("10.0.0.9",))
    (web,) = state.services.values()
    broken = with_spec(web, cluster_ip="x", cluster_ips=("x",))
    state = attrs.evolve(
        state,
        services=state.services.insert(web.object_name, broken).insert(other.object_name, other),
    )

    _, events = repair_cluster_ips(state)

    assert {(one.service.name, one.reason) for one in events} == {
        ("web", RepairReason.CLUSTER_IP_NOT_VALID),
        ("web", RepairReason.IP_ADDRESS_WRONG_REFERENCE),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2001:db8::/32", []),
        ("2001:DB8::/32", ["should be written as 2001:db8::/32 (RFC 5952)"]),
        # One warning is enough where the text is worse than that.
        ("2001:DB8::1/32", ["is ambiguous; use 2001:db8::/32 or 2001:db8::1"]),
        ("2001:DB8::/032", ["is not a standard CIDR; use 2001:db8::/32"]),
        ("10.0.0.0/08", ["is not a standard CIDR; use 10.0.0.0/8"]),
        (
            "10.0.0.01/8",
            ["is ambiguous; use 10.0.0.0/8 or 10.0.0.1", "is not a standard CIDR; use 10.0.0.0/8"],
        ),
    ],
)
def test_a_range_that_others_read_otherwise_is_warned_about(text: str, expected: list[str]) -> None:
    """API-F-31"""
    assert list(cidr_warnings("field", text)) == [f"field: {text!r} {each}" for each in expected]
