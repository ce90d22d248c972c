"""Our own rules, read by our own walk, behind the judge's protocol: the reference to copy from.

`svcproof judge -- python -m oracle.judge.adapters.walker` agrees. What a `Walker` does with the
objects, with a packet's fate or with its own rules may be overridden; tests do, to be caught.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from model.addresses import Family, format_address
from model.errors import InputError
from model.load import load_cluster
from model.node_config import NodeConfig, ProxyMode
from model.objects import Cluster
from model.outcome import Leaf, Outcome, Verdict
from model.packet import Packet
from oracle.dialects.iptables import parse_iptables
from oracle.dialects.nftables import parse_nftables
from oracle.dialects.nftables.lower import lowered
from oracle.judge.trial import node_of
from oracle.packets import read_packets
from oracle.plain import trace
from oracle.ruleset import Ruleset
from oracle.writing import rules_for, write_iptables, write_nft

Message = dict[str, Any]


class Walker:
    """A node: told its configuration and the objects, it knows what becomes of a packet."""

    wants = "state"

    def __init__(self) -> None:
        self.started: Message = {}
        self.objects: list[Message] = []
        self.config = NodeConfig("")
        self.rulesets: dict[Family, tuple[Ruleset, ...]] = {}

    def answer(self, message: Message) -> Message:
        """The answer to any message of the protocol."""
        match message["type"]:
            case "start":
                self.started, self.objects = message, []
                return {"type": "ready", "wants": self.wants}
            case "objects":
                self.take(message)
                self.apply()
                return {"type": "applied"}
            case "packets":
                return {"type": "outcomes", "outcomes": [*self.outcomes(message["packets"])]}
            case other:
                return {"type": "fault", "message": f"there is no message {other!r}"}

    def take(self, message: Message) -> None:
        """The objects that the API server holds now."""
        self.objects = message["state"]

    def apply(self) -> None:
        """Rules for the objects, written as text and read back."""
        cluster = load_cluster([("objects", json.dumps(self.seen()).encode())])
        configuration, interfaces = self.started["proxy_config"], self.started["interfaces"]
        self.config = self.configured(node_of(self.started["node"], configuration, interfaces, cluster))
        self.rulesets = {family: self.rules(cluster, family) for family in Family}

    def seen(self) -> Sequence[Message]:
        """The objects as the rules are made from them."""
        return self.objects

    def configured(self, config: NodeConfig) -> NodeConfig:
        """The configuration as the rules are made from it."""
        return config

    def rules(self, cluster: Cluster, family: Family) -> tuple[Ruleset, ...]:
        """The rules of one family, as the tools of the mode would list them."""
        ruleset = rules_for(cluster, self.config, family)
        if self.config.mode is ProxyMode.IPTABLES:
            return tuple(parse_iptables(write_iptables(ruleset).encode(), "rules", family))
        read = lowered(parse_nftables(write_nft([ruleset]).encode(), "rules"))
        return tuple(one for one in read if one.family is family)

    def outcomes(self, packets: Iterable[Message]) -> Iterable[Message]:
        """An OUTCOME for each packet."""
        lines = (json.dumps(packet).encode() for packet in packets)
        for packet in read_packets(lines, "packets", self.config).packets:
            yield outcome_tree(self.fate(packet), packet)

    def fate(self, packet: Packet) -> Outcome:
        """What becomes of the packet of a client that is not remembered."""
        return trace(self.rulesets[packet.family], self.config, packet).outcome


def outcome_tree(outcome: Outcome, packet: Packet) -> Message:
    """An OUTCOME of the protocol."""
    fates = [_fate(leaf, packet) for leaf in outcome.leaves]
    return {"fates": fates, "affinity_seconds": outcome.affinity_seconds}


def _fate(leaf: Leaf, packet: Packet) -> Message:
    odds = str(leaf.odds)
    source = "masqueraded" if leaf.masquerade else "kept"
    match leaf.verdict:
        case Verdict.DNAT:
            assert leaf.target is not None
            to = format_address(packet.family, leaf.target.address)
            return {"do": "deliver", "odds": odds, "to": to, "port": leaf.target.port, "source": source}
        case Verdict.REJECT:
            return {"do": "reject", "odds": odds, "with": leaf.reject_with}
        case Verdict.PASS if leaf.masquerade:
            to = format_address(packet.family, packet.destination)
            return {"do": "deliver", "odds": odds, "to": to, "port": packet.port, "source": source}
        case _:
            return {"do": leaf.verdict.value, "odds": odds}


def main() -> None:
    """Answers standard input, line by line, on standard output."""
    walker = Walker()
    for line in sys.stdin:
        try:
            answer = walker.answer(json.loads(line))
        except (InputError, ValueError) as fault:
            answer = {"type": "fault", "message": str(fault)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
