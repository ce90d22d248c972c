"""Names, addresses, packets, pods and nodes as a history writes them."""

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from model.addresses import format_address, parse_address, parse_cidr
from model.cluster.state import ClusterState
from model.conntrack import Cleanup, cleanup_of
from model.errors import InputError
from model.node_config import NodeConfig
from model.objects import Cluster, ContainerPort, Node, ObjectName, Pod
from model.packet import Packet
from oracle.bundle import NodeEvidence, node_config
from oracle.bundle.proxy_config import KIND, parse_proxy_config
from oracle.packets import ask_one, split_destination
from oracle.replay.entries import Unanswerable
from oracle.replay.tree import Item, shown

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(\d{1,9})([smhd]?)")
_VERSION = re.compile(r"\bv?1\.(\d{1,4})(?:\.(\d{1,4}))?")
_CLOSEST = NodeConfig("")


def object_name(item: Item) -> ObjectName:
    """`NAMESPACE/NAME`, or a name in `default`."""
    namespace, slash, name = item.text().rpartition("/")
    if not name or "/" in namespace or (slash and not namespace):
        raise item.fault(f"{shown(item.value)} is not NAMESPACE/NAME")
    return ObjectName(namespace or "default", name)


def seconds(item: Item) -> int:
    """A span such as `90s`, `5m`, `1h` or a number of seconds."""
    if isinstance(item.value, str) and (found := _SPAN.fullmatch(item.value)):
        return int(found[1]) * _UNITS[found[2]]
    if isinstance(item.value, str):
        raise item.fault(f"{shown(item.value)} is not a time such as 30s, 5m or 1h")
    return item.number()


def fraction(item: Item) -> Fraction:
    """`1/3` or `0.25`, from 0 up to but not including 1."""
    try:
        value = Fraction(item.scalar())
    except (ValueError, ZeroDivisionError):
        raise item.fault(f"{shown(item.value)} is not a fraction such as 1/3") from None
    if not 0 <= value < 1:
        raise item.fault(f"{value} is not within 0 and 1, 1 left out")
    return value


def address(item: Item) -> str:
    """An IP address in canonical text."""
    try:
        return format_address(*parse_address(item.text()))
    except ValueError:
        raise item.fault(f"{shown(item.value)} is not an IP address") from None


@attrs.frozen
class Asked:
    """A packet of a history; what a node's own addresses decide is settled when it is asked."""

    node: str
    source: str
    source_port: int | None
    to: str
    origin: str | None
    in_interface: str | None

    @property
    def subject(self) -> str:
        return f"{self.node} {self.source} -> {self.to}"

    def packet(self, state: ClusterState) -> Packet:
        """The packet as the node gets it. Raises Unanswerable when there is no such node."""
        if self.node not in state.proxies:
            raise Unanswerable(f"there is no node {self.node}")
        return self._packet(state.proxies[self.node].config)

    def _packet(self, config: NodeConfig) -> Packet:
        return ask_one(self.source, self.to, self.origin, self.in_interface, config).packets[0]


PACKET_KEYS = ("origin", "in-interface")


def asked_packet(item: Item, fields: Mapping[str, Item], *, needs_source_port: bool) -> Asked:
    """The packet of `node`, `from` and `to`; `from` has a port where a connection is meant."""
    text = fields["from"].text()
    is_bare = text.count(":") > 1 and not text.startswith("[")
    try:
        source, port, _ = split_destination(f"[{text}]/tcp" if is_bare else f"{text}/tcp")
    except ValueError:
        raise fields["from"].fault(f"{text!r} is neither ADDR nor ADDR:PORT") from None
    if needs_source_port and port is None and not _is_portless(fields["to"].text()):
        raise fields["from"].fault(f"{text!r} has no port; write ADDR:PORT, as {source}:40000")
    interface = fields["in-interface"].text() if "in-interface" in fields else None
    origin = fields["origin"].choice("wire", "node") if "origin" in fields else None
    asked = Asked(fields["node"].text(), source, port, fields["to"].text(), origin, interface)
    try:
        asked._packet(_CLOSEST)
    except InputError as error:
        raise item.fault(error.what) from None
    return asked


def _is_portless(to: str) -> bool:
    return to.rpartition("/")[2].lower() in ("icmp", "icmpv6", "ipv6-icmp")


@attrs.frozen
class WrittenPod:
    """A pod with how far it has come: on a node, with addresses, ready."""

    pod: Pod
    node: str = ""
    ips: tuple[str, ...] = ()
    ready: bool = False


