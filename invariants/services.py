"""What is true of every Service that the API server has stored."""

from collections import Counter

from invariants.invariant import Violation, state_invariant
from invariants.stored import (
    CLUSTER_IP,
    LOAD_BALANCER,
    NODE_PORT,
    family_name,
    has_ip_set,
    is_external_name,
    is_externally_accessible,
    is_headless,
    needs_health_check,
    services,
)
from model.api.objects import Service
from model.cluster.state import ClusterState

LONGEST_AFFINITY = 86400  # seconds: a day (API-F-21)
_COUNTS = {"SingleStack": (1,), "PreferDualStack": (1, 2), "RequireDualStack": (2,)}


@state_invariant(
    "INV-01",
    "A Service's clusterIP is the first of its clusterIPs, which are two at most and of different families.",
    source=("API-F-11",),
)
def the_cluster_ip_is_the_first_of_at_most_one_a_family(state: ClusterState) -> Violation | None:
    for service in services(state):
        ips = service.spec.cluster_ips
        first = ips[0] if ips else ""
        families = [family_name(ip) if ip != "None" else ip for ip in ips]
        if service.spec.cluster_ip != first or len(ips) > 2 or len(set(families)) != len(families):
            return _broken(service, f"has clusterIP {service.spec.cluster_ip!r} and clusterIPs {ips}")
    return None


@state_invariant(
    "INV-02",
    "A Service with a cluster IP has one of each of its ipFamilies, in their order.",
    source=("API-F-12", "API-DS-02"),
)
def cluster_ips_follow_the_families(state: ClusterState) -> Violation | None:
    for service in services(state):
        found = tuple(family_name(ip) for ip in service.spec.cluster_ips if ip != "None")
        if has_ip_set(service) and found != service.spec.ip_families:
            return _broken(
                service,
                f"has ipFamilies {service.spec.ip_families} and clusterIPs {service.spec.cluster_ips}",
            )
    return None


@state_invariant(
    "INV-03",
    "A SingleStack Service has one family, a RequireDualStack one two, a PreferDualStack one either.",
    source=("API-DS-01", "API-DS-02", "API-DS-03", "API-DS-04", "API-DS-05"),
)
def the_policy_bounds_the_families(state: ClusterState) -> Violation | None:
    for service in services(state):
        policy, families = service.spec.ip_family_policy, service.spec.ip_families
        if policy is not None and len(families) not in _COUNTS[policy]:
            return _broken(service, f"is {policy} with ipFamilies {families}")
    return None


@state_invariant(
    "INV-04",
    "An ExternalName Service has an externalName, and neither cluster IPs, families, an external policy "
    "nor a health check port.",
    source=("API-F-14", "API-TC-01"),
)
def an_external_name_is_only_a_name(state: ClusterState) -> Violation | None:
    for service in services(state):
        spec = service.spec
        if not is_external_name(service):
            continue
        has = (spec.cluster_ip, *spec.cluster_ips, *spec.ip_families, spec.ip_family_policy or "")
        if any(has) or spec.external_traffic_policy or spec.health_check_node_port:
            return _broken(service, "is ExternalName and keeps what belongs to other types")
        if not spec.external_name:
            return _broken(service, "is ExternalName without an externalName")
    return None


@state_invariant(
    "INV-05",
    "externalTrafficPolicy is set on exactly the Services that can be reached from outside.",
    source=("API-F-22",),
)
def external_policy_goes_with_external_access(state: ClusterState) -> Violation | None:
    for service in services(state):
        policy = service.spec.external_traffic_policy
        if bool(policy) is not is_externally_accessible(service):
            return _broken(service, f"is {service.spec.type} with externalTrafficPolicy {policy!r}")
    return None


