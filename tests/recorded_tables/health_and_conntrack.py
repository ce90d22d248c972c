"""Replays of recorded tables."""

from collections.abc import Mapping

from tests.recorded_tables.case import Replay

REPLAYS: Mapping[str, Replay] = {}
