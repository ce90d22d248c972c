"""Every field of a new Service: what is accepted, and which error each fault gets.

Each case spoils one faultless Service; the path and type of errors are the API's own.
"""

from typing import Any

import attrs
import pytest

from model.api.gates import FeatureGates
from model.api.objects import (
    ClientIPConfig,
    ServicePort,
    ServiceSpec,
    SessionAffinityConfig,
)
from model.api.validation.service import validate_external_traffic_policy, validate_service_create
from tests.model.api.validation_cases import (
    BEFORE_RELAXED_NAMES,
    BEFORE_SAME_ZONE,
    BEFORE_STRICT_TEXT,
    CLUSTER_IP,
    DUAL_STACK,
    EXTERNAL_NAME,
    GATES,
    HEADLESS,
    LOAD_BALANCER,
    NODE_PORT,
    PORT,
    found,
    service,
)

SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"


def refusals(spec: ServiceSpec, gates: FeatureGates = GATES, /, **change: Any) -> list[str]:
    return found(validate_service_create(service(attrs.evolve(spec, **change)), gates))


def port(**change: Any) -> ServicePort:
    return attrs.evolve(PORT, **change)


@pytest.mark.parametrize("spec", [CLUSTER_IP, DUAL_STACK, HEADLESS, NODE_PORT, LOAD_BALANCER, EXTERNAL_NAME])
def test_a_faultless_service_of_each_kind_is_accepted(spec: ServiceSpec) -> None:
    assert refusals(spec) == []


@pytest.mark.parametrize(
    ("name", "gates", "errors"),
    [
        ("1-web", GATES, []),
        ("1-web", BEFORE_RELAXED_NAMES, ["metadata.name INVALID"]),
        ("web.shop", GATES, ["metadata.name INVALID"]),
        ("web-", GATES, ["metadata.name INVALID"]),
    ],
)
def test_a_service_name_is_a_label_that_may_start_with_a_digit(
    name: str, gates: FeatureGates, errors: list[str]
) -> None:
    """API-F-01."""
    assert errors == found(validate_service_create(service(name=name), gates))


@pytest.mark.parametrize(
    ("kind", "errors"),
    [("", ["spec.type REQUIRED"]), ("clusterIP", ["spec.type NOT_SUPPORTED"])],
)
def test_the_type_is_one_of_four(kind: str, errors: list[str]) -> None:
    """API-F-02."""
    assert errors == refusals(CLUSTER_IP, type=kind)


@pytest.mark.parametrize(
    ("spec", "errors"),
    [(CLUSTER_IP, ["spec.ports REQUIRED"]), (HEADLESS, []), (EXTERNAL_NAME, [])],
)
def test_only_headless_and_external_name_services_go_without_ports(
    spec: ServiceSpec, errors: list[str]
) -> None:
    """API-F-03."""
    assert errors == refusals(spec, ports=())


@pytest.mark.parametrize(
    ("ports", "errors"),
    [
        ((port(name="a"), port(name="b", port=81)), []),
        ((port(name="a"), port(name="b", protocol="UDP")), []),
        ((port(name="a"), port(name="b")), ["spec.ports[1] DUPLICATE"]),
        ((port(name="a"), port(port=81)), ["spec.ports[1].name REQUIRED"]),
        ((port(name="a"), port(name="a", port=81)), ["spec.ports[1].name DUPLICATE"]),
        ((port(name="Web"),), ["spec.ports[0].name INVALID"]),
        ((port(name="W" * 64),), ["spec.ports[0].name INVALID"] * 2),
        ((port(protocol="SCTP"),), []),
        ((port(protocol=""),), ["spec.ports[0].protocol REQUIRED"]),
        ((port(protocol="tcp"),), ["spec.ports[0].protocol NOT_SUPPORTED"]),
        ((port(port=0),), ["spec.ports[0].port INVALID"]),
        ((port(port=65536),), ["spec.ports[0].port INVALID"]),
        ((port(target_port=0),), ["spec.ports[0].targetPort INVALID"]),
        ((port(target_port="http"),), []),
        ((port(target_port="8080"),), ["spec.ports[0].targetPort INVALID"]),
        ((port(target_port="HTTP"),), ["spec.ports[0].targetPort INVALID"] * 2),
        ((port(app_protocol="kubernetes.io/h2c"),), []),
        ((port(app_protocol=""),), ["spec.ports[0].appProtocol INVALID"] * 2),
        ((port(node_port=30080),), ["spec.ports[0].nodePort FORBIDDEN"]),
    ],
)
def test_each_port_and_the_ports_against_each_other(
    ports: tuple[ServicePort, ...], errors: list[str]
) -> None:
    """API-F-03 to API-F-09."""
    assert errors == refusals(CLUSTER_IP, ports=ports)


