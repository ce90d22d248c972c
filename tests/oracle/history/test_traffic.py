"""A wrong rule's counter tells what met it between two dumps; one that fell is never counted negative."""

from pathlib import Path

import pytest

from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.cli import run
from oracle.history.counters import counters_of, fingerprint
from tests.oracle.history.kept import Json, State, ask, keep_bundle, rules

BOTH, ONE = State((10, 11), version=100), State((10,), version=200)
T1, T2 = "Mon Nov 23 11:19:30 2026", "Mon Nov 23 11:19:32 2026"
STALE = "--to-destination 10.244.0.11:8080"  # of the endpoint that only BOTH has
RIGHT = "--to-destination 10.244.0.10:8080"

Capture = pytest.CaptureFixture[str]


def step(tmp_path: Path, capsys: Capture, *moments: tuple[State, State, dict[str, int] | None]) -> Json:
    """What the JSON says between the first two of moments: (objects, those that the rules fit, counts)."""
    for name, time, (objects, fitting, counts) in zip("12", (T1, T2), moments, strict=True):
        keep_bundle(tmp_path, name, objects, rules(fitting, time=time, counts=counts))
    _, [history] = ask(capsys, tmp_path)
    [between] = history["between"]
    assert isinstance(between, dict)
    return between


def told(between: Json, text: str = STALE) -> list[tuple[int, bool, bool, bool]]:
    """(packets, throughout, reset, new) of the wrong rules that hold the text."""
    return [
        (one["packets"], one["throughout"], one["reset"], one["new"])
        for one in between["traffic"]
        if text in one["rule"]["text"]
    ]


def test_growth_of_a_rule_that_is_wrong_in_both_dumps_is_live_traffic(
    tmp_path: Path, capsys: Capture
) -> None:
    """What met right rules is nobody's concern."""
    between = step(tmp_path, capsys, (ONE, BOTH, {STALE: 3, RIGHT: 5}), (ONE, BOTH, {STALE: 10, RIGHT: 50}))

    assert told(between) == [(7, True, False, False)]
    assert told(between, RIGHT) == []
    [one] = [one for one in between["traffic"] if STALE in one["rule"]["text"]]
    assert (one["service"], one["kind"], one["first_packets"]) == ("shop/web", "stale-target", True)
    assert between["counters"]["fell"] == 0


def test_of_a_rule_that_became_wrong_in_between_nobody_knows_what_met_it_since(
    tmp_path: Path, capsys: Capture
) -> None:
    between = step(tmp_path, capsys, (BOTH, BOTH, {STALE: 3}), (ONE, BOTH, {STALE: 10}))

    assert told(between) == [(7, False, False, False)]


def test_a_counter_that_fell_was_set_back(tmp_path: Path, capsys: Capture) -> None:
    """What it shows now is the least that met the rule since."""
    between = step(tmp_path, capsys, (ONE, BOTH, {STALE: 90, RIGHT: 5}), (ONE, BOTH, {STALE: 4, RIGHT: 6}))

    assert told(between) == [(4, True, True, False)]
    assert between["counters"]["fell"] == 1


def test_a_rule_that_is_new_counts_from_nothing(tmp_path: Path, capsys: Capture) -> None:
    """The rules go wrong between the dumps, by no change of the objects."""
    between = step(tmp_path, capsys, (ONE, ONE, {}), (ONE, BOTH, {STALE: 6}))

    assert told(between) == [(6, False, False, True)]


def test_a_rule_that_nothing_met_is_not_told(tmp_path: Path, capsys: Capture) -> None:
    between = step(tmp_path, capsys, (ONE, BOTH, {STALE: 3}), (ONE, BOTH, {STALE: 3}))

    assert told(between) == []


def test_dumps_without_counters_tell_nothing(tmp_path: Path, capsys: Capture) -> None:
    """A counted dump beside one that is not has nothing to be compared with."""
    between = step(tmp_path, capsys, (ONE, BOTH, None), (ONE, BOTH, {STALE: 3}))

    assert (between["traffic"], between["counters"]) == ([], {"compared": 0, "fell": 0})


