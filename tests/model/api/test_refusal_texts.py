"""A refusal names the field, repeats the value and says what is wrong with it, in these words."""

from typing import Any

import attrs
import pytest

from model.api.json_patch import json_patch
from model.api.objects import (
    EndpointAddress,
    Endpoints,
    EndpointSubset,
    OwnerReference,
    ServiceSpec,
    SubsetPort,
)
from model.api.refusal import Reason, Refused
from model.api.validation.endpoints import validate_endpoints_create
from model.api.validation.metadata import metadata_errors
from model.api.validation.names import dns_1123_subdomain
from model.api.validation.service import validate_service_create, validate_service_update
from tests.model.api.validation_cases import (
    CLUSTER_IP,
    DUAL_STACK,
    EXTERNAL_NAME,
    GATES,
    HEADLESS,
    LOAD_BALANCER,
    METADATA,
    NODE_PORT,
    PORT,
    service,
)

NO_IP = "must be a valid IP address, such as 10.9.8.7 or 2001:db8::ffff"
NO_NAME = "must be letters, digits, '-', '_' and '.'"
ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"


def port(**change: Any) -> dict[str, Any]:
    return {"ports": (attrs.evolve(PORT, **change),)}


def texts(spec: ServiceSpec, change: dict[str, Any]) -> list[str]:
    """Each refusal of a new Service without the leading `spec.`."""
    errors = validate_service_create(service(attrs.evolve(spec, **change)), GATES)
    return [str(error).removeprefix("spec.") for error in errors]


