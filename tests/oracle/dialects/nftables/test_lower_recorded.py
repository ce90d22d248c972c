"""Over recorded nodes: text and JSON mean the same, every line is judged, flows fare as written down."""

import json
from pathlib import Path

from model.addresses import format_address, parse_address
from model.outcome import Outcome
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from oracle.bundle import node_config, read_bundle
from oracle.dialects.nftables.lower import lowered
from oracle.dialects.nftables.names import parse_name, proxy_name, proxy_tables
from oracle.dialects.nftables.parse import parse_nftables
from oracle.dialects.nftables.syntax import Dump
from oracle.plain import trace
from oracle.ruleset import Action, Goto, Jump, Ruleset

Answer = tuple[str, list[str], bool]  # verdict, targets, whether any sees another source


def _listing(file: Path) -> Dump:
    return parse_nftables(file.read_bytes(), file.name)


def _meaning(ruleset: Ruleset) -> object:
    """All that a walk can see of a rule set; lines and texts are a listing's own."""
    return {
        (table, chain.name.partition(" (")[0]): [
            (rule.when, _action(rule.then), rule.odds, rule.remember) for rule in chain.rules
        ]
        for table, chains in ruleset.tables.items()
        for chain in chains.values()
    }


def _action(then: Action) -> Action:
    return type(then)(then.chain.partition(" (")[0]) if isinstance(then, Jump | Goto) else then


def test_text_and_json_of_a_node_mean_the_same(recorded: Path) -> None:
    """Chain by chain and rule by rule."""
    files = sorted(recorded.glob("real/**/nodes/*/nft"))
    pairs = [(_listing(file), _listing(file.with_name("nft.json"))) for file in files]
    texts = [[_meaning(one) for one in lowered(text)] for text, _ in pairs]
    objects = [[_meaning(one) for one in lowered(form)] for _, form in pairs]

    assert files
    assert texts == objects


def test_every_rule_of_kube_proxy_is_judged(recorded: Path) -> None:
    """None of its lines is beyond the reader, and each name in them is as it would be made."""
    files = sorted(recorded.glob("**/nodes/*/nft"))
    names: list[str] = []
    notes: list[str] = []
    for file in files:
        dump = _listing(file)
        notes += [note.what for one in lowered(dump) for note in one.unsupported]
        for table in proxy_tables(dump).values():
            names += [name for name in (*table.chains, *table.sets) if "/" in name]
    made = [
        proxy_name(one.kind, one.owner, one.endpoint)
        for name in names
        if (one := parse_name(name)) is not None and one.owner is not None and one.has_right_hash
    ]

    assert files
    assert notes == []
    assert names == made


def _packet(line: str) -> Packet:
    fields = json.loads(line)
    family, source = parse_address(fields["from"])
    return Packet(
        family,
        Origin(fields["origin"]),
        source,
        parse_address(fields["to"])[1],
        PROTOCOL_NUMBERS[fields["protocol"].lower()],
        fields["port"],
        fields.get("in_interface"),
    )


def _wanted(line: str) -> Answer:
    fields = json.loads(line)
    return (
        fields["verdict"],
        sorted(f"{one['address']}:{one['port']}" for one in fields["targets"]),
        fields["masquerade"],
    )


def _given(packet: Packet, outcome: Outcome) -> Answer:
    targets = [leaf.target for leaf in outcome.leaves if leaf.target is not None]
    places = sorted(f"{format_address(packet.family, one.address)}:{one.port}" for one in targets)
    return outcome.verdict.value, places, any(leaf.masquerade for leaf in outcome.leaves)


def test_flows_outside_the_project_are_as_written_down(recorded: Path) -> None:
    """kube-proxy's own flows through its own rules, with nothing unsure."""
    folders = sorted(recorded.glob("flows/nftables/*"))
    wrong, right = [], 0
    for folder in folders:
        bundle = read_bundle(folder)
        config, _ = node_config(bundle.nodes[0], bundle.cluster)
        (file,) = folder.glob("nodes/*/nft")
        rulesets = {one.family: one for one in lowered(_listing(file))}
        packets = (folder / "packets.jsonl").read_text().splitlines()
        answers = (folder / "expected.jsonl").read_text().splitlines()
        for packet, answer in zip(map(_packet, packets), map(_wanted, answers), strict=True):
            traced = trace([rulesets[packet.family]], config, packet)
            if traced.unsure == () and _given(packet, traced.outcome) == answer:
                right += 1
            else:
                wrong.append((folder.name, str(packet), answer, traced))
    print(f"flows: {right} as written down, {len(wrong)} not")

    assert right
    assert wrong == []
