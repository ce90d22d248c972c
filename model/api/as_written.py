"""What a controller publishes, as the API objects that it would write.

The way back of `model.api.as_read`, for the objects whose updates are judged by what was
stored before.
"""

from model import objects
from model.api import objects as api
from model.api.objects import Pairs


def written_slice(one: objects.EndpointSlice) -> api.EndpointSlice:
    """The EndpointSlice as stored; labels are those that the model knows of."""
    labels: list[tuple[str, str]] = []
    if one.service is not None:
        labels.append(("kubernetes.io/service-name", one.service.name))
    if one.managed_by:
        labels.append(("endpointslice.kubernetes.io/managed-by", one.managed_by))
    if one.headless:
        labels.append(("service.kubernetes.io/headless", ""))
    return api.EndpointSlice(
        metadata=_metadata(one.name, tuple(sorted(labels))),
        address_type=one.address_type,
        endpoints=tuple(_endpoint(endpoint) for endpoint in one.endpoints),
        ports=tuple(api.EndpointPort(port.name, port.protocol, port.port) for port in one.ports),
    )


def written_endpoints(one: objects.Endpoints) -> api.Endpoints:
    """The Endpoints object as stored."""
    return api.Endpoints(
        metadata=_metadata(one.name, one.labels, one.annotations),
        subsets=tuple(
            api.EndpointSubset(
                tuple(_address(address) for address in subset.addresses),
                tuple(_address(address) for address in subset.not_ready_addresses),
                tuple(api.SubsetPort(port.name, port.port or 0, port.protocol) for port in subset.ports),
            )
            for subset in one.subsets
        ),
    )


def _metadata(name: objects.ObjectName, labels: Pairs, annotations: Pairs = ()) -> api.Metadata:
    return api.Metadata(name=name.name, namespace=name.namespace, labels=labels, annotations=annotations)


def _endpoint(one: objects.Endpoint) -> api.Endpoint:
    hints = api.EndpointHints(
        tuple(api.Hint(zone) for zone in one.zone_hints), tuple(api.Hint(node) for node in one.node_hints)
    )
    return api.Endpoint(
        addresses=one.addresses,
        conditions=api.EndpointConditions(one.ready, one.serving, one.terminating),
        hostname=one.hostname,
        target_ref=_pod(one.target),
        node_name=one.node_name,
        zone=one.zone,
        hints=hints if one.zone_hints or one.node_hints else None,
    )


def _address(one: objects.EndpointAddress) -> api.EndpointAddress:
    return api.EndpointAddress(one.ip, one.hostname, one.node_name, _pod(one.target))


def _pod(name: objects.ObjectName | None) -> api.ObjectReference | None:
    return None if name is None else api.ObjectReference("Pod", name.namespace, name.name)
