"""Kubernetes objects are read as their consumers would take them."""

import json
from typing import Any

from model.load import load_cluster
from model.objects import (
    Cluster,
    ContainerPort,
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    Ingress,
    Node,
    ObjectName,
    Pod,
    Service,
    ServicePort,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)

WEB = ObjectName("shop", "web")


def load(*objects: dict[str, Any]) -> Cluster:
    """The cluster of these objects, given as one kubectl list in JSON."""
    return load_cluster([("c.json", json.dumps({"kind": "List", "items": list(objects)}).encode())])


def test_every_field_of_a_service_is_read() -> None:
    written = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": {"b": "2", "a": "1"},
            "annotations": {"x": "y"},
        },
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.9",
            "clusterIPs": ["10.96.0.9", "fd00::9"],
            "externalIPs": ["192.0.2.1"],
            "externalTrafficPolicy": "Local",
            "internalTrafficPolicy": "Local",
            "loadBalancerSourceRanges": [" 10.0.0.0/8"],
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
            "healthCheckNodePort": 31000,
            "selector": {"app": "web"},
            "externalName": "example.org",
            "publishNotReadyAddresses": True,
            "ipFamilies": ["IPv4", "IPv6"],
            "ipFamilyPolicy": "PreferDualStack",
            "loadBalancerIP": "192.0.2.7",
            "loadBalancerClass": "example.org/lb",
            "allocateLoadBalancerNodePorts": False,
            "trafficDistribution": "PreferSameZone",
            "ports": [
                {
                    "name": "http",
                    "protocol": "UDP",
                    "port": 80,
                    "nodePort": 30080,
                    "targetPort": "www",
                    "appProtocol": "h2",
                },
                {"port": 81, "targetPort": 8081},
            ],
        },
        "status": {
            "loadBalancer": {"ingress": [{"ip": "192.0.2.7", "ipMode": "Proxy"}, {"hostname": "a.example"}]}
        },
    }
    expected = Service(
        name=WEB,
        type=ServiceType.LOAD_BALANCER,
        ports=(
            ServicePort("http", "UDP", 80, 30080, "www", "h2"),
            ServicePort("", "TCP", 81, 0, 8081, None),
        ),
        cluster_ips=("10.96.0.9", "fd00::9"),
        external_ips=("192.0.2.1",),
        ingress=(Ingress(ip="192.0.2.7", ip_mode="Proxy"), Ingress(hostname="a.example")),
        external_traffic_policy=TrafficPolicy.LOCAL,
        internal_traffic_policy=TrafficPolicy.LOCAL,
        load_balancer_source_ranges=(" 10.0.0.0/8",),
        session_affinity=SessionAffinity.CLIENT_IP,
        affinity_seconds=60,
        health_check_node_port=31000,
        selector=(("app", "web"),),
        external_name="example.org",
        publish_not_ready_addresses=True,
        labels=(("a", "1"), ("b", "2")),
        annotations=(("x", "y"),),
        ip_families=("IPv4", "IPv6"),
        ip_family_policy="PreferDualStack",
        load_balancer_ip="192.0.2.7",
        load_balancer_class="example.org/lb",
        allocate_load_balancer_node_ports=False,
        traffic_distribution="PreferSameZone",
    )

    assert load(written).services == (expected,)


def test_an_undefaulted_service_reads_as_kube_proxy_takes_it() -> None:
    written = {
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "clusterIP": "10.96.0.9",
            "type": "",
            "selector": {},
            "sessionAffinity": "ClientIP",
            "ports": [{"port": 80, "targetPort": 0, "protocol": None}],
        },
    }
    expected = Service(
        name=ObjectName("default", "web"),
        type=ServiceType.CLUSTER_IP,
        ports=(ServicePort("", "TCP", 80, 0, None),),
        cluster_ips=("10.96.0.9",),
        session_affinity=SessionAffinity.CLIENT_IP,
        affinity_seconds=10800,
        selector=None,
    )

    assert load(written).services == (expected,)


def test_a_null_is_an_absent_field() -> None:
    fields = ["ports", "clusterIPs", "externalIPs", "selector", "sessionAffinityConfig", "type"]
    written = {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "labels": None, "annotations": None},
        "spec": dict.fromkeys(fields),
        "status": {"loadBalancer": {"ingress": None}},
    }

    assert load(written).services == (Service(name=WEB),)


