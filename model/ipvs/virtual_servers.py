"""The virtual servers of a service port: one a frontend, as wide as ipvs mode makes them.

Law: a frontend with policy Local has the local endpoints, and where there are none all that
traffic without a policy would have (MODE-14, MODE-15); it is never short-circuited (MODE-16).
A frontend without endpoints has a virtual server without real ones, which refuses (MODE-09).
"""

from collections.abc import Iterable, Iterator

from model.eligibility import EndpointSets
from model.frontends import FrontendKind, ServicePortView
from model.ipvs.records import Frontend, IpvsSettings, ServerFlag, VirtualServer, real_servers
from model.objects import TrafficPolicy
from model.proxy_endpoints import EndpointList

SOURCE_HASHING = "mh"  # the scheduler that gets a flag of its own
DEFAULT_SCHEDULER = "rr"


def virtual_servers(
    one: ServicePortView, sets: EndpointSets, node_addresses: Iterable[int], settings: IpvsSettings
) -> Iterator[VirtualServer]:
    """The virtual servers of a service port with these endpoints, each frontend once (IPVS-03).

    Where an address is twice a frontend of the port, what is written last stays: cluster IP,
    then external IPs, then load balancer addresses, then node ports.
    """
    scheduler = settings.scheduler or DEFAULT_SCHEDULER
    flags = ServerFlag.SOURCE_HASH if scheduler == SOURCE_HASHING else ServerFlag.NONE
    if one.affinity_seconds is not None:  # IPVS-01
        flags |= ServerFlag.PERSISTENT
    policies = dict(_frontends(one, node_addresses))
    for frontend, policy in policies.items():
        yield VirtualServer(
            frontend,
            scheduler,
            flags,
            one.affinity_seconds or 0,
            real_servers((endpoint.address, endpoint.port) for endpoint in eligible(sets, policy)),
        )


def eligible(sets: EndpointSets, policy: TrafficPolicy) -> EndpointList:
    """The endpoints of a frontend under a policy (IPVS-04)."""
    if policy is TrafficPolicy.LOCAL and sets.local:
        return sets.local
    return sets.cluster or ()


def _frontends(
    one: ServicePortView, node_addresses: Iterable[int]
) -> Iterator[tuple[Frontend, TrafficPolicy]]:
    """Each frontend with the policy that holds there, in the order of writing."""
    for kind, address in one.addresses:
        policy = one.internal_policy if kind is FrontendKind.CIP else one.external_policy
        yield Frontend(address, one.protocol, one.port), policy
    if one.node_port:
        for address in node_addresses:
            yield Frontend(address, one.protocol, one.node_port), one.external_policy
