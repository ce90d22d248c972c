"""The output of ipvsadm, or /proc/net/ip_vs, is an `IpvsDump`.

Read are the listing with -n, the commands of -S with -n and the kernel's own file. Other
output of ipvsadm tells too little, and output without -n has names, cut to the width of
their column: each is refused with the command to run instead. A listing without real or
virtual servers is whole: a node may have none.

Source: rules-ipvs 3.
"""

import re
from typing import Final

from model.errors import InputError
from model.load.text import check_text
from oracle.dialects.iptables.foreign import is_tool_message
from oracle.dialects.ipvs.listing import Listing, is_listing_line, is_proc
from oracle.dialects.ipvs.records import Form, IpvsDump
from oracle.dialects.ipvs.saved import is_saved_line, read_saved
from oracle.dialects.ipvs.table import Table
from oracle.dialects.ipvs.words import Fault, numbered_lines, shown
from oracle.ruleset import Note

_INSTEAD: Final = "give the output of ipvsadm -Ln or ipvsadm -Sn"
_FOREIGN: Final = (
    (r"IPVS connection entries|pro expire state ", "the output of ipvsadm -Lnc, which lists connections"),
    (r"Timeout \(tcp tcpfin udp\)", "the output of ipvsadm -L --timeout"),
    (r"(?:master|backup) sync daemon", "the output of ipvsadm -L --daemon"),
    (r"-[EDedC](?: -|$)|--(?:edit|delete|clear)", "a script of ipvsadm commands, not what -S prints"),
    (r"\*[a-z]+$|:[A-Z]+ \S+ \[|-[APND] [A-Z]|Chain \S+ \(", "output of iptables"),
    (r"table \S+ ", "output of nft"),
    (r"Name: |create \S+ \w+", "output of ipset"),
    (r"\[$|[\[{]\s*[\"{]", "JSON"),
    (r"<", "XML or HTML"),
    (r"(?:apiVersion|kind|items|metadata):|---$", "YAML"),
)
_FAILED: Final = re.compile(
    r"Can't initialize ipvs|ipvsadm: |Are you sure that IP Virtual Server|.*command not found"
)
_PROMPT: Final = re.compile(r"#|(?:\S+@\S+.*)?[#$%>] ?(?:sudo )?(?:\S*/)?ipvsadm\b")


def parse_ipvsadm(data: bytes, file: str) -> IpvsDump:
    """The virtual servers of both families that the file tells of.

    Comments and the prompt at which the command was typed are passed over. Raises
    InputError, with the line, for anything that is not such output, or not whole.
    """
    form = _form(check_text(data, file).decode())
    table = Table(file)
    listing = Listing(table, form)
    warnings: list[Note] = []
    for number, line in numbered_lines(data, file):
        try:
            if form is Form.SAVE and is_saved_line(line):
                read_saved(table, line, number)
            elif form is not Form.SAVE and is_listing_line(line):
                listing.read(line, number)
            elif is_tool_message(line):
                warnings.append(Note(number, "message in the dump", line))
            elif not _PROMPT.match(line):
                raise _refused(line)
        except Fault as fault:
            raise InputError(file, number, str(fault)) from None
    if form is not Form.SAVE and not listing.has_heading:
        if not len(table):
            raise InputError(file, 1, f"nothing of ipvsadm's; {_INSTEAD}")
        warnings.append(Note(1, "no heading of ipvsadm: this may be a part of its output"))
    if not data.endswith(b"\n"):
        warnings.append(Note(data.count(b"\n") + 1, "the last line has no end: it may be cut off"))
    return IpvsDump(file, form, table.entries(), tuple(warnings))


def _form(text: str) -> Form:
    """The form, by the first line that is of one."""
    for line in text.split("\n"):
        stripped = line.strip()
        if is_listing_line(stripped):
            return Form.PROC if is_proc(text) else Form.LIST
        if is_saved_line(stripped):
            return Form.SAVE
    return Form.LIST


def _refused(line: str) -> Fault:
    if _FAILED.match(line):
        return Fault(f"ipvsadm failed: {shown(line)}")
    for pattern, looks in _FOREIGN:
        if re.match(pattern, line):
            return Fault(f"this looks like {looks}; {_INSTEAD}")
    return Fault(f"not a line of ipvsadm: {shown(line)}; {_INSTEAD}")
