"""The quick way through a rule line says what the careful one says, and shares conditions."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.addresses import Family
from oracle.dialects.iptables import parse_iptables
from oracle.dialects.iptables.matches import parse_match
from oracle.dialects.iptables.quick import is_plain, quick_chain, quick_cut, quick_match, quick_target
from oracle.dialects.iptables.rules import CHAIN_LINE
from oracle.dialects.iptables.targets import parse_target
from oracle.dialects.iptables.tokens import (
    Cut,
    MalformedError,
    cut,
    options,
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


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_a_plain_match_needs_no_careful_cut(pieces: str) -> None:
    """Its target begins after the first ` -j `, and nothing has to be taken out of it."""
    match, _, target = f" -i eth0{pieces} -j DROP".partition(" -j ")

    assert not is_plain(match) or careful(f"{match} -j {target}") == (match, "-j", target)


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


def answer(read: Callable[[], object]) -> object:
    """What a reader says: its value, or its complaint."""
    try:
        return read()
    except MalformedError as fault:
        return str(fault)


ADDRESSES = [
    "10.0.0.1/32",
    "10.0.0.0/8",
    "10.1.2.3/8",
    "0.0.0.0/0",
    "10.0.0.0/255.0.255.0",
    "010.0.0.1/32",
    "10.0.0.1",
    "10.0.0.1/33",
    "10.0.0.1/032",
    "fd00::1/128",
    "fd00::/32",
    "::/0",
    "fd00::/8",
    "1.2.3/32",
    "x/32",
]
PORTS = ["80", "0", "65535", "65536", "080", "0x50", "80:90", "90:80", ":", "80:", "\u0668"]
MASKS = ["255.255.255.255", "255.255.255.0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "x"]
NAMES = ["KUBE-SEP-A", "DEFAULT", "-x", "!", "!x", "a,b"]
PROTOCOLS = ["tcp", "udp", "sctp", "icmp"]
SOURCES = [f"{negation} -s {text}" for negation in ("", " !") for text in ADDRESSES]
DESTINATIONS = [f" -d {text}" for text in ADDRESSES]
FRONTENDS = [
    f" -p {protocol} -m {module} --dport {port}"
    for protocol in PROTOCOLS
    for module in PROTOCOLS
    for port in PORTS
]
RECENTS = [
    f"{before} --name {name} --mask {mask} --rsource{after}"
    for name in NAMES
    for mask in MASKS
    for before, after in (
        *((f" -m recent --rcheck --seconds {n} --reap", "") for n in ("10800", "0", "010", "4294967296")),
        *((f" -p {name} -m recent --set", " -m tcp") for name in PROTOCOLS),
        (" -p tcp -m recent --set", " -m tcp --dport 80"),
    )
]


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("texts", [SOURCES, DESTINATIONS, FRONTENDS, RECENTS])
def test_the_quick_match_is_the_careful_match_whatever_the_value(texts: list[str], family: Family) -> None:
    """Where it answers or complains at all, for every odd value."""
    quick = {text: answer(partial(quick_match, text, family)) for text in texts}
    careful = {text: answer(partial(parse_match, text, family)) for text in texts}

    assert {text: said for text, said in quick.items() if said not in (None, careful[text])} == {}


@given(st.lists(st.sampled_from(SOURCES + DESTINATIONS + FRONTENDS + RECENTS), max_size=3).map("".join))
@example(" ! -s 10.244.0.0/16 -d 10.96.0.1/32 -p tcp -m tcp --dport 443")
def test_the_quick_match_is_the_careful_match_whatever_the_order(text: str) -> None:
    """Where it answers or complains at all, with options twice and in every order."""
    quick = answer(partial(quick_match, text, Family.IPV4))

    assert quick is None or quick == answer(partial(parse_match, text, Family.IPV4))


HOSTS = ["10.0.0.1", "010.0.0.1", "10.0.1", "[fd00::1]", "fd00::1", "", "10.0.0.1-10.0.0.2"]
TARGETS = [
    *(
        f"DNAT{blank}--to-destination {host}{port}{end}"
        for blank in (" ", "  ")
        for host in HOSTS
        for port in ("", ":", *(f":{port}" for port in PORTS), ":80-90", ":123456", ":99999")
        for end in ("", " ", " --random")
    ),
    *("KUBE-A", "KUBE-B", "ACCEPT", "DNAT", "KUBE-A x", "", " ", "LOG"),
]


@pytest.mark.parametrize("chains", [set(), {"KUBE-A", "LOG"}, {"ACCEPT"}, {"DNAT"}])
def test_the_quick_target_is_the_careful_target(chains: set[str]) -> None:
    """Where it answers at all, whatever chains there are."""
    quick = {text: quick_target(text, chains) for text in TARGETS}
    careful = {text: answer(partial(parse_target, text, Family.IPV4, chains)) for text in TARGETS}

    assert {text: said for text, said in quick.items() if said not in (None, careful[text])} == {}


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: "/".join(path.parts[-4:]))
def test_the_quick_readers_are_the_careful_ones_on_recorded_dumps(dump: Path) -> None:
    """Matches and targets as kube-proxy wrote them, in both families."""
    family = Family.IPV6 if dump.name.startswith("ip6") else Family.IPV4
    lines = dump.read_text().splitlines()
    chains = {line[1:].split(" ")[0] for line in lines if line.startswith(":")}
    cuts = [cut(" " + line.split(" ", 2)[2]) for line in lines if line.startswith("-A ")]

    for match, flag, target in cuts:
        assert quick_match(match, family) in (None, parse_match(match, family))
        if flag == "-j":
            assert quick_target(target, chains) in (None, parse_target(target, family, chains))


@pytest.mark.parametrize(
    "text",
    [
        " -s 10.0.0.1/32",
        " -d 10.96.0.1/32 -p tcp -m tcp --dport 443",
        " ! -s 10.244.0.0/16 -d 10.96.0.1/32 -p udp -m udp --dport 30000",
        " -p tcp -m tcp",
        f" -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-A --mask {MASKS[0]} --rsource",
        f" -p tcp -m recent --set --name KUBE-SEP-A --mask {MASKS[0]} --rsource -m tcp",
    ],
)
def test_the_commonest_matches_are_read_quickly(text: str) -> None:
    """Else the quick readers would be of no use."""
    assert quick_match(text, Family.IPV4) is not None


@pytest.mark.parametrize("text", ["KUBE-A", "DNAT --to-destination 10.0.0.1:8080"])
def test_the_commonest_targets_are_read_quickly(text: str) -> None:
    """Else the quick readers would be of no use."""
    assert quick_target(text, {"KUBE-A"}) is not None


@given(
    st.text(st.sampled_from(["A", "b", "-", " ", "\t", "\x1f", "\u00a0", "\u00e9", ":", "[", "\r"])),
    st.sampled_from([" - [0:0]", " -  [0:0]", " - [0:0] ", " ACCEPT [0:0]", " - [1:0]", " -"]),
)
@example("KUBE-SEP-A", " - [0:0]")
def test_a_chain_declared_the_quick_way_is_declared(name: str, rest: str) -> None:
    """What is told at a glance for a declaration is one to the pattern for all of them."""
    line = f":{name}{rest}"

    quick = quick_chain(line)

    assert quick is None or (CHAIN_LINE.fullmatch(line) or [None] * 2)[1] == quick


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