def test_a_slice_keeps_unset_conditions_unset() -> None:
    written = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "web-x",
            "namespace": "shop",
            "labels": {
                "kubernetes.io/service-name": "web",
                "service.kubernetes.io/headless": "",
                "endpointslice.kubernetes.io/managed-by": "me",
            },
        },
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": ["10.244.0.1"],
                "conditions": {"ready": False, "serving": True, "terminating": True},
                "nodeName": "n1",
                "zone": "z1",
                "hostname": "h",
                "hints": {"forZones": [{"name": "z1"}, {"name": "z2"}], "forNodes": [{"name": "n1"}]},
                "targetRef": {"kind": "Pod", "name": "web-0"},
                "deprecatedTopology": {"topology.kubernetes.io/zone": "not-read"},
            },
            {"addresses": ["10.244.0.2"], "targetRef": {"kind": "Machine", "name": "m"}},
        ],
        "ports": [{"name": "http", "port": 8080}, {"protocol": "UDP", "port": None}],
    }
    expected = EndpointSlice(
        name=ObjectName("shop", "web-x"),
        service=WEB,
        address_type="IPv4",
        endpoints=(
            Endpoint(
                ("10.244.0.1",),
                ready=False,
                serving=True,
                terminating=True,
                node_name="n1",
                zone="z1",
                zone_hints=("z1", "z2"),
                node_hints=("n1",),
                hostname="h",
                target=ObjectName("shop", "web-0"),
            ),
            Endpoint(("10.244.0.2",)),
        ),
        ports=(EndpointPort("http", "TCP", 8080), EndpointPort("", "UDP", None)),
        headless=True,
        managed_by="me",
    )

    assert load(written).slices == (expected,)


def test_a_v1beta1_slice_takes_node_and_zone_from_its_topology() -> None:
    def written(version: str) -> dict[str, Any]:
        topology = {"kubernetes.io/hostname": "n1", "topology.kubernetes.io/zone": "z1"}
        return {
            "apiVersion": f"discovery.k8s.io/{version}",
            "kind": "EndpointSlice",
            "metadata": {"name": f"web-{version}"},
            "addressType": "IPv6",
            "endpoints": [{"addresses": ["fd00::1"], "topology": topology}],
        }

    slices = load(written("v1beta1"), written("v1")).slices

    assert [item.endpoints for item in slices] == [
        (Endpoint(("fd00::1",), node_name="n1", zone="z1"),),
        (Endpoint(("fd00::1",)),),
    ]


def test_a_pods_ports_are_those_of_containers_then_of_restartable_init_containers() -> None:
    written = {
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "nodeName": "n1",
            "hostNetwork": True,
            "hostname": "h",
            "subdomain": "s",
            "initContainers": [
                {"name": "once", "ports": [{"containerPort": 1}]},
                {"name": "stays", "restartPolicy": "Always", "ports": [{"containerPort": 2, "name": "side"}]},
            ],
            "containers": [{"ports": [{"containerPort": 3, "protocol": "SCTP", "hostPort": 33}]}, {}],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
            "conditions": [{"type": "Initialized", "status": "False"}, {"type": "Ready", "status": "True"}],
        },
    }
    expected = Pod(
        name=WEB,
        node_name="n1",
        ips=("10.0.0.1", "fd00::1"),
        host_network=True,
        phase="Running",
        ready=True,
        terminating=True,
        ports=(ContainerPort("", "SCTP", 3, 33), ContainerPort("side", "TCP", 2)),
        hostname="h",
        subdomain="s",
    )

    assert load(written).pods == (expected,)


def test_nodes_endpoints_and_service_cidrs_are_read() -> None:
    node = {
        "kind": "Node",
        "metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "z1"}},
        "spec": {"podCIDR": "10.244.0.0/24"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "conditions": [{"type": "Ready", "status": "Unknown"}],
        },
    }
    endpoints = {
        "kind": "Endpoints",
        "metadata": {"name": "web", "namespace": "shop"},
        "subsets": [
            {
                "addresses": [
                    {"ip": "10.0.0.1", "nodeName": "n1", "targetRef": {"kind": "Pod", "name": "p"}}
                ],
                "notReadyAddresses": [{"ip": "10.0.0.2", "hostname": "h"}],
                "ports": [{"port": 80}],
            }
        ],
    }
    cidr = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": ["10.96.0.0/16", "fd00::/112"]},
    }
    expected = Cluster(
        nodes=(
            Node(
                "n1",
                (("InternalIP", "10.0.0.1"),),
                ("10.244.0.0/24",),
                (("topology.kubernetes.io/zone", "z1"),),
                ready=False,
            ),
        ),
        endpoints=(
            Endpoints(
                WEB,
                (
                    EndpointSubset(
                        (EndpointAddress("10.0.0.1", "n1", "", ObjectName("shop", "p")),),
                        (EndpointAddress("10.0.0.2", None, "h"),),
                        (EndpointPort("", "TCP", 80),),
                    ),
                ),
            ),
        ),
        service_cidrs=("10.96.0.0/16", "fd00::/112"),
    )

    assert load(node, endpoints, cidr) == expected
