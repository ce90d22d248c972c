"""The output of `ipset list` or `ipset save` is an `IpsetDump`.

A listing is a block for each set: its name, type, header and members, one a line. Saved,
it is `create NAME TYPE options` and `add NAME MEMBER options`. A listing that says how many
members there are and shows another number was cut off, unless members of the set age.

Source: rules-ipvs 5; ipset(8).
"""

import re
from typing import Final

import attrs

from model.errors import InputError
from oracle.dialects.iptables.foreign import is_tool_message
from oracle.dialects.ipvs.ipset_records import Dimension, IpSet, IpsetDump, Member
from oracle.dialects.ipvs.ipset_types import SetKind, set_kind
from oracle.dialects.ipvs.words import Fault, numbered_lines, shown, whole_number
from oracle.ruleset import Note

_INSTEAD: Final = "give the output of ipset list or ipset save"
_FOREIGN: Final = (
    (r"<ipsets?>|<\?xml", "XML, as ipset -o xml prints"),
    (r"\[$|[\[{]\s*[\"{]", "JSON"),
    (r"IP Virtual Server|Prot LocalAddress:Port|-A (?:-t|-u|-f)", "output of ipvsadm"),
    (r"\*[a-z]+$|:[A-Z]+ \S+ \[|-[APND] [A-Z]|Chain \S+ \(", "output of iptables"),
    (r"table \S+ ", "output of nft"),
    (r"(?:flush|destroy|del|swap|rename|test)(?: |$)|-[XFEWDTN](?: |$)", "a script of ipset commands"),
    (r"(?:apiVersion|kind|items|metadata):|---$", "YAML"),
)
_PROMPT: Final = re.compile(r"#|(?:\S+@\S+.*)?[#$%>] ?(?:sudo )?(?:\S*/)?ipset\b|COMMIT$")
_KEY: Final = re.compile(
    r"(Name|Type|Revision|Header|Size in memory|References|Number of entries|Members):(.*)"
)
_COMMENT: Final = re.compile(r' comment "[^"]*"')
_OPTIONS: Final = re.compile(
    r"(?: (?:nomatch|wildcard|-exist|(?:timeout|packets|bytes|skbmark|skbprio|skbqueue) [\dxa-fA-F/:]+))*"
)
_FAILED: Final = re.compile(r"ipset v\d|.*command not found")
_MOST_MEMBERS: Final = 0xFFFFFFFF


@attrs.define
class _Block:
    """One set while it is being read."""

    name: str
    line: int
    type: str = ""
    kind: SetKind | None = None
    told: int | None = None  # how many members the listing says there are
    members: list[Member] = attrs.field(factory=list)
    reads_members: bool = False


def parse_ipset(data: bytes, file: str) -> IpsetDump:
    """The sets that the file tells of, by name.

    Sets of a type that is not known are kept with their members' text. Comments and the
    prompt at which the command was typed are passed over. Raises InputError, with the
    line, for anything that is not such output, or not whole.
    """
    reading = _Reading()
    warnings: list[Note] = []
    for number, line in numbered_lines(data, file):
        try:
            if is_tool_message(line):
                warnings.append(Note(number, "message in the dump", line))
            elif reading.is_in_members(line) or not _PROMPT.match(line):
                reading.read(line, number)
        except Fault as fault:
            raise InputError(file, number, str(fault)) from None
    if not data.endswith(b"\n"):
        warnings.append(Note(data.count(b"\n") + 1, "the last line has no end: it may be cut off"))
    sets: dict[str, IpSet] = {}
    for block in reading.blocks.values():
        try:
            sets[block.name] = _finished(block)
        except Fault as fault:
            raise InputError(file, block.line, str(fault)) from None
    if not sets:
        raise InputError(file, 1, f"nothing of ipset's; {_INSTEAD}")
    return IpsetDump(file, sets, tuple(warnings))


