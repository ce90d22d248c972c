"""Whether an entry went as its author expects; every way in which it did not, in words."""

from collections.abc import Iterator, Mapping

from model.api.refusal import Refused
from model.cluster.events import IllegalEvent
from oracle.replay.entries import Expected, Facts, Unanswerable

Failure = Refused | IllegalEvent | Unanswerable


def unmet(expected: Expected | None, facts: Facts, failure: Failure | None) -> tuple[str, ...]:
    """What is otherwise than expected; an unexpected failure too, so empty means that all is well.

    A list is compared without its order; `odds` may also be asked for as a map under
    `targets`. A value of null expects that there is none.
    """
    values = expected.values if expected is not None else {}
    if "refused" in values:
        return tuple(_refused(values["refused"], failure))
    if "illegal" in values:
        return tuple(_illegal(values["illegal"], failure))
    if failure is not None:
        return ("it was expected to go through",)
    return tuple(line for name, value in values.items() for line in _differs(name, value, facts))


def _differs(name: str, value: object, facts: Facts) -> Iterator[str]:
    if name == "accepted":
        return
    if name == "targets" and isinstance(value, Mapping):
        name = "odds"
    if name not in facts:
        if value is None and "." in name:
            return
        known = [fact for fact in facts if "." not in fact] or list(facts)
        yield f"there is no result {name}; there are: {', '.join(known) or 'none'}"
        return
    found = facts[name]
    if _plain(value) != _plain(found):
        yield f"{name}: expected {_shown(value)}, found {_shown(found)}"


def _refused(value: object, failure: Failure | None) -> Iterator[str]:
    """`true`, or each of a list: a field, a type or a reason of the refusal."""
    if not isinstance(failure, Refused):
        yield "expected to be refused, and it was not"
        return
    said = {failure.reason.value, str(failure.reason.status)}
    for cause in failure.causes:
        said |= {cause.field, cause.type.value}
    for word in _words(value):
        if word not in said:
            yield f"refused, but not because of {word}: {failure}"


def _illegal(value: object, failure: Failure | None) -> Iterator[str]:
    """`true`, or the field of the event, or words of the reason."""
    if failure is None or isinstance(failure, Refused):
        yield "expected to be impossible, and it was not"
        return
    said = str(failure)
    for word in _words(value):
        if word not in said:
            yield f"impossible, but not because of {word}: {said}"


def _words(value: object) -> tuple[str, ...]:
    if value is True:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _plain(value: object) -> object:
    """A value without what YAML and the model write differently."""
    match value:
        case bool() | None:
            return value
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return sorted(str(_plain(one)) for one in value)
        case _:
            return str(value)


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case Mapping():
            return ", ".join(f"{key} {one}" for key, one in value.items()) or "none"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value)
