"""The verdict on another implementation as a person reads it: the smallest history, and one packet."""

import json
from collections.abc import Iterator

from oracle.judge.answers import answer_text
from oracle.judge.trial import Difference, Tally
from oracle.report.wording import Look, count, outcome_text, printable


def judged_lines(found: Difference | None, tally: Tally, look: Look) -> Iterator[str]:
    """The verdict, then the history, the packet with both fates, and the objects of the moment."""
    asked = f"{count(tally.packets, 'packet')}, {count(tally.events, 'event')} played"
    if found is None:
        yield f"{look.paint('AGREES', 'green')}  {_histories(tally.histories)}, {asked}"
    else:
        yield f"{look.paint('DIFFERS', 'red')}  in a history of {count(len(found.events), 'event')}; {asked}"
        yield from _difference(found)
    if tally.affinity_untold:
        yield ""
        yield f"not judged: affinity of {count(tally.affinity_untold, 'packet')}, of which nothing was said"


def _difference(found: Difference) -> Iterator[str]:
    yield ""
    settings = {name: value for name, value in found.setting.configuration().items() if name[0] not in "ak"}
    yield f"  kube-proxy  {json.dumps(settings)}"
    for number, event in enumerate(found.events, 1):
        yield f"  {number}. {printable(event)}"
    yield ""
    family = found.packet.family
    allowed = [f"{outcome_text(one, family, verbose=True)}" for one in found.expected.allowed]
    owners = f" for {' and '.join(found.expected.service_ports)}" if found.expected.service_ports else ""
    yield f"  packet    {found.packet}"
    yield f"  expected  {' or '.join(allowed)}{owners} [{', '.join(found.expected.cites)}]"
    yield f"  got       {printable(answer_text(found.answer, found.packet))}"
    if found.others:
        yield f"  and {count(found.others, 'packet')} more after this event"
    yield ""
    yield "  objects"
    yield from (f"    {json.dumps(tree)}" for tree in found.told.objects)


def _histories(number: int) -> str:
    return "1 history" if number == 1 else f"{number} histories"
