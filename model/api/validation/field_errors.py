"""Field errors by type, as the API server's field package builds them.

Paths are the API's own: `spec.ports[0].port`, `metadata.annotations[KEY]`.
"""

from collections.abc import Iterable, Iterator

from model.api.refusal import ErrorType, FieldError


def required(field: str, detail: str = "must be set") -> FieldError:
    return FieldError(ErrorType.REQUIRED, field, detail)


def invalid(field: str, value: object, detail: str) -> FieldError:
    return FieldError(ErrorType.INVALID, field, f"{value!r}: {detail}")


def invalid_each(field: str, value: object, details: Iterable[str]) -> Iterator[FieldError]:
    """One error for each message: the API server reports every broken part of a name's form."""
    return (invalid(field, value, detail) for detail in details)


def not_supported(field: str, value: object, supported: Iterable[str]) -> FieldError:
    return FieldError(ErrorType.NOT_SUPPORTED, field, f"{value!r}: must be one of {', '.join(supported)}")


def forbidden(field: str, detail: str) -> FieldError:
    return FieldError(ErrorType.FORBIDDEN, field, detail)


def duplicate(field: str, value: object) -> FieldError:
    return FieldError(ErrorType.DUPLICATE, field, f"{value!r} is given twice")


def too_many(field: str, count: int, most: int) -> FieldError:
    return FieldError(ErrorType.TOO_MANY, field, f"{count} entries, at most {most}")


def too_long(field: str, most: int) -> FieldError:
    return FieldError(ErrorType.TOO_LONG, field, f"at most {most} bytes")


def internal(field: str, detail: str) -> FieldError:
    return FieldError(ErrorType.INTERNAL, field, detail)
