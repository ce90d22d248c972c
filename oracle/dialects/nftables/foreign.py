"""Data that is no listing of nft is recognised early, by its first lines.

Only the head is looked at, so that any amount of junk is refused at once.
"""

import re
from typing import Final

from model.errors import InputError

HEAD_BYTES: Final = 1 << 16

_TABLE: Final = re.compile(r"table\s+\S|t(?:a(?:b(?:le?)?)?)?$")

_LOOKS_LIKE: Final = (
    (r"\*(?:nat|filter|mangle|raw|security)\b", "output of iptables-save"),
    (r"-A (?:-t|-u|-f) \S+ -s \w+", "output of ipvsadm-save"),
    (r"-[APN] \S+|:[A-Z][\w-]* (?:ACCEPT|DROP|-)", "a part of an iptables-save dump"),
    (r"Chain \S+ \(", "output of iptables -L"),
    (r"IP Virtual Server version|Prot LocalAddress:Port", "output of ipvsadm -Ln"),
    (r"Name: \S+", "output of ipset list"),
    (r"create \S+ \w+:", "output of ipset save"),
    (r"<(?:!DOCTYPE|html|\?xml)", "a web page"),
    (r"(?:apiVersion|kind|items|metadata):|---$", "YAML, as kubectl writes objects"),
    (
        r"(?:add|create|insert|delete|flush) (?:table|chain|rule|set|map|element|ruleset)\b",
        "commands for nft -f",
    ),
    (r"Error: ", "an error of nft"),
    (r"(?:map|set|chain) \S+ \{", "a part of a table"),
)

# A shell, kubectl, ssh and sudo stand between the tool and the file.
_MESSAGE: Final = re.compile(
    r"(?:modprobe|libkmod|sudo|kubectl|ssh): |Defaulted container \"|Unable to use a TTY|# "
)


def is_message(line: str) -> bool:
    """Whether the line was written by what ran the tool, not by the tool."""
    return _MESSAGE.match(line) is not None


def refuse_encoding(data: bytes, file: str) -> None:
    """Pass data that is text of 8 bits. Raises InputError when it is not."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4:2] == b"\0\0" or data[1:4:2] == b"\0\0":
        raise InputError(file, 1, "this is UTF-16 text; write it as UTF-8 (plain nft output)")
    if data[:2] == b"\x1f\x8b" or data[:4] in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd"):
        raise InputError(file, 1, "this is compressed; unpack it first")
    nul = data.find(b"\0")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise InputError(file, line, "this is binary (a NUL byte), not a listing of nft")
    if not data[:HEAD_BYTES].strip() and not data.strip():
        raise InputError(file, 1, "the file is empty; a listing of a node with kube-proxy never is")


def refuse_foreign(data: bytes, file: str) -> None:
    """Pass a text that begins as a listing does. Raises InputError naming the first line at fault."""
    refuse_encoding(data, file)
    head = data[:HEAD_BYTES].decode("utf-8", "backslashreplace").removeprefix("\ufeff")
    for number, line in enumerate(head.split("\n"), 1):
        text = line.strip()
        if not text or text[0] == "#" or is_message(text):
            continue
        if _TABLE.match(text):
            return
        raise InputError(file, number, _what_it_is(text))


def _what_it_is(line: str) -> str:
    for pattern, looks in _LOOKS_LIKE:
        if re.match(pattern, line):
            return f"this looks like {looks}, not a listing of nft; give the output of nft list ruleset"
    return f"not a line of nft list ruleset: {short(line)}"


def short(line: str, most: int = 60) -> str:
    """The line, shortened and free of control characters, for a message of one line."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line[: most + 1])
    return clean if len(clean) <= most else clean[:most] + "..."