@state_invariant(
    "INV-06",
    "healthCheckNodePort is set on exactly the LoadBalancer Services with external policy Local.",
    source=("API-F-23",),
)
def the_health_check_port_goes_with_its_need(state: ClusterState) -> Violation | None:
    for service in services(state):
        number = service.spec.health_check_node_port
        if (number != 0) is not needs_health_check(service):
            return _broken(service, f"is {service.spec.type} with healthCheckNodePort {number}")
    return None


@state_invariant(
    "INV-07",
    "A ClusterIP Service has no node port; a NodePort Service has one for each port, and a LoadBalancer "
    "Service too unless it is told not to allocate any.",
    source=("API-F-08", "ALLOC-NP-05", "ALLOC-NP-06"),
)
def node_ports_go_with_the_type(state: ClusterState) -> Violation | None:
    for service in services(state):
        spec = service.spec
        numbers = [port.node_port for port in spec.ports]
        needs = spec.type == NODE_PORT or (
            spec.type == LOAD_BALANCER and spec.allocate_load_balancer_node_ports is not False
        )
        if (spec.type == CLUSTER_IP and any(numbers)) or (needs and not all(numbers)):
            return _broken(service, f"is {spec.type} with node ports {numbers}")
    return None


@state_invariant("INV-08", "A headless Service is of type ClusterIP.", source=("API-TC-10",))
def headless_services_are_of_type_cluster_ip(state: ClusterState) -> Violation | None:
    for service in services(state):
        if is_headless(service) and service.spec.type != CLUSTER_IP:
            return _broken(service, f"is headless and of type {service.spec.type}")
    return None


@state_invariant(
    "INV-09",
    "Within a Service, port names differ, as do pairs of protocol and port and of protocol and node port; "
    "with several ports all are named.",
    source=("API-F-03", "API-F-04"),
)
def ports_of_a_service_are_told_apart(state: ClusterState) -> Violation | None:
    for service in services(state):
        ports = service.spec.ports
        keys: list[tuple[object, ...]] = [("name", port.name) for port in ports]
        keys += [("port", port.protocol, port.port) for port in ports]
        keys += [("nodePort", port.protocol, port.node_port) for port in ports if port.node_port]
        twice = [key for key, times in Counter(keys).items() if times > 1]
        if twice:
            return _broken(service, f"has {twice[0]} twice")
        if len(ports) > 1 and not all(port.name for port in ports):
            return _broken(service, "has several ports and one without a name")
    return None


@state_invariant(
    "INV-10",
    "sessionAffinityConfig is set exactly with sessionAffinity ClientIP, and holds a timeout from 1 second "
    "to a day.",
    source=("API-F-20", "API-F-21"),
)
def affinity_has_a_timeout(state: ClusterState) -> Violation | None:
    for service in services(state):
        config = service.spec.session_affinity_config
        sticky = service.spec.session_affinity == "ClientIP"
        seconds = config.client_ip.timeout_seconds if config and config.client_ip else None
        if sticky is not (config is not None):
            return _broken(service, f"has affinity {service.spec.session_affinity} with config {config}")
        if sticky and not (seconds is not None and 0 < seconds <= LONGEST_AFFINITY):
            return _broken(service, f"remembers clients for {seconds} seconds")
    return None


@state_invariant(
    "INV-11",
    "Only a LoadBalancer Service has ingress in its status, and each entry has an ipMode exactly if it has "
    "an address.",
    source=("API-F-29", "API-PIPE-03"),
)
def only_load_balancers_have_ingress(state: ClusterState) -> Violation | None:
    for service in services(state):
        ingress = service.status.load_balancer.ingress
        if ingress and service.spec.type != LOAD_BALANCER:
            return _broken(service, f"is {service.spec.type} and has ingress")
        for each in ingress:
            if bool(each.ip) is not (each.ip_mode is not None):
                return _broken(service, f"has ingress {each.ip!r} with ipMode {each.ip_mode}")
    return None


def _broken(service: Service, what: str) -> Violation:
    return Violation(f"{service.object_name} {what}")
