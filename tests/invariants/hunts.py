"""What is drawn to refute each claim in each of its ways: one hunt for every row of docs/refuted.md."""

import re
from collections.abc import Sequence

import attrs
from hypothesis import strategies as st

from invariants.invariant import Step
from invariants.refuted import REFUTED
from model.cluster import events
from model.cluster.questions import fate
from tests.invariants.playing import History, broken, played
from tests.strategies import scripts
from tests.strategies.scenes import HTTP, HTTPS, Options, scenes

BY_ID = {claim.id: claim for claim in REFUTED}


@attrs.frozen(eq=False)
class Hunt:
    """A search for a history that breaks the claim's `at`th way of failing.

    `cites` are contract rows that decide the last packet, `so` what the violation says, as a
    pattern. `says` must be in the text of what is found, and `most` bounds its events.
    """

    id: str
    at: int
    drawn: st.SearchStrategy[History]
    most: int
    says: tuple[str, ...]
    cites: tuple[str, ...] = ()
    so: str = ""

    def is_met_by(self, history: History) -> bool:
        """Whether the history breaks the claim in this way."""
        steps = played(history)
        violation = broken(BY_ID[self.id], steps)
        if violation is None or not re.search(self.so, violation.what):
            return False
        return {*self.cites} <= {*_cites_of_the_last(steps)}

    @property
    def name(self) -> str:
        return f"{self.id}, {', '.join(BY_ID[self.id].breaks[self.at].rules)}"


def _cites_of_the_last(steps: Sequence[Step]) -> tuple[str, ...]:
    last = steps[-1]
    if not isinstance(last.event, events.Send):
        return ()
    return fate(last.before, last.event.node, last.event.packet).cites


ANY = Options()
PLAIN = Options(types=("ClusterIP",), external_ips=(False,), internal=(None,), clients=("outside",))
RANGED = Options(
    types=("LoadBalancer",),
    ranges=((), ("203.0.113.0/24",)),
    external_ips=(False, True),
    clients=("outside",),
)
STICKY = attrs.evolve(PLAIN, affinity=("", "ClientIP"), sends=(2, 2))


def ranged(frontend: str) -> Options:
    return attrs.evolve(RANGED, frontends=(frontend,))