@pytest.mark.parametrize(
    ("spec", "change", "expected"),
    [
        (
            CLUSTER_IP,
            {"type": "Wrong"},
            ["type: 'Wrong': must be one of ClusterIP, ExternalName, LoadBalancer, NodePort"],
        ),
        (CLUSTER_IP, {"type": ""}, ["type: must be set"]),
        (CLUSTER_IP, {"ports": ()}, ["ports: must be set"]),
        (CLUSTER_IP, port(port=70000), ["ports[0].port: 70000: must be between 1 and 65535"]),
        (CLUSTER_IP, port(protocol="ICMP"), ["ports[0].protocol: 'ICMP': must be one of SCTP, TCP, UDP"]),
        (
            CLUSTER_IP,
            {"ports": (PORT, PORT)},
            [
                "ports[0].name: must be set when there are several ports",
                "ports[1].name: must be set when there are several ports",
                "ports[1]: 'TCP 80' is given twice",
            ],
        ),
        (CLUSTER_IP, port(name="A_"), ["ports[0].name: 'A_': must be a DNS label (RFC 1123)"]),
        (
            CLUSTER_IP,
            port(node_port=30000),
            ["ports[0].nodePort: may not be used when `type` is 'ClusterIP'"],
        ),
        (
            CLUSTER_IP,
            port(target_port="-"),
            [
                "ports[0].targetPort: '-': must contain a letter (a-z)",
                "ports[0].targetPort: '-': must not begin or end with a hyphen",
            ],
        ),
        (CLUSTER_IP, port(app_protocol="a b"), [f"ports[0].appProtocol: 'a b': {NO_NAME}"]),
        (
            CLUSTER_IP,
            {"selector": (("app", "c d"),)},
            ["selector: 'c d': must be empty or letters, digits, '-', '_' and '.'"],
        ),
        (CLUSTER_IP, {"session_affinity": "X"}, ["sessionAffinity: 'X': must be one of ClientIP, None"]),
        (
            CLUSTER_IP,
            {"cluster_ips": ("10.96.0.10", "10.96.0.11")},
            ["clusterIPs: ('10.96.0.10', '10.96.0.11'): may specify no more than one IP for each IP family"],
        ),
        (CLUSTER_IP, {"cluster_ip": "x", "cluster_ips": ("x",)}, [f"clusterIPs[0]: 'x': {NO_IP}"]),
        (
            CLUSTER_IP,
            {"cluster_ip": "10.96.0.11"},
            ["clusterIPs: ('10.96.0.10',): first value must match `clusterIP`"],
        ),
        (
            CLUSTER_IP,
            {"cluster_ip": ""},
            ["clusterIPs: ('10.96.0.10',): must be empty when `clusterIP` is not set"],
        ),
        (
            DUAL_STACK,
            {"cluster_ips": ("10.96.0.10", "fd00::1", "fd00::2")},
            ["clusterIPs: ('10.96.0.10', 'fd00::1', 'fd00::2'): may hold at most 2 values"],
        ),
        (
            HEADLESS,
            {"cluster_ips": ("None", "10.96.0.10")},
            ["clusterIPs: ('None', '10.96.0.10'): 'None' must be the only value"],
        ),
        (
            CLUSTER_IP,
            {"ip_families": ("IPv6",)},
            ["clusterIPs[0]: '10.96.0.10': must be of family IPv6, as `ipFamilies[0]` says"],
        ),
        (
            NODE_PORT,
            {"external_ips": ("x", "127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1")},
            [
                f"externalIPs[0]: 'x': {NO_IP}",
                "externalIPs[1]: '127.0.0.1': must not be loopback",
                "externalIPs[2]: '0.0.0.0': must not be unspecified",
                "externalIPs[3]: '169.254.1.1': must not be link-local",
                "externalIPs[4]: '224.0.0.1': must not be link-local multicast",
            ],
        ),
        (
            NODE_PORT,
            {"external_ips": ("010.0.0.1", "::ffff:10.0.0.1")},
            [
                "externalIPs[0]: '010.0.0.1': must not have leading zeros",
                "externalIPs[1]: '::ffff:10.0.0.1': must not be an IPv4-mapped IPv6 address",
            ],
        ),
        (
            EXTERNAL_NAME,
            {"external_name": "x_"},
            ["externalName: 'x_': must be a DNS subdomain (RFC 1123)"],
        ),
        (
            EXTERNAL_NAME,
            {"cluster_ip": "10.0.0.1", "cluster_ips": ("10.0.0.1",)},
            ["clusterIPs: may not be set for ExternalName services"],
        ),
        (
            CLUSTER_IP,
            {"external_traffic_policy": "Local"},
            ["externalTrafficPolicy: 'Local': may only be set for externally accessible services"],
        ),
        (
            NODE_PORT,
            {"external_traffic_policy": "X"},
            ["externalTrafficPolicy: 'X': must be one of Cluster, Local"],
        ),
        (
            NODE_PORT,
            {"health_check_node_port": 32000},
            [
                "healthCheckNodePort: 32000: may only be set when `type` is 'LoadBalancer' "
                "and `externalTrafficPolicy` is 'Local'"
            ],
        ),
        (
            CLUSTER_IP,
            {"load_balancer_source_ranges": ("10.0.0.0/8",)},
            [f"LoadBalancerSourceRanges: {ONLY_BALANCER}"],
        ),
        (
            LOAD_BALANCER,
            {"load_balancer_source_ranges": ("10.0.0.0/33",)},
            [
                "LoadBalancerSourceRanges[0]: '10.0.0.0/33': "
                "must be a valid CIDR, such as 10.9.8.0/24 or 2001:db8::/64"
            ],
        ),
        (
            LOAD_BALANCER,
            {"load_balancer_source_ranges": ("10.0.0.1/8", "10.0.0.0/08", "::ffff:10.0.0.0/104")},
            [
                "LoadBalancerSourceRanges[0]: '10.0.0.1/8': must not have bits set beyond the prefix length",
                "LoadBalancerSourceRanges[1]: '10.0.0.0/08': "
                "must not have leading zeros in address or prefix length",
                "LoadBalancerSourceRanges[2]: '::ffff:10.0.0.0/104': "
                "must not have an IPv4-mapped IPv6 address",
            ],
        ),
        (CLUSTER_IP, {"load_balancer_class": "a"}, [f"loadBalancerClass: {ONLY_BALANCER}"]),
        (
            CLUSTER_IP,
            {"allocate_load_balancer_node_ports": True},
            [f"allocateLoadBalancerNodePorts: {ONLY_BALANCER}"],
        ),
        (
            CLUSTER_IP,
            {"traffic_distribution": "X"},
            ["trafficDistribution: 'X': must be one of PreferClose, PreferSameNode, PreferSameZone"],
        ),
    ],
)
def test_a_new_service(spec: ServiceSpec, change: dict[str, Any], expected: list[str]) -> None:
    assert texts(spec, change) == expected


