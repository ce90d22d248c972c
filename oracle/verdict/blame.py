"""Which lines of a dump are to blame for what became of a packet."""

from collections.abc import Iterable, Sequence

from model.frontends import Owner
from model.outcome import Target, Verdict
from model.packet import Packet
from oracle.findings import Line
from oracle.plain import End
from oracle.roles import ChainKind, Met
from oracle.ruleset import Accept, Masquerade, SetMark

MAX_LINES = 8  # guilty lines kept a difference


def cited(rules: Iterable[Met]) -> tuple[Line, ...]:
    return tuple(dict.fromkeys(met.line for met in rules))[-MAX_LINES:]


def deciding(ends: Sequence[End], verdict: Verdict) -> tuple[Line, ...]:
    """The rule that gave the verdict, on each way that ended so."""
    return cited(end.state.trail[-1] for end in ends if end.verdict is verdict and end.state.trail)


def entries(ends: Sequence[End]) -> tuple[Line, ...]:
    """The rules by which translated packets entered a service's chains."""
    out: list[Met] = []
    for end in ends:
        if end.verdict is Verdict.DNAT:
            out += [met for met in end.state.trail if met.leads_to is ChainKind.SERVICE][:1]
    return cited(out)


def let_through(ends: Sequence[End]) -> tuple[Line, ...]:
    """The rules that accepted what a firewall behind them would have dropped.

    kube-proxy's own accepting chain stands behind its firewall, so it is none of them.
    """
    return cited(
        met
        for end in ends
        for met in end.state.trail
        if isinstance(met.rule.then, Accept) and met.table == "filter" and met.chain != "KUBE-FORWARD"
    )


def way_in(met: Sequence[Met]) -> tuple[Line, ...]:
    """The rules nearest to the Service that an untranslated packet met."""
    for kind in (ChainKind.SERVICE, ChainKind.NODE_PORTS, ChainKind.ROOT):
        near = [one for one in met if one.leads_to is kind]
        if near:
            return tuple(one.line for one in near[:MAX_LINES])
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
    out: list[Met] = []
    for end in ends:
        if end.verdict is Verdict.DNAT and Target(end.state.destination, end.state.port) in targets:
            trail = end.state.trail
            at = max((n for n, met in enumerate(trail) if met.translates), default=len(trail) - 1)
            choice = [met for met in trail[:at] if met.leads_to is ChainKind.ENDPOINT][-1:]
            out += [*choice, trail[at]]
    return cited(out)


def replacing_source(ends: Sequence[End]) -> tuple[Line, ...]:
    """The rules that replaced a source, and those that led to the mark within kube-proxy's chains."""
    out: list[Met] = []
    for end in ends:
        if end.state.masqueraded:
            trail = end.state.trail
            at = next((n for n, met in enumerate(trail) if isinstance(met.rule.then, SetMark)), 0)
            out += [met for met in trail[:at] if met.leads_to not in (None, ChainKind.ROOT)]
            out += [met for met in trail if isinstance(met.rule.then, Masquerade | SetMark)]
    return cited(out)


def choosing(met: Sequence[Met]) -> tuple[Line, ...]:
    """The rules that choose among endpoints, as far as this packet met them."""
    lines = dict.fromkeys(one.line for one in met if one.chooses)
    return tuple(lines)[:MAX_LINES] or tuple(one.line for one in met[-2:])


def is_proxys_doing(packet: Packet, ends: Sequence[End]) -> bool:
    """Whether a packet for no frontend is refused or rewritten by rules of kube-proxy's.

    What other owners do with traffic that is no Service's is their own business.
    """
    for end in ends:
        trail = end.state.trail
        if end.verdict in (Verdict.DROP, Verdict.REJECT):
            if trail and trail[-1].is_proxys:
                return True
        elif (
            end.state.masqueraded
            and any(isinstance(met.rule.then, Masquerade) and met.is_proxys for met in trail)
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
        met.translates and met.is_proxys
        for end in ends
        if end.verdict is Verdict.DNAT
        for met in end.state.trail
    )


def is_egress_of_others(cites: Sequence[str], ends: Sequence[End], *, from_attached: bool) -> bool:
    """Whether a source is replaced only as that of a pod or container is when it leaves its network.

    Network plugins do that (flannel, ip-masq-agent, Calico's natOutgoing, docker), and the
    Service asks nothing of it: its rows MASQ-03 and MASQ-05 only say that kube-proxy does not.
    """
    others = all(
        not met.is_proxys
        for end in ends
        if end.state.masqueraded
        for met in end.state.trail
        if isinstance(met.rule.then, Masquerade)
    )
    return others and (from_attached or "MASQ-03" in cites or "MASQ-05" in cites)