HUNTS = (
    Hunt(
        "NEG-01",
        0,
        scenes(attrs.evolve(PLAIN, pod_states=("ready", "unready", "terminating"))),
        most=11,
        says=("TerminatePod", "which terminates"),
        cites=("FWD-CIP-01",),
    ),
    Hunt(
        "NEG-01",
        1,
        scenes(attrs.evolve(PLAIN, publish=(False, True), pod_states=("ready", "unready"))),
        most=9,
        says=("publish_not_ready_addresses=True", "which is not ready"),
    ),
    Hunt(
        "NEG-02",
        0,
        scenes(ANY),
        most=15,
        says=("external_traffic_policy=Local", "shop/client", "is not on node-"),
        cites=("FWD-ETP-02",),
    ),
    Hunt(
        "NEG-02",
        1,
        scenes(ANY),
        most=12,
        says=("external_traffic_policy=Local", "from the node itself", "is not on node-"),
        cites=("FWD-ETP-03",),
    ),
    Hunt(
        "NEG-03",
        0,
        scenes(ANY),
        most=12,
        says=("internal_traffic_policy=Local", "-> drop"),
        cites=("FWD-ITP-01",),
    ),
    Hunt(
        "NEG-03",
        1,
        scenes(ANY),
        most=12,
        says=("external_traffic_policy=Local", "-> drop"),
        cites=("FWD-ETP-05",),
    ),
    Hunt(
        "NEG-04",
        0,
        scripts.numbered(most=1),
        most=2,
        says=("protocol=TCP", "protocol=UDP", "so: node port"),
        so=r"is of (\S+) in \w+ and of \1 ",
    ),
    Hunt("NEG-04", 1, scripts.numbered(), most=3, says=("is refused",), so="is free in"),
    Hunt(
        "NEG-04",
        2,
        scripts.numbered(),
        most=3,
        says=("type=ExternalName",),
        so=r"is of (\S+) in \w+ and of (?!\1 )",
    ),
    Hunt("NEG-05", 0, scenes(ranged("NP")), most=11, says=("let in by NP",)),
    Hunt("NEG-05", 1, scenes(ranged("EXT")), most=11, says=("let in by EXT",), so="by EXT"),
    Hunt("NEG-05", 2, scenes(ranged("CIP")), most=11, says=("let in by CIP",)),
    Hunt(
        "NEG-05",
        3,
        scenes(attrs.evolve(ranged("LBV"), families=(("IPv4",), ("IPv6", "IPv4")))),
        most=11,
        says=("let in by LBV", "is outside 203.0.113.0/24"),
    ),
    Hunt(
        "NEG-06",
        0,
        scenes(attrs.evolve(STICKY, ports=((HTTP,), (HTTP, HTTPS)), nodes=("node-a",))),
        most=15,
        says=("session_affinity=ClientIP", ":80 tcp", ":443 tcp", "and then to"),
    ),
    Hunt(
        "NEG-06",
        1,
        scenes(STICKY),
        most=17,
        says=("session_affinity=ClientIP", "at node-a", "at node-b", "and then to"),
    ),
    Hunt(
        "NEG-06",
        2,
        scripts.by_way_of_nodes(),
        most=23,
        says=("session_affinity=ClientIP", "with the node's address", "and then to"),
    ),
    Hunt(
        "NEG-06",
        3,
        scripts.crowds(),
        most=13 + 102,
        says=("the same for 100 other clients", "and then to"),
    ),
    Hunt(
        "NEG-07",
        0,
        scenes(attrs.evolve(ANY, masquerade_all=(False, True))),
        most=14,
        says=("masquerades all", "with an address of node-"),
        cites=("MASQ-01",),
    ),
    Hunt("NEG-07", 1, scenes(ANY), most=10, says=("from the node itself",), cites=("MASQ-02",)),
    Hunt("NEG-07", 2, scenes(ANY), most=13, says=("with an address of node-",), cites=("MASQ-04",)),
    Hunt("NEG-07", 3, scenes(ANY), most=10, says=("with an address of node-",), cites=("MASQ-08",)),
    Hunt("NEG-08", 0, scripts.slices_by_hand(), most=6, says=("goes to port",), cites=("FWD-CIP-01",)),
    Hunt("NEG-08", 1, scripts.slices_by_hand(), most=6, says=("is refused, though",), cites=("FWD-REJ-01",)),
    Hunt(
        "NEG-09",
        0,
        scenes(attrs.evolve(PLAIN, distribution=("PreferSameZone",), zones=(None, "zone-a"))),
        most=16,
        says=("traffic_distribution=PreferSameZone", "joins in zone-a", "another endpoint has a hint"),
        cites=("FWD-CIP-01",),
    ),
    Hunt("NEG-10", 0, scenes(attrs.evolve(PLAIN, sends=(0, 0))), most=3, says=("without a ready endpoint",)),
    Hunt(
        "NEG-11",
        0,
        scripts.deletions(),
        most=14,
        says=("DeletePod", "as its flow does", "no pod's any more"),
    ),
    Hunt(
        "NEG-12",
        0,
        scripts.requests(),
        most=2,
        says=("type=LoadBalancer", "allocate_load_balancer_node_ports=False"),
    ),
    Hunt("NEG-13", 0, scripts.requests(), most=2, says=("type=ClusterIP", "external_ips=")),
    Hunt(
        "NEG-14",
        0,
        scripts.manifests(),
        most=4,
        says=("protocol=TCP", "protocol=UDP", "created as", "updated to"),
    ),
    Hunt(
        "NEG-15",
        0,
        scenes(attrs.evolve(PLAIN, beside=("", "port", "ping"))),
        most=6,
        says=("-> pass", "neither answered nor refused"),
        so="^tcp",
    ),
    Hunt(
        "NEG-15",
        1,
        scenes(attrs.evolve(PLAIN, beside=("", "port", "ping"))),
        most=6,
        says=("icmp", "-> pass", "neither answered nor refused"),
        so="^icmp",
    ),
    Hunt(
        "NEG-16",
        0,
        scenes(Options(types=("NodePort",), external_ips=(False,), internal=(None,), strays=True)),
        most=15,
        says=("external_traffic_policy=Local", "goes straight to shop/client"),
        cites=("FWD-ETP-02", "MASQ-05"),
    ),
    Hunt("NEG-17", 0, scripts.moves(), most=18, says=("writes=1", "listed 2 times"), so="2 times"),
    Hunt("NEG-17", 1, scripts.moves(), most=22, says=("writes=1", "listed 0 times"), so="0 times"),
)