def test_the_text_says_live_traffic_and_resets(tmp_path: Path, capsys: Capture) -> None:
    counted = {STALE: 3, RIGHT: 5}
    keep_bundle(tmp_path, "1", ONE, rules(BOTH, time=T1, counts=counted))
    keep_bundle(tmp_path, "2", ONE, rules(BOTH, time=T2, counts={**counted, STALE: 10, RIGHT: 1}))

    run(["check", "--history", str(tmp_path), "--verbose"])

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    [live] = [line for line in lines if line.startswith("live traffic") and STALE in line]
    assert live.startswith(
        "live traffic on a wrong rule: +7 first packets of connections: shop/web stale-target: "
        "nodes/node-a/iptables-save:"
    )
    [fell] = [line for line in lines if line.startswith("counters of 1 of ")]
    assert fell.endswith("rules fell: set back, or their chains written anew")


def test_a_rule_of_nft_counts_as_one_of_iptables_does(tmp_path: Path, capsys: Capture) -> None:
    """Somebody's rule drops what is for the Service, and counts it."""
    drop = "ip daddr 10.96.0.10 counter packets %d bytes 9 drop"
    table = (
        "table inet guard {\n\tchain in {\n\t\ttype filter hook prerouting priority -300\n\t\t%s\n\t}\n}\n"
    )
    for name, packets in (("1", 4), ("2", 9)):
        text = rules(BOTH, "nftables") + table % (drop % packets)
        keep_bundle(tmp_path, name, BOTH, text, "nftables")

    _, [history] = ask(capsys, tmp_path)

    found = [(one["packets"], one["rule"]["text"]) for one in history["between"][0]["traffic"]]
    assert found == [(5, drop % 9)]


NFT = """table ip kube-proxy {
	chain one {
		ip daddr 192.0.2.1 counter packets %d bytes 99 drop
		ip daddr 192.0.2.1 counter packets 2 bytes 9 drop
		counter name "shared" accept
	}
	counter shared {
		packets 7 bytes 7
	}
}
"""
NFT_JSON = (
    '{"nftables": [{"table": {"family": "ip", "name": "t", "handle": 1}}, '
    '{"chain": {"family": "ip", "table": "t", "name": "c", "handle": 1}}, '
    '{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 2, "expr": '
    '[{"counter": {"packets": %d, "bytes": 5}}, {"drop": null}]}}]}'
)


def evidence(name: str, text: str) -> NodeEvidence:
    return NodeEvidence("node-a", (EvidenceFile(name, text.encode()),))


def test_nft_counts_in_its_rules() -> None:
    """Two rules that read the same are told apart by their order; named counters are shared, and left out."""
    before, after = (counters_of(evidence("nft", NFT % packets)) for packets in (5, 8))

    assert {place: one.packets for place, one in before.items()} == {("nft", 3): 5, ("nft", 4): 2}
    assert {place: one.packets for place, one in after.items()} == {("nft", 3): 8, ("nft", 4): 2}
    assert [one.key for one in before.values()] == [one.key for one in after.values()]
    assert len({one.key for one in before.values()}) == 2


def test_growth_is_told_in_the_words_of_the_dump() -> None:
    """The rule's own text, count and all, as the later listing has it."""
    [counted] = [one for place, one in counters_of(evidence("nft", NFT % 5)).items() if place == ("nft", 3)]

    assert counted.text == "ip daddr 192.0.2.1 counter packets 5 bytes 99 drop"


def test_json_of_nft_counts_by_the_objects_place() -> None:
    before, after = (counters_of(evidence("nft.json", NFT_JSON % packets)) for packets in (5, 8))

    assert [(place, one.packets) for place, one in after.items()] == [(("nft.json", 2), 8)]
    assert [one.key for one in before.values()] == [one.key for one in after.values()]


def test_tables_of_two_families_are_not_taken_for_one() -> None:
    """A file may hold both dumps, one after the other."""
    text = "*filter\n:INPUT ACCEPT [0:0]\n[%d:0] -A INPUT -j DROP\nCOMMIT\n"
    both = "# Generated by iptables-save v1\n" + text % 1 + "# Generated by ip6tables-save v1\n" + text % 2

    found = counters_of(evidence("rules", both))

    assert [(one.key.source, one.packets) for one in found.values()] == [("iptables", 1), ("ip6tables", 2)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (rules(BOTH, time=T1, counts={STALE: 1}), rules(BOTH, time=T2, counts={STALE: 9}), True),
        (rules(BOTH, time=T1), rules(ONE, time=T1), False),
        (NFT % 5, NFT % 8, True),
        (NFT_JSON % 5, NFT_JSON % 8, True),
    ],
)
def test_rules_are_the_same_whatever_they_counted_and_when(one: str, other: str, same: bool) -> None:
    assert (fingerprint(evidence("rules", one)) == fingerprint(evidence("rules", other))) is same
