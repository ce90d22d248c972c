"""Every invariant that is claimed, by kind and in the order of ids."""

from collections.abc import Callable

from invariants.affinity import a_client_stays_with_its_endpoint, affinity_only_ranks_the_eligible
from invariants.allocation import (
    a_deleted_service_leaves_nothing_owned,
    bands_divide_a_range,
    cluster_ips_have_one_owner,
    no_service_has_an_edge_of_its_range,
    node_ports_have_one_owner,
    nothing_leaks_for_ever,
    the_static_band_comes_last,
    what_is_allocated_lies_in_its_range,
)
from invariants.choice import (
    chance_is_even,
    nothing_is_translated_twice,
    the_port_is_the_endpoints_own,
)
from invariants.convergence import (
    a_sync_applies_all_of_a_watch_or_nothing,
    every_node_comes_to_what_the_api_says,
    syncs_are_idempotent_and_know_no_order,
)
from invariants.dns import (
    a_chain_of_names_is_whole_or_absent,
    a_name_is_cluster_ips_or_ready_addresses,
    a_search_is_decided_by_its_order,
    an_endpoint_that_is_not_ready_is_nowhere,
    srv_records_lead_to_addresses,
    the_ptr_of_a_cluster_ip_is_its_service,
)
from invariants.eligibility import (
    only_usable_endpoints_of_the_service_port_are_used,
    terminating_endpoints_are_the_last_resort,
)
from invariants.endpoint_slices import (
    controllers_leave_others_endpoints_alone,
    hints_name_the_endpoints_own_zone,
    no_terminating_endpoint_is_ready,
    ready_is_serving_and_not_terminating,
    slices_are_bounded_and_of_one_family,
    slices_list_each_pod_once,
    slices_merge_in_any_order,
)
from invariants.endpoints import (
    endpoints_list_the_pods_of_the_first_family,
    mirrored_slices_say_what_endpoints_say,
)
from invariants.flows import (
    clean_up_spares_what_is_served,
    established_flows_keep_their_endpoint,
    udp_flows_lead_to_serving_endpoints,
)
from invariants.health import (
    draining_nodes_fail_the_check_and_serve,
    health_means_a_ready_endpoint_on_the_node,
)
from invariants.invariant import (
    DnsCheck,
    FlowCheck,
    Invariant,
    NumberCheck,
    PacketCheck,
    StateCheck,
    StepCheck,
    Violation,
)
from invariants.isolation import (
    cluster_ips_are_alike_on_every_node,
    each_policy_governs_its_own_frontends,
    external_frontends_are_alike,
    families_are_apart,
    ports_of_a_service_are_apart,
    services_mind_their_own_frontends,
    services_without_frontends_change_nothing,
)
from invariants.masquerade import (
    nobody_answers_itself_behind_the_node,
    outsiders_keep_their_address_under_policy_local,
    replies_come_back_through_the_node,
    the_source_is_replaced_just_by_the_rules,
)
from invariants.memory import (
    a_client_moves_on_with_its_memory,
    memories_are_independent,
    strangers_go_where_chance_falls,
)
from invariants.policies import (
    a_verdict_tells_whether_endpoints_are_usable,
    external_policy_local_does_not_bind_insiders,
    external_policy_local_keeps_outsiders_on_the_node,
    internal_policy_local_stays_on_the_node,
)
from invariants.reachability import (
    frontends_and_only_frontends_are_captured,
    without_usable_endpoints_every_frontend_refuses,
)
from invariants.replacement import (
    unready_pods_get_no_new_connections,
    what_is_always_usable_is_never_refused,
)
from invariants.service_updates import (
    headless_stays_headless,
    putting_back_the_stored_service_changes_nothing,
    refused_and_dry_requests_leave_nothing,
    the_primary_address_stays,
    the_second_address_goes_only_with_the_policy,
    what_a_balancer_was_given_stays,
)
from invariants.services import (
    affinity_has_a_timeout,
    an_external_name_is_only_a_name,
    cluster_ips_follow_the_families,
    external_policy_goes_with_external_access,
    headless_services_are_of_type_cluster_ip,
    node_ports_go_with_the_type,
    only_load_balancers_have_ingress,
    ports_of_a_service_are_told_apart,
    the_cluster_ip_is_the_first_of_at_most_one_a_family,
    the_health_check_port_goes_with_its_need,
    the_policy_bounds_the_families,
)
from invariants.source_ranges import (
    ranges_are_for_balancers_only,
    strangers_never_pass_source_ranges,
    wider_ranges_let_no_fewer_in,
)
from invariants.topology import topology_leaves_somewhere_to_go
from invariants.worlds import WorldsCheck

