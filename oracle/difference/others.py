"""Whether it is not kube-proxy's rules that make a node depart from its contract.

The same leniency as a check has: network plugins rewrite what leaves their network, host
firewalls drop what is no Service's, a node-local DNS cache answers for the Service.
"""

from model.expectation import expect
from model.outcome import Verdict
from model.packet import Packet
from oracle.difference.side import FamilySide
from oracle.hooks import is_attached
from oracle.plain import Walk, traced
from oracle.verdict.classify import faults
from oracle.verdict.replay import tolerated


def is_others_doing(side: FamilySide, packet: Packet) -> bool:
    """Whether a check of the side would find nothing wrong with what becomes of the packet."""
    if side.rulesets is None:
        return False
    view = side.view
    walk = Walk(side.rulesets, view.config, packet)
    trace = traced(walk)
    expectation = expect(view, packet)
    if trace.outcome in expectation.allowed or tolerated(view, packet, trace):
        return True
    untouched = all(leaf.verdict is Verdict.PASS and not leaf.masquerade for leaf in trace.outcome.leaves)
    if untouched and not any(end.state.trail and end.state.trail[-1].is_proxys is False for end in walk.ends):
        return False  # nobody did anything, where something should have been done
    owners = view.owners(packet.destination, packet.protocol, packet.port)
    attached = is_attached(view.config, view.family, packet.source)
    met = tuple(walk.met.values())
    return not faults(packet, owners, expectation, trace.outcome, walk.ends, met, from_attached=attached)
