"""What a class of packets is addressed to: whose frontend, and of which kind."""

import re
from collections.abc import Sequence

import attrs

from model.frontends import FrontendKind, Owner
from model.intervals import contains
from model.objects import ObjectName, ServicePortName
from model.outcome import Outcome, Verdict
from model.packet import ICMP, SCTP, TCP, UDP, Packet
from oracle.difference.side import FamilySide
from oracle.names import ChainOwners
from oracle.plain import Walk
from oracle.ruleset import Goto, Jump

KINDS = {
    FrontendKind.CIP: "cluster IP",
    FrontendKind.EXT: "external IP",
    FrontendKind.LBV: "load balancer address",
    FrontendKind.NP: "node port",
}
CIP_ELSE = "cluster IP, undefined port"
CIP_ICMP = "cluster IP, ICMP"
CIP_OTHER = "cluster IP, other protocol"
EXTERNAL_ELSE = "external address, undefined port"
UNALLOCATED = "unallocated service address"
HEALTH = "health check node port"
LOOPBACK = "loopback"
OWN = "address of the node"
UNKNOWN = "frontend"  # without objects its kind is not known
ELSEWHERE = "no Service's address"


@attrs.frozen
class Subject:
    """Whose packets they are.

    `service` is None where no Service is concerned, `port` (name, number) where no one of
    its ports is.
    """

    kind: str
    service: ObjectName | None = None
    port: tuple[str, int] | None = None
    protocol: str = ""

    @property
    def text(self) -> str:
        """`shop/lb port 443/TCP (https)`, `shop/lb`, or what it is if no Service's."""
        if self.service is None:
            return "no Service"
        if self.port is None:
            return str(self.service)
        name = f" ({self.port[0]})" if self.port[0] else ""
        return f"{self.service} port {self.port[1]}/{self.protocol}{name}"


class Subjects:
    """Whose packets are, by two sides' objects; A's are asked before B's."""

    def __init__(self, sides: tuple[FamilySide, FamilySide]) -> None:
        self._sides = sides
        self._views = [side.view for side in sides]
        self._by_cluster_ip: dict[int, ObjectName] = {}
        self._by_external: dict[int, ObjectName] = {}
        self._by_health_port: dict[int, ObjectName] = {}
        for view in self._views:
            for one in view.service_ports:
                service = one.name.service
                self._by_cluster_ip.setdefault(one.cluster_ip, service)
                for address in (*one.external_ips, *one.vips):
                    self._by_external.setdefault(address, service)
                if one.health_check_node_port:
                    self._by_health_port.setdefault(one.health_check_node_port, service)

    def subject(self, packet: Packet, outcomes: Sequence[Outcome]) -> Subject:
        """Whose the packet is; where no objects say it, whose chains deliver it."""
        for view in self._views:
            owners = view.owners(packet.destination, packet.protocol, packet.port)
            if owners:
                return _owned(owners)
        beside = self._beside(packet)
        if beside.service is None and any(one.verdict is Verdict.DNAT for one in outcomes):
            named = _named_by_rules(packet, self._sides)
            if named is not None:
                nameless = all(side.side.cluster is None for side in self._sides)
                return named if nameless else attrs.evolve(named, kind=beside.kind)
        return beside

    def _beside(self, packet: Packet) -> Subject:
        """No Service's frontend, but perhaps its address or its health check port."""
        destination = packet.destination
        service = self._by_cluster_ip.get(destination)
        if service is not None:
            kind = CIP_ELSE if packet.protocol in (TCP, UDP, SCTP) else CIP_OTHER
            return Subject(CIP_ICMP if packet.protocol in ICMP else kind, service)
        at_home = any(contains(view.local_addresses, destination) for view in self._views)
        if at_home and packet.protocol == TCP and packet.port in self._by_health_port:
            return Subject(HEALTH, self._by_health_port[packet.port])
        if destination in self._by_external:
            return Subject(EXTERNAL_ELSE, self._by_external[destination])
        if any(contains(view.service_ranges, destination) for view in self._views):
            return Subject(UNALLOCATED)
        if contains(packet.family.loopback, destination):
            return Subject(LOOPBACK)
        return Subject(OWN if at_home else ELSEWHERE)


def _owned(owners: Sequence[Owner]) -> Subject:
    one, kind = owners[0]
    name = one.name
    return Subject(KINDS[kind], name.service, (name.port_name, one.port), name.protocol)


_NFT_CHAIN = re.compile(
    r"(?:service|external|local|firewall)-[A-Z2-7]{8}-([^/]+)/([^/]+)/(tcp|udp|sctp)/([^/]*)"
)


def _named_by_rules(packet: Packet, sides: tuple[FamilySide, FamilySide]) -> Subject | None:
    """Whose chains the packet goes through, where no objects tell."""
    for side in sides:
        if side.rulesets is None:
            continue
        walk = Walk(side.rulesets, side.view.config, packet)
        for end in walk.ends:
            for met in end.state.trail:
                then = met.rule.then
                name = _nft_name(then.chain) if isinstance(then, Jump | Goto) else None
                name = name or ChainOwners(()).of_rule(met.rule.text)
                if name is not None:
                    port = (name.port_name, packet.port)
                    return Subject(UNKNOWN, name.service, port, name.protocol)
    return None


def _nft_name(chain: str) -> ServicePortName | None:
    found = _NFT_CHAIN.match(chain)
    if found is None:
        return None
    namespace, service, protocol, port = found.groups()
    return ServicePortName(ObjectName(namespace, service), port, protocol.upper())
