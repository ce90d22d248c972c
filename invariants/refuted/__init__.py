"""Claims that are tempting and false (NEG-*), each with what breaks it."""

from collections.abc import Callable

from invariants.invariant import Violation
from invariants.refuted.claim import Refuted
from invariants.refuted.flows import (
    affinity_binds_client_and_service,
    clients_inside_keep_their_addresses,
    deleted_udp_backends_get_nothing,
)
from invariants.refuted.objects import (
    cluster_ip_services_have_no_external_policy,
    created_and_updated_are_alike,
    load_balancers_have_node_ports,
    names_need_endpoints,
    node_ports_are_unique_in_their_protocol,
    slices_always_list_a_pod_once,
)
from invariants.refuted.traffic import (
    a_cluster_ip_is_an_address_like_others,
    hints_count_one_by_one,
    only_ready_pods_get_traffic,
    policy_local_keeps_to_the_node,
    ports_are_joined_by_number,
    source_ranges_protect_the_service,
    the_short_circuit_delivers,
    without_local_endpoints_it_is_refused,
)

REFUTED: tuple[Refuted[Callable[..., Violation | None]], ...] = (
    only_ready_pods_get_traffic,
    policy_local_keeps_to_the_node,
    without_local_endpoints_it_is_refused,
    node_ports_are_unique_in_their_protocol,
    source_ranges_protect_the_service,
    affinity_binds_client_and_service,
    clients_inside_keep_their_addresses,
    ports_are_joined_by_number,
    hints_count_one_by_one,
    names_need_endpoints,
    deleted_udp_backends_get_nothing,
    load_balancers_have_node_ports,
    cluster_ip_services_have_no_external_policy,
    created_and_updated_are_alike,
    a_cluster_ip_is_an_address_like_others,
    the_short_circuit_delivers,
    slices_always_list_a_pod_once,
)
"""In the order of their ids."""
