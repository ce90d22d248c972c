"""The Endpoints object of a Service after one pass of the Endpoints controller.

Sources: pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints RepackSubsets.
Addresses are in the order of their text, subsets, which the original orders by a hash, in
that of theirs: with several subsets, which addresses a truncation keeps may therefore differ.
"""

import math
from collections.abc import Iterable

import attrs

from model.addresses import Family
from model.controllers import pod_endpoints
from model.objects import EndpointAddress, EndpointPort, Endpoints, EndpointSubset, Pod, Service

MAX_ADDRESSES = 1000  # EPS-EP-03
ENDPOINTS_CONTROLLER = "endpoint-controller"
MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by"
HEADLESS_LABEL = "service.kubernetes.io/headless"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"

_PodKey = tuple[str, str]  # the address and the pod's uid, or its name


@attrs.frozen
class Offer:
    """A pod's address at one port; the port is None where the Service has none to offer."""

    key: _PodKey
    address: EndpointAddress
    ready: bool
    port: EndpointPort | None


def reconcile_endpoints(service: Service, pods: Iterable[Pod], current: Endpoints | None) -> Endpoints | None:
    """The Service's Endpoints after one pass, None when there are none.

    Those of a Service that is not managed stay as they are (EPS-SEL-01). `current` is
    given back itself where nothing needs writing.
    """
    if not pod_endpoints.is_managed(service):
        return current
    subsets = repack(offers(service, pods))
    if current is not None and _is_right(service, current, subsets):
        return current
    annotations = dict(current.annotations if current else ())
    annotations.pop(LAST_CHANGE, None)
    annotations.pop(OVER_CAPACITY, None)
    truncated = truncate(subsets)
    if truncated != subsets:
        annotations[OVER_CAPACITY] = "truncated"
    labels = {label: value for label, value in service.labels if label != HEADLESS_LABEL}
    if not pod_endpoints.has_cluster_ip(service):
        labels[HEADLESS_LABEL] = ""
    labels[MANAGED_BY_LABEL] = ENDPOINTS_CONTROLLER
    return Endpoints(
        service.name, truncated, tuple(sorted(labels.items())), tuple(sorted(annotations.items()))
    )


def offers(service: Service, pods: Iterable[Pod]) -> Iterable[Offer]:
    """Every address and port that the Service's pods offer, ready or not.

    Terminating pods only where the Service publishes unready addresses (EPS-EP-02). A port
    that the pod does not name is left out, and with all its ports the pod (EPS-PORT-03);
    without ports a headless Service offers addresses alone (EPS-PORT-07), another nothing.
    """
    for pod in pods:
        is_eligible = pod_endpoints.is_eligible(pod, include_terminating=service.publish_not_ready_addresses)
        ip = _address(service, pod)
        if not is_eligible or not pod_endpoints.selects(service, pod) or ip is None:
            continue
        hostname = pod.hostname if pod_endpoints.has_hostname(service, pod) else ""
        address = EndpointAddress(ip, pod.node_name, hostname, pod.name)
        ready = service.publish_not_ready_addresses or pod.ready
        ports: tuple[EndpointPort | None, ...] = pod_endpoints.endpoint_ports(service, pod)
        if not service.ports and service.cluster_ips[:1] == ("None",):
            ports = (None,)
        for port in ports:
            yield Offer((ip, pod.uid or str(pod.name)), address, ready, port)


def repack(offered: Iterable[Offer]) -> tuple[EndpointSubset, ...]:
    """The canonical subsets: ports that the same addresses offer alike stand together (EPS-EP-04).

    An address that is once not ready at a port is not ready there. A port 0 is no port.
    """
    addresses: dict[_PodKey, EndpointAddress] = {}
    ready_by_port: dict[EndpointPort | None, dict[_PodKey, bool]] = {}
    for offer in offered:
        addresses.setdefault(offer.key, offer.address)
        at_port = ready_by_port.setdefault(offer.port, {})
        at_port[offer.key] = at_port.get(offer.key, True) and offer.ready
    ports_by_addresses: dict[frozenset[tuple[_PodKey, bool]], list[EndpointPort]] = {}
    for port, ready in ready_by_port.items():
        ports = ports_by_addresses.setdefault(frozenset(ready.items()), [])
        if port is not None and port.port:
            ports.append(port)
    return tuple(
        sorted(
            (
                EndpointSubset(
                    tuple(addresses[key] for key, ready in sorted(members) if ready),
                    tuple(addresses[key] for key, ready in sorted(members) if not ready),
                    tuple(sorted(ports, key=_port_order)),
                )
                for members, ports in ports_by_addresses.items()
            ),
            key=_subset_order,
        )
    )


