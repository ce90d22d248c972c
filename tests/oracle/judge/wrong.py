"""Implementations with one class of bug each, as they were met in public (docs/rules, BZ-*).

Each does all else right: it is the reference walker with the objects, the configuration or the
answers changed in one way.
"""

import copy
from collections.abc import Iterator
from fractions import Fraction

import attrs

from model.addresses import format_address
from model.intervals import contains
from model.node_config import NodeConfig
from model.outcome import Leaf, Outcome, Verdict
from model.packet import TCP, Origin, Packet
from oracle.judge.adapters.walker import Walker
from oracle.judge.protocol import Message


class Changing(Walker):
    """Reads every object of a kind as something else."""

    kind = "EndpointSlice"

    def change(self, tree: Message) -> None:
        raise NotImplementedError

    def seen(self) -> list[Message]:
        trees = copy.deepcopy(self.objects)
        for tree in trees:
            if tree["kind"] == self.kind:
                self.change(tree)
        return trees


class Remembering(Walker):
    """Compares what it is told with what it was told before; forgets at the start of a history."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Message] = {}

    def answer(self, message: Message) -> Message:
        if message["type"] == "start":
            self.before = {}
        return super().answer(message)

    def kept(self, kind: str) -> Iterator[tuple[Message, Message | None]]:
        """Each object of the kind, with what it was when it was told last."""
        for tree in self.objects:
            if tree["kind"] == kind:
                yield tree, self.before.get(tree["metadata"]["name"])

    def take(self, message: Message) -> None:
        super().take(message)
        now = copy.deepcopy(self.objects)
        self.look()
        self.before |= {tree["metadata"]["name"]: tree for tree in now}

    def look(self) -> None:
        raise NotImplementedError


class Answering(Walker):
    """Treats some packets otherwise than its rules say."""

    def fate(self, packet: Packet) -> Outcome:
        outcome = super().fate(packet)
        return attrs.evolve(outcome, leaves=tuple(self.leaf(leaf, packet) for leaf in outcome.leaves))

    def leaf(self, leaf: Leaf, packet: Packet, /) -> Leaf:
        raise NotImplementedError


class KeepsStaleEndpoints(Remembering):
    """An endpoint once served is served for as long as its Service has any (BZ-02, BZ-36, BZ-38)."""

    def look(self) -> None:
        for tree, before in self.kept("EndpointSlice"):
            there = {end["addresses"][0] for end in tree["endpoints"]}
            gone = [end for end in (before or tree)["endpoints"] if end["addresses"][0] not in there]
            if tree["endpoints"]:
                tree["endpoints"] += gone


class KeepsLastEndpoint(Remembering):
    """The removal of the last endpoint is not taken in (BZ-39)."""

    def look(self) -> None:
        for tree, before in self.kept("EndpointSlice"):
            if not tree["endpoints"] and before is not None:
                tree["endpoints"], tree["ports"] = before["endpoints"], before["ports"]


class ForgetsDeletes(Walker):
    """What is deleted is served on (BZ-58); it follows watch events."""

    wants = "changes"

    def take(self, message: Message) -> None:
        held = {(one["kind"], one["metadata"]["name"]): one for one in self.objects}
        for change in message["changes"]:
            tree = change["object"]
            if change["type"] != "DELETED":
                held[tree["kind"], tree["metadata"]["name"]] = tree
        self.objects = list(held.values())


class LosesUpdates(Walker):
    """What exists is never changed (BZ-02, BZ-13): only what is new and what is gone is followed."""

    wants = "changes"

    def take(self, message: Message) -> None:
        held = {(one["kind"], one["metadata"]["name"]): one for one in self.objects}
        for change in message["changes"]:
            tree = change["object"]
            key = (tree["kind"], tree["metadata"]["name"])
            match change["type"]:
                case "ADDED":
                    held[key] = tree
                case "DELETED":
                    del held[key]
        self.objects = list(held.values())


class IsFrozen(Walker):
    """Once rules with a Service are written, no transaction succeeds any more (BZ-32, BZ-47)."""

    def take(self, message: Message) -> None:
        if not any(tree["kind"] == "Service" for tree in self.objects) or message["event"].startswith("two"):
            super().take(message)


class ServesUnready(Changing):
    """Readiness is not looked at (BZ-07)."""

    def change(self, tree: Message) -> None:
        for end in tree["endpoints"]:
            end["conditions"]["ready"] = True


class ServesNoTerminating(Changing):
    """Where only terminating endpoints are left, none is served (BZ-62)."""

    def change(self, tree: Message) -> None:
        tree["endpoints"] = [end for end in tree["endpoints"] if not end["conditions"].get("terminating")]


class EmptiedByTerminating(Changing):
    """One terminating pod takes all endpoints of its Service away (BZ-63)."""

    def change(self, tree: Message) -> None:
        if any(end["conditions"].get("terminating") for end in tree["endpoints"]):
            tree["endpoints"] = []


class IgnoresHints(Changing):
    """Zone hints have no effect (BZ-17)."""

    def change(self, tree: Message) -> None:
        for end in tree["endpoints"]:
            end.pop("hints", None)


class IgnoresOneFamily(Changing):
    """IPv6 addresses of dual-stack Services have no endpoints (BZ-49, BZ-50)."""

    def change(self, tree: Message) -> None:
        if tree["addressType"] == "IPv6":
            tree["endpoints"] = []


class OfServices(Changing):
    kind = "Service"


class IgnoresExternalPolicy(OfServices):
    """externalTrafficPolicy Local is not honoured (BZ-26, BZ-27, BZ-51)."""

    def change(self, tree: Message) -> None:
        tree["spec"].pop("externalTrafficPolicy", None)


class IgnoresInternalPolicy(OfServices):
    """internalTrafficPolicy Local is not honoured (BZ-66)."""

    def change(self, tree: Message) -> None:
        tree["spec"]["internalTrafficPolicy"] = "Cluster"


class DiesOfPolicy(OfServices):
    """A Service whose externalTrafficPolicy is Local loses its endpoints (BZ-57)."""

    def change(self, tree: Message) -> None:
        if tree["spec"].get("externalTrafficPolicy") == "Local":
            tree["spec"]["ports"] = []


class AppliesNoAffinity(OfServices):
    """Clients are drawn anew for each connection (AFF-03)."""

    def change(self, tree: Message) -> None:
        tree["spec"]["sessionAffinity"] = "None"


class IgnoresAffinityTimeout(OfServices):
    """Every client is remembered for three hours (AFF-03)."""

    def change(self, tree: Message) -> None:
        tree["spec"].pop("sessionAffinityConfig", None)


class IgnoresSourceRanges(OfServices):
    """loadBalancerSourceRanges are not enforced (BZ-06, BZ-11, BZ-15, BZ-43)."""

    def change(self, tree: Message) -> None:
        tree["spec"].pop("loadBalancerSourceRanges", None)


class AdmitsTheNode(OfServices):
    """The node itself passes any source ranges (BZ-12)."""

    def change(self, tree: Message) -> None:
        if "loadBalancerSourceRanges" in tree["spec"]:
            tree["spec"]["loadBalancerSourceRanges"] += ["10.32.1.11/32", "fd00:10:32::11/128"]


class IgnoresIpMode(OfServices):
    """A balancer's address is caught on the node though its ipMode is Proxy (BZ-52)."""

    def change(self, tree: Message) -> None:
        for one in tree.get("status", {}).get("loadBalancer", {}).get("ingress", []):
            one.pop("ipMode", None)


