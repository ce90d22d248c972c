"""Every error that the node is about to send is seen before any rule can swallow it.

A refusal is an answer of the node's own, so the node's rules for output may drop it: what
reaches the sender does not tell REJECT from DROP. A chain that is asked first of all at
output logs resets and unreachables to a netlink group of this process (NFLOG). A chain that
is never asked mentions a connection's state, so that connections are tracked at all: nft's
nat chains are asked only then.

Source: linux/netfilter/nfnetlink_log.h.
"""

import struct

from tests.kernel.nfnetlink import LOG, nfnetlink, request
from tests.kernel.raw import Refusal, read

RULES = """table inet svcproof-watch {
 chain connections {
  ct state new
 }
 chain output {
  type filter hook output priority -2147483648; policy accept;
  meta l4proto icmp icmp type destination-unreachable log group 7 queue-threshold 1
  meta l4proto ipv6-icmp icmpv6 type destination-unreachable log group 7 queue-threshold 1
  tcp flags rst log group 7 queue-threshold 1
 }
}
"""

_GROUP = 7
_PACKET, _CONFIG = 0, 1  # messages
_COMMAND, _MODE, _THRESHOLD = 1, 2, 5  # NFULA_CFG_*
_BIND, _COPY_PACKET = 1, 2
_PAYLOAD = 9  # NFULA_PAYLOAD


class Watch:
    """The errors of the network namespace that it was made in."""

    def __init__(self) -> None:
        self._socket = nfnetlink()
        for kind, value in (
            (_COMMAND, struct.pack("B", _BIND)),
            (_MODE, struct.pack("!IBx", 0xFFFF, _COPY_PACKET)),
            (_THRESHOLD, struct.pack("!I", 1)),
        ):
            request(self._socket, LOG, _CONFIG, _GROUP, kind, value)
        self._socket.setblocking(False)

    def close(self) -> None:
        self._socket.close()

    def refusals(self) -> list[Refusal]:
        """What was logged since the last call."""
        found: list[Refusal] = []
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return found
            found += [one for one in map(read, _payloads(data)) if isinstance(one, Refusal)]


def _payloads(data: bytes) -> list[bytes]:
    """The packets in a batch of netlink messages."""
    found = []
    while len(data) >= 16:
        size, kind = struct.unpack_from("IH", data)
        if kind == LOG << 8 | _PACKET:
            at = 20
            while at < size:
                length, name = struct.unpack_from("HH", data, at)
                if name & 0x3FFF == _PAYLOAD:
                    found.append(data[at + 4 : at + length])
                at += -(-length // 4) * 4
        data = data[-(-size // 4) * 4 :]
    return found
