"""Model objects written as the JSON that `kubectl get -o json` prints.

Every object carries what the API server would have added: uid, resourceVersion, time of
creation and the fields it defaults. Uids and versions are made from the name, so the same
cluster always gives the same text. Pods and legacy Endpoints are left out.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zlib import crc32

from model.node_config import DetectLocalMode, NodeConfig
from model.objects import (
    Cluster,
    Endpoint,
    EndpointSlice,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    SessionAffinity,
)

Json = dict[str, Any]

_CREATED = "2026-11-23T11:06:01Z"
_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_HEADLESS = "service.kubernetes.io/headless"


def cluster_list(cluster: Cluster) -> Json:
    """The services, slices and nodes of a cluster as one v1 List."""
    items = [
        *(service_manifest(service) for service in cluster.services),
        *(slice_manifest(piece) for piece in cluster.slices),
        *(node_manifest(node) for node in cluster.nodes),
        *([service_cidr_manifest(cluster.service_cidrs)] if cluster.service_cidrs else []),
    ]
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}


def service_cidr_manifest(cidrs: Sequence[str]) -> Json:
    """A networking.k8s.io/v1 ServiceCIDR of the default ranges."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": list(cidrs)},
    }


def service_manifest(service: Service) -> Json:
    """A v1 Service as stored: type-dependent fields are there only where the API server keeps them."""
    is_external_name = service.type is ServiceType.EXTERNAL_NAME
    spec: Json = {
        "type": service.type.value,
        "ports": [_service_port(port) for port in service.ports],
        "sessionAffinity": service.session_affinity.value,
        "externalIPs": list(service.external_ips),
        "loadBalancerSourceRanges": list(service.load_balancer_source_ranges),
        "selector": dict(service.selector or ()),
        "externalName": service.external_name,
        "publishNotReadyAddresses": service.publish_not_ready_addresses or None,
        "healthCheckNodePort": service.health_check_node_port,
        "trafficDistribution": service.traffic_distribution,
        "loadBalancerClass": service.load_balancer_class,
        "allocateLoadBalancerNodePorts": service.allocate_load_balancer_node_ports,
    }
    if service.session_affinity is SessionAffinity.CLIENT_IP:
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": service.affinity_seconds}}
    if not is_external_name:
        families = ["IPv6" if ":" in ip else "IPv4" for ip in service.cluster_ips if ip != "None"]
        spec |= {
            "clusterIP": service.cluster_ips[0] if service.cluster_ips else "",
            "clusterIPs": list(service.cluster_ips),
            "ipFamilies": list(service.ip_families) or families,
            "ipFamilyPolicy": service.ip_family_policy
            or ("RequireDualStack" if len(families) > 1 else "SingleStack"),
            "internalTrafficPolicy": service.internal_traffic_policy.value,
        }
        if service.type is not ServiceType.CLUSTER_IP or service.external_ips:
            spec["externalTrafficPolicy"] = service.external_traffic_policy.value
    ingress = [
        _without_empty({"ip": entry.ip, "hostname": entry.hostname, "ipMode": entry.ip_mode})
        for entry in service.ingress
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata("Service", service.name, service.labels, service.annotations),
        "spec": _without_empty(spec),
        "status": {"loadBalancer": {"ingress": ingress} if ingress else {}},
    }


def _service_port(port: ServicePort) -> Json:
    return _without_empty(
        {
            "name": port.name,
            "protocol": port.protocol,
            "port": port.port,
            "targetPort": port.port if port.target_port is None else port.target_port,
            "nodePort": port.node_port,
            "appProtocol": port.app_protocol,
        }
    )


def slice_manifest(piece: EndpointSlice) -> Json:
    """A discovery.k8s.io/v1 EndpointSlice, owned by its service where it has one."""
    labels: list[tuple[str, str]] = []
    if piece.managed_by:
        labels.append((_MANAGED_BY, piece.managed_by))
    if piece.service is not None:
        labels.append((_SERVICE_NAME, piece.service.name))
    if piece.headless:
        labels.append((_HEADLESS, ""))
    metadata = _metadata("EndpointSlice", piece.name, labels)
    if piece.service is not None:
        owner = {"apiVersion": "v1", "kind": "Service", "name": piece.service.name}
        uid = _uid("Service", piece.service)
        metadata["ownerReferences"] = [owner | {"uid": uid, "controller": True, "blockOwnerDeletion": True}]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": piece.address_type,
        "endpoints": [_endpoint(entry) for entry in piece.endpoints],
        "ports": [
            {"name": port.name, "protocol": port.protocol}
            | ({} if port.port is None else {"port": port.port})
            for port in piece.ports
        ],
    }