def test_one_node_port_serves_two_protocols_but_not_one_protocol_twice() -> None:
    """API-F-03, ALLOC-NP-04; the range of node ports is not validation's to judge (API-F-08)."""
    first = port(name="a", node_port=1)
    shared, doubled = (
        (first, port(name="b", port=81, protocol=protocol, node_port=1)) for protocol in ("UDP", "TCP")
    )

    actual = [refusals(NODE_PORT, ports=ports) for ports in (shared, doubled)]
    assert [[], ["spec.ports[1].nodePort DUPLICATE"]] == actual


def test_an_external_name_service_keeps_node_ports() -> None:
    """API-F-08."""
    assert refusals(EXTERNAL_NAME, ports=(port(node_port=30080),)) == []


@pytest.mark.parametrize(
    ("selector", "errors"),
    [
        ((("app.kubernetes.io/name", "Web_1"),), []),
        ((("app", ""),), []),
        ((("-app", "web"),), ["spec.selector INVALID"]),
        ((("app", "a b"),), ["spec.selector INVALID"]),
    ],
)
def test_a_selector_is_made_of_labels(selector: tuple[tuple[str, str], ...], errors: list[str]) -> None:
    """API-F-10."""
    assert errors == refusals(CLUSTER_IP, selector=selector)


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"cluster_ip": "", "cluster_ips": ()}, []),
        ({"cluster_ips": ()}, ["spec.clusterIPs REQUIRED"]),
        ({"cluster_ip": ""}, ["spec.clusterIPs INVALID"]),
        ({"cluster_ip": "10.96.0.11"}, ["spec.clusterIPs INVALID"]),
        ({"cluster_ip": "x", "cluster_ips": ("x",)}, ["spec.clusterIPs[0] INVALID"]),
        ({"cluster_ip": "010.96.0.1", "cluster_ips": ("010.96.0.1",)}, ["spec.clusterIPs[0] INVALID"]),
        ({"cluster_ips": ("10.96.0.10", "10.96.0.11")}, ["spec.clusterIPs INVALID"]),
        ({"cluster_ips": ("10.96.0.10", "")}, ["spec.clusterIPs[1] INVALID"]),
        (
            {"cluster_ips": ("10.96.0.10", "fd00::1", "10.96.0.11")},
            ["spec.clusterIPs INVALID"],
        ),
        ({"cluster_ip": "None", "cluster_ips": ("None", "fd00::1")}, ["spec.clusterIPs INVALID"]),
        ({"cluster_ips": ("10.96.0.10", "None")}, ["spec.clusterIPs[1] INVALID"]),
        ({"cluster_ip": "fd00::1", "cluster_ips": ("fd00::1",)}, ["spec.clusterIPs[0] INVALID"]),
        ({"ip_families": ("IPv6",)}, ["spec.clusterIPs[0] INVALID"]),
        ({"ip_families": ("IPv4", "IPv6")}, []),
        ({"ip_families": ("IPv4", "IPv4")}, ["spec.ipFamilies[1] DUPLICATE"]),
        ({"ip_families": ("ipv4",)}, ["spec.ipFamilies[0] NOT_SUPPORTED"]),
        ({"ip_family_policy": None}, []),
        ({"ip_family_policy": "DualStack"}, ["spec.ipFamilyPolicy NOT_SUPPORTED"]),
    ],
)
def test_cluster_ips_agree_with_themselves_and_with_their_families(
    change: dict[str, Any], errors: list[str]
) -> None:
    """API-F-11 to API-F-13, API-F-31."""
    assert errors == refusals(CLUSTER_IP, **change)


