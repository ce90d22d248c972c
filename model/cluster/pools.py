"""What looks after the pools of addresses and ports: ServiceCIDRs, repair loops, the first Service."""

from typing import assert_never

import attrs

from model.api.repair import RepairEvent, repair_cluster_ips, repair_node_ports
from model.api.service_cidrs import (
    add_service_cidr,
    delete_service_cidr,
    ensure_kubernetes_service,
    finalize_service_cidrs,
)
from model.api.service_storage import Accepted
from model.cluster import events
from model.cluster.api_requests import stored
from model.cluster.events import Pool
from model.cluster.state import ClusterState


def add_cidr(state: ClusterState, event: events.AddServiceCIDR) -> ClusterState:
    """Raises Refused."""
    return attrs.evolve(state, registry=add_service_cidr(state.registry, event.name, event.cidrs))


def delete_cidr(state: ClusterState, event: events.DeleteServiceCIDR) -> ClusterState:
    """Raises Refused."""
    return attrs.evolve(state, registry=delete_service_cidr(state.registry, event.name))


def finalize_cidrs(state: ClusterState) -> ClusterState:
    return attrs.evolve(state, registry=finalize_service_cidrs(state.registry))


def ensure_kubernetes(
    state: ClusterState, event: events.EnsureKubernetesService
) -> tuple[ClusterState, Accepted]:
    """Raises Refused where its address is taken."""
    return stored(state, ensure_kubernetes_service(state.registry, seed=event.seed), dry_run=False)


def repair(state: ClusterState, event: events.Repair) -> tuple[ClusterState, tuple[RepairEvent, ...]]:
    """One pass of a repair loop, with the events that it reports (ALLOC-NP-10, ALLOC-IP-08)."""
    match event.pool:
        case Pool.NODE_PORTS:
            registry, reports = repair_node_ports(state.registry)
        case Pool.CLUSTER_IPS:
            registry, reports = repair_cluster_ips(state.registry)
        case _:
            assert_never(event.pool)
    return attrs.evolve(state, registry=registry), reports