class ServesAllProtocols(OfServices):
    """A TCP port is served for UDP too."""

    def change(self, tree: Message) -> None:
        ports = tree["spec"]["ports"]
        taken = {(port["port"], port["protocol"]) for port in ports}
        for port in list(ports):
            if port["protocol"] == "TCP" and (port["port"], "UDP") not in taken:
                ports.append({**port, "name": "also", "protocol": "UDP"})


class MasqueradesNothing(Answering):
    """No source is rewritten (BZ-31)."""

    def leaf(self, leaf: Leaf, _: Packet) -> Leaf:
        return attrs.evolve(leaf, masquerade=False)


class MasqueradesAll(Answering):
    """Every source is rewritten (BZ-27, BZ-29)."""

    def leaf(self, leaf: Leaf, _: Packet) -> Leaf:
        return attrs.evolve(leaf, masquerade=leaf.verdict is Verdict.DNAT)


class MasqueradesNoHairpin(Answering):
    """An endpoint that reaches itself sees its own address (BZ-30)."""

    def leaf(self, leaf: Leaf, packet: Packet) -> Leaf:
        is_hairpin = leaf.target is not None and leaf.target.address == packet.source
        return attrs.evolve(leaf, masquerade=leaf.masquerade and not is_hairpin)


class LeavesLoopbackSource(Answering):
    """A node port on loopback keeps the source 127.0.0.1 (BZ-28)."""

    def leaf(self, leaf: Leaf, packet: Packet) -> Leaf:
        is_loopback = contains(packet.family.loopback, packet.source)
        return attrs.evolve(leaf, masquerade=leaf.masquerade and not is_loopback)