def test_before_strict_validation_a_cluster_ip_had_leading_zeros() -> None:
    """API-F-31."""
    ip = "010.96.0.1"

    assert refusals(CLUSTER_IP, BEFORE_STRICT_TEXT, cluster_ip=ip, cluster_ips=(ip,)) == []


def test_the_second_cluster_ip_is_of_the_second_family() -> None:
    """API-F-12."""
    assert ["spec.clusterIPs[0] INVALID", "spec.clusterIPs[1] INVALID"] == refusals(
        DUAL_STACK, ip_families=("IPv6", "IPv4")
    )


@pytest.mark.parametrize("spec", [NODE_PORT, LOAD_BALANCER])
def test_only_cluster_ip_services_are_headless(spec: ServiceSpec) -> None:
    """API-TC-10."""
    assert ["spec.clusterIPs[0] INVALID"] == refusals(spec, cluster_ip="None", cluster_ips=("None",))


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"external_name": ""}, ["spec.externalName REQUIRED"]),
        ({"external_name": "."}, ["spec.externalName REQUIRED"]),
        ({"external_name": "db.example.com."}, []),
        ({"external_name": "db.example.com.."}, ["spec.externalName INVALID"]),
        ({"external_name": "10.0.0.1"}, []),
        ({"external_name": "DB.example.com"}, ["spec.externalName INVALID"]),
        ({"external_name": "a_b"}, ["spec.externalName INVALID"]),
        ({"external_name": "*.example.com"}, ["spec.externalName INVALID"]),
        ({"cluster_ip": "None", "cluster_ips": ("None",)}, ["spec.clusterIPs FORBIDDEN"]),
        ({"ip_families": ("IPv4",)}, ["spec.ipFamilies FORBIDDEN"]),
        ({"ip_family_policy": "SingleStack"}, ["spec.ipFamilyPolicy FORBIDDEN"]),
    ],
)
def test_an_external_name_service_has_a_name_and_no_addresses(
    change: dict[str, Any], errors: list[str]
) -> None:
    """API-F-14, API-TC-01."""
    assert errors == refusals(EXTERNAL_NAME, **change)


def test_an_external_name_is_not_looked_at_on_other_types() -> None:
    """API-F-14."""
    assert refusals(CLUSTER_IP, external_name="not a name") == []


@pytest.mark.parametrize(
    ("ip", "errors"),
    [
        ("203.0.113.7", []),
        ("2001:DB8::7", []),
        ("0.0.0.0", ["spec.externalIPs[0] INVALID"]),
        ("127.0.0.1", ["spec.externalIPs[0] INVALID"]),
        ("169.254.0.1", ["spec.externalIPs[0] INVALID"]),
        ("224.0.0.1", ["spec.externalIPs[0] INVALID"]),
        ("203.0.113.07", ["spec.externalIPs[0] INVALID"]),
        ("myhost", ["spec.externalIPs[0] INVALID"]),
    ],
)
def test_an_external_ip_is_an_address_that_can_be_sent_to(ip: str, errors: list[str]) -> None:
    """API-F-15, API-F-31; a fault is reported once."""
    assert errors == refusals(NODE_PORT, external_ips=(ip,))


@pytest.mark.parametrize(
    ("ranges", "errors"),
    [
        (("10.0.0.0/8", " fd00::/64 "), []),
        (("10.0.0.0/8", "10.0.0.1/8"), ["spec.LoadBalancerSourceRanges[1] INVALID"]),
        (("10.0.0.0",), ["spec.LoadBalancerSourceRanges[0] INVALID"]),
        (("",), ["spec.LoadBalancerSourceRanges[0] INVALID"]),
    ],
)
def test_source_ranges_are_cidrs_with_blanks_allowed_around_them(
    ranges: tuple[str, ...], errors: list[str]
) -> None:
    """API-F-17."""
    assert errors == refusals(LOAD_BALANCER, load_balancer_source_ranges=ranges)


