"""A network namespace without a name: this thread's own while it lasts, gone with its last descriptor."""

import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x1, 0x1000

_LIBC = ctypes.CDLL(None, use_errno=True)

# The rules decide and nothing beside them: no filter by route, by loopback or by rate, no chatter.
_SETTINGS = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv4/conf/{}/rp_filter": "0",
    "ipv4/conf/{}/accept_local": "1",
    "ipv4/conf/{}/route_localnet": "1",
    "ipv4/conf/{}/send_redirects": "0",
    "ipv6/conf/{}/accept_dad": "0",
    "ipv6/conf/{}/accept_ra": "0",
    "ipv6/conf/{}/router_solicitations": "0",
    "ipv6/conf/{}/addr_gen_mode": "1",
    "ipv4/icmp_ratemask": "0",
    "ipv6/icmp/ratemask": "",
}


@contextmanager
def own_namespace() -> Iterator[None]:
    """Within it, this thread and what it starts are in a namespace of their own, set up as a router."""
    before = os.open(f"/proc/self/task/{_thread()}/ns/net", os.O_RDONLY)
    try:
        _check(_LIBC.unshare(_CLONE_NEWNET))
        try:
            for path, value in _SETTINGS.items():
                for which in ("all", "default") if "{}" in path else ("",):
                    Path("/proc/sys/net", path.format(which)).write_text(value + "\n")
            yield
        finally:
            _check(_LIBC.setns(before, _CLONE_NEWNET))
    finally:
        os.close(before)


def tun(name: str) -> int:
    """A descriptor of a new TUN device: packets written come in by it, those that leave by it are read."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    request = struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(descriptor, _TUNSETIFF, request)
    return descriptor


def _thread() -> int:
    return ctypes.c_int(_LIBC.gettid()).value


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace of one's own: {os.strerror(number)}")
