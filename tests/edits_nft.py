"""Edits of a listing of nft that touch one line or one element, each named for what it changed.

As `tests.edits` for iptables-save: what an edit does to packets is for the plain walk to
find out.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from tests.edits import Edit

_RULE = re.compile(r"\t\t(?!type |policy |comment |elements |size |flags |timeout |\t)(?P<rule>\S.*)")
# One element with what parts it from the next.
_ELEMENT = re.compile(r"(?P<element>[^\s,{}][^,{}]*?)(?P<gap>,\s*| (?=\}))")


def edits_of(listing: str) -> Iterator[Edit]:
    """Rules deleted, doubled, swapped and changed; elements deleted and changed."""
    lines = listing.splitlines()
    for at, line in enumerate(lines):
        if " hook " in line:
            yield _edit("policy drop", lines, at, [line.replace("policy accept", "policy drop")])
            yield _edit("other hook", lines, at, [line.replace("hook forward", "hook input")])
            later = re.sub(r"priority [^;]+", "priority 300", line)
            yield _edit("another priority", lines, at, [later])
        if not _RULE.fullmatch(line):
            continue
        yield _edit("delete", lines, at, [])
        yield _edit("duplicate", lines, at, [line, line])
        if _RULE.fullmatch(lines[at + 1]) and lines[at + 1] != line:
            swapped = [*lines[:at], lines[at + 1], line, *lines[at + 2 :]]
            yield Edit("swap with the next rule", at + 1, "\n".join(swapped) + "\n")
        for what, changed in _changes(line):
            yield _edit(what, lines, at, [changed])
    yield from _edits_of_elements(listing)


def harmless_edits(listing: str) -> Iterator[Edit]:
    """Edits after which the kernel treats every packet as before."""
    lines = listing.splitlines()
    for at, line in enumerate(lines):
        if _RULE.fullmatch(line):
            plain = re.sub(r' comment ".*"$', "", line)
            yield _edit("another comment", lines, at, [f'{plain} comment "say something else"'])
            yield _edit("a handle", lines, at, [f"{line} # handle 42"])
            yield _edit("counters", lines, at, [f"\t\tcounter packets 7 bytes 420 {line.strip()}"])
            yield _edit("a rule that only counts", lines, at, [line, "\t\tcounter packets 7 bytes 420"])
        elif found := re.fullmatch(r"\tchain (service-\S+|reject-chain) \{", line):
            other = f"{found[1]}x" if "/" in found[1] else "refused"
            renamed = re.sub(rf"(?<=[\s]){re.escape(found[1])}(?=[\s,])", other, listing)
            yield Edit("a chain renamed throughout", at + 1, renamed)
            yield _edit(
                "an unreferenced chain", lines, at, ["\tchain elsewhere {", "\t\tdrop", "\t}", "", line]
            )
    for found in re.finditer(r"elements = \{ ([^{},]+),\s+([^{},]+?)(?=,| \})", listing):
        swapped = f"elements = {{ {found[2]}, {found[1]}"
        number = listing.count("\n", 0, found.start()) + 1
        yield Edit("elements swapped", number, listing[: found.start()] + swapped + listing[found.end() :])


def _edits_of_elements(listing: str) -> Iterator[Edit]:
    for block in re.finditer(r"elements = \{ (?P<body>[^{}]+)\}", listing):
        found = list(_ELEMENT.finditer(listing, block.start("body"), block.end()))
        for element in found:
            line = listing.count("\n", 0, element.start()) + 1
            if len(found) > 1:
                cut = listing[: element.start()] + listing[element.end() :]
                if element is found[-1]:
                    cut = listing[: found[-2].end("element")] + " " + listing[element.end() :]
                yield Edit("element deleted", line, cut)
            for what, changed in _changed_element(element["element"]):
                text = listing[: element.start("element")] + changed + listing[element.end("element") :]
                yield Edit(what, line, text)


def _changed_element(element: str) -> Iterator[tuple[str, str]]:
    for what, pattern, instead in _ELEMENTS:
        changed, count = re.subn(pattern, instead, element, count=1)
        if count and changed != element:
            yield what, changed


def _edit(what: str, lines: list[str], at: int, instead: list[str]) -> Edit:
    return Edit(what, at + 1, "\n".join([*lines[:at], *instead, *lines[at + 1 :]]) + "\n")


Change = Callable[[re.Match[str]], str]


def _next_address(match: re.Match[str]) -> str:
    return f"{match[1]}{ip_address(match[2]) + 1}"


def _next_number(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]) + 1}"


def _shorter(match: re.Match[str]) -> str:
    return f"{match[1]}/{int(match[2]) - 3}"


_ADDRESS = r"\d+\.\d+\.\d+\.\d+"

_ELEMENTS: tuple[tuple[str, str, str | Change], ...] = (
    ("element's next address", rf"()({_ADDRESS})", _next_address),
    ("element's next port", r"((?:tcp|udp) \. )(\d+)", _next_number),
    ("element's other protocol", r"\btcp\b", "udp"),
    ("element drops", r": goto \S+", ": drop"),
    ("element accepts", r": (goto \S+|drop)", ": accept"),
    ("element refuses", r": drop", ": goto reject-chain"),
)

_FIELDS: tuple[tuple[str, str, str | Change], ...] = (
    ("next address", rf"(addr (?:!= )?)({_ADDRESS})", _next_address),
    ("wider prefix", r"( [0-9.]+)/(16|24)\b", _shorter),
    ("not the source", r"saddr (?!!|@|\.)", "saddr != "),
    ("the source after all", r"saddr != ", "saddr "),
    ("no source", r"ip saddr (!= )?[0-9][0-9./]* ", ""),
    ("no destination", r"^(\t\t)ip daddr @\S+ ", r"\1"),
    ("not the local addresses", r"fib saddr type local", "fib saddr type != local"),
    ("all addresses", r"fib saddr type local ", ""),
    ("other state", r"ct state new", "ct state established"),
    ("other status", r"ct status dnat", "ct status snat"),
    ("other protocol", r"l4proto tcp", "l4proto udp"),
    ("next endpoint address", rf"(: )({_ADDRESS})", _next_address),
    ("next endpoint port", r"(: [0-9.]+ \. )(\d+)", _next_number),
    ("endpoint of a chain", rf"(dnat to )({_ADDRESS})", _next_address),
    ("one way more than endpoints", r"(random mod )(\d+)", _next_number),
    ("an endpoint left out", r", \d+ : [^,}]+ \}", " }"),
    ("an endpoint at the wrong way", r"\{ 0 : ", "{ 7 : "),
    ("other mark set", r"mark \| 0x00004000", "mark | 0x00008000"),
    ("other mark asked for", r"mark & 0x00004000", "mark & 0x00008000"),
    ("the mark kept", r"mark \^ 0x00004000 masquerade", "mark | 0x00004000 masquerade"),
    ("no masquerade", r" masquerade fully-random", " counter"),
    ("DROP for a chain", r"(goto|jump) \S+(?=$| comment)", "drop"),
    ("ACCEPT for a chain", r"(goto|jump) \S+(?=$| comment)", "accept"),
    ("jump for goto", r"goto (?=service-|local-)", "jump "),
    ("reject for drop", r"\bdrop(?=$| comment)", "reject"),
    ("drop for reject", r"\breject(?=$| comment)", "drop"),
    ("other error", r"\breject(?=$| comment)", "reject with icmp host-unreachable"),
    ("accept for drop", r"\bdrop(?=$| comment)", "accept"),
    ("another map", r"@service-ips", "@no-endpoint-services"),
    ("no memory asked", r"ip saddr @affinity-\S+ ", ""),
    ("memory not set", r"update @\S+ \{ ip saddr \}", "counter"),
    ("an expression nobody knows", r"^\t\t", '\t\tosf name "Linux" '),
    ("a statement nobody knows", r"(goto|jump) \S+(?=$| comment)", "queue to 1"),
)


def _changes(line: str) -> Iterator[tuple[str, str]]:
    """(name, changed line) for each field that the rule has."""
    for what, pattern, instead in _FIELDS:
        changed, count = re.subn(pattern, instead, line, count=1)
        if count and changed != line:
            yield what, changed
