"""Rules that iptables can load, as text: every match and target that its reader judges, wherever it may be.

Not only such as a proxy writes: any table, any chain, any order. `recent` is left out, which
remembers from one packet to the next. Rules for nft are in `kernel_nft`.
"""

from collections.abc import Callable

import attrs
from hypothesis import strategies as st

from model.addresses import Family
from tests.kernel.world import OUTSIDE_DEVICE, PLACES, POD_DEVICE, PORTS
from tests.strategies.weights import evenly

_TABLES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
_WITH_IN = ("PREROUTING", "INPUT", "FORWARD")
_WITH_OUT = ("FORWARD", "OUTPUT", "POSTROUTING")
REJECTS = {
    Family.IPV4: (
        *("icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable"),
        *("icmp-port-unreachable", "icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited"),
    ),
    Family.IPV6: (
        *("icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable"),
        *("icmp6-port-unreachable", "icmp6-policy-fail", "icmp6-reject-route"),
    ),
}
INTERFACES = (OUTSIDE_DEVICE, POD_DEVICE, "lo", "pods+", "e+", "none0")
MARKS = ("0x1", "0x2/0x2", "0x0/0x3", "0x3/0xf", "0x4000/0x4000")
PORT_TEXTS = (*map(str, PORTS), "80:443", ":80", "443:", "81:442")
PORT_LISTS = ("80,443", "53,80:443", "8080", "1:52,8080")
FLAGS = ("--syn", "--tcp-flags SYN,ACK SYN", "--tcp-flags RST RST", "--tcp-flags FIN,SYN,RST,ACK SYN")
STATES = ("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED", "DNAT", "SNAT", "NEW,DNAT")
# One choice in a rule set at most leaves every fate of a packet its due odds among a thousand packets.
CHANCES = (
    "--mode random --probability 0.50000000000",
    "--mode random --probability 0.33333333349",
    "--mode nth --every 2 --packet 1",
    "--mode nth --every 3 --packet 0",
)


@attrs.frozen
class _Spot:
    """Where a rule stands: its table, what its chain is reached from, and the chains that it may call."""

    table: str
    roots: tuple[str, ...]
    below: tuple[str, ...]


@st.composite
def iptables_rules(draw: st.DrawFn, family: Family) -> str:
    """All tables as iptables-save prints them, some of them empty."""
    return "".join(_table(draw, family, table) for table in _TABLES)


def _table(draw: st.DrawFn, family: Family, table: str) -> str:
    own = _TABLES[table]
    # Of nat the chains that replace destinations are apart from those that replace sources.
    groups = (("PREROUTING", "OUTPUT"), ("INPUT", "POSTROUTING")) if table == "nat" else (own,)
    declared: list[str] = []
    rules: list[str] = []
    for at, group in enumerate(groups):
        chains = tuple(f"c{at}{number}" for number in range(3))
        used = draw(st.integers(0, 3)) if table in ("nat", "filter") else draw(evenly(0, 0, 1))
        for root in group:
            policy = "DROP" if table != "nat" and draw(evenly(*range(12))) == 11 else "ACCEPT"
            declared.append(f":{root} {policy} [0:0]")
            rules += [
                f"-A {root} {_rule(draw, family, _Spot(table, (root,), chains))}"
                for _ in range(draw(st.integers(0, 2 * used)))
            ]
        for number, chain in enumerate(chains):
            declared.append(f":{chain} - [0:0]")
            spot = _Spot(table, group, chains[number + 1 :])
            rules += [f"-A {chain} {_rule(draw, family, spot)}" for _ in range(draw(st.integers(0, used)))]
    return "\n".join([f"*{table}", *declared, *rules, "COMMIT", ""])


def _rule(draw: st.DrawFn, family: Family, spot: _Spot) -> str:
    protocol = draw(evenly("", "", "tcp", "udp", "sctp"))
    words: list[str] = []
    for flag in draw(st.lists(evenly("-s", "-d"), max_size=2, unique=True)):
        words.append(_negated(draw, f"{flag} {draw(evenly(*_networks(family)))}"))
    if protocol:
        words.append(f"-p {protocol}")
    elif draw(evenly(*range(8))) == 0:
        words.append(_negated(draw, f"-p {draw(evenly('tcp', 'udp', '132', '1', '58', '253'))}"))
    readers = draw(st.lists(evenly(*_MATCHES), max_size=2, unique=True))
    words += [text for read in readers if (text := read(draw, family, protocol, spot))]
    # Options of iptables itself come before those of its modules.
    words.sort(key=lambda word: "-m " in word)
    if protocol and draw(st.booleans()):
        words.append(f"-m {protocol} {_negated(draw, f'--dport {draw(evenly(*PORT_TEXTS))}')}")
    return " ".join([*words, _target(draw, family, protocol, spot)]).strip()


def _networks(family: Family) -> tuple[str, ...]:
    return (*PLACES[family].everywhere, *PLACES[family].networks)