def test_a_class_that_changes() -> None:
    """API-F-18"""
    old = service(attrs.evolve(LOAD_BALANCER, load_balancer_class="example.com/a"))
    new = service(attrs.evolve(LOAD_BALANCER, load_balancer_class="example.com/b"))

    (error,) = validate_service_update(new, old, GATES)

    assert str(error) == "spec.loadBalancerClass: 'example.com/b': may not change once set"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": ""}, ["name: name or generateName must be set"]),
        ({"generation": -1}, ["generation: -1: must not be negative"]),
        (
            {"owner_references": (OwnerReference("a/b/v1", "Service", "web", "u1"),)},
            ["ownerReferences.apiVersion: 'v1': must not be empty"],
        ),
        (
            {"owner_references": (OwnerReference("v1", "Service", "", "u1"),)},
            ["ownerReferences.name: '': must not be empty"],
        ),
        (
            {"owner_references": (OwnerReference("v1", "Event", "web", "u1"),)},
            ["ownerReferences: 'v1 Event': cannot be an owner"],
        ),
        (
            {"owner_references": (OwnerReference("v1", "Service", "web", "u1", controller=True),) * 2},
            ["ownerReferences: 'web': only one owner can be the controller"],
        ),
    ],
)
def test_metadata(change: dict[str, Any], expected: list[str]) -> None:
    errors = metadata_errors(attrs.evolve(METADATA, **change), dns_1123_subdomain, namespaced=True)

    assert [str(error).removeprefix("metadata.") for error in errors] == expected


def endpoints_texts(
    *addresses: EndpointAddress, ports: tuple[SubsetPort, ...] = (), name: str = "web"
) -> list[str]:
    of = Endpoints(attrs.evolve(METADATA, name=name), (EndpointSubset(addresses, (), ports),))
    return [str(error) for error in validate_endpoints_create(of, GATES)]


def test_endpoints() -> None:
    """The metadata, then each subset: its addresses and its ports."""
    address = EndpointAddress("10.0.0.1", hostname="web.0", node_name="a_b")
    ports = (SubsetPort("", 80, "TCP"), SubsetPort("b_", 0, "TCP"))

    assert endpoints_texts(address, ports=ports, name="") == [
        "metadata.name: name or generateName must be set",
        "subsets[0].addresses[0].hostname: 'web.0': must be a DNS label (RFC 1123)",
        "subsets[0].addresses[0].nodeName: 'a_b': must be a DNS subdomain (RFC 1123)",
        "subsets[0].ports[0].name: must be set when there are several ports",
        "subsets[0].ports[1].name: 'b_': must be a DNS label (RFC 1123)",
        "subsets[0].ports[1].port: 0: must be between 1 and 65535",
    ]
    assert endpoints_texts() == ["subsets[0]: must have `addresses` or `notReadyAddresses`"]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "remove", "path": "spec"}, "'spec' is no path"),
        ({"op": "remove", "path": "/spec/x"}, "there is nothing at /spec/x"),
        ({"op": "remove", "path": ""}, "the object itself cannot be removed"),
        ({"op": "add", "path": "/spec/ports/9", "value": 1}, "the list has no place 9"),
        ({"op": "add", "path": "/none/x", "value": 1}, "there is nothing to hold none"),
        ({"op": "remove", "path": "/spec/ports/0/a/b"}, "there is nothing at /spec/ports/0/a/b"),
    ],
)
def test_a_patch(operation: dict[str, Any], expected: str) -> None:
    tree = {"spec": {"ports": [{"a": {"1": "x"}}]}}

    with pytest.raises(Refused) as refusal:
        json_patch(tree, [operation])

    assert (refusal.value.reason, refusal.value.what) == (Reason.INVALID, expected)
