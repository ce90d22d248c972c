"""Every rule id that anything cites is explained in docs/rules exactly once; local links resolve."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CITING = (
    "model",
    "invariants",
    "oracle",
    "tests",
    "benchmarks",
    "docs",
    "examples",
    "README.md",
    "CHANGELOG.md",
)

GROUPS = ["API", "ALLOC", "EPS", "FWD", "NP", "SRC", "AFF", "MASQ", "HC", "CT", "SYNC", "MODE", "IPVS", "DNS"]
GROUPS += ["INV", "NEG", "BZ"]
PREFIX = rf"(?:{'|'.join(GROUPS)})(?:-[A-Z]+)*-"
DEFINITION = re.compile(rf"^\| *({PREFIX}\d\d)(?: ★)? *\|", re.MULTILINE)
# `MODE-18..20` is a range; `API-F-03/04`, `MASQ-04, -05` and `ALLOC-NP-05/-06` are lists.
CITATION = re.compile(rf"(?<![\w-])({PREFIX})(\d\d?(?!\d)(?:(?:\.\.|/-?|, -)\d\d(?!\d))*)")
WHOLE_GROUP = re.compile(rf"(?<![\w-])({PREFIX})\*")


def defined_ids(rules: str) -> Counter[str]:
    return Counter(DEFINITION.findall(rules))


def cited_ids(text: str) -> set[str]:
    """The ids that a text names, with ranges and lists written out."""
    ids = set()
    for prefix, numbers in CITATION.findall(text):
        for part in re.split(r"/-?|, -", numbers):
            first, _, last = part.partition("..")
            if not last:
                ids.add(prefix + first)
            else:
                ids.update(f"{prefix}{number:02}" for number in range(int(first), int(last) + 1))
    return ids


def rules_text() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "docs" / "rules").glob("*.md")))


def citing_files() -> list[Path]:
    """Everything written for readers; recorded dumps are data and cite nothing."""
    found: list[Path] = []
    for name in CITING:
        path = ROOT / name
        found += [path] if path.is_file() else [p for p in path.rglob("*") if p.suffix in {".py", ".md"}]
    return sorted(found)


def without_code(markdown: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL))


def heading_anchors(markdown: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Links of a page to files or headings that do not exist; addresses on the web are left out."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        goal = (page.parent / name) if name else page
        if not goal.exists() or (anchor and anchor not in heading_anchors(goal.read_text())):
            broken.append(target)
    return broken


def test_each_rule_is_defined_once() -> None:
    repeated = [rule for rule, times in defined_ids(rules_text()).items() if times > 1]

    assert repeated == []


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_of_rules_is_explained(group: str) -> None:
    assert any(rule.startswith(f"{group}-") for rule in defined_ids(rules_text()))


def test_every_cited_rule_is_defined() -> None:
    defined = defined_ids(rules_text())

    undefined = {
        f"{path.relative_to(ROOT)}: {rule}"
        for path in citing_files()
        for rule in cited_ids(path.read_text())
        if rule not in defined
    }

    assert undefined == set()


def test_every_group_cited_with_a_star_has_members() -> None:
    defined = defined_ids(rules_text())

    empty = {
        f"{path.relative_to(ROOT)}: {prefix}*"
        for path in citing_files()
        for prefix in WHOLE_GROUP.findall(path.read_text())
        if not any(rule.startswith(prefix) for rule in defined)
    }

    assert empty == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as FWD-ETP-04 says", {"FWD-ETP-04"}),
        ("(API-F-03/04)", {"API-F-03", "API-F-04"}),
        ("MODE-18..20", {"MODE-18", "MODE-19", "MODE-20"}),
        ("ALLOC-NP-05/-06", {"ALLOC-NP-05", "ALLOC-NP-06"}),
        ("MASQ-04, -05", {"MASQ-04", "MASQ-05"}),
        ("MODE-US-01", {"MODE-US-01"}),
        ("a DNS-1123 label, the chain KUBE-IPVS-OUT-FILTER", set()),
    ],
)
def test_ranges_and_lists_of_ids_are_written_out(text: str, expected: set[str]) -> None:
    assert cited_ids(text) == expected


def test_a_row_that_begins_with_an_id_defines_it_and_a_mention_does_not() -> None:
    rules = "| BZ-01 ★ | what |\n| 1 | see BZ-02 |\nBZ-03 | no row |\n| BZ-01 | again |\n"

    assert defined_ids(rules) == {"BZ-01": 2}


@pytest.mark.parametrize(
    "page",
    sorted(
        path
        for path in ROOT.rglob("*.md")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_local_links_resolve(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Two words\n[a](page.md) [b](#two-words) [c](https://example.com)\n"
        "[d](gone.md) [e](page.md#gone) `[f](code.md)`\n```\n[g](code.md)\n```\n"
    )

    assert broken_links(page) == ["gone.md", "page.md#gone"]
