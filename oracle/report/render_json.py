"""Written rules, and what a manifest changes in them, as the JSON of `svcproof render` (docs/render.md)."""

from collections.abc import Iterable, Mapping, Sequence

from model.addresses import Family
from model.node_config import NodeConfig
from oracle.report.as_json import VERSION, Json
from oracle.writing.files import WrittenFile
from oracle.writing.what_if import Change


def written_json(config: NodeConfig, families: Iterable[Family], files: Sequence[WrittenFile]) -> Json:
    """All files of a node, and what each of their lines is there for."""
    return {
        **_head(config, families),
        "files": [
            {"name": one.name, "families": [of.value for of in one.families], "text": one.text}
            for one in files
        ],
        "lines": [line for one in files for line in _lines(one)],
        "assumptions": list(config.assumptions),
    }


def changed_json(config: NodeConfig, found: Mapping[Family, Iterable[Change]], notes: Iterable[str]) -> Json:
    """What a manifest changes, in every family that was asked for."""
    return {
        **_head(config, found),
        "changes": [
            {
                "family": family.value,
                "service": one.service,
                "gone": list(one.gone),
                "come": list(one.come),
            }
            for family, changes in found.items()
            for one in changes
        ],
        "notes": list(notes),
        "assumptions": list(config.assumptions),
    }


def _head(config: NodeConfig, families: Iterable[Family]) -> Json:
    return {
        "version": VERSION,
        "node": config.name,
        "mode": config.mode.value,
        "families": [family.value for family in families],
    }


def _lines(file: WrittenFile) -> Iterable[Json]:
    """LINE objects, each with what it is for; lines that only frame others are left out."""
    for number, line in enumerate(file.lines, 1):
        if line.comment is not None:
            yield {
                "file": file.name,
                "line": number,
                "text": line.text.strip(),
                "service": line.service,
                "comment": line.comment,
                "cites": list(line.cites),
            }