class RejectsNothing(Answering):
    """Without endpoints packets are let through instead of refused (BZ-56)."""

    def leaf(self, leaf: Leaf, _: Packet) -> Leaf:
        return Leaf(Verdict.PASS, leaf.odds) if leaf.verdict is Verdict.REJECT else leaf


class DropsInsteadOfRejecting(Answering):
    """Without endpoints packets vanish instead of being refused (BZ-56)."""

    def leaf(self, leaf: Leaf, _: Packet) -> Leaf:
        return Leaf(Verdict.DROP, leaf.odds) if leaf.verdict is Verdict.REJECT else leaf


class DropsShortCuts(Answering):
    """Policy Local holds for the node's own packets to a balancer's address too (BZ-44)."""

    def leaf(self, leaf: Leaf, packet: Packet) -> Leaf:
        is_balancer = format_address(packet.family, packet.destination).startswith(
            ("192.0.2.1", "2001:db8:b")
        )
        is_remote = leaf.target is not None and format_address(packet.family, leaf.target.address).startswith(
            ("10.244.2.", "fd00:10:244:2:")
        )
        if packet.origin is Origin.NODE and is_balancer and is_remote:
            return Leaf(Verdict.DROP, leaf.odds)
        return leaf


class ServesNodePortsElsewhere(Walker):
    """A node port is caught whatever address a packet goes to (BZ-24)."""

    def fate(self, packet: Packet) -> Outcome:
        own = self.config.primary_address(packet.family)
        if packet.port in (30080, 30081) and packet.protocol == TCP and own is not None:
            packet = attrs.evolve(packet, destination=own)
        return super().fate(packet)


class ServesNodePortsEverywhere(Walker):
    """nodePortAddresses is not looked at (NP-01)."""

    def configured(self, config: NodeConfig) -> NodeConfig:
        return attrs.evolve(config, node_port_addresses=())


class ServesNodePortsOnLoopback(Walker):
    """localhostNodePorts is not looked at (NP-03)."""

    def configured(self, config: NodeConfig) -> NodeConfig:
        return attrs.evolve(config, localhost_node_ports=True)


class DrawsUnevenly(Walker):
    """Of two endpoints the first gets most connections (FWD-LB-01)."""

    def fate(self, packet: Packet) -> Outcome:
        outcome = super().fate(packet)
        if len(outcome.leaves) != 2:
            return outcome
        shares = (Fraction(2, 3), Fraction(1, 3))
        leaves = zip(outcome.leaves, shares, strict=True)
        return attrs.evolve(outcome, leaves=tuple(attrs.evolve(leaf, odds=odds) for leaf, odds in leaves))


class KeepsRefusals(Remembering):
    """What was refused for want of endpoints before an event is refused after it (BZ-40)."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[Packet] = set()
        self.now: set[Packet] = set()

    def look(self) -> None:
        self.refused = self.now if self.before else set()
        self.now = set()

    def fate(self, packet: Packet) -> Outcome:
        outcome = super().fate(packet)
        if outcome.verdict is Verdict.REJECT:
            self.now.add(packet)
        return Outcome((Leaf(Verdict.REJECT, Fraction(1)),)) if packet in self.refused else outcome


WRONG: tuple[type[Walker], ...] = (
    KeepsStaleEndpoints,
    KeepsLastEndpoint,
    ForgetsDeletes,
    LosesUpdates,
    IsFrozen,
    ServesUnready,
    ServesNoTerminating,
    EmptiedByTerminating,
    IgnoresHints,
    IgnoresOneFamily,
    IgnoresExternalPolicy,
    IgnoresInternalPolicy,
    DiesOfPolicy,
    AppliesNoAffinity,
    IgnoresAffinityTimeout,
    IgnoresSourceRanges,
    AdmitsTheNode,
    IgnoresIpMode,
    ServesAllProtocols,
    MasqueradesNothing,
    MasqueradesAll,
    MasqueradesNoHairpin,
    LeavesLoopbackSource,
    RejectsNothing,
    DropsInsteadOfRejecting,
    DropsShortCuts,
    ServesNodePortsElsewhere,
    ServesNodePortsEverywhere,
    ServesNodePortsOnLoopback,
    DrawsUnevenly,
    KeepsRefusals,
)
"""One for each class of bug."""
