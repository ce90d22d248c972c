"""Slices and Endpoints written by hand, pods and nodes, from pools so small that things meet."""

from hypothesis import strategies as st

from model.addresses import Family, parse_address
from model.api import objects as api
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import ContainerPort, Node, ObjectName, Pod
from tests.strategies.api_services import NAMESPACE, names
from tests.strategies.weights import sometimes

NODES = ("node-a", "node-b", "node-c")
PODS = tuple(ObjectName(NAMESPACE, f"pod-{number}") for number in range(5))
ZONES: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("topology.kubernetes.io/zone", "zone-a"),),
    (("topology.kubernetes.io/zone", "zone-b"),),
)
SLICE_NAMES = ("by-hand", "web-00000", "db-00000")  # a controller may want the later ones

_PLACES = {
    "IPv4": ("10.244.0.1", "10.244.0.2", "10.244.0.9", "10.96.0.1"),
    "IPv6": ("fd00:10:244::1", "fd00:10:244::9"),
}
_CONDITION = st.sampled_from((None, True, False))


@st.composite
def slices(draw: st.DrawFn) -> api.EndpointSlice:
    """A slice for a Service, or for none, that somebody manages who is no controller here."""
    family = draw(st.sampled_from(("IPv4", "IPv4", "IPv6")))
    labels = [("kubernetes.io/service-name", draw(names()).name)]
    labels += draw(sometimes([("endpointslice.kubernetes.io/managed-by", "by-hand.example")], []))
    labels += draw(sometimes([("service.kubernetes.io/headless", "")], []))
    metadata = api.Metadata(
        name=draw(st.sampled_from(SLICE_NAMES)),
        namespace=NAMESPACE,
        labels=draw(sometimes((), tuple(sorted(labels)))),
    )
    places = draw(st.lists(st.sampled_from(_PLACES[family]), max_size=3))
    port = api.EndpointPort("http", "TCP", draw(st.sampled_from((8080, 8081))))
    ports = draw(sometimes((), (port,)))
    return api.EndpointSlice(metadata, family, tuple(draw(_endpoint(place)) for place in places), ports)


@st.composite
def _endpoint(draw: st.DrawFn, place: str) -> api.Endpoint:
    conditions = api.EndpointConditions(draw(_CONDITION), draw(_CONDITION), draw(_CONDITION))
    return api.Endpoint((place,), conditions, node_name=draw(st.sampled_from((None, *NODES))))


@st.composite
def endpoints(draw: st.DrawFn) -> api.Endpoints:
    """An Endpoints object; one in four is not to be mirrored."""
    name = draw(names())
    metadata = api.Metadata(
        name=name.name,
        namespace=name.namespace,
        labels=draw(sometimes((("endpointslice.kubernetes.io/skip-mirror", "true"),), ())),
    )
    return api.Endpoints(metadata, tuple(draw(st.lists(_subset(), max_size=2))))


@st.composite
def _subset(draw: st.DrawFn) -> api.EndpointSubset:
    places = st.sampled_from((*_PLACES["IPv4"][:3], *_PLACES["IPv6"]))
    chosen = draw(st.lists(places, min_size=1, max_size=3, unique=True))
    addresses = [api.EndpointAddress(place, node_name=draw(sometimes("node-a"))) for place in chosen]
    ready = draw(st.integers(0, len(addresses)))
    ports = draw(
        st.sampled_from(
            (
                (api.SubsetPort("http", 8080, "TCP"),),
                (api.SubsetPort("http", 8081, ""), api.SubsetPort("dns", 53, "UDP")),
            )
        )
    )
    return api.EndpointSubset(tuple(addresses[:ready]), tuple(addresses[ready:]), ports)


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    """A pod as submitted; most are selected by what selects `app: web`."""
    name = draw(st.sampled_from(PODS))
    labels = [("app", draw(sometimes("other", "web")))]
    labels += draw(st.sampled_from(([], [("tier", "front")])))
    return Pod(
        name,
        host_network=draw(sometimes(True, False)),
        labels=tuple(labels),
        ports=draw(sometimes((), (ContainerPort("web", "TCP", draw(st.sampled_from((8080, 8081)))),))),
        hostname=draw(sometimes(name.name, "")),
        subdomain=draw(sometimes("web", "")),
        uid=f"uid-of-{name.name}",
    )


def pod_addresses(number: int, families: str) -> tuple[str, ...]:
    """The addresses of a pod, of `families` 4, 6, 46 or 64."""
    both = {"4": f"10.244.0.{number}", "6": f"fd00:10:244::{number}"}
    return tuple(both[family] for family in families)


@st.composite
def nodes(draw: st.DrawFn) -> tuple[Node, NodeConfig]:
    """A node of both families with its kube-proxy in iptables mode."""
    number = draw(st.integers(0, len(NODES) - 1))
    name = NODES[number]
    addresses = (f"10.32.1.1{number + 1}", f"fd00:10:32::1{number + 1}")
    read = tuple(parse_address(text) for text in addresses)
    config = NodeConfig(
        name,
        cluster_cidrs=("10.244.0.0/16", "fd00:10:244::/64"),
        addresses=tuple(
            InterfaceAddress("eth0", family, address, 24 if family is Family.IPV4 else 64)
            for family, address in read
        ),
        primary=read,
    )
    internal = tuple(("InternalIP", text) for text in addresses)
    return Node(name, internal, labels=draw(st.sampled_from(ZONES))), config


SETTINGS_OF_ANOTHER = NodeConfig("node-y")
"""Settings that are of no node."""
