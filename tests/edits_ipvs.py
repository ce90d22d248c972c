"""Edits of what the tools print of a node in ipvs mode, each of one entry and named for what it changed.

As `tests.edits` for iptables-save: what an edit does to packets is for the plain walk to
find out. Only entries of IPv4 are edited; files are by their names in a bundle.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address

import attrs

from tests import edits

Change = Callable[[re.Match[str]], str]
Fields = tuple[tuple[str, str, str | Change], ...]


@attrs.frozen
class FileEdit:
    """One file of a node edited; `what` names the edit and `entry` the line that it is of."""

    what: str
    file: str
    entry: str
    text: str


def edits_of(texts: Mapping[str, str]) -> Iterator[FileEdit]:
    """Every edit that the readers, and the kernel, take; each changes what is written."""
    yield from _of_virtual_servers(texts["ipvsadm"])
    yield from _of_sets(texts["ipset"])
    yield from _of_rules(texts["iptables-save"])
    yield from _of_device(texts["ip-addr.json"])


def harmless_edits(texts: Mapping[str, str]) -> Iterator[FileEdit]:
    """Edits after which the kernel treats every packet as before, but for who is chosen when."""
    rules = texts["iptables-save"]
    for edit in edits.harmless_edits(rules):
        yield FileEdit(edit.what, "iptables-save", rules.splitlines()[edit.line - 1], edit.text)
    saved = texts["ipvsadm"].splitlines()
    for line, number in _ipv4(saved, "-A"):
        for scheduler in ("lc", "wrr", "wlc", "sed", "nq"):
            changed = line.replace("-s rr", f"-s {scheduler}")
            yield _edit(f"scheduler {scheduler}", "ipvsadm", saved, number, [changed])
        yield FileEdit(
            "virtual servers in another order", "ipvsadm", line, _joined(_first(saved, _block(saved, number)))
        )
    for line, number in _ipv4(saved, "-a"):
        yield _edit("a busier server", "ipvsadm", saved, number, [line.replace("-w 1", "-w 7")])
        yield _edit("thresholds", "ipvsadm", saved, number, [f"{line} -x 0 -y 0"])
        drained = f"{line.partition(' -r ')[0]} -r 10.250.9.9:1 -m -w 0"
        yield _edit("a server that drains", "ipvsadm", saved, number, [line, drained])
    listed = texts["ipset"].splitlines()
    for line, number in _ipv4(listed, "create"):
        yield _edit(
            "a set that nobody asks", "ipset", listed, number, [_OTHER_SET, f"{_OTHER} 10.0.0.0/8", line]
        )
        yield _edit("a larger set", "ipset", listed, number, [line.replace("hashsize 1024", "hashsize 4096")])


_OTHER = "add ELSEWHERE"
_OTHER_SET = "create ELSEWHERE hash:net family inet hashsize 1024 maxelem 65536"


def _of_virtual_servers(text: str) -> Iterator[FileEdit]:
    lines = text.splitlines()
    for line, number in _ipv4(lines, "-A"):
        at = _block(lines, number)
        block = lines[at.start : at.stop]
        yield _edit("virtual server lost", "ipvsadm", lines, number, [], len(block))
        yield _edit("every real server lost", "ipvsadm", lines, number, [line], len(block))
        copy = [one.replace(_place(line), "-t 10.96.255.1:81") for one in block]
        yield _edit("virtual server added", "ipvsadm", lines, number, [*copy, *block], len(block))
        for what, pattern, instead in _PLACES:
            changed = [re.sub(pattern, instead, one, count=1) for one in block]
            if changed != block and _place(changed[0]) not in {_place(one) for one in lines}:
                yield _edit(what, "ipvsadm", lines, number, changed, len(block))
        yield from _changed(_HEADS, "ipvsadm", lines, number)
        strange = f"{_place(line)} -r 10.250.9.9:8080 -m -w 1"
        yield _edit("real server added", "ipvsadm", lines, number, [line, f"-a {strange}"])
    for _, number in _ipv4(lines, "-a"):
        yield _edit("real server lost", "ipvsadm", lines, number, [])
        yield from _changed(_REALS, "ipvsadm", lines, number)


def _of_sets(text: str) -> Iterator[FileEdit]:
    lines = text.splitlines()
    for line, number in _ipv4(lines, "create"):
        name = line.split()[1]
        at = range(number, number + 1 + sum(one.startswith(f"add {name} ") for one in lines))
        block = lines[at.start : at.stop]
        if len(block) > 1:
            yield _edit("set emptied", "ipset", lines, number, [line], len(block))
        for what, pattern, instead in _SETS:
            changed = [re.sub(pattern, instead, one) for one in block]
            if changed[0] != line:
                yield _edit(what, "ipset", lines, number, [*dict.fromkeys(changed)], len(block))
        if "hash:ip family" in line or "hash:ip,port family" in line:
            sixth = [line.replace("family inet ", "family inet6 ")]
            yield _edit("set of the other family", "ipset", lines, number, sixth, len(block))
    there = set(lines)
    for line, number in _ipv4(lines, "add"):
        yield _edit("entry lost", "ipset", lines, number, [])
        for what, pattern, instead in _ENTRIES:
            other = re.sub(pattern, instead, line, count=1)
            if other not in there:
                yield _edit(f"{what} instead", "ipset", lines, number, [other])
                yield _edit(f"{what} as well", "ipset", lines, number, [line, other])


def _of_rules(text: str) -> Iterator[FileEdit]:
    lines = text.splitlines()
    for edit in edits.edits_of(text):
        yield FileEdit(edit.what, "iptables-save", lines[edit.line - 1], edit.text)
    for number, line in enumerate(lines):
        if line.startswith("-A "):
            yield from _changed(_MATCHES, "iptables-save", lines, number)


def _of_device(text: str) -> Iterator[FileEdit]:
    """An address taken off kube-ipvs0, and each of its addresses bound beside the next one."""
    found = json.loads(text)
    (device,) = (link for link in found if link["ifname"] == "kube-ipvs0")
    bound = list(device["addr_info"])
    for at, one in enumerate(bound):
        if one["family"] != "inet":
            continue
        device["addr_info"] = [*bound[:at], *bound[at + 1 :]]
        yield FileEdit("address not bound", "ip-addr.json", one["local"], json.dumps(found))
        beside = str(ip_address(one["local"]) + 1)
        if beside not in {other["local"] for other in bound}:
            device["addr_info"] = [*bound, one | {"local": beside}]
            yield FileEdit("address bound without need", "ip-addr.json", beside, json.dumps(found))


def _ipv4(lines: list[str], command: str) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(lines):
        if line.startswith(f"{command} ") and "[" not in line and "KUBE-6-" not in line:
            yield line, number


def _block(lines: list[str], number: int) -> range:
    """The lines of a virtual server, with its real servers."""
    own = [one.startswith("-a ") and _place(one) == _place(lines[number]) for one in lines]
    return range(number, number + 1 + sum(own))


def _place(line: str) -> str:
    return " ".join(line.split()[1:3])


def _first(lines: list[str], block: range) -> list[str]:
    """The lines with those of the block before all others."""
    return [
        *lines[block.start : block.stop],
        *(one for at, one in enumerate(lines) if at not in block),
    ]


def _edit(
    what: str, file: str, lines: list[str], number: int, instead: list[str], count: int = 1
) -> FileEdit:
    return FileEdit(what, file, lines[number], _joined([*lines[:number], *instead, *lines[number + count :]]))


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _changed(fields: Fields, file: str, lines: list[str], number: int) -> Iterator[FileEdit]:
    for what, pattern, instead in fields:
        changed = re.sub(pattern, instead, lines[number], count=1)
        if changed != lines[number]:
            yield _edit(what, file, lines, number, [changed])


def _next_address(match: re.Match[str]) -> str:
    return f"{match[1]}{ip_address(match[2]) + 1}"


def _next_number(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]) + 1}"


def _every_port(match: re.Match[str]) -> str:
    """Port 0, which the kernel takes with persistence only."""
    return f"{match[3]}:0" if match[3] else f"{match[1]}:0{match[2]} -p 60"


def _without_port(match: re.Match[str]) -> str:
    return "hash:ip" if match[0].startswith("hash") else ""


_ADDRESS = r"\d+\.\d+\.\d+\.\d+"

# Of a virtual server's line and those of its real servers alike.
_PLACES: Fields = (
    ("virtual server's next port", rf"^(-[Aa] \S+ {_ADDRESS}:)(\d+)", _next_number),
    ("virtual server's next address", rf"^(-[Aa] \S+ )({_ADDRESS})", _next_address),
    (
        "virtual server's every port",
        rf"^(-A \S+ {_ADDRESS}):\d+( .*?)(?: -p \d+)?$|^(-a \S+ {_ADDRESS}):\d+",
        _every_port,
    ),
    ("virtual server's other protocol", r"^(-[Aa]) -t ", r"\1 -u "),
    ("virtual server's other protocol", r"^(-[Aa]) -u ", r"\1 -t "),
    ("virtual server of a mark", rf"^(-[Aa]) \S+ {_ADDRESS}:\d+", r"\1 -f 7"),
)
_HEADS: Fields = (
    ("persistence lost", r" -p \d+", ""),
    ("persistence longer", r"( -p )(\d+)", _next_number),
    ("persistence added", r"(-s \w+)$", r"\1 -p 10800"),
    ("persistence of networks", r"( -p \d+)$", r"\1 -M 255.255.255.0"),
)
_REALS: Fields = (
    ("real server's next address", rf"( -r )({_ADDRESS})", _next_address),
    ("real server's next port", rf"( -r {_ADDRESS}:)(\d+)", _next_number),
    ("real server's weight 0", r"-w 1$", "-w 0"),
    ("another method", r" -m ", " -g "),
)
_SETS: Fields = (
    ("set of addresses", r"hash:ip,port(?= family)|(?<=\d),(?:tcp|udp|sctp):\d+$", _without_port),
    ("set of networks", r"hash:ip,port family", "hash:net,port family"),
    ("set of nets instead of addresses", r"hash:ip,port,ip", "hash:ip,port,net"),
)
_ENTRIES: Fields = (
    ("next address", rf"( )({_ADDRESS})", _next_address),
    ("next port", r"(\d,\w+:)(\d+)", _next_number),
    ("next port", r"( )(\d+)$", _next_number),
    ("other protocol", r",tcp:", ",udp:"),
    ("another source", rf"(,){_ADDRESS}(?=$|/)", r"\g<1>10.250.0.1"),
    ("no source of these", r"(,\d+\.\d+\.\d+\.\d+/\d+)$", r"\1 nomatch"),
)
_MATCHES: Fields = (
    ("not of the set", r"(?<! !) --match-set", " ! --match-set"),
    ("by source for by destination", r"(--match-set \S+ )dst", r"\1src"),
    ("by destination for by source", r"(--match-set \S+ dst,dst,)src", r"\1dst"),
    ("one direction less", r"(--match-set \S+ \S+),(?:src|dst)", r"\1"),
    ("another set", r"--match-set \S+ dst,dst ", "--match-set KUBE-LOAD-BALANCER-FW dst,dst "),
    ("no set", r" -m set --match-set \S+ \S+", ""),
    ("mark for masquerade", r"-j (RETURN|ACCEPT)$", "-j MARK --set-xmark 0x4000/0x4000"),
    ("drop what returns", r"-j RETURN$", "-j DROP"),
    ("any virtual server", r" -m ipvs --vproto .* (?=-j)", " "),
    ("next virtual port", r"(--vport )(\d+)", _next_number),
)
