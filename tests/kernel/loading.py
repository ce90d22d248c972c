"""Rules get into the kernel by the tools that a node has: what is loaded is what a dump says."""

import enum
import re
import subprocess
import time
from collections.abc import Mapping

from model.addresses import Family
from tests.kernel.nfnetlink import ACCOUNTING, nfnetlink, request
from tests.kernel.watch import RULES


class Loader(enum.Enum):
    """Which back end takes the rules."""

    LEGACY = "iptables-legacy"
    NFT = "iptables-nft"
    NFTABLES = "nftables"


_RESTORE = {
    (Loader.LEGACY, Family.IPV4): "iptables-legacy-restore",
    (Loader.LEGACY, Family.IPV6): "ip6tables-legacy-restore",
    (Loader.NFT, Family.IPV4): "iptables-nft-restore",
    (Loader.NFT, Family.IPV6): "ip6tables-nft-restore",
}
_COUNTER = re.compile(r"--nfacct-name +(\S+)")
_NEW, _NAME = 0, 1  # NFNL_MSG_ACCT_NEW, NFACCT_NAME

# Seconds. Some nat chains were seen not to be asked yet for the first 10 milliseconds.
_SETTLING = 0.03

TOOLS = (*_RESTORE.values(), "nft")


class NotLoadedError(Exception):
    """A tool refused the rules; its words."""


def load(loader: Loader, texts: Mapping[Family, str] | str) -> None:
    """Loads the rules into the namespace that this is called in, which had none.

    `texts` are iptables-save's by family, or one listing of nft. Raises NotLoadedError.
    """
    if isinstance(texts, str):
        _load(loader, {}, RULES + texts)
    else:
        _load(loader, texts, RULES)
    time.sleep(_SETTLING)


def _load(loader: Loader, texts: Mapping[Family, str], listing: str) -> None:
    _run(["nft", "-f", "-"], listing)
    _make_counters({name for text in texts.values() for name in _COUNTER.findall(text)})
    for family, text in texts.items():
        _run([_RESTORE[loader, family]], text)


def _make_counters(names: set[str]) -> None:
    """The counters that `-m nfacct` names; kube-proxy makes them, and no dump of rules has them."""
    with nfnetlink() as to:
        for name in names:
            request(to, ACCOUNTING, _NEW, 0, _NAME, name.encode() + b"\0")


def _run(command: list[str], text: str) -> None:
    ran = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if ran.returncode or ran.stderr:
        raise NotLoadedError(f"{command[0]}: {ran.stderr.strip()}")
