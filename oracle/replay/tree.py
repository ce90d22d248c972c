"""A YAML file as values that know the line they stand in, so that every fault names it.

The values are those of `model.load.yaml_tree`, which bounds depth and aliases; PyYAML's
nodes are used for nothing but their line numbers.
"""

from collections.abc import Iterator
from typing import Any

import attrs
import yaml

from model.errors import InputError
from model.load.text import check_text
from model.load.yaml_tree import yaml_documents

Value = Any


@attrs.frozen(eq=False)
class Item:
    """One value of the file: `path` names it in messages, `line` counts from 1."""

    value: Value
    file: str
    line: int
    path: str = ""
    _node: yaml.Node | None = attrs.field(default=None, repr=False)

    def fault(self, what: str) -> InputError:
        """The error that says what is wrong with this value."""
        return InputError(self.file, self.line, f"{self.path}: {what}" if self.path else what)

    def fields(self, *known: str, needed: tuple[str, ...] = ()) -> dict[str, "Item"]:
        """The entries of a mapping; a key that is not known is at fault. Null stands for absence."""
        found = self.entries()
        for name, item in found.items():
            if name not in known and name not in needed:
                raise item.fault(f"is not known here; there are: {', '.join((*needed, *known))}")
        for name in needed:
            if name not in found:
                raise self.fault(f"{name} is missing")
        return found

    def entries(self) -> dict[str, "Item"]:
        """The entries of a mapping with any keys, nulls left out."""
        if not isinstance(self.value, dict):
            raise self.fault(f"{shown(self.value)} is not a mapping")
        return {name: item for name, item in self._inner() if item.value is not None}

    def _inner(self) -> Iterator[tuple[str, "Item"]]:
        nodes = self._node.value if isinstance(self._node, yaml.MappingNode) else []
        for (key, value), (key_node, node) in zip(self.value.items(), nodes, strict=True):
            path = f"{self.path}.{key}" if self.path else str(key)
            if not isinstance(key, str):
                raise InputError(self.file, key_node.start_mark.line + 1, f"{path}: the key is not text")
            yield key, Item(value, self.file, key_node.start_mark.line + 1, path, node)

    def items(self) -> tuple["Item", ...]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            raise self.fault(f"{shown(self.value)} is not a list")
        nodes = self._node.value if isinstance(self._node, yaml.SequenceNode) else []
        return tuple(
            Item(value, self.file, node.start_mark.line + 1, f"{self.path}[{index}]", node)
            for index, (value, node) in enumerate(zip(self.value, nodes, strict=True))
        )

    def one_or_more(self) -> tuple["Item", ...]:
        """The elements of a list, or the value alone where it is none."""
        return self.items() if isinstance(self.value, list) else (self,)

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            raise self.fault(f"{shown(self.value)} is not text")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """One text, or several in a list."""
        return tuple(item.text() for item in self.one_or_more())

    def number(self, least: int = 0, most: int = (1 << 31) - 1) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.fault(f"{shown(self.value)} is not a whole number")
        if not least <= self.value <= most:
            raise self.fault(f"{self.value} is not within {least} and {most}")
        return self.value

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.fault(f"{shown(self.value)} is neither true nor false")
        return self.value

    def choice(self, *words: str) -> str:
        if self.value not in words:
            raise self.fault(f"{shown(self.value)} is none of {', '.join(words)}")
        return str(self.value)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """A map of texts, sorted by key."""
        return tuple(sorted((name, item.scalar()) for name, item in self.entries().items()))

    def scalar(self) -> str:
        """A value of a label: text, or what YAML took for a number or a boolean."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str | int | float):
            return str(self.value)
        raise self.fault(f"{shown(self.value)} is not text")


def read_item(data: bytes, file: str) -> Item:
    """The one document of a YAML text. Raises InputError with the line of what cannot be read."""
    data = check_text(data, file)
    documents = yaml_documents(data, file)
    if len(documents) != 1:
        raise InputError(file, 0, f"holds {len(documents)} documents; one is expected")
    # Depth and aliases are bounded by now, so the recursive composer is safe.
    node = next(one for one in yaml.compose_all(data, Loader=yaml.CSafeLoader) if not _is_null(one))
    return Item(documents[0], file, node.start_mark.line + 1, "", node)


def shown(value: Value) -> str:
    """A value as a message shows it, cut to what fits a line."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping"
        case list():
            return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
