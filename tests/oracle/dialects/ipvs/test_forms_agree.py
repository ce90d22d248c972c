"""A state printed as a listing and as commands is read as the same virtual servers.

The printers follow ipvsadm's own format strings (print_service_entry of ipvsadm.c).
"""

import attrs
from hypothesis import given

from model.addresses import Family, format_address
from model.packet import SCTP, TCP, UDP
from oracle.dialects.ipvs import parse_ipvsadm
from oracle.dialects.ipvs.records import SchedulerFlag, VirtualServerEntry
from tests.strategies.dumps import LISTED, METHODS, STATES

SAVED = {TCP: "-t", UDP: "-u", SCTP: "--sctp-service"}
HEADING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"""


def at(family: Family, address: int, port: int) -> str:
    text = format_address(family, address)
    return f"[{text}]:{port}" if family is Family.IPV6 else f"{text}:{port}"


def mask(one: VirtualServerEntry, word: str) -> str:
    if one.mask == one.family.top:
        return ""
    if one.family is Family.IPV4:
        return f" {word} {format_address(one.family, one.mask)}"
    return f" {word} {one.mask.bit_count()}"


def flags(one: VirtualServerEntry) -> str:
    """Of sh and mh by name, of every other scheduler by number, as ipvsadm 1.31 does."""
    names = {SchedulerFlag.FLAG_1: "flag-1", SchedulerFlag.FLAG_2: "flag-2", SchedulerFlag.FLAG_3: "flag-3"}
    if one.scheduler in ("sh", "mh"):
        names[SchedulerFlag.FLAG_1] = f"{one.scheduler}-fallback"
        names[SchedulerFlag.FLAG_2] = f"{one.scheduler}-port"
    return ",".join(name for flag, name in names.items() if flag in one.flags)


def listed(state: tuple[VirtualServerEntry, ...]) -> str:
    lines = [HEADING]
    for one in state:
        if one.frontend is None:
            name = f"FWM  {one.mark}" + (" IPv6" if one.family is Family.IPV6 else "")
        else:
            place = at(one.family, one.frontend.address, one.frontend.port)
            name = f"{LISTED[one.frontend.protocol]:<4s} {place}"
        line = f"{name} {one.scheduler}"
        line += f" ({flags(one)})" if one.flags else ""
        line += f" persistent {one.timeout}{mask(one, 'mask')}" if one.timeout else ""
        line += f" pe {one.engine}" if one.engine else ""
        line += " ops" if one.one_packet else ""
        lines.append(line + "\n")
        for real in one.real_servers:
            place = at(real.family, real.address, real.port)
            lines.append(
                f"  -> {place:<28s} {real.method.value:<7s} {real.weight:<6d} "
                f"{real.active:<10d} {real.inactive:<10d}\n"
            )
    return "".join(lines)


def saved(state: tuple[VirtualServerEntry, ...]) -> str:
    lines = []
    for one in state:
        if one.frontend is None:
            name = f"-f {one.mark}" + (" -6" if one.family is Family.IPV6 else "")
        else:
            place = at(one.family, one.frontend.address, one.frontend.port)
            name = f"{SAVED[one.frontend.protocol]} {place}"
        line = f"-A {name} -s {one.scheduler}"
        line += f" -p {one.timeout}{mask(one, '-M')}" if one.timeout else ""
        line += f" --pe {one.engine}" if one.engine else ""
        line += " -o" if one.one_packet else ""
        line += f" -b {flags(one)}" if one.flags else ""
        lines.append(line + "\n")
        for real in one.real_servers:
            place = at(real.family, real.address, real.port)
            lines.append(f"-a {name} -r {place} {METHODS[real.method]} -w {real.weight}\n")
    return "".join(lines)


def without_counts(one: VirtualServerEntry) -> VirtualServerEntry:
    reals = tuple(attrs.evolve(real, active=None, inactive=None) for real in one.real_servers)
    return attrs.evolve(one, real_servers=reals)


@given(STATES)
def test_a_listing_is_read_as_the_state_it_was_printed_from(state: tuple[VirtualServerEntry, ...]) -> None:
    """IPVS-01, IPVS-02 for both families, marks and every flag."""
    assert state == parse_ipvsadm(listed(state).encode(), "list").virtual_servers


@given(STATES)
def test_commands_are_read_as_the_same_state_without_counts(state: tuple[VirtualServerEntry, ...]) -> None:
    expected = tuple(map(without_counts, state))

    assert expected == parse_ipvsadm(saved(state).encode(), "save").virtual_servers
