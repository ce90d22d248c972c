"""Stored API objects as their consumers read them: the way from `model.api.objects` to `model.objects`.

It goes by the objects' JSON and the one reader of JSON, so a consumer of the model's
cluster and a reader of a real one see the same.
"""

import attrs
import msgspec

from model import objects
from model.api import objects as api
from model.api.json_form import to_tree
from model.load import convert, wire

_PORT_NUMBERS = range(1 << 16)


def read_service(service: api.Service) -> objects.Service:
    """A stored Service as controllers and proxies read it.

    Nothing checks an ExternalName Service's node ports (API-F-08), and nobody reads them:
    numbers that are none are left out.
    """
    ports = tuple(
        port if port.node_port in _PORT_NUMBERS else attrs.evolve(port, node_port=0)
        for port in service.spec.ports
    )
    tree = to_tree(attrs.evolve(service, spec=attrs.evolve(service.spec, ports=ports)))
    written = msgspec.convert(tree, wire.Service)
    return convert.service(written, written.metadata or wire.Metadata(), "v1")


def read_slice(one: api.EndpointSlice) -> objects.EndpointSlice:
    """A stored EndpointSlice. The API takes any number for a port; one that is none has no meaning."""
    ports = tuple(
        port if port.port is None or port.port in _PORT_NUMBERS else attrs.evolve(port, port=None)
        for port in one.ports
    )
    written = msgspec.convert(to_tree(attrs.evolve(one, ports=ports)), wire.EndpointSlice)
    return convert.endpoint_slice(written, written.metadata or wire.Metadata(), "discovery.k8s.io/v1")


def read_endpoints(endpoints: api.Endpoints) -> objects.Endpoints:
    """A stored Endpoints object."""
    written = msgspec.convert(to_tree(endpoints), wire.Endpoints)
    return convert.endpoints(written, written.metadata or wire.Metadata(), "v1")