@pytest.mark.parametrize(
    ("spec", "value", "errors"),
    [
        (LOAD_BALANCER, "10.0.0.0/8 , 192.168.0.0/16", []),
        (LOAD_BALANCER, "  ", []),
        (LOAD_BALANCER, "10.0.0.0/8,", [f"metadata.annotations[{SOURCE_RANGES}] INVALID"]),
        (LOAD_BALANCER, "x,10.0.0.1/8", [f"metadata.annotations[{SOURCE_RANGES}] INVALID"] * 2),
        (NODE_PORT, "", [f"metadata.annotations[{SOURCE_RANGES}] FORBIDDEN"]),
    ],
)
def test_source_ranges_in_the_annotation_are_checked_likewise(
    spec: ServiceSpec, value: str, errors: list[str]
) -> None:
    """API-F-17."""
    written = service(spec, annotations=((SOURCE_RANGES, value),))

    assert errors == found(validate_service_create(written, GATES))


def test_the_annotation_is_not_looked_at_beside_the_field() -> None:
    """API-F-17."""
    spec = attrs.evolve(LOAD_BALANCER, load_balancer_source_ranges=("10.0.0.0/8",))

    assert validate_service_create(service(spec, annotations=((SOURCE_RANGES, "x"),)), GATES) == ()


@pytest.mark.parametrize(
    ("spec", "change", "errors"),
    [
        (
            NODE_PORT,
            {"load_balancer_source_ranges": ("10.0.0.0/8",)},
            ["spec.LoadBalancerSourceRanges FORBIDDEN"],
        ),
        (NODE_PORT, {"load_balancer_class": "a.b/c"}, ["spec.loadBalancerClass FORBIDDEN"]),
        (
            NODE_PORT,
            {"allocate_load_balancer_node_ports": False},
            ["spec.allocateLoadBalancerNodePorts FORBIDDEN"],
        ),
        (LOAD_BALANCER, {"load_balancer_class": "a.b/c"}, []),
        (LOAD_BALANCER, {"load_balancer_class": ""}, ["spec.loadBalancerClass INVALID"] * 2),
        (LOAD_BALANCER, {"allocate_load_balancer_node_ports": False}, []),
        (
            LOAD_BALANCER,
            {"allocate_load_balancer_node_ports": None},
            ["allocateLoadBalancerNodePorts REQUIRED"],
        ),
        (LOAD_BALANCER, {"load_balancer_ip": "anything"}, []),
    ],
)
def test_load_balancer_fields_belong_to_load_balancers(
    spec: ServiceSpec, change: dict[str, Any], errors: list[str]
) -> None:
    """API-F-16 to API-F-19."""
    assert errors == refusals(spec, **change)


def affinity(seconds: int | None) -> SessionAffinityConfig:
    return SessionAffinityConfig(ClientIPConfig(seconds))


@pytest.mark.parametrize(
    ("kind", "config", "errors"),
    [
        ("", None, ["spec.sessionAffinity REQUIRED"]),
        ("clientIP", None, ["spec.sessionAffinity NOT_SUPPORTED"]),
        ("None", affinity(1), ["spec.sessionAffinityConfig FORBIDDEN"]),
        ("ClientIP", None, ["spec.sessionAffinityConfig REQUIRED"]),
        ("ClientIP", SessionAffinityConfig(), ["spec.sessionAffinityConfig.clientIP REQUIRED"]),
        ("ClientIP", affinity(None), ["spec.sessionAffinityConfig.clientIP.timeoutSeconds REQUIRED"]),
        ("ClientIP", affinity(0), ["spec.sessionAffinityConfig.clientIP.timeoutSeconds INVALID"]),
        ("ClientIP", affinity(1), []),
        ("ClientIP", affinity(86400), []),
        ("ClientIP", affinity(86401), ["spec.sessionAffinityConfig.clientIP.timeoutSeconds INVALID"]),
    ],
)
def test_session_affinity_lasts_from_a_second_to_a_day(
    kind: str, config: SessionAffinityConfig | None, errors: list[str]
) -> None:
    """API-F-20, API-F-21."""
    actual = refusals(CLUSTER_IP, session_affinity=kind, session_affinity_config=config)

    assert errors == actual


