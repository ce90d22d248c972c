"""What the server stores beside, or instead of, what was given: field by field, with the reason."""

import enum
from collections.abc import Callable, Iterator

import attrs

from model.addresses import format_address, parse_address
from model.api import objects as api
from model.api.allocation.bands import Bands, address_range, node_port_bands
from model.api.json_form import to_tree
from model.api.registry import Registry
from oracle.admission.judge import Judgement
from oracle.admission.reading import Written
from oracle.admission.rules import rules_of

# The server's bookkeeping, and the namespace that the reader has filled in already.
_NOT_SHOWN = frozenset(
    f"metadata.{name}" for name in ("uid", "resourceVersion", "generation", "creationTimestamp")
)

Value = object


class Cause(enum.Enum):
    """Why a stored field is not as it was given."""

    DEFAULTED = "defaulted"
    ALLOCATED = "allocated"  # the server's choice: drawn, so another draw gives another value
    KEPT = "kept"  # from the object that was stored before
    REMOVED = "removed"  # stored before, and not given now: an update replaces the whole object
    DROPPED = "dropped"
    CHANGED = "changed"


@attrs.frozen
class Change:
    """One leaf of the object's tree; None stands for absence. `note` says where a drawn value is from."""

    field: str
    cause: Cause
    given: Value
    stored: Value
    note: str = ""
    cites: tuple[str, ...] = ()


def changes(judgement: Judgement) -> tuple[Change, ...]:
    """Every difference between what was given and what is stored; none for a refused object."""
    given, stored = judgement.given.written, judgement.stored
    if given is None or stored is None:
        return ()
    return tuple(_changes(given, stored, judgement.before, judgement.held.registry))


def _changes(given: Written, stored: Written, before: Written | None, after: Registry) -> Iterator[Change]:
    old = dict(leaves(to_tree(before))) if before is not None else {}
    asked, held = dict(leaves(to_tree(given))), dict(leaves(to_tree(stored)))
    kind = type(stored).__name__
    for field in dict.fromkeys((*held, *asked)):
        first, last = asked.get(field), held.get(field)
        if first == last or field in _NOT_SHOWN:
            continue
        cites = rules_of(kind, field)
        if last is None:
            yield Change(field, Cause.DROPPED, first, None, cites=cites)
        elif first is not None:
            yield Change(field, Cause.CHANGED, first, last, cites=cites)
        elif isinstance(stored, api.Service) and _is_allocated(field, last):
            if last in _allocated_values(old) | _allocated_values(asked):
                yield Change(
                    field, Cause.KEPT if last in _allocated_values(old) else Cause.DEFAULTED, None, last
                )
            else:
                yield _allocation(field, last, after)
        elif old.get(field) == last:
            yield Change(field, Cause.KEPT, None, last, cites=cites)
        else:
            yield Change(field, Cause.DEFAULTED, None, last, cites=cites)
    for field, value in old.items():
        if field not in held and field not in asked and field not in _NOT_SHOWN:
            yield Change(field, Cause.REMOVED, None, None, f"was {value}", rules_of(kind, field))


def leaves(tree: object, path: str = "") -> Iterator[tuple[str, object]]:
    """The scalars of a JSON tree by their path; an empty list or map is a leaf of its own.

    >>> dict(leaves({"spec": {"ports": [{"port": 80}], "selector": {}}}))
    {'spec.ports[0].port': 80, 'spec.selector': {}}
    """
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            name = f"[{key}]" if any(sign in key for sign in "./") else f".{key}" if path else key
            yield from leaves(value, path + name)
    elif isinstance(tree, list | tuple) and tree:
        for index, value in enumerate(tree):
            yield from leaves(value, f"{path}[{index}]")
    elif path:
        yield path, tree


def _is_allocated(field: str, value: object) -> bool:
    if field == "spec.clusterIP" or field.startswith("spec.clusterIPs["):
        return value != api.HEADLESS
    return field.endswith("].nodePort") or field == "spec.healthCheckNodePort"


def _allocated_values(tree: dict[str, object]) -> frozenset[object]:
    return frozenset(value for field, value in tree.items() if _is_allocated(field, value))


def _allocation(field: str, value: object, registry: Registry) -> Change:
    if isinstance(value, int):
        config = registry.config
        bands = node_port_bands(config.first_node_port, config.last_node_port)
        return Change(field, Cause.ALLOCATED, None, value, _band(bands, value, str), ("ALLOC-NP-02",))
    note = _address_note(str(value), registry)
    return Change(field, Cause.ALLOCATED, None, value, note, ("ALLOC-IP-03", "ALLOC-IP-04"))


def _address_note(text: str, registry: Registry) -> str:
    family, number = parse_address(text)
    for cidr, owner in sorted(registry.cidrs, key=lambda item: item[0]):
        one = address_range(cidr)
        if one.has(family, number):
            band = _band(one.usable, number, lambda value: format_address(family, value))
            return f"{band} of {cidr} (ServiceCIDR {owner.metadata.name})"
    return ""


def _band(bands: Bands, value: int, text: Callable[[int], str]) -> str:
    if value >= bands.middle:
        return f"any free one of the dynamic band {text(bands.middle)} to {text(bands.last)}"
    low, high = text(bands.first), text(bands.middle - 1)
    return f"any free one of the static band {low} to {high}, as the dynamic one is full"
