"""Why the API server refuses a request, in the API's own shape.

A cause is a field path and a type; the wording of messages is not part of the promise.
"""

import enum

import attrs


class ErrorType(enum.Enum):
    """The kind of one field error, as `causes[].reason` of an answer has it."""

    INVALID = "FieldValueInvalid"
    REQUIRED = "FieldValueRequired"
    FORBIDDEN = "FieldValueForbidden"
    DUPLICATE = "FieldValueDuplicate"
    NOT_SUPPORTED = "FieldValueNotSupported"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"
    INTERNAL = "InternalError"
    FIELD_MANAGER_CONFLICT = "FieldManagerConflict"  # another manager of apply owns the field


@attrs.frozen
class FieldError:
    """One fault of one field: `field` is a path such as `spec.ports[0].nodePort`."""

    type: ErrorType
    field: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


class Reason(enum.Enum):
    """`reason` of a refusing answer; each has one HTTP status."""

    BAD_REQUEST = "BadRequest"
    NOT_FOUND = "NotFound"
    ALREADY_EXISTS = "AlreadyExists"
    CONFLICT = "Conflict"
    INVALID = "Invalid"
    INTERNAL_ERROR = "InternalError"
    UNKNOWN = ""  # an error of the server that it did not wrap: a 500 without a reason

    @property
    def status(self) -> int:
        return _STATUS[self]


_STATUS = {
    Reason.BAD_REQUEST: 400,
    Reason.NOT_FOUND: 404,
    Reason.ALREADY_EXISTS: 409,
    Reason.CONFLICT: 409,
    Reason.INVALID: 422,
    Reason.INTERNAL_ERROR: 500,
    Reason.UNKNOWN: 500,
}


@attrs.frozen
class Refused(Exception):
    """A request that was not carried out; nothing has changed.

    `causes` are the field errors of an INVALID one, empty for others; `what` says the
    rest in words.
    """

    reason: Reason
    what: str
    causes: tuple[FieldError, ...] = ()

    def __str__(self) -> str:
        return "; ".join(str(cause) for cause in self.causes) or self.what
