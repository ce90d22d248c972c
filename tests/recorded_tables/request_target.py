"""What the path and query of a recorded request name."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import attrs

from tests.recorded_tables.case import Case


@attrs.frozen
class Target:
    """A request's path and query; `name` is None for a collection, `namespace` empty outside one."""

    namespace: str
    resource: str
    name: str | None
    subresource: str | None
    query: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    @property
    def is_dry_run(self) -> bool:
        return self.query.get("dryRun") == "All"

    @property
    def force(self) -> bool | None:
        """None when the query says nothing of force."""
        return {"true": True, "1": True, "false": False, "0": False}.get(self.query.get("force", ""))


def target_of(case: Case) -> Target:
    """The target of a recorded request; a flag `dryRun` of the case counts as one of its query."""
    parts = urlsplit(case["path"])
    segments = parts.path.strip("/").split("/")
    segments = segments[2:] if segments[0] == "api" else segments[3:]  # /api/v1, /apis/GROUP/VERSION
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if case.get("dryRun"):
        query["dryRun"] = "All"
    namespace = ""
    if segments[:1] == ["namespaces"] and len(segments) > 2:
        namespace, segments = segments[1], segments[2:]
    resource, name, subresource = (*segments, None, None, None)[:3]
    return Target(namespace, str(resource), name, subresource, query)
