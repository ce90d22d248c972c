"""The verdict on another implementation as JSON; docs/judge.md describes it."""

from oracle.judge.answers import answer_tree
from oracle.judge.trial import Difference, Tally
from oracle.report.as_json import VERSION, Json, expectation_json, packet_json


def judged_json(found: Difference | None, tally: Tally) -> Json:
    """The whole answer of `judge`."""
    return {
        "version": VERSION,
        "verdict": "agrees" if found is None else "differs",
        "played": {"histories": tally.histories, "events": tally.events, "packets": tally.packets},
        "affinity_not_judged": tally.affinity_untold,
        "difference": None if found is None else _difference(found),
    }


def _difference(found: Difference) -> Json:
    return {
        "proxy_config": found.setting.configuration(),
        "events": list(found.events),
        "objects": list(found.told.objects),
        "packet": packet_json(found.packet),
        "expected": expectation_json(found.expected, found.packet.family),
        "got": answer_tree(found.answer, found.packet),
        "others": found.others,
    }
