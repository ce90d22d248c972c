"""Who set which field of the recorded Services, as far as the recordings show it.

An object of which no earlier recording shows the making was made by one create, which
owns all that the server did not choose itself.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from model.api.field_managers import Field, Managed, Tree, fields_of, values_of
from model.api.json_form import to_tree
from model.api.objects import Service
from model.objects import ObjectName
from tests.recorded_tables.case import Case
from tests.recorded_tables.request_target import Target

_UPDATES = ""  # the manager of every request that is no apply
_ALLOCATED = frozenset(
    ("spec", name)
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort")
)


@attrs.frozen
class _Past:
    result: Mapping[str, Any]
    owners: Mapping[str, frozenset[Field]]


class FieldHistory:
    """The managers of every Service by name, with the object as it was last seen."""

    def __init__(self) -> None:
        self._past: dict[ObjectName, _Past] = {}

    def managed(self, name: ObjectName, before: Service | None, manager: str) -> Managed:
        """The fields of a manager and those of the others, when it comes to apply."""
        owners = self._owners(name, before)
        others = [fields for other, fields in owners.items() if other != manager]
        return Managed(owners.get(manager, frozenset()), frozenset().union(*others))

    def remember(self, case: Case, target: Target, before: Service | None, after: Service) -> None:
        """What an accepted request did."""
        name, result = after.object_name, _shown(after)
        owners = dict(self._owners(name, before))
        if "apply-patch" in (case.get("contentType") or ""):
            manager, changed = target.query.get("fieldManager", ""), fields_of(case["request"])
            owners[manager] = frozenset()
        else:
            manager = _UPDATES
            changed = _chosen(result) - _unchanged(result, {} if before is None else _shown(before))
        taken = changed - (frozenset() if before is None else _unchanged(result, _shown(before)))
        owners = {other: fields - taken for other, fields in owners.items()}
        owners[manager] = owners.get(manager, frozenset()) | changed
        self._past[name] = _Past(result, owners)

    def _owners(self, name: ObjectName, before: Service | None) -> Mapping[str, frozenset[Field]]:
        if before is None:
            return {}
        past = self._past.get(name)
        if past is not None and past.result == _shown(before):
            return past.owners
        return {_UPDATES: _chosen(_shown(before))}


def _shown(service: Service) -> Tree:
    """The object without what a recording may leave out."""
    metadata = attrs.evolve(service.metadata, uid="", resource_version="", creation_timestamp=None)
    return to_tree(attrs.evolve(service, metadata=metadata))


def _chosen(tree: Tree) -> frozenset[Field]:
    return frozenset(
        one
        for one in fields_of(tree)
        if one not in _ALLOCATED and one[-1] != "nodePort" and one[0] != "status"
    )


def _unchanged(tree: Tree, before: Tree) -> frozenset[Field]:
    old = values_of(before)
    return frozenset(place for place, value in values_of(tree).items() if old.get(place) == value)
