"""Tables that nft can load, as text: every match and statement that its reader judges, wherever it may stand.

Not only such as a proxy writes: any hook, several priorities, sets, maps and verdict maps.
Sets that rules add to are left out, which remember from one packet to the next.
"""

from hypothesis import strategies as st

from model.addresses import Family
from tests.kernel.world import PLACES
from tests.strategies.kernel_rules import INTERFACES, REJECTS
from tests.strategies.weights import evenly

_WORD = {Family.IPV4: "ip", Family.IPV6: "ip6"}
_PROTOCOL = {Family.IPV4: "icmp", Family.IPV6: "ipv6-icmp"}
_HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
_PRIORITIES = (-300, -150, -90, 0, 10, 110)
_REJECTING = ("prerouting", "input", "forward", "output")
_PORT_VALUES = (
    "53",
    "80",
    "443",
    "8080",
    "80-443",
    "!= 80",
    "!= 80-8080",
    "{ 53, 443-8080 }",
    "!= { 80, 443 }",
)
_MARKS = (
    *("meta mark 0x1", "meta mark != 0x2", "meta mark & 0x3 == 0x1", "meta mark & 0x2 != 0x0"),
    *("mark and 0x4000 == 0x4000", "meta mark { 0x1, 0x3 }"),
)
_SETS_MARK = (
    *("0x1", "meta mark | 0x2", "meta mark & 0xfffffffe", "meta mark ^ 0x3", "mark or 0x4000"),
    "meta mark and 0xfffffffd xor 0x1",
)
_STATES = ("new", "established,related", "!= new", "invalid", "untracked", "{ new, untracked }")


@st.composite
def nft_rules(draw: st.DrawFn, family: Family) -> str:
    """One or two tables; of several base chains at a hook none has another's priority."""
    words = draw(evenly(("own",), ("inet",), ("own", "inet")))
    free = [(hook, priority) for hook in _HOOKS for priority in _PRIORITIES]
    nat_at = draw(evenly(*range(len(words))))
    tables = []
    for at, word in enumerate(words):
        table = _Table(draw, family, _WORD[family] if word == "own" else "inet")
        places = draw(st.lists(st.sampled_from(free), min_size=1, max_size=3, unique=True))
        for place in places:
            free.remove(place)
        tables.append(table.text(f"t{at}", places, has_nat=at == nat_at))
    return "".join(tables)


