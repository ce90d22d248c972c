"""What a check says: differences, what was judged, what could not be."""

import enum

import attrs

from model.addresses import Family
from model.objects import ServicePortName
from model.outcome import Outcome
from model.packet import Packet


class Kind(enum.Enum):
    """The kinds of difference; others script against these words."""

    MISSING_FRONTEND = "missing-frontend"
    UNEXPECTED_FRONTEND = "unexpected-frontend"
    MISSING_TARGET = "missing-target"
    STALE_TARGET = "stale-target"
    INELIGIBLE_TARGET = "ineligible-target"
    WRONG_PORT = "wrong-port"
    WRONG_VERDICT = "wrong-verdict"
    UNEVEN_ODDS = "uneven-odds"
    MASQUERADE_MISSING = "masquerade-missing"
    MASQUERADE_UNEXPECTED = "masquerade-unexpected"
    AFFINITY_MISSING = "affinity-missing"
    AFFINITY_UNEXPECTED = "affinity-unexpected"
    AFFINITY_TIMEOUT = "affinity-timeout"
    SOURCE_RANGE = "source-range"
    UNREACHABLE_RULE = "unreachable-rule"
    DOUBLED_DATAPLANE = "doubled-dataplane"


@attrs.frozen
class Line:
    """A line of a dump, as evidence."""

    file: str
    line: int
    text: str


@attrs.frozen
class Difference:
    """The node and the contract disagree about a class of packets.

    `service_port` and `port` are None when no Service is concerned (a foreign rule
    that kube-proxy's chains hide behind). `frontend` is `address:port`. `packet` is one
    packet of the class; `expected` lists every allowed outcome (more than one only where
    the contract leaves a choice), `found` is what the rules do with that packet.
    `lines` are the guilty lines, `cites` the ids of the contract's rows and of the claims
    broken. `frontends` counts the frontends (address, protocol and port) that share this
    cause, and `also` names the other service ports that do.
    """

    kind: Kind
    family: Family
    service_port: ServicePortName | None
    port: int | None
    protocol: str
    frontend: str
    packet: Packet
    expected: tuple[Outcome, ...]
    found: Outcome
    lines: tuple[Line, ...]
    cites: tuple[str, ...]
    explanation: str  # one sentence: what is wrong, in words
    frontends: int = 1
    also: tuple[ServicePortName, ...] = ()


@attrs.frozen
class NotJudged:
    """A line, or a whole question (line 0), that could not be judged, and why.

    `matters` says whether some packet's fate depends on it; only then is the node's
    verdict withheld.
    """

    file: str
    line: int
    text: str
    why: str
    matters: bool


class NodeVerdict(enum.Enum):
    CONFORMS = "conforms"
    DIFFERS = "differs"
    NOT_JUDGED = "not-judged"


@attrs.frozen
class Judged:
    """How much was judged: frontends of the model, cells of the packet space, rules read."""

    frontends: int
    cells: int
    rules: int


@attrs.frozen
class NodeReport:
    """The answer for one node, over the families given.

    `warnings` are sentences about things that are not differences: two Services that
    claim one address, a warning line in the dump. `assumptions` names settings that
    were neither given nor certain.
    """

    node: str
    dialect: str
    families: tuple[Family, ...]
    judged: Judged
    differences: tuple[Difference, ...]
    not_judged: tuple[NotJudged, ...] = ()
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def verdict(self) -> NodeVerdict:
        if self.differences:
            return NodeVerdict.DIFFERS
        if any(item.matters for item in self.not_judged):
            return NodeVerdict.NOT_JUDGED
        return NodeVerdict.CONFORMS


@attrs.frozen
class Trace:
    """One packet through the rules: its outcome and every rule it met, in order.

    `unsure` lists lines that could not be judged and that this outcome depends on; the
    outcome then takes each of them as not matching, and must not be relied on. `assumed` is
    what was taken for granted of the node to walk its rules, or empty.
    """

    outcome: Outcome
    path: tuple[Line, ...]
    unsure: tuple[NotJudged, ...] = ()
    assumed: str = ""