def _endpoint(entry: Endpoint) -> Json:
    conditions = {"ready": entry.ready, "serving": entry.serving, "terminating": entry.terminating}
    hints = {
        "forZones": [{"name": zone} for zone in entry.zone_hints],
        "forNodes": [{"name": node} for node in entry.node_hints],
    }
    target = entry.target and {
        "kind": "Pod",
        "namespace": entry.target.namespace,
        "name": entry.target.name,
        "uid": _uid("Pod", entry.target),
    }
    return {"addresses": list(entry.addresses)} | _without_empty(
        {
            "conditions": {name: value for name, value in conditions.items() if value is not None},
            "hints": _without_empty(hints),
            "hostname": entry.hostname,
            "nodeName": entry.node_name,
            "zone": entry.zone,
            "targetRef": target,
        }
    )


def node_manifest(node: Node) -> Json:
    """A v1 Node with its addresses, pod CIDRs and readiness."""
    ready = {"type": "Ready", "status": "True" if node.ready else "False", "reason": "KubeletReady"}
    times = {"lastHeartbeatTime": _CREATED, "lastTransitionTime": _CREATED}
    spec = {"podCIDR": node.pod_cidrs[0], "podCIDRs": list(node.pod_cidrs)} if node.pod_cidrs else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": _metadata("Node", ObjectName("", node.name), node.labels),
        "spec": spec,
        "status": {
            "addresses": [{"type": kind, "address": text} for kind, text in node.addresses],
            "conditions": [ready | times],
        },
    }


def proxy_config(config: NodeConfig) -> Json:
    """The KubeProxyConfiguration of a node; no detector at all is ClusterCIDR without a CIDR (SRC-02)."""
    has_detector = config.detect_local is not DetectLocalMode.NONE
    detect = {
        "bridgeInterface": config.bridge_interface,
        "interfaceNamePrefix": config.interface_name_prefix,
    }
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "hostnameOverride": config.name,
        "mode": config.mode.value,
        "detectLocalMode": config.detect_local.value if has_detector else "ClusterCIDR",
        "detectLocal": detect,
        "clusterCIDR": ",".join(config.cluster_cidrs) if has_detector else "",
        "nodePortAddresses": list(config.node_port_addresses),
        "iptables": {
            "localhostNodePorts": config.localhost_node_ports,
            "masqueradeAll": config.masquerade_all,
            "masqueradeBit": config.masquerade_bit,
            "minSyncPeriod": "1s",
            "syncPeriod": "30s",
        },
        "nftables": {
            "masqueradeAll": config.masquerade_all,
            "masqueradeBit": config.masquerade_bit,
        },
    }


def _metadata(
    kind: str,
    name: ObjectName,
    labels: Iterable[tuple[str, str]] = (),
    annotations: Iterable[tuple[str, str]] = (),
) -> Json:
    return _without_empty(
        {
            "name": name.name,
            "namespace": name.namespace,
            "uid": _uid(kind, name),
            "resourceVersion": str(crc32(f"{kind} {name}".encode()) % 1_000_000 + 1),
            "creationTimestamp": _CREATED,
            "labels": dict(labels),
            "annotations": dict(annotations),
        }
    )


def _uid(kind: str, name: ObjectName) -> str:
    return str(uuid5(NAMESPACE_URL, f"{kind} {name}"))


def _without_empty(fields: Json) -> Json:
    """The fields that are set: no None, empty text, list or map, nor a number 0; false is a value."""
    unset: tuple[object, ...] = (None, "", [], {})
    return {
        name: value for name, value in fields.items() if value is False or (value != 0 and value not in unset)
    }