class _Reading:
    """What was read so far; `_current` is the block of a listing that lines belong to."""

    def __init__(self) -> None:
        self.blocks: dict[str, _Block] = {}
        self._current: _Block | None = None

    def is_in_members(self, line: str) -> bool:
        """Whether the line is a member because of where it stands."""
        return self._current is not None and self._current.reads_members and line[0] != "#"

    def read(self, line: str, number: int) -> None:
        key = _KEY.match(line)
        if key is not None:
            self._header(key[1], key[2].strip(), number)
        elif line.startswith("create "):
            self._create(line.split(), number)
        elif line.startswith("add "):
            self._add(line, number)
        elif self._current is not None and self._current.reads_members:
            self._current.members.append(_member(self._current, line, number))
        else:
            raise _refused(line)

    def _begin(self, name: str, number: int) -> _Block:
        if not name:
            raise Fault("a set without a name: cut off")
        if name in self.blocks:
            raise Fault(f"set {shown(name)} is there already, in line {self.blocks[name].line}")
        self.blocks[name] = _Block(name, number)
        return self.blocks[name]

    def _header(self, key: str, value: str, number: int) -> None:
        if key == "Name":
            self._current = self._begin(value, number)
            return
        block = self._current
        if block is None or block.reads_members:
            raise Fault(f"{key} without the name of a set")
        if key == "Type":
            block.type = value
        elif key == "Header":
            block.kind = set_kind(block.type, value.split())
        elif key == "Number of entries":
            block.told = whole_number(value, _MOST_MEMBERS)
        elif key == "Members":
            block.reads_members = True

    def _create(self, words: list[str], number: int) -> None:
        if len(words) < 3:
            raise Fault("create without name or type: cut off")
        self._current = None
        block = self._begin(words[1], number)
        block.type, block.reads_members = words[2], True
        block.kind = set_kind(words[2], [word for word in words[3:] if word != "-exist"])

    def _add(self, line: str, number: int) -> None:
        _, name, *rest = line.split(maxsplit=2)
        block = self.blocks.get(name)
        if block is None:
            raise Fault(f"a member of {shown(name)}, which is not created")
        if not rest:
            raise Fault("add without a member: cut off")
        block.members.append(_member(block, rest[0], number))


def _member(block: _Block, text: str, number: int) -> Member:
    entry, _, options = text.partition(" ")
    kind = block.kind
    if kind is None:
        raise Fault(f"set {shown(block.name)} has no header")
    options = " " + options if options else ""
    if not kind.opaque and not _OPTIONS.fullmatch(_COMMENT.sub("", options)):
        raise Fault(f"not a member of {shown(block.name)}: {shown(text)}")
    excluded = " nomatch" in _COMMENT.sub("", options)
    return Member(entry, kind.parts(entry), excluded, options.strip(), number)


def _finished(block: _Block) -> IpSet:
    """The whole set. Raises Fault when something of it is missing."""
    if not block.reads_members or block.kind is None:
        what = "comes without its members, as ipset list -t prints it or cut off"
        raise Fault(f"set {shown(block.name)} {what}; {_INSTEAD}")
    kind = block.kind
    if block.told is not None and block.told != len(block.members) and not kind.ages:
        what = f"set {shown(block.name)} tells of {block.told} members, but there are {len(block.members)}"
        raise Fault(f"{what}: cut off")
    return IpSet(
        block.name, kind.type, kind.family, kind.dimensions, tuple(block.members), _opaque(block), block.line
    )


def _opaque(block: _Block) -> str:
    kind = block.kind
    assert kind is not None
    if kind.opaque or not any(one.excluded for one in block.members):
        return kind.opaque
    nets = kind.dimensions.count(Dimension.NET)
    return "" if nets == 1 else f"nomatch in a {kind.type} is not judged"


def _refused(line: str) -> Fault:
    if _FAILED.match(line):
        return Fault(f"ipset failed: {shown(line)}")
    for pattern, looks in _FOREIGN:
        if re.match(pattern, line):
            return Fault(f"this looks like {looks}; {_INSTEAD}")
    return Fault(f"not a line of ipset: {shown(line)}; {_INSTEAD}")