def truncate(subsets: tuple[EndpointSubset, ...]) -> tuple[EndpointSubset, ...]:
    """At most 1000 addresses over all subsets, ready ones first, in proportion (EPS-EP-03)."""
    ready = sum(len(each.addresses) for each in subsets)
    unready = sum(len(each.not_ready_addresses) for each in subsets)
    if ready + unready <= MAX_ADDRESSES:
        return subsets
    only_ready = ready > MAX_ADDRESSES
    most = MAX_ADDRESSES if only_ready else MAX_ADDRESSES - ready
    total = ready if only_ready else unready
    left = most
    kept = []
    for each in subsets:
        of_subset = each.addresses if only_ready else each.not_ready_addresses
        share = min(math.ceil(len(of_subset) / total * most), left)
        of_subset = of_subset[:share]
        left -= len(of_subset)
        kept.append(
            attrs.evolve(each, addresses=of_subset, not_ready_addresses=())
            if only_ready
            else attrs.evolve(each, not_ready_addresses=of_subset)
        )
    return tuple(kept)


def canonical(endpoints: Endpoints) -> tuple[EndpointSubset, ...]:
    """The object's subsets with addresses, ports and subsets in order, as far as they mean anything."""
    return tuple(
        sorted(
            (
                EndpointSubset(
                    tuple(sorted(each.addresses, key=_address_order)),
                    tuple(sorted(each.not_ready_addresses, key=_address_order)),
                    tuple(sorted(each.ports, key=_port_order)),
                )
                for each in endpoints.subsets
            ),
            key=_subset_order,
        )
    )


def _address(service: Service, pod: Pod) -> str | None:
    """The pod's first IP of the Service's first family, in canonical text (EPS-EP-01)."""
    if service.ip_families:
        family = Family(service.ip_families[0])
    elif pod_endpoints.has_cluster_ip(service):
        family = pod_endpoints.family_of(service.cluster_ips[0])
    else:
        family = pod_endpoints.family_of(pod.ips[0]) if pod.ips else Family.IPV4
    return next((text for of, text in map(pod_endpoints.pod_ip, pod.ips) if of is family), None)


def _is_right(service: Service, current: Endpoints, subsets: tuple[EndpointSubset, ...]) -> bool:
    """Whether nothing needs writing: subsets, labels and the lack of an over-capacity mark."""
    count = sum(len(each.addresses) + len(each.not_ready_addresses) for each in current.subsets)
    own = {MANAGED_BY_LABEL, HEADLESS_LABEL}
    labels = dict(current.labels)
    return (
        canonical(current) == canonical(attrs.evolve(current, subsets=subsets))
        and labels.get(MANAGED_BY_LABEL) == ENDPOINTS_CONTROLLER
        and {label: value for label, value in labels.items() if label not in own} == dict(service.labels)
        and count <= MAX_ADDRESSES
        and OVER_CAPACITY not in dict(current.annotations)
    )


def _port_order(port: EndpointPort) -> tuple[str, str, int, str]:
    return port.name, port.protocol, port.port or 0, port.app_protocol or ""


def _address_order(address: EndpointAddress) -> tuple[str, str, str, str]:
    return address.ip, str(address.target or ""), address.node_name or "", address.hostname


def _subset_order(subset: EndpointSubset) -> tuple[object, ...]:
    return (
        [_port_order(port) for port in subset.ports],
        [_address_order(address) for address in subset.addresses],
        [_address_order(address) for address in subset.not_ready_addresses],
    )
