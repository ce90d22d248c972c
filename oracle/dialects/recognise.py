"""Which tool wrote a file of rules, by the name it has in a bundle or else by how it begins."""

import enum
import re
from pathlib import PurePath
from typing import Final


class Tool(enum.Enum):
    """The tools whose output tells what a node does."""

    IPTABLES = "iptables-save"
    NFT = "nft"
    IPVSADM = "ipvsadm"
    IPSET = "ipset"
    CILIUM = "cilium-dbg service list"


HEAD_BYTES: Final = 1 << 16

_BY_NAME: Final = {
    "iptables-save": Tool.IPTABLES,
    "ip6tables-save": Tool.IPTABLES,
    "nft": Tool.NFT,
    "nft.json": Tool.NFT,
    "ipvsadm": Tool.IPVSADM,
    "ipset": Tool.IPSET,
    "cilium-services.json": Tool.CILIUM,
}
_BY_BEGINNING: Final = (
    (re.compile(r"table (?:(?:ip|ip6|inet|arp|bridge|netdev) )?\S+ \{"), Tool.NFT),
    (re.compile(r"(?:map|set|chain) \S+ \{"), Tool.NFT),  # an excerpt, which its reader refuses by name
    (re.compile(r"# Warning: table \w+ \w+ is managed by iptables-nft"), Tool.NFT),
    (re.compile(r'\{\s*"nftables"'), Tool.NFT),
    (re.compile(r'\[\s*(?:\{\s*"(?:spec|status)"|\]\s*$)'), Tool.CILIUM),
    (re.compile(r"IP Virtual Server version|Prot LocalAddress:Port|IPVS connection entries"), Tool.IPVSADM),
    # Cut out of a listing, without its heading.
    (re.compile(r"(?:(?:TCP|UDP|SCTP)\s+\S+:\S+|FWM\s+\d+(?:\s+IPv6)?)\s+[a-z]+(?:\s|$)"), Tool.IPVSADM),
    # No chain of iptables begins with a dash, so `-A -t` is a service.
    (
        re.compile(r"(?:-A|-a|--add-service|--add-server)\s+-(?:[tuf]|-(?:tcp|udp|sctp|fwmark)-service)\s"),
        Tool.IPVSADM,
    ),
    (re.compile(r"Name: \S+$"), Tool.IPSET),
    (re.compile(r"create \S+ \w+(?::[\w,]+)? "), Tool.IPSET),
)


def tool_of(data: bytes, file: str) -> Tool:
    """The tool that wrote the file; what nothing tells is taken for iptables-save's.

    Its reader then says what is wrong with it.
    """
    named = _BY_NAME.get(PurePath(file).name.removesuffix(".gz"))
    if named is not None:
        return named
    head = data[:HEAD_BYTES].decode("utf-8", "backslashreplace").removeprefix("\ufeff").lstrip()
    for line in head.split("\n"):
        text = line.strip()
        if not text or (text[0] == "#" and "managed by iptables-nft" not in text):
            continue
        for beginning, tool in _BY_BEGINNING:
            if beginning.match(text) or beginning.match(head):
                return tool
        return Tool.IPTABLES
    return Tool.IPTABLES
