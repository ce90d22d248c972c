"""The quick way through a rule line says what the careful one says, and shares conditions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.addresses import Family
from oracle.dialects.iptables import parse_iptables
from oracle.dialects.iptables.matches import parse_match
from oracle.dialects.iptables.targets import parse_target
from oracle.dialects.iptables.tokens import (
    Cut,
    MalformedError,
    cut,
    options,
    quick_cut,
    quote,
    unquote,
    words,
)

DUMPS = sorted((Path(__file__).parents[2] / "dumps").glob("*/nodes/*/ip*tables-save"))

PIECES = [
    " -s 10.0.0.1/32",
    " -p tcp",
    " -m tcp --dport 80",
    ' -m comment --comment "shop/web cluster IP"',
    ' -m comment --comment "a -j DROP b"',
    ' -m comment --comment "say \\"hi\\""',
    ' -m comment --comment "back\\\\"',
    ' -m comment --comment "open\\"',
    " -m comment --comment bare",
    ' -m comment --comment ""',
    ' -m comment  --comment "two blanks"',
    ' -m\tcomment --comment "a tab"',
    ' -m string --string "x -j y" --algo bm',
    " -m statistic --mode random --probability 0.50000000000",
    " -j DROP",
    " -j  DROP",
    "\t-j DROP",
    " -j",
    " -g KUBE-A",
    ' -j LOG --log-prefix "a -m comment --comment b"',
    " -j DNAT --to-destination 10.0.0.1:80",
    " --dport 80",
    " !",
    " ",
    '"',
    "x",
]


def careful(rest: str) -> Cut | str:
    """The careful answer, or its complaint."""
    try:
        return cut(rest)
    except MalformedError as fault:
        return str(fault)


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_the_quick_cut_is_the_careful_cut(pieces: str) -> None:
    """Where the quick one answers at all, on lines made of every trap there is."""
    rest = " -i eth0" + pieces

    quick = quick_cut(rest)

    assert quick is None or quick == careful(rest)


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: "/".join(path.parts[-4:]))
def test_the_quick_cut_is_the_careful_cut_on_recorded_dumps(dump: Path) -> None:
    """It also answers for every rule that kube-proxy writes, else it would be of no use."""
    lines = [line for line in dump.read_text().splitlines() if line.startswith("-A ")]
    rests = [" " + line.split(" ", 2)[2] for line in lines]

    assert [quick_cut(rest) for rest in rests] == [cut(rest) for rest in rests]


def test_there_are_recorded_dumps() -> None:
    """The test above would be silent without them."""
    assert len(DUMPS) > 50


@pytest.mark.parametrize("rest", [" -j", " -m comment --comment", ' -m comment --comment "a', " -g"])
def test_the_careful_cut_refuses_what_ends_too_soon(rest: str) -> None:
    """A flag without its value is a line cut off."""
    assert isinstance(careful(rest), str)


def test_the_careful_cut_takes_comments_out_wherever_they_are() -> None:
    """What is left are the matches as the dump has them, and the target with its options."""
    matches = ' -p tcp -m comment --comment "a \\" -j b" -m tcp --dport 80 -m comment --comment c'
    rest = f'{matches} -j LOG --log-prefix "x y"'

    assert cut(rest) == (" -p tcp -m tcp --dport 80", "-j", 'LOG --log-prefix "x y"')


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1/32",
        "10.0.0.0/8",
        "0.0.0.0/0",
        "10.0.0.0/255.0.255.0",
        "fd00::1/128",
        "::/0",
        "fd00::/8",
        "x",
        "1.2.3/32",
    ],
)
def test_a_source_alone_means_what_it_means_among_others(text: str, family: Family) -> None:
    """The short way for the commonest match gives the general reader's answer."""

    def answer(match: str) -> object:
        try:
            return parse_match(match, family)
        except MalformedError as fault:
            return str(fault)

    # The second blank sends the same words through the general reader.
    assert answer(f" -s {text}") == answer(f" -s  {text}")


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(
    "place",
    [
        "10.0.0.1:80",
        "10.0.0.1",
        "10.0.0.1:0",
        "10.0.0:80",
        "[fd00::1]:80",
        "fd00::1",
        "[fd00::1",
        "10.0.0.1:",
    ],
)
def test_a_plain_dnat_means_what_it_means_with_blanks(place: str, family: Family) -> None:
    """The short way for the commonest target gives the general reader's answer."""

    def answer(target: str) -> object:
        try:
            return parse_target(target, family)
        except MalformedError as fault:
            return str(fault)

    assert answer(f"DNAT --to-destination {place}") == answer(f"DNAT  --to-destination {place}")


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\n"), min_size=0), max_size=5))
def test_quoted_words_come_back(values: list[str]) -> None:
    """Blanks, quotes and backslashes survive."""
    text = " ".join(map(quote, values))

    assert [unquote(word) for word in words(text)] == values


def test_values_are_unquoted_and_text_is_quoted_again() -> None:
    """A note shows an option as the tools write it."""
    (option,) = options('! --log-prefix "a \\"b\\" \\\\"')

    assert (option.negated, option.flag, list(option.values)) == (True, "--log-prefix", ['a "b" \\'])
    assert option.text == '! --log-prefix "a \\"b\\" \\\\"'


def test_equal_matches_have_the_identical_condition() -> None:
    """Whatever the comments, and across chains and tables: caches go by identity."""
    table = """\
:INPUT ACCEPT [0:0]
:A - [0:0]
-A INPUT -p tcp -m comment --comment "one" -m tcp --dport 80 -j A
-A INPUT -p tcp -m comment --comment "t\\"wo" -m tcp --dport 80 -j DROP
-A A -p tcp -m tcp --dport 80 -m comment --comment three
COMMIT
"""

    (ruleset,) = parse_iptables(f"*filter\n{table}*mangle\n{table}".encode(), "dump")

    rules = [rule for chains in ruleset.tables.values() for chain in chains.values() for rule in chain.rules]
    assert len(rules) == 6
    assert len({id(rule.when) for rule in rules}) == 1