def _negated(draw: st.DrawFn, text: str) -> str:
    return f"! {text}" if draw(evenly(False, False, True)) else text


def _in_interface(draw: st.DrawFn, _: Family, __: str, spot: _Spot) -> str:
    if not set(spot.roots) <= set(_WITH_IN):
        return ""
    return _negated(draw, f"-i {draw(evenly(*INTERFACES))}")


def _out_interface(draw: st.DrawFn, _: Family, __: str, spot: _Spot) -> str:
    if not set(spot.roots) <= set(_WITH_OUT):
        return ""
    return _negated(draw, f"-o {draw(evenly(*INTERFACES))}")


def _multiport(draw: st.DrawFn, _: Family, protocol: str, __: _Spot) -> str:
    if not protocol:
        return ""
    return f"-m multiport {_negated(draw, f'--dports {draw(evenly(*PORT_LISTS))}')}"


def _flags(draw: st.DrawFn, _: Family, protocol: str, __: _Spot) -> str:
    return f"-m tcp {_negated(draw, draw(evenly(*FLAGS)))}" if protocol == "tcp" else ""


def _mark(draw: st.DrawFn, _: Family, __: str, ___: _Spot) -> str:
    return f"-m mark {_negated(draw, f'--mark {draw(evenly(*MARKS))}')}"


def _statistic(draw: st.DrawFn, _: Family, __: str, ___: _Spot) -> str:
    return f"-m statistic {draw(evenly(*CHANCES))}"


def _addrtype(draw: st.DrawFn, _: Family, __: str, ___: _Spot) -> str:
    flag, kind = draw(evenly("--src-type", "--dst-type")), draw(evenly("LOCAL", "LOCAL", "MULTICAST"))
    return f"-m addrtype {_negated(draw, f'{flag} {kind}')}"


def _conntrack(draw: st.DrawFn, _: Family, __: str, spot: _Spot) -> str:
    if spot.table == "raw":  # asked before connections are looked up, where every packet is INVALID
        return ""
    return f"-m conntrack {_negated(draw, f'--ctstate {draw(evenly(*STATES))}')}"


def _iprange(draw: st.DrawFn, family: Family, _: str, __: _Spot) -> str:
    flag = draw(evenly("--src-range", "--dst-range"))
    places = PLACES[family]
    low, high = draw(evenly(places.outside, places.pods, places.own[:1] * 2))
    return f"-m iprange {_negated(draw, f'{flag} {low}-{high}')}"


def _comment(_: st.DrawFn, __: Family, ___: str, ____: _Spot) -> str:
    return '-m comment --comment "a \\"rule\\" -j DROP"'


_MATCHES: tuple[Callable[[st.DrawFn, Family, str, _Spot], str], ...] = (
    *(_in_interface, _out_interface, _multiport, _flags, _mark, _statistic),
    *(_addrtype, _conntrack, _iprange, _comment),
)


def _target(draw: st.DrawFn, family: Family, protocol: str, spot: _Spot) -> str:
    options = ["", "-j ACCEPT", "-j RETURN", _mark_target(draw), _mark_target(draw)]
    options += [f"{flag} {chain}" for chain in spot.below for flag in ("-j", "-j", "-g")]
    if spot.table == "raw":
        options += ["-j CT --notrack", "-j NOTRACK"]
    if spot.table == "nat":
        options += _nat_targets(draw, family, protocol, spot) * 3
    else:
        options.append("-j DROP")
    if spot.table == "filter":
        options += [f"-j REJECT --reject-with {draw(evenly(*REJECTS[family]))}"] * 2
        options += ["-j REJECT --reject-with tcp-reset"] if protocol == "tcp" else []
    return draw(evenly(*options))


def _mark_target(draw: st.DrawFn) -> str:
    bits = draw(evenly("0x1", "0x2", "0x3", "0x4000", "0xfffffffe"))
    way = draw(evenly("--set-mark", "--or-mark", "--and-mark", "--xor-mark", "--set-xmark"))
    return f"-j MARK {way} {bits}" + ("/0x3" if way.startswith("--set") and draw(st.booleans()) else "")


def _nat_targets(draw: st.DrawFn, family: Family, protocol: str, spot: _Spot) -> list[str]:
    places = PLACES[family]
    if set(spot.roots) <= {"PREROUTING", "OUTPUT"}:
        to = draw(evenly(*places.pods, *places.outside, *places.own))
        host = f"[{to}]" if family is Family.IPV6 else to
        texts = [f"-j DNAT --to-destination {to}"]
        if protocol:
            texts += [
                f"-j DNAT --to-destination {host}:{draw(evenly(*PORTS))}",
                "-j DNAT --to-destination :80",
            ]
            texts += ["-j REDIRECT --to-ports 8080", "-j REDIRECT"]
        return texts
    snat = [f"-j SNAT --to-source {places.own[1]}"]
    return [*snat, "-j MASQUERADE"] if spot.roots == ("POSTROUTING",) else snat