class _Table:
    """A table while it is drawn."""

    def __init__(self, draw: st.DrawFn, family: Family, word: str) -> None:
        self.draw = draw
        self.family = family
        self.word = word
        self.address = _WORD[family]

    def text(self, name: str, places: list[tuple[str, int]], *, has_nat: bool) -> str:
        lines = [f"table {self.word} {name} {{"]
        kind = "ipv4_addr" if self.family is Family.IPV4 else "ipv6_addr"
        known = ", ".join(self._some(PLACES[self.family].everywhere, 3))
        lines += [f" set known {{ type {kind}; elements = {{ {known} }} }}"]
        nets = ", ".join(self._some(PLACES[self.family].networks[0:3:2], 2))
        lines += [f" set nets {{ type {kind}; flags interval; elements = {{ {nets} }} }}"]
        keys = self._some(
            [f"{at} . {p} . {port}" for at in PLACES[self.family].everywhere for p, port in _KEYS], 9
        )
        lines += [f" map services {{ type {kind} . inet_proto . inet_service : verdict"]
        verdicts = self._verdicts(())
        lines += [
            f"  elements = {{ {', '.join(f'{key} : {self.draw(evenly(*verdicts))}' for key in keys)} }}",
            " }",
        ]
        # Called chains first. Those that refuse may be called from where that is allowed alone.
        for number in (2, 1, 0):
            lines += self._chain(f"f{number}", "", self._below("f", number), rejects=False)
            if has_nat:
                lines += self._chain(f"d{number}", "", self._below("d", number), nat="d")
        for hook, priority in places:
            policy = "drop" if self.draw(evenly(*range(12))) == 11 else "accept"
            head = f"  type filter hook {hook} priority {priority}; policy {policy};"
            name = f"base_{hook}_{priority + 300}"
            # Before connections are looked up is where one can be told not to be.
            is_early = priority == -300 and hook in ("prerouting", "output")
            rejects = None if is_early else hook in _REJECTING
            below = () if is_early else ("f0", "f1", "f2")
            lines += self._chain(name, head, below, rejects=rejects, root=hook)
        for hook in ("prerouting", "output", "postrouting", "input") if has_nat else ():
            at = self.draw(evenly(-100, -100, 100, 5)) if hook in ("prerouting", "output") else 100
            head = f"  type nat hook {hook} priority {at}; policy accept;"
            is_dnat = hook in ("prerouting", "output")
            below = ("d0", "d1", "d2") if is_dnat else ()
            nat = "d" if is_dnat else hook
            lines += self._chain(f"nat_{hook}", head, below, nat=nat, root=hook)
        return "\n".join([*lines, "}", ""])

    def _below(self, prefix: str, number: int) -> tuple[str, ...]:
        return tuple(f"{prefix}{below}" for below in range(number + 1, 3))

    def _some(self, of: "list[str] | tuple[str, ...]", most: int) -> list[str]:
        return self.draw(st.lists(st.sampled_from(of), min_size=1, max_size=most, unique=True))

    def _chain(
        self,
        name: str,
        head: str,
        below: tuple[str, ...],
        *,
        rejects: bool | None = False,
        nat: str = "",
        root: str = "",
    ) -> list[str]:
        rules = [
            f"  {self._rule(below, rejects, nat, root)}"
            for _ in range(self.draw(st.integers(0, 4 if head else 3)))
        ]
        return [f" chain {name} {{", *([head] if head else []), *rules, " }"]

    def _rule(self, below: tuple[str, ...], rejects: bool | None, nat: str, root: str) -> str:
        protocol = self.draw(evenly("", "", "tcp", "udp", "sctp"))
        matches = [self._match(root, protocol, rejects is None) for _ in range(self.draw(evenly(0, 1, 1, 2)))]
        if protocol:
            way = self.draw(
                evenly(f"{protocol} dport", f"{protocol} dport", f"meta l4proto {protocol} th dport")
            )
            matches.append(f"{way} {self.draw(evenly(*_PORT_VALUES))}")
        return " ".join([*matches, self._statement(below, rejects, nat, protocol)]).strip()

    def _match(self, root: str, protocol: str, is_early: bool) -> str:
        draw, address, places = self.draw, self.address, PLACES[self.family]
        field = f"{address} {draw(evenly('saddr', 'daddr'))}"
        low, high = draw(evenly(places.outside, places.pods))
        one, other = draw(evenly(*places.everywhere)), draw(evenly(*places.everywhere))
        both = f"{{ {one}, {other} }}" if one != other else one
        options = [
            f"{field} {draw(evenly('', '!= '))}{draw(evenly(*places.everywhere, *places.networks))}",
            f"{field} {draw(evenly('', '!= '))}{low}-{high}",
            f"{field} {draw(evenly('', '!= '))}{both}",
            f"{field} {draw(evenly('', '!= '))}@{draw(evenly('known', 'nets'))}",
            draw(evenly(*_MARKS)),
            f"fib {draw(evenly('saddr', 'daddr'))} type {draw(evenly('local', '!= local', 'multicast'))}",
            f"meta nfproto {self.family.value.lower()}" if self.word == "inet" else "counter",
            f"numgen random mod {draw(evenly('2 0', '3 != 1', '4 < 2'))}",
            f"numgen inc mod {draw(evenly('2 0', '3 1'))}",
            f"{address} daddr . meta l4proto . th dport {{ {one} . tcp . 80, {other} . udp . 53 }}",
        ]
        if not is_early:  # where connections are not looked up yet, every packet is invalid
            options.append(f"ct state {draw(evenly(*_STATES))}")
            options.append(f"ct status {draw(evenly('dnat', 'snat', 'dnat,snat'))}")
        if not protocol:
            known = ("tcp", "udp", "!= tcp", "{ udp, sctp }", "253", _PROTOCOL[self.family])
            options.append(f"meta l4proto {draw(evenly(*known))}")
        if protocol == "tcp":
            options.append(
                f"tcp flags {draw(evenly('syn', '& (syn | ack) == syn', '& rst == rst', '!= syn'))}"
            )
        if root in ("", "prerouting", "input", "forward"):
            options.append(f"iifname {draw(evenly('', '!= '))}{self._interfaces()}")
        if root in ("", "forward", "output", "postrouting"):
            options.append(f"oifname {draw(evenly('', '!= '))}{self._interfaces()}")
        return draw(evenly(*options))

    def _interfaces(self) -> str:
        one, other = (self.draw(evenly(*INTERFACES)).replace("+", "*") for _ in range(2))
        is_set = one != other and "*" not in one + other and self.draw(st.booleans())
        return f'{{ "{one}", "{other}" }}' if is_set else f'"{one}"'

    def _verdicts(self, below: tuple[str, ...]) -> list[str]:
        calls = [f"{verb} {chain}" for chain in below for verb in ("jump", "goto")]
        return ["accept", "drop", "return", "continue", *calls]

    def _statement(self, below: tuple[str, ...], rejects: bool | None, nat: str, protocol: str) -> str:
        draw = self.draw
        verdicts = self._verdicts(below)
        options = [*verdicts, "counter", "counter accept", 'comment "drop"']
        options += ["notrack"] if rejects is None else []
        options += [f"meta mark set {draw(evenly(*_SETS_MARK))}"] * 3
        options += [f"meta mark set {draw(evenly(*_SETS_MARK))} {verdict}" for verdict in verdicts[-2:]]
        one, other = draw(evenly(*verdicts)), draw(evenly(*verdicts))
        # Both ways come back to the next rule, or none does; others are not judged.
        comes_back = ("jump", "continue", "accept", "drop")
        together = draw(st.booleans())
        ways = [verdict for verdict in verdicts if verdict.startswith(comes_back) is together]
        first, second = (draw(evenly(*(ways or ["accept"]))) for _ in range(2))
        options.append(f"numgen random mod 2 vmap {{ 0 : {first}, 1 : {second} }}")
        options.append(f"{self.address} daddr . meta l4proto . th dport vmap @services")
        options.append(f"meta l4proto vmap {{ tcp : {one}, udp : {other} }}")
        if protocol:
            options.append(f"{protocol} dport vmap {{ 80 : {one}, 443-8080 : {other} }}")
        if rejects:
            kind, prefix = ("icmp", "icmp-") if self.family is Family.IPV4 else ("icmpv6", "icmp6-")
            names = [name for name in REJECTS[self.family] if name[len(prefix) :] in _NFT_REJECTS]
            name = draw(evenly(*names)).removeprefix(prefix).replace("adm-prohibited", "admin-prohibited")
            options += [f"reject with {kind} type {name}", "reject"]
            options += ["reject with tcp reset"] if protocol == "tcp" else []
            options += ["reject with icmpx type admin-prohibited"] if self.word == "inet" else []
        if nat:
            options += self._nat(nat, protocol) * 3
        return draw(evenly(*options))

    def _nat(self, nat: str, protocol: str) -> list[str]:
        places = PLACES[self.family]
        word = f" {self.address}" if self.word == "inet" else ""
        if nat != "d":
            snat = f"snat{word} to {places.own[1]}"
            return [snat, "masquerade"] if nat == "postrouting" else [snat]
        to = self.draw(evenly(*places.pods, *places.outside, *places.own))
        host = f"[{to}]" if self.family is Family.IPV6 else to
        options = [f"dnat{word} to {to}"]
        if protocol:
            options += [
                f"dnat{word} to {host}:{self.draw(evenly('53', '8080'))}",
                "redirect to :8080",
                "redirect",
            ]
            pairs = f"{{ 0 : {places.pods[0]} . 80, 1 : {places.pods[1]} . 8080 }}"
            options.append(f"dnat {self.address} addr . port to numgen random mod 2 map {pairs}")
        return options


_KEYS = (("tcp", 80), ("udp", 53), ("sctp", 443), ("tcp", 8080))
_NFT_REJECTS = {
    *("net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable", "net-prohibited"),
    *("host-prohibited", "admin-prohibited", "no-route", "adm-prohibited", "addr-unreachable"),
    *("policy-fail", "reject-route"),
}
