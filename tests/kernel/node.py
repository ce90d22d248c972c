"""A node made of the kernel alone: what it does with a packet is seen, not computed.

It is a network namespace with a TUN device for each interface. A packet from the wire is
written to the device it comes in by; one of the node's own is sent by a raw socket. Then it
leaves by a device, or a raw socket gets it, or the node is about to send an error for it,
or none of these, which is a drop. All of it happens before the write returns, so that one
packet at a time is asked and none is waited for.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import attrs
from pyroute2 import IPRoute  # type: ignore[import-untyped]

from model.addresses import Family, format_address, parse_cidr
from model.node_config import InterfaceAddress
from model.outcome import Leaf, Target, Verdict
from model.packet import SCTP, TCP, UDP, Origin, Packet
from tests.kernel.namespace import own_namespace, tun
from tests.kernel.raw import Refusal, Seen, first_packet, read, read_body
from tests.kernel.watch import Watch

_NOBODYS = 253  # for experiments (RFC 3692): no ports, no handler
_HEARD = {Family.IPV4: (TCP, UDP, SCTP, 1, _NOBODYS), Family.IPV6: (TCP, UDP, SCTP, 58, _NOBODYS)}
_AF = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_FIRST_PORT, _PORTS = 20000, 40000

_NOTHING = Leaf(Verdict.DROP, 0)  # type: ignore[arg-type]


@attrs.frozen
class Device:
    """An interface: its name, the node's addresses on it, and the networks that it leads to, as CIDRs."""

    name: str
    addresses: tuple[InterfaceAddress, ...] = ()
    leads_to: tuple[str, ...] = ()


class Node:
    """A node that is there; `standing` makes one and takes it away."""

    def __init__(self, devices: Sequence[Device], descriptors: Sequence[int]) -> None:
        self._write_to = {one.name: at for one, at in zip(devices, descriptors, strict=True)}
        self._routes = sorted(_routes(devices), key=lambda route: route[2] - route[1])
        self._watch = Watch()
        self._listening = {
            (family, protocol): _listening(family, protocol)
            for family, protocols in _HEARD.items()
            for protocol in protocols
        }
        self._sending = {
            family: socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW) for family, kind in _AF.items()
        }
        self._sent = 0

    def close(self) -> None:
        """Frees the sockets; the devices go with their descriptors."""
        self._watch.close()
        for one in (*self._listening.values(), *self._sending.values()):
            one.close()

    def send(self, packet: Packet) -> Leaf:
        """What becomes of the packet, with odds 0; it comes in by the device that leads to its source.

        What is replaced by itself cannot be seen: such a destination is PASS, such a source
        kept. No source port is used twice within 40,000 packets.
        """
        self._sent += 1
        ident = self._sent
        data = first_packet(packet, _FIRST_PORT + ident % _PORTS, ident)
        if packet.origin is Origin.NODE:
            try:
                to = format_address(packet.family, packet.destination)
                self._sending[packet.family].sendto(data, (to, 0))
            except PermissionError:  # a rule for output dropped it
                pass
        else:
            os.write(self._write_to[packet.in_interface or self.device_to(packet)], data)
        return self._fate(packet, ident)

    def device_to(self, packet: Packet) -> str:
        """The device that leads to the packet's source."""
        return next(
            device
            for family, low, high, device in self._routes
            if family is packet.family and low <= packet.source <= high
        )

    def _fate(self, packet: Packet, ident: int) -> Leaf:
        found = [one for one in self._heard(packet) if isinstance(one, Seen) and one.ident == ident]
        for descriptor in self._write_to.values():
            found += [one for one in _left(descriptor) if isinstance(one, Seen) and one.ident == ident]
        refusals = [one for one in self._watch.refusals() if one.ident == ident]
        if not found:
            reject_with = refusals[0].reject_with if refusals else ""
            return Leaf(Verdict.REJECT if refusals else Verdict.DROP, _NOTHING.odds, None, False, reject_with)
        (seen,) = found
        masquerade = seen.source != packet.source
        if (seen.destination, seen.port) == (packet.destination, packet.port):
            return Leaf(Verdict.PASS, _NOTHING.odds, None, masquerade)
        return Leaf(Verdict.DNAT, _NOTHING.odds, Target(seen.destination, seen.port), masquerade)

    def _heard(self, packet: Packet) -> Iterator[Seen | Refusal | None]:
        """What the node itself got, past all its rules."""
        heard = self._listening[packet.family, packet.protocol]
        while True:
            try:
                data, extra, _, sender = heard.recvmsg(4096, 256)
            except BlockingIOError:
                return
            if packet.family is Family.IPV4:
                yield read(data)
            else:
                (to,) = (value[:16] for _, kind, value in extra if kind == socket.IPV6_PKTINFO)
                source = socket.inet_pton(socket.AF_INET6, sender[0].partition("%")[0])
                yield read_body(packet.protocol, int.from_bytes(source), int.from_bytes(to), data)


def _left(descriptor: int) -> Iterator[Seen | Refusal | None]:
    """What left by a device."""
    while True:
        try:
            yield read(os.read(descriptor, 4096))
        except BlockingIOError:
            return


def _listening(family: Family, protocol: int) -> socket.socket:
    heard = socket.socket(_AF[family], socket.SOCK_RAW, protocol)
    heard.setblocking(False)
    if family is Family.IPV6:
        heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    return heard


@contextmanager
def standing(devices: Sequence[Device]) -> Iterator[Node]:
    """A node with these devices, without rules; within it, programs that are started load theirs into it.

    The first device leads to everywhere that no other does.
    """
    with ExitStack() as stack:
        stack.enter_context(own_namespace())
        descriptors = []
        for device in devices:
            descriptors.append(tun(device.name))
            stack.callback(os.close, descriptors[-1])
        _configure(devices)
        node = Node(devices, descriptors)
        stack.callback(node.close)
        yield node


def _configure(devices: Sequence[Device]) -> None:
    with IPRoute() as routing:
        names = {link.get("ifname"): link["index"] for link in routing.get_links()}
        for name in ("lo", *(device.name for device in devices)):
            routing.link("set", index=names[name], state="up")
        for device in devices:
            for one in device.addresses:
                text = format_address(one.family, one.address)
                routing.addr("add", index=names[device.name], address=text, prefixlen=one.prefix_length)
        for at, device in enumerate(devices):
            everywhere = ("0.0.0.0/0", "::/0") if at == 0 else ()
            for network in (*device.leads_to, *everywhere):
                routing.route("add", dst=network, oif=names[device.name])


def _routes(devices: Sequence[Device]) -> Iterator[tuple[Family, int, int, str]]:
    """Every way out, (family, lowest address, highest, device)."""
    for at, device in enumerate(devices):
        for one in device.addresses:
            host_bits = one.family.bits - one.prefix_length
            low = one.address >> host_bits << host_bits
            yield one.family, low, low | (1 << host_bits) - 1, device.name
        for text in (*device.leads_to, *(("0.0.0.0/0", "::/0") if at == 0 else ())):
            family, ((low, high),) = parse_cidr(text)
            yield family, low, high, device.name
