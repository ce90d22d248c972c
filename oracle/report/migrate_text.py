"""What to know before a switch of mode as a person reads it: the gravest first."""

from collections.abc import Iterator, Sequence

from oracle.difference.migration import Effect, Item, Migration
from oracle.report.diff_json import spans
from oracle.report.wording import Look, count, line_text, printable

_SHOWN = 5
_COLOURS = {
    Effect.BREAKS: "red",
    Effect.OPENS: "red",
    Effect.CHANGES: "yellow",
    Effect.CHECK: "yellow",
    Effect.TIDY: "dim",
}


def migrate_lines(answer: Migration, look: Look) -> Iterator[str]:
    """One line for the whole, then an entry for each item."""
    modes = sorted({one.present.config.mode.value for one in answer.nodes})
    head = f"{' and '.join(modes)} -> {answer.to.value}  {count(len(answer.nodes), 'node')}"
    tallies = [
        f"{sum(item.effect is effect for item in answer.items)} {effect.value}"
        for effect in Effect
        if any(item.effect is effect for item in answer.items)
    ]
    yield look.paint(f"{head}  {', '.join(tallies) or 'nothing to know'}", "bold")
    for item in answer.items:
        yield ""
        yield from _item_lines(item, look, alone=len(answer.nodes) == 1)
    for one in [item for item in answer.not_judged if item.matters or look.verbose][
        : None if look.verbose else 3
    ]:
        place = f"{one.file}:{one.line}" if one.line else one.file
        yield ""
        yield look.cut_with_head("  not compared: ", f"{place}: {one.why}", "yellow")


def _item_lines(item: Item, look: Look, *, alone: bool) -> Iterator[str]:
    ids = f" [{', '.join(item.ids)}]" if item.ids else ""
    head = look.paint(f"  {item.effect.value:<8}", _COLOURS[item.effect])
    yield head + printable(f"{item.topic}: {item.text}{ids}")  # a sentence is not cut
    if item.services:
        yield look.cut(f"          services  {_listed(item.services, look)}")
    addresses = [text for family, values in item.addresses for text in spans(family, values)]
    if addresses:
        yield look.cut(f"          address   {_listed(addresses, look)}")
    if item.nodes and not alone:
        yield look.cut(f"          nodes     {_listed(item.nodes, look)}")
    details = item.details if look.verbose else item.details[:_SHOWN]
    yield from (look.cut(f"          {text}") for text in details)
    lines = item.lines if look.verbose else item.lines[:_SHOWN]
    yield from (look.cut(f"          rule      {line_text(line)}") for line in lines)


def _listed(names: Sequence[str], look: Look) -> str:
    shown = names if look.verbose else names[:_SHOWN]
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")
