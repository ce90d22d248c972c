"""Which lines of a dump are to blame for what became of a packet."""

import re
from collections.abc import Iterable, Sequence

from model.frontends import Owner
from model.outcome import Target, Verdict
from model.packet import Packet
from oracle.findings import Line
from oracle.names import is_kube_proxy_rule
from oracle.plain import End
from oracle.ruleset import Dnat, Masquerade, Redirect

MAX_LINES = 8  # guilty lines kept a difference


def cited(rules: Iterable[tuple[str, object]]) -> tuple[Line, ...]:
    out = dict.fromkeys(
        Line(file, getattr(rule, "line", 0), getattr(rule, "text", "")) for file, rule in rules
    )
    return tuple(out)[-MAX_LINES:]


def deciding(ends: Sequence[End], verdict: Verdict) -> tuple[Line, ...]:
    """The rule that gave the verdict, on each way that ended so."""
    return cited(end.state.trail[-1] for end in ends if end.verdict is verdict and end.state.trail)


def entries(ends: Sequence[End]) -> tuple[Line, ...]:
    """The rules by which translated packets entered a service's chains."""
    out: list[tuple[str, object]] = []
    for end in ends:
        if end.verdict is Verdict.DNAT:
            out += [
                (file, rule)
                for file, rule in end.state.trail
                if any(f"-j KUBE-{kind}-" in rule.text for kind in ("SVC", "SVL", "EXT", "XLB", "FW"))
            ][:1]
    return cited(out)


def way_in(met: Sequence[Line]) -> tuple[Line, ...]:
    """The rules nearest to the Service that an untranslated packet met."""
    for kinds in ("KUBE-(SVC|SVL|EXT|XLB|FW)-", "KUBE-NODEPORTS$", "KUBE-SERVICES$"):
        near = [line for line in met if re.search(f" -[jg] {kinds}", line.text)]
        if near:
            return tuple(near[:MAX_LINES])
    return ()


def unknown_targets(owners: tuple[Owner, ...], ends: Sequence[End]) -> list[End]:
    known = {
        (endpoint.address, endpoint.port)
        for one, _ in owners
        for endpoints in one.endpoint_choices
        for endpoint in endpoints
    }
    return [end for end in ends if (end.state.destination, end.state.port) not in known]


def sent_to(ends: Sequence[End], targets: set[Target]) -> tuple[Line, ...]:
    """The lines that send packets to these targets: the choice and the translation."""
    out: list[tuple[str, object]] = []
    for end in ends:
        if end.verdict is Verdict.DNAT and Target(end.state.destination, end.state.port) in targets:
            trail = end.state.trail
            at = max(
                (n for n, (_, rule) in enumerate(trail) if "DNAT" in rule.text or "REDIRECT" in rule.text),
                default=len(trail) - 1,
            )
            choice = [pair for pair in trail[:at] if "-j KUBE-SEP-" in pair[1].text][-1:]
            out += [*choice, trail[at]]
    return cited(out)


def choosing(met: Sequence[Line]) -> tuple[Line, ...]:
    """The rules that choose among endpoints, as far as this packet met them."""
    choosing = [line for line in met if "-j KUBE-SEP-" in line.text]
    return tuple(choosing[:MAX_LINES]) or tuple(met[-2:])


def is_proxys_doing(packet: Packet, ends: Sequence[End]) -> bool:
    """Whether a packet for no frontend is refused or rewritten by rules of kube-proxy's.

    What other owners do with traffic that is no Service's is their own business.
    """
    for end in ends:
        if end.verdict in (Verdict.DROP, Verdict.REJECT):
            if end.state.trail and is_kube_proxy_rule(end.state.trail[-1][1].text):
                return True
        elif (
            end.state.masqueraded
            and any(
                isinstance(rule.then, Masquerade) and is_kube_proxy_rule(rule.text)
                for _, rule in end.state.trail
            )
        ) or (end.verdict is Verdict.PASS and not end.state.masqueraded and is_guarded(packet)):
            return True
    return False


def is_guarded(packet: Packet) -> bool:
    """Whether the packet is one that the loopback guard is there for."""
    loopback = packet.family.loopback[0]
    return loopback[0] <= packet.destination <= loopback[1] and not (
        loopback[0] <= packet.source <= loopback[1]
    )


def is_translated_by_proxy(ends: Sequence[End]) -> bool:
    """Whether some way is translated by a rule of kube-proxy's."""
    return any(
        isinstance(rule.then, Dnat | Redirect) and is_kube_proxy_rule(rule.text)
        for end in ends
        if end.verdict is Verdict.DNAT
        for _, rule in end.state.trail
    )


def is_egress_of_others(cites: Sequence[str], ends: Sequence[End], *, from_attached: bool) -> bool:
    """Whether a source is replaced only as that of a pod or container is when it leaves its network.

    Network plugins do that (flannel, ip-masq-agent, Calico's natOutgoing, docker), and the
    Service asks nothing of it: its rows MASQ-03 and MASQ-05 only say that kube-proxy does not.
    """
    others = all(
        not is_kube_proxy_rule(rule.text)
        for end in ends
        if end.state.masqueraded
        for _, rule in end.state.trail
        if isinstance(rule.then, Masquerade)
    )
    return others and (from_attached or "MASQ-03" in cites or "MASQ-05" in cites)