def written_pod(item: Item) -> WrittenPod:
    """A pod of the short form `{name, labels, node, ip, ready, ports, host-network, ...}`."""
    fields = item.fields(
        "labels", "node", "ip", "ready", "ports", "host-network", "hostname", "subdomain", needed=("name",)
    )
    ips = tuple(map(address, fields["ip"].one_or_more())) if "ip" in fields else ()
    is_host = fields["host-network"].boolean() if "host-network" in fields else False
    ready = fields["ready"].boolean() if "ready" in fields else False
    if ips and is_host:
        raise fields["ip"].fault("a pod on the host's network has its node's addresses")
    if ips and "node" not in fields:
        raise item.fault("a pod with an address is on a node: node is missing")
    if ready and not ips and not (is_host and "node" in fields):
        raise fields["ready"].fault("a pod is ready only while it runs: node and ip are missing")
    name = object_name(fields["name"])
    pod = Pod(
        name,
        labels=fields["labels"].pairs() if "labels" in fields else (),
        ports=tuple(map(_container_port, fields["ports"].items())) if "ports" in fields else (),
        host_network=is_host,
        hostname=fields["hostname"].text() if "hostname" in fields else "",
        subdomain=fields["subdomain"].text() if "subdomain" in fields else "",
        uid=str(name),
    )
    return WrittenPod(pod, fields["node"].text() if "node" in fields else "", ips, ready)


def _container_port(item: Item) -> ContainerPort:
    fields = item.fields("name", "protocol", needed=("port",))
    return ContainerPort(
        fields["name"].text() if "name" in fields else "",
        fields["protocol"].choice("TCP", "UDP", "SCTP") if "protocol" in fields else "TCP",
        fields["port"].number(1, 65535),
    )


@attrs.frozen
class WrittenNode:
    """A node with the settings of its proxy."""

    node: Node
    config: NodeConfig
    cleanup: Cleanup


def written_node(item: Item, settings: Mapping[str, object]) -> WrittenNode:
    """A node of the short form `{name, address, zone, labels, pod-cidr, ready, version, cpu, proxy}`.

    `settings` are those of every node's kube-proxy; `proxy` adds to them.
    """
    fields = item.fields(
        "address", "zone", "labels", "pod-cidr", "ready", "version", "cpu", "proxy", needed=("name",)
    )
    labels = dict(fields["labels"].pairs()) if "labels" in fields else {}
    if "zone" in fields:
        labels["topology.kubernetes.io/zone"] = fields["zone"].text()
    cidrs = fields["pod-cidr"].one_or_more() if "pod-cidr" in fields else ()
    for cidr in cidrs:
        try:
            parse_cidr(cidr.text())
        except ValueError as error:
            raise cidr.fault(str(error)) from None
    addresses = fields["address"].one_or_more() if "address" in fields else ()
    node = Node(
        fields["name"].text(),
        addresses=tuple(("InternalIP", address(one)) for one in addresses),
        pod_cidrs=tuple(cidr.text() for cidr in cidrs),
        labels=tuple(sorted(labels.items())),
        ready=fields["ready"].boolean() if "ready" in fields else True,
        kube_proxy_version=fields["version"].text() if "version" in fields else "",
        allocatable_cpu=Fraction(fields["cpu"].number()) if "cpu" in fields else Fraction(0),
    )
    own = proxy_settings(fields["proxy"]) if "proxy" in fields else {}
    try:
        return node_with_proxy(node, {**settings, **own})
    except NotImplementedError as error:
        raise fields["version"].fault(str(error)) from None


def node_with_proxy(node: Node, settings: Mapping[str, object]) -> WrittenNode:
    """The node with a kube-proxy of these settings, all others at their defaults.

    Raises NotImplementedError for a version whose clean-up of UDP flows is not modelled.
    """
    label = f"kube-proxy of {node.name}"
    evidence = NodeEvidence(node.name, proxy_config=(label, _configuration(settings)))
    config, _ = node_config(evidence, Cluster(nodes=(node,)))
    version = _VERSION.search(node.kube_proxy_version)
    cleanup = cleanup_of(int(version[1]), int(version[2] or 0)) if version else Cleanup.SKIPS_UNSERVED
    return WrittenNode(node, config, cleanup)


def proxy_settings(item: Item) -> dict[str, Any]:
    """kube-proxy's settings, by the names of its configuration file; at fault where it would not start."""
    settings = {name: one.value for name, one in item.entries().items()}
    try:
        parse_proxy_config(_configuration(settings), "")
    except InputError as error:
        raise item.fault(error.what.removeprefix(f"{KIND}: ")) from None
    return settings


def _configuration(settings: Mapping[str, object]) -> bytes:
    return json.dumps({"kind": KIND, **settings}).encode()
