"""One ruleset is the same tree from its text and its JSON, with nft itself as the judge of both.

Rulesets are loaded into the nftables of a network namespace of their own and listed both ways;
recorded nodes have both listings. What one form lacks is left aside (`sameness`).
"""

import gzip
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.nft_nodes import nft_node
from oracle.dialects.nftables import parse_json, parse_text
from oracle.dialects.nftables.expressions import Unknown
from oracle.dialects.nftables.syntax import Dump, TableFamily
from tests.oracle.dialects.nftables.rulesets import CHAINS, IPTABLES, OBJECTS, OTHER_TABLES
from tests.oracle.dialects.nftables.sameness import essence
from tests.strategies.nft_tables import kube_proxy_tables


@attrs.frozen
class Namespace:
    """A network namespace with a ruleset of its own."""

    name: str

    def run(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in it; never fails here."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *command],
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def load(self, ruleset: str) -> bool:
        """Put this in the place of all rules; whether nft took it."""
        return self.run("nft", "-f", "-", given="flush ruleset\n" + ruleset).returncode == 0

    def listed(self, *options: str) -> tuple[Dump, Dump]:
        """The ruleset as text and as JSON."""
        text = self.run("nft", *options, "list", "ruleset").stdout
        return parse_text(text.encode(), "nft"), parse_json(
            self.run("nft", "-j", "list", "ruleset").stdout.encode(), "nft.json"
        )


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    """One that nothing else uses, gone after the last test."""
    found = Namespace(f"svcproof-nft-{os.getpid()}")
    subprocess.run(["ip", "netns", "add", found.name], check=True, capture_output=True)
    try:
        yield found
    finally:
        subprocess.run(["ip", "netns", "delete", found.name], check=True, capture_output=True)


RULES = [(head, rule) for head, rules in CHAINS.items() for rule in rules]

# The text of -nn has a number there, JSON a truth value; what is asked is not known in either.
IS_TRUTH = re.compile(r"ipsec missing|sack-perm exists")


def load_every_rule(namespace: Namespace) -> int:
    """Put each rule into a table of all objects, `truths` or `t`; how many were refused."""
    chains = "\n".join(f" chain c{number} {{ {head}\n }}" for number, head in enumerate(CHAINS))
    assert namespace.load(
        "".join(f"table inet {name} {{ {OBJECTS}\n{chains}\n}}\n" for name in ("t", "truths"))
    )
    refused = 0
    for number, rules in enumerate(CHAINS.values()):
        for rule in rules:
            place = f"inet {'truths' if IS_TRUTH.search(rule) else 't'} c{number}"
            refused += namespace.run("nft", "-f", "-", given=f"add rule {place} {rule}\n").returncode != 0
    return refused


def unknown_statements(dump: Dump) -> list[str]:
    """The texts of statements that could not be read at all."""
    return [
        part.text
        for table in dump.tables
        for chain in table.chains.values()
        for rule in chain.rules
        for part in rule.statements
        if isinstance(part, Unknown)
    ]


@pytest.mark.needs_root
@pytest.mark.needs_tool("ip", "nft")
def test_every_kind_of_rule_is_the_same_in_both_forms(namespace: Namespace) -> None:
    """However nft is asked to print; a few rules that this kernel or nft does not know are left out."""
    refused = load_every_rule(namespace)
    key = TableFamily.INET, "t"

    assert refused <= len(RULES) // 10
    for options in ((), ("-a",), ("-s",), ("-nn",)):
        text, found = namespace.listed(*options)
        assert essence(text)[key] == essence(found)[key], options
        assert [] == unknown_statements(text) + unknown_statements(found)
    text, found = namespace.listed()
    assert essence(text) == essence(found)


@pytest.mark.needs_root
@pytest.mark.needs_tool("ip", "nft")
def test_tables_of_all_families_are_the_same_in_both_forms(namespace: Namespace) -> None:
    """Priorities by name, devices, bare refusals, dormant tables; a kernel may lack the bridge family."""
    assert namespace.load(f"table inet t {{ {OBJECTS}\n}}\n")
    loaded = [namespace.run("nft", "-f", "-", given=table).returncode == 0 for table in OTHER_TABLES]
    text, found = namespace.listed()

    assert loaded.count(True) >= len(OTHER_TABLES) - 1
    assert 1 + loaded.count(True) == len(text.tables)
    assert essence(text) == essence(found)


@pytest.mark.needs_root
@pytest.mark.needs_tool("ip", "nft", "iptables-nft")
def test_tables_of_iptables_are_read_as_far_as_nft_shows_them(namespace: Namespace) -> None:
    """Text translates what JSON only names, so they differ; both are read without loss of a rule."""
    namespace.load("")
    taken = [namespace.run("iptables-nft", *shlex.split(rule)).returncode == 0 for rule in IPTABLES]
    text, found = namespace.listed()

    def count(dump: Dump) -> int:
        return sum(len(chain.rules) for table in dump.tables for chain in table.chains.values())

    assert taken.count(True) >= len(IPTABLES) - 2
    assert (taken.count(True), taken.count(True)) == (count(text), count(found))
    assert [] == unknown_statements(text) + unknown_statements(found)


@pytest.mark.needs_root
@pytest.mark.needs_tool("ip", "nft")
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])  # each is loaded by nft itself
@given(table=kube_proxy_tables())
def test_drawn_tables_of_kube_proxy_are_the_same_in_both_forms(namespace: Namespace, table: str) -> None:
    """Whatever the addresses, ports, prefixes, marks and timeouts."""
    loaded = namespace.load(table)
    text, found = namespace.listed()

    assert loaded
    assert essence(text) == essence(found)
    assert "Unknown(" not in repr(text)


def test_a_large_node_is_the_same_in_both_forms() -> None:
    """Of the shapes that are measured."""
    forms = nft_node(50, 10)

    assert essence(parse_text(forms.text, "nft")) == essence(parse_json(forms.json, "nft.json"))


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def listings(folder: Path) -> list[tuple[Path, Path]]:
    """The listings of nodes below a folder that were taken in both forms: text, JSON."""
    texts = sorted(path for path in folder.glob("**/nodes/*/nft*") if path.name in ("nft", "nft.gz"))
    twins = ((text, text.with_name(name)) for text in texts for name in ("nft.json", "nft.json.gz"))
    return [(text, twin) for text, twin in twins if twin.is_file()]


def differing(pairs: list[tuple[Path, Path]]) -> list[Path]:
    """The texts that are not what their JSON is, or not known in full."""
    found = []
    for path, twin in pairs:
        text, other = parse_text(content(path), str(path)), parse_json(content(twin), str(twin))
        if essence(text) != essence(other) or "Unknown(" in repr(text):
            found.append(path)
    return found


def test_shipped_nodes_are_the_same_in_both_forms() -> None:
    """The recorded nodes that the tests come with."""
    pairs = listings(Path(__file__).parents[3] / "dumps")

    assert pairs
    assert [] == differing(pairs)


def test_recorded_nodes_are_the_same_in_both_forms(recorded: Path) -> None:
    """Every node that has both listings, each known in full."""
    pairs = listings(recorded)

    assert pairs
    assert [] == differing(pairs)
