"""What is written, as the files that a node's tools would print, and what each line is there for.

A line's comment is whole here, where the text may have it cut to what the tool takes. It begins
with the service port, `shop/web:http`, where the line is one's, and names the rows of the
contract in brackets.
"""

import re

import attrs

from model.addresses import Family

_SERVICE = re.compile(r"[a-z0-9.-]+/[a-z0-9.-]+")
_ROWS = re.compile(r"\[([A-Z][A-Z0-9-]*(?:, [A-Z][A-Z0-9-]*)*)\]")


@attrs.frozen
class Line:
    """One line. `comment` is None for what only frames others: a table, the head of a chain."""

    text: str
    comment: str | None = None

    @property
    def service(self) -> str | None:
        """`namespace/name` of the Service that the line is for, None where it is of none.

        >>> Line("-A X -j Y", "shop/web:http CIP [FWD-CIP-01]").service
        'shop/web'
        """
        found = _SERVICE.match(self.comment or "")
        return found[0] if found else None

    @property
    def cites(self) -> tuple[str, ...]:
        """The rows of the contract that the line carries out.

        >>> Line("-A X -j MARK", "shop/web CIP [MASQ-03, MASQ-08]").cites
        ('MASQ-03', 'MASQ-08')
        """
        found = _ROWS.search(self.comment or "")
        return tuple(found[1].split(", ")) if found else ()


@attrs.frozen
class WrittenFile:
    """One file; `name` is what a bundle calls it."""

    name: str
    families: tuple[Family, ...]
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The whole file, with the end of its last line."""
        return "".join(f"{line.text}\n" for line in self.lines)
