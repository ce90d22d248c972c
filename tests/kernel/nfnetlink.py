"""Requests to netfilter's own netlink family, of which pyroute2 has only a part.

Source: linux/netfilter/nfnetlink.h.
"""

import os
import socket
import struct

LOG, ACCOUNTING = 4, 7  # NFNL_SUBSYS_ULOG, NFNL_SUBSYS_ACCT

_NETLINK_NETFILTER = 12
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400


def nfnetlink() -> socket.socket:
    """A socket to the network namespace that this is called in."""
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
    made.bind((0, 0))
    return made


def request(to: socket.socket, subsystem: int, message: int, group: int, kind: int, value: bytes) -> None:
    """Sends one message with one attribute; raises OSError when the kernel refuses it."""
    attribute = struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    body = struct.pack("!BBH", socket.AF_UNSPEC, 0, group) + attribute
    header = struct.pack("IHHII", 16 + len(body), subsystem << 8 | message, _REQUEST | _ACK | _CREATE, 0, 0)
    to.send(header + body)
    code: int = struct.unpack_from("i", to.recv(4096), 16)[0]
    if code:
        raise OSError(-code, f"nfnetlink subsystem {subsystem}: {os.strerror(-code)}")
