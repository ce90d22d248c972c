"""Which replay plays which recorded table, by the table's path below the folder."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from tests.recorded_tables.case import Replay

TABLE_MODULES = (
    "tests.recorded_tables.validation",
    "tests.recorded_tables.api_requests",
    "tests.recorded_tables.service_storage",
    "tests.recorded_tables.controllers",
    "tests.recorded_tables.proxies",
    "tests.recorded_tables.health_and_conntrack",
    "tests.recorded_tables.ipvs",
)
"""Each has `REPLAYS`: from the first words of a table's path (`tables/conntrack`) to its replay."""

FOLDERS = ("validation", "api", "controllers", "tables")


def replays() -> Mapping[str, Replay]:
    """Every replay by the beginning of the paths it plays."""
    found: dict[str, Replay] = {}
    for name in TABLE_MODULES:
        found |= import_module(name).REPLAYS
    return found


def replay_of(table: str, known: Mapping[str, Replay]) -> Replay | None:
    """The replay with the longest beginning of the table's path, None when nothing plays it.

    `table` is the path below the folder without its suffix: `controllers/endpointsSync`.
    """
    beginnings = [beginning for beginning in known if table.startswith(beginning)]
    return known[max(beginnings, key=len)] if beginnings else None


def tables(folder: Path) -> list[Path]:
    """The tables in a folder of recordings."""
    return sorted(path for name in FOLDERS for path in (folder / name).glob("*.jsonl"))
