"""Every invariant that is claimed, by kind and in the order of ids."""

from collections.abc import Callable

from invariants.affinity import a_client_stays_with_its_endpoint, affinity_only_ranks_the_eligible
from invariants.eligibility import (
    only_usable_endpoints_of_the_service_port_are_used,
    terminating_endpoints_are_the_last_resort,
)
from invariants.invariant import FlowCheck, Invariant, PacketCheck, StateCheck, Violation
from invariants.node_ports import node_ports_have_one_owner, node_ports_lie_in_the_range
from invariants.reachability import (
    frontends_and_only_frontends_are_captured,
    without_usable_endpoints_every_frontend_refuses,
)

STATE: tuple[Invariant[StateCheck], ...] = (node_ports_have_one_owner, node_ports_lie_in_the_range)

PACKET: tuple[Invariant[PacketCheck], ...] = (
    only_usable_endpoints_of_the_service_port_are_used,
    terminating_endpoints_are_the_last_resort,
    frontends_and_only_frontends_are_captured,
    without_usable_endpoints_every_frontend_refuses,
    affinity_only_ranks_the_eligible,
)

FLOW: tuple[Invariant[FlowCheck], ...] = (a_client_stays_with_its_endpoint,)

CATALOGUE: tuple[Invariant[Callable[..., Violation | None]], ...] = (*STATE, *PACKET, *FLOW)
