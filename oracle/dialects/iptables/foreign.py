"""Text that is not a dump of iptables-save is recognised early, by its first lines.

`refuse_foreign` raises for anything whose first line is no dump line, and says which tool
the text looks like and what to run instead. Only the head is looked at, so that any
amount of junk is refused at once. `is_tool_message` knows the lines that iptables-save
and what runs it write to standard error, which collectors mix into dumps.
"""

import re
from typing import Final

from model.errors import InputError

HEAD_BYTES: Final = 1 << 16

TABLE_LINE: Final = re.compile(r"\*[a-z]+[ \t]*")

_INSTEAD: Final = "give the output of iptables-save"

_LOOKS_LIKE: Final = (
    (r"table (?:ip|ip6|inet|arp|bridge|netdev) \S+ \{", "output of nft list ruleset", _INSTEAD),
    (r"IP Virtual Server version|Prot LocalAddress:Port", "output of ipvsadm -Ln", _INSTEAD),
    (r"-A (?:-t|-u|-f) \S+ -s \w+", "output of ipvsadm-save", _INSTEAD),
    (
        r"\{|\[\s*(?:\{|$)",
        "JSON, as kubectl writes objects",
        f"{_INSTEAD} as rules, and objects as the cluster",
    ),
    (
        r"(?:apiVersion|kind|items|metadata):|---$",
        "YAML, as kubectl writes objects",
        f"{_INSTEAD} as rules, and objects as the cluster",
    ),
    (r"Chain \S+ \(", "output of iptables -L", "run iptables-save instead"),
    (r"-[PNA] \S+", "output of iptables -S, or a part of a dump", "run iptables-save instead"),
    (r"Name: \S+", "output of ipset list", _INSTEAD),
    (r"create \S+ \w+:", "output of ipset save", _INSTEAD),
    (r"\d+: \S+: <[A-Z_,-]*>", "output of ip addr", "give that of ip -j addr as the node's addresses"),
)

# A shell, kubectl, ssh, sudo and modprobe stand between the tool and the file.
_MESSAGE: Final = re.compile(
    r"#? ?Warning: "
    r"|(?:# )?[Tt]able `\w+' (?:is incompatible|contains incompatible base-chains), use 'nft' tool"
    r"|(?:\S*/)?(?:ip6?|x)tables(?:-nft|-legacy)?(?:-save)?(?: v\d\S*)?(?: \([\w ]+\))?: "
    r"|(?:modprobe|libkmod|sudo|kubectl|ssh): "
    r"|Another app is currently holding the xtables lock"
    r"|Defaulted container \""
    r"|Unable to use a TTY"
)


def is_tool_message(line: str) -> bool:
    """Whether the line is a known message of the tool, or of what ran it, not of the dump."""
    return _MESSAGE.match(line) is not None


def refuse_foreign(data: bytes, file: str) -> None:
    """Pass a text that begins as a dump does.

    Raises InputError naming the first line at fault otherwise: empty, compressed,
    binary, UTF-16, or written by another tool.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4:2] == b"\0\0" or data[1:4:2] == b"\0\0":
        raise InputError(file, 1, "this is UTF-16 text; write it as UTF-8 (plain iptables-save output)")
    if data[:2] == b"\x1f\x8b" or data[:4] in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd"):
        raise InputError(file, 1, "this is compressed; unpack it first")
    nul = data.find(b"\0")
    if nul >= 0:
        raise InputError(
            file, data.count(b"\n", 0, nul) + 1, "this is binary (a NUL byte), not a dump of iptables-save"
        )
    head = data[:HEAD_BYTES].decode("utf-8", "backslashreplace").removeprefix("\ufeff")
    if not head.strip() and not data.strip():
        raise InputError(file, 1, "the file is empty; an iptables-save of a node with kube-proxy never is")
    for number, line in enumerate(head.split("\n"), 1):
        text = line.strip()
        if not text or text[0] == "#" or is_tool_message(text):
            continue
        if TABLE_LINE.fullmatch(line.rstrip()):
            return
        raise InputError(file, number, _what_it_is(text, head))


def _what_it_is(line: str, head: str) -> str:
    if re.match(r'\{\s*"nftables"', head.lstrip()):
        return f"this looks like output of nft --json list ruleset, not iptables-save; {_INSTEAD}"
    for pattern, looks, instead in _LOOKS_LIKE:
        if re.match(pattern, line):
            return f"this looks like {looks}, not iptables-save; {instead}"
    return f"not a line of an iptables-save dump: {shown(line)}"


def shown(line: str, most: int = 60) -> str:
    """The line, shortened and free of control characters, for a message of one line."""
    printable = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line[: most + 1]
    )
    return printable if len(printable) <= most else printable[:most] + "..."