@pytest.mark.parametrize(
    ("spec", "change", "errors"),
    [
        (CLUSTER_IP, {"external_traffic_policy": "Cluster"}, ["spec.externalTrafficPolicy INVALID"]),
        (CLUSTER_IP, {"external_ips": ("203.0.113.7",)}, ["spec.externalTrafficPolicy REQUIRED"]),
        (CLUSTER_IP, {"external_ips": ("203.0.113.7",), "external_traffic_policy": "Local"}, []),
        (EXTERNAL_NAME, {"external_ips": ("203.0.113.7",)}, []),
        (NODE_PORT, {"external_traffic_policy": ""}, ["spec.externalTrafficPolicy REQUIRED"]),
        (NODE_PORT, {"external_traffic_policy": "Global"}, ["spec.externalTrafficPolicy NOT_SUPPORTED"]),
        (NODE_PORT, {"external_traffic_policy": "Local"}, []),
        (NODE_PORT, {"health_check_node_port": 30001}, ["spec.healthCheckNodePort INVALID"]),
        (LOAD_BALANCER, {"health_check_node_port": 30001}, ["spec.healthCheckNodePort INVALID"]),
        (LOAD_BALANCER, {"external_traffic_policy": "Local"}, ["spec.healthCheckNodePort REQUIRED"]),
        (LOAD_BALANCER, {"external_traffic_policy": "Local", "health_check_node_port": 1}, []),
        (
            LOAD_BALANCER,
            {"external_traffic_policy": "Local", "health_check_node_port": 65536},
            ["spec.healthCheckNodePort INVALID"],
        ),
    ],
)
def test_external_traffic_policy_is_for_what_can_be_reached_from_outside(
    spec: ServiceSpec, change: dict[str, Any], errors: list[str]
) -> None:
    """API-F-22, API-F-23, API-PRED-03, API-PRED-04."""
    changed = service(attrs.evolve(spec, **change))

    assert errors == found(validate_external_traffic_policy(changed))
    assert errors == found(validate_service_create(changed, GATES))


@pytest.mark.parametrize(
    ("spec", "policy", "errors"),
    [
        (CLUSTER_IP, "Local", []),
        (HEADLESS, None, ["spec.internalTrafficPolicy REQUIRED"]),
        (NODE_PORT, "", ["spec.internalTrafficPolicy NOT_SUPPORTED"]),
        (EXTERNAL_NAME, "Cluster", []),
        (EXTERNAL_NAME, "Other", ["spec.internalTrafficPolicy NOT_SUPPORTED"]),
    ],
)
def test_internal_traffic_policy_is_set_wherever_there_are_endpoints(
    spec: ServiceSpec, policy: str | None, errors: list[str]
) -> None:
    """API-F-24."""
    assert errors == refusals(spec, internal_traffic_policy=policy)


@pytest.mark.parametrize(
    ("gates", "accepted"),
    [(GATES, ["PreferClose", "PreferSameZone", "PreferSameNode"]), (BEFORE_SAME_ZONE, ["PreferClose"])],
)
def test_traffic_distribution_is_one_of_the_supported_preferences(
    gates: FeatureGates, accepted: list[str]
) -> None:
    """API-F-26."""
    values = ["PreferClose", "PreferSameZone", "PreferSameNode", "", "preferClose"]
    error = ["spec.trafficDistribution NOT_SUPPORTED"]

    actual = {value: refusals(CLUSTER_IP, gates, traffic_distribution=value) for value in values}
    assert {value: [] if value in accepted else error for value in values} == actual


@pytest.mark.parametrize(
    ("mode", "hints", "errors"),
    [
        ("Auto", "Auto", []),
        ("Auto", None, []),
        ("Auto", "auto", [f"metadata.annotations[{TOPOLOGY_MODE}] INVALID"]),
        ("", "Auto", [f"metadata.annotations[{TOPOLOGY_MODE}] INVALID"]),
    ],
)
def test_both_topology_annotations_say_the_same(mode: str, hints: str | None, errors: list[str]) -> None:
    """API-F-28."""
    annotations = {TOPOLOGY_MODE: mode} | ({} if hints is None else {TOPOLOGY_HINTS: hints})
    written = service(annotations=tuple(sorted(annotations.items())))

    assert errors == found(validate_service_create(written, GATES))