STATE: tuple[Invariant[StateCheck], ...] = (
    the_cluster_ip_is_the_first_of_at_most_one_a_family,
    cluster_ips_follow_the_families,
    the_policy_bounds_the_families,
    an_external_name_is_only_a_name,
    external_policy_goes_with_external_access,
    the_health_check_port_goes_with_its_need,
    node_ports_go_with_the_type,
    headless_services_are_of_type_cluster_ip,
    ports_of_a_service_are_told_apart,
    affinity_has_a_timeout,
    only_load_balancers_have_ingress,
    cluster_ips_have_one_owner,
    node_ports_have_one_owner,
    what_is_allocated_lies_in_its_range,
    no_service_has_an_edge_of_its_range,
    slices_are_bounded_and_of_one_family,
    slices_merge_in_any_order,
    health_means_a_ready_endpoint_on_the_node,
    draining_nodes_fail_the_check_and_serve,
)

STEP: tuple[Invariant[StepCheck], ...] = (
    the_primary_address_stays,
    the_second_address_goes_only_with_the_policy,
    headless_stays_headless,
    putting_back_the_stored_service_changes_nothing,
    refused_and_dry_requests_leave_nothing,
    what_a_balancer_was_given_stays,
    the_static_band_comes_last,
    a_deleted_service_leaves_nothing_owned,
    ready_is_serving_and_not_terminating,
    no_terminating_endpoint_is_ready,
    controllers_leave_others_endpoints_alone,
    strangers_go_where_chance_falls,
    a_client_moves_on_with_its_memory,
    memories_are_independent,
    established_flows_keep_their_endpoint,
    udp_flows_lead_to_serving_endpoints,
    clean_up_spares_what_is_served,
    a_sync_applies_all_of_a_watch_or_nothing,
    syncs_are_idempotent_and_know_no_order,
    what_is_always_usable_is_never_refused,
)

EVENTUAL: tuple[Invariant[StateCheck], ...] = (
    nothing_leaks_for_ever,
    slices_list_each_pod_once,
    endpoints_list_the_pods_of_the_first_family,
    mirrored_slices_say_what_endpoints_say,
    hints_name_the_endpoints_own_zone,
    every_node_comes_to_what_the_api_says,
    unready_pods_get_no_new_connections,
)

NUMBER: tuple[Invariant[NumberCheck], ...] = (bands_divide_a_range,)

PACKET: tuple[Invariant[PacketCheck], ...] = (
    only_usable_endpoints_of_the_service_port_are_used,
    terminating_endpoints_are_the_last_resort,
    topology_leaves_somewhere_to_go,
    frontends_and_only_frontends_are_captured,
    a_verdict_tells_whether_endpoints_are_usable,
    without_usable_endpoints_every_frontend_refuses,
    internal_policy_local_stays_on_the_node,
    external_policy_local_keeps_outsiders_on_the_node,
    external_policy_local_does_not_bind_insiders,
    strangers_never_pass_source_ranges,
    the_port_is_the_endpoints_own,
    nothing_is_translated_twice,
    chance_is_even,
    affinity_only_ranks_the_eligible,
    the_source_is_replaced_just_by_the_rules,
    replies_come_back_through_the_node,
    nobody_answers_itself_behind_the_node,
    outsiders_keep_their_address_under_policy_local,
)

WORLDS: tuple[Invariant[WorldsCheck], ...] = (
    each_policy_governs_its_own_frontends,
    external_frontends_are_alike,
    ranges_are_for_balancers_only,
    wider_ranges_let_no_fewer_in,
    families_are_apart,
    services_mind_their_own_frontends,
    ports_of_a_service_are_apart,
    cluster_ips_are_alike_on_every_node,
    services_without_frontends_change_nothing,
)

FLOW: tuple[Invariant[FlowCheck], ...] = (a_client_stays_with_its_endpoint,)

DNS: tuple[Invariant[DnsCheck], ...] = (
    a_name_is_cluster_ips_or_ready_addresses,
    an_endpoint_that_is_not_ready_is_nowhere,
    srv_records_lead_to_addresses,
    the_ptr_of_a_cluster_ip_is_its_service,
    a_chain_of_names_is_whole_or_absent,
    a_search_is_decided_by_its_order,
)

CATALOGUE: tuple[Invariant[Callable[..., Violation | None]], ...] = (
    *STATE,
    *STEP,
    *EVENTUAL,
    *NUMBER,
    *PACKET,
    *WORLDS,
    *FLOW,
    *DNS,
)
