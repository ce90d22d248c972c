"""On which rules two proxy modes part over one packet.

The tables of the modes name most of it themselves: a row that a mode adds has the id of the
rule that says so. What a mode leaves out is found by what the other one does there.
"""

import attrs

from model.expectation import Expectation
from model.frontends import FrontendKind, NodeView
from model.intervals import contains
from model.node_config import ProxyMode
from model.outcome import Outcome, Verdict
from model.packet import Packet

_REFUSED = (Verdict.REJECT, Verdict.DROP)


@attrs.frozen(eq=False)
class Told:
    """What one contract says of a packet, and what became of it there."""

    view: NodeView
    expectation: Expectation
    outcome: Outcome


def parting(packet: Packet, first: Told, second: Told) -> tuple[str, ...]:
    """The ids of the rules on which two modes part, the most telling first; never empty."""
    found: list[str] = []
    here, there = set(first.expectation.cites), set(second.expectation.cites)
    found += [one for one in sorted(here ^ there) if one.startswith("MODE-")]
    found += _node_port(packet, first, second)
    if {"FWD-REJ-01", "FWD-LBSR-01"} <= here | there and not {"FWD-REJ-01", "FWD-LBSR-01"} & here & there:
        found.append("MODE-12")
    found += _same_way(packet, first, second)
    if ProxyMode.IPVS in (first.view.config.mode, second.view.config.mode):
        if "FWD-LBSR-01" in here ^ there and "FWD-REJ-01" not in here | there:
            found.insert(0, "MODE-13")
        found += [] if found else _of_ipvs(first, second)
    return tuple(dict.fromkeys(found)) or rows_apart(first, second)


def rows_apart(first: Told, second: Told) -> tuple[str, ...]:
    """The rows of the contract that decide on one side only; all that decide where none does.

    Those of the source translation are left out where packets are not delivered on both sides.
    """
    here, there = set(first.expectation.cites), set(second.expectation.cites)
    apart = here ^ there
    if first.outcome.verdict is not second.outcome.verdict:
        apart = {one for one in apart if not one.startswith(("MASQ-", "AFF-"))}
    return tuple(sorted(apart or here | there))


def _node_port(packet: Packet, first: Told, second: Told) -> list[str]:
    """Node ports that only one side has at the packet's address."""
    serves = [_serves_node_port(packet, told) for told in (first, second)]
    if serves[0] == serves[1]:
        return []
    on_loopback = contains(packet.family.loopback, packet.destination)
    server = first if serves[0] else second
    out = ["MODE-11"] if server.outcome.verdict in _REFUSED else []
    return [*out, "MODE-02", "NP-03"] if on_loopback else [*out, "MODE-01", "NP-02"]


def _serves_node_port(packet: Packet, told: Told) -> bool:
    owners = told.view.owners(packet.destination, packet.protocol, packet.port)
    return any(kind is FrontendKind.NP for _, kind in owners) and "NP-01" not in told.expectation.cites


def _same_way(packet: Packet, first: Told, second: Told) -> list[str]:
    """Both deliver: hairpins, and an address that is one Service's cluster IP and another's external IP."""
    if first.outcome.verdict is not Verdict.DNAT or second.outcome.verdict is not Verdict.DNAT:
        return []
    one = {leaf.target: leaf.masquerade for leaf in first.outcome.leaves}
    other = {leaf.target: leaf.masquerade for leaf in second.outcome.leaves}
    rewritten = [target for target in one if target in other and one[target] != other[target]]
    out: list[str] = []
    if any(target is not None and target.address == packet.source for target in rewritten):
        out.append("MODE-21")
    owned = {kind for told in (first, second) for kind in _kinds(packet, told)}
    if rewritten and not out and packet.destination in first.view.cluster_ips and owned - {FrontendKind.CIP}:
        out.append("FWD-OBJ-08")
    return out


def _kinds(packet: Packet, told: Told) -> set[FrontendKind]:
    return {kind for _, kind in told.view.owners(packet.destination, packet.protocol, packet.port)}


def _of_ipvs(first: Told, second: Told) -> list[str]:
    """What ipvs mode does otherwise where its table cites the contract's own rows."""
    cites = {*first.expectation.cites, *second.expectation.cites}
    if "FWD-ITP-01" in cites:
        return ["MODE-14"]
    if "FWD-ETP-05" in cites:
        return ["MODE-15"]
    one, other = first.outcome, second.outcome
    targets = [{leaf.target for leaf in outcome.leaves} for outcome in (one, other)]
    if one.verdict is other.verdict is Verdict.DNAT:
        if targets[0] != targets[1] and cites & {"FWD-ETP-02", "FWD-ETP-03", "FWD-ETP-04"}:
            return ["MODE-16"]
        if one.affinity != other.affinity:
            return ["MODE-18"]
        if {leaf.target: leaf.odds for leaf in one.leaves} != {
            leaf.target: leaf.odds for leaf in other.leaves
        }:
            return ["MODE-17"]
    return []
