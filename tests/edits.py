"""Edits of a dump that touch one line, each with a name that says what it changed.

`edits_of` lists every edit of a dump that changes what is written; `harmless_edits` those
that must not change any packet's fate. What an edit does to packets is not said here: that
is for the plain walk to find out.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import attrs

Lines = list[str]


@attrs.frozen
class Edit:
    """An edited dump; `what` names the edit and `line` the line of the original, from 1."""

    what: str
    line: int
    text: str


def edits_of(dump: str) -> Iterator[Edit]:
    """Deletion, doubling, swap with the next rule, and each change of a field, line by line."""
    lines = dump.splitlines()
    chains = [line[1:].split()[0] for line in lines if line.startswith(":")]
    for at, line in enumerate(lines):
        if line.startswith(":") and " ACCEPT " in line:
            yield _edit("policy to DROP", lines, at, [line.replace(" ACCEPT ", " DROP ")])
        if not line.startswith("-A "):
            continue
        yield _edit("delete", lines, at, [])
        yield _edit("duplicate", lines, at, [line, line])
        chain = line.split()[1]
        following = lines[at + 1]
        if following.startswith(f"-A {chain} ") and following != line:
            swapped = [*lines[:at], following, line, *lines[at + 2 :]]
            yield Edit("swap with the next rule", at + 1, "\n".join(swapped) + "\n")
        for what, changed in _changes(line, chains):
            if changed != line:
                yield _edit(what, lines, at, [changed])


def harmless_edits(dump: str) -> Iterator[Edit]:
    """Edits after which the kernel treats every packet as before."""
    lines = dump.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("-A "):
            comment = re.sub(r'--comment "[^"]*"', '--comment "say something else"', line)
            yield _edit("another comment", lines, at, [comment])
            yield _edit("counters", lines, at, [f"[12:3456] {line}"])
            yield _edit("a rule that only counts", lines, at, [line, f"{_head(line)} -m comment --comment x"])
            chain = line.split()[1]
            following = lines[at + 1]
            if _dispatches(line) and _dispatches(following) and following.startswith(f"-A {chain} "):
                swapped = [*lines[:at], following, line, *lines[at + 2 :]]
                yield Edit("swap of two dispatch rules", at + 1, "\n".join(swapped) + "\n")
        elif line.startswith(":") and line.split()[1] == "-":
            name = line[1:].split()[0]
            yield _edit("an unreferenced chain", lines, at, [line, ":ELSEWHERE - [0:0]"])
            if name.startswith(("KUBE-SEP-", "KUBE-SVC-")):
                renamed = re.sub(rf"\b{name}\b", f"{name[:9]}AAAAAAAAAAAAAAAA", dump)
                yield Edit("a chain renamed throughout", at + 1, renamed)


def _edit(what: str, lines: Lines, at: int, instead: Lines) -> Edit:
    return Edit(what, at + 1, "\n".join([*lines[:at], *instead, *lines[at + 1 :]]) + "\n")


def _head(line: str) -> str:
    return " ".join(line.split()[:2])


def _dispatches(line: str) -> bool:
    """Whether the rule is one of those that each lead one frontend of its own to its chain."""
    return line.startswith("-A KUBE-SERVICES -d ")


Change = Callable[[re.Match[str]], str]


def _next_address(match: re.Match[str]) -> str:
    return f"{match[1]}{ip_address(match[2]) + 1}"


def _next_number(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]) + 1}"


def _shorter_mask(match: re.Match[str]) -> str:
    return f"{match[1]}/{int(match[2]) - 3}"


_ADDRESS = r"[0-9a-f.:]+"

# (name, pattern, replacement); each is tried on every rule.
_FIELDS: tuple[tuple[str, str, str | Change], ...] = (
    ("next destination", rf"( -d )({_ADDRESS})", _next_address),
    ("no destination", r"( !)? -d \S+", ""),
    ("not the destination", r"(?<!!) -d ", " ! -d "),
    ("wider destination", r"( -d [^ /]+)/(32|128|16|8)\b", _shorter_mask),
    ("next source", rf"( -s )({_ADDRESS})", _next_address),
    ("no source", r"( !)? -s \S+", ""),
    ("not the source", r"(?<!!) -s ", " ! -s "),
    ("the source after all", r" ! -s ", " -s "),
    ("wider source", r"( -s [^ /]+)/(32|128|24|16|8)\b", _shorter_mask),
    ("next port", r"(--dport )(\d+)", _next_number),
    ("no port", r" --dport \d+", ""),
    ("not the port", r"--dport", "! --dport"),
    ("a range of ports", r"--dport (\d+)", r"--dport \1:65535"),
    ("other protocol", r"-p tcp (.*)-m tcp", r"-p udp \1-m udp"),
    ("other protocol", r"-p udp (.*)-m udp", r"-p tcp \1-m tcp"),
    ("other probability", r"--probability [0-9.]+", "--probability 0.25000000000"),
    ("no probability", r" -m statistic --mode random --probability [0-9.]+", ""),
    ("next endpoint address", rf"(--to-destination \[?)({_ADDRESS}?)(?=\]?:\d+$)", _next_address),
    ("next endpoint port", r"(--to-destination \S*:)(\d+)$", _next_number),
    ("other mark set", r"--set-xmark 0x(\w+)/0x4000", r"--set-xmark 0x8000/0x8000"),
    ("mark not flipped", r"--set-xmark 0x4000/0x0", "--set-xmark 0x0/0x0"),
    ("other mark asked for", r"--mark 0x4000/0x4000", "--mark 0x8000/0x8000"),
    ("the mark after all", r"! --mark", "--mark"),
    ("not the mark", r"(?<!! )--mark", "! --mark"),
    ("other state", r"--ctstate NEW\b", "--ctstate ESTABLISHED"),
    ("other states", r"--ctstate RELATED,ESTABLISHED,DNAT", "--ctstate RELATED,ESTABLISHED"),
    ("new packets too", r"--ctstate RELATED,ESTABLISHED\b(?!,)", "--ctstate NEW,RELATED,ESTABLISHED"),
    ("new instead of invalid", r"--ctstate INVALID", "--ctstate NEW"),
    ("not the state", r"(?<!! )--ctstate", "! --ctstate"),
    ("the state after all", r"! --ctstate", "--ctstate"),
    ("other memory", r"--name KUBE-SEP-\w+", "--name KUBE-SEP-AAAAAAAAAAAAAAAA"),
    ("other time of memory", r"(--seconds )(\d+)", _next_number),
    ("no time of memory", r" --seconds \d+ --reap", ""),
    ("memory of any but", r"--rcheck", "! --rcheck"),
    ("memory not set", r" -m recent --set .* --rsource", ""),
    ("not the local addresses", r"(?<!! )--(dst|src)-type LOCAL", r"! --\1-type LOCAL"),
    ("the local addresses", r"! --(dst|src)-type LOCAL", r"--\1-type LOCAL"),
    ("all addresses", r" -m addrtype --(dst|src)-type LOCAL", ""),
    ("DROP for REJECT", r"-j REJECT --reject-with \S+", "-j DROP"),
    ("other error", r"--reject-with icmp-port-unreachable", "--reject-with icmp-host-prohibited"),
    ("REJECT for DROP", r"-j DROP$", "-j REJECT --reject-with icmp-port-unreachable"),
    ("ACCEPT for DROP", r"-j DROP$", "-j ACCEPT"),
    ("ACCEPT for RETURN", r"-j RETURN$", "-j ACCEPT"),
    ("DROP for a chain", r"-j KUBE-\S+$", "-j DROP"),
    ("ACCEPT for a chain", r"-j KUBE-\S+$", "-j ACCEPT"),
    ("goto for jump", r"-j (KUBE-\S+)$", r"-g \1"),
    ("RETURN for MASQUERADE", r"-j MASQUERADE.*", "-j RETURN"),
    ("a match that nobody knows", r" -j ", " -m unheard --of it -j "),
    ("a target that nobody knows", r"-j (KUBE-\S+|DROP|MASQUERADE.*)$", "-j TPROXY --on-port 1"),
    ("no target", r" -j .*", ""),
)


def _changes(line: str, chains: list[str]) -> Iterator[tuple[str, str]]:
    """(name, changed line) for each field that the line has."""
    for what, pattern, instead in _FIELDS:
        changed, count = re.subn(pattern, instead, line, count=1)
        if count:
            yield what, changed
    target = re.search(r"-j (KUBE-(?:SVC|SVL|SEP|EXT|FW)-\w+)$", line)
    if target:
        kind = target[1][:9]
        others = [name for name in chains if name.startswith(kind) and name != target[1]]
        yield from ((f"to {kind} of another", line.replace(target[0], f"-j {name}")) for name in others[:2])
