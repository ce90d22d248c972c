"""The version of kube-proxy that wrote a dump, as far as its layout and its choices tell.

Layouts differ for good: a chain of one layout is never written by the versions of
another. Within a layout, which endpoints the chains lead to shows how the slices were read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from model.addresses import Family, format_address
from model.eligibility import version_matters
from model.frontends import FrontendKind, ServicePortView, node_view
from model.node_config import NodeConfig
from model.objects import Cluster, TrafficPolicy
from model.packet import PROTOCOL_NAMES
from model.proxy_version import LATEST, OLDEST, Quirk, Reading
from oracle.dialects.nftables.names import NameKind, proxy_name
from oracle.names import chain_hash
from oracle.ruleset import Dnat, Goto, Jump, Rule, Ruleset

Targets = frozenset[tuple[int, int]]

_ENTRY_CHAINS = ("KUBE-SERVICES", "KUBE-NODEPORTS")
# The colon that stands after the Service's name though its port has none.
_COLON = re.compile(r'--comment "?[a-z0-9.-]+/[a-z0-9.-]+:["\s]')


def minors(rulesets: Iterable[Ruleset]) -> tuple[int, int]:
    """The oldest and the newest minor version that writes such rules.

    Where marks exclude each other, as a damaged rule or leftovers after an upgrade may
    make them, most marks count.
    """
    marks = Counter(_marks(rulesets))
    support = {
        minor: sum(count for (since, until), count in marks.items() if since <= minor <= until)
        for minor in range(OLDEST, LATEST + 1)
    }
    most = max(support.values())
    likely = [minor for minor, count in support.items() if count == most]
    return likely[0], likely[-1]


def quirks(rulesets: Iterable[Ruleset]) -> frozenset[Quirk]:
    """What the layout does otherwise than the contract."""
    rulesets = tuple(rulesets)
    found: set[Quirk] = set()
    if any(
        _is_jump(rule, "KUBE-MARK-DROP")
        for ruleset in rulesets
        for name, chain in ruleset.tables.get("nat", {}).items()
        if name.startswith(("KUBE-FW-", "KUBE-XLB-"))
        for rule in chain.rules
    ):
        found.add(Quirk.MARKED_DROPS)
    oldest, newest = minors(rulesets)
    guarded = any("KUBE-FIREWALL" in ruleset.tables.get("filter", {}) for ruleset in rulesets)
    if not guarded and oldest < 27:  # since then kube-proxy itself always writes the chain
        found.add(Quirk.UNGUARDED)
    if newest <= 20:
        found.add(Quirk.EXTERNAL_FROM_ELSEWHERE)
    if newest <= 19:
        found.add(Quirk.EARLY_REFUSALS)
    return frozenset(found)


def _is_jump(rule: Rule, prefix: str) -> bool:
    return isinstance(rule.then, Jump) and rule.then.chain.startswith(prefix)


def _marks(rulesets: Iterable[Ruleset]) -> Iterator[tuple[int, int]]:
    """(first, last) minor version of each mark that a layout leaves."""
    for ruleset in rulesets:
        for name, chain in ruleset.tables.get("nat", {}).items():
            if name in _ENTRY_CHAINS:
                for rule in chain.rules:
                    yield from _entry_marks(rule)
            elif name.startswith(("KUBE-SVC-", "KUBE-SVL-")):
                if chain.rules and _is_jump(chain.rules[0], "KUBE-MARK-MASQ"):
                    yield 22, LATEST
            elif name.startswith(("KUBE-FW-", "KUBE-XLB-")) and any(
                _is_jump(rule, "KUBE-MARK-DROP") for rule in chain.rules
            ):
                yield OLDEST, 24
        for name, chain in ruleset.tables.get("filter", {}).items():
            if chain.policy is not None and any(_is_jump(r, "KUBE-PROXY-FIREWALL") for r in chain.rules):
                yield 25, LATEST
            if name == "KUBE-FORWARD" and any(" nfacct " in rule.text for rule in chain.rules):
                yield 31, LATEST


def _entry_marks(rule: Rule) -> Iterator[tuple[int, int]]:
    if _is_jump(rule, "KUBE-XLB-"):
        yield OLDEST, 23
    elif _is_jump(rule, "KUBE-EXT-"):
        yield 24, LATEST
    elif _is_jump(rule, "KUBE-MARK-MASQ") and ' cluster IP"' in rule.text:
        yield OLDEST, 21
    if _COLON.search(rule.text):
        yield OLDEST, 19
    if " physdev " in rule.text:
        yield OLDEST, 20
    if " nfacct " in rule.text:
        yield 31, LATEST


@attrs.frozen
class Votes:
    """How many service ports have chains as each reading of the slices would make them.

    `asked` counts the ports for which the readings differ at all.
    """

    asked: int
    by_reading: Counter[Reading]

    def favourites(self) -> tuple[Reading, ...]:
        """The readings that most of the ports follow; none without a majority."""
        most = max(self.by_reading.values(), default=0)
        return tuple(one for one, votes in self.by_reading.items() if votes == most and 2 * most > self.asked)


def votes(
    rulesets: Mapping[Family, Sequence[Ruleset]],
    cluster: Cluster,
    config: NodeConfig,
    readings: Sequence[Reading],
) -> Votes:
    """What each service port's chain says of how its slices were read."""
    asked = 0
    by_reading: Counter[Reading] = Counter()
    for family, sets in rulesets.items():
        views = [
            node_view(cluster, attrs.evolve(config, readings=(one,)), family).service_ports
            for one in readings
        ]
        chains = {
            name: chain.rules
            for one in sets
            for table, chains in one.tables.items()
            if table in ("nat", "ipvs") or table.endswith(" kube-proxy")
            for name, chain in chains.items()
        }
        for ports in zip(*views, strict=True):
            if not version_matters(ports[0].endpoint_choices[0]):
                continue
            wanted = [_chosen(port) for port in ports]
            if len(set(wanted)) < 2:
                continue
            asked += 1
            found = _reached(chains, ports[0], family)
            by_reading.update(one for one, targets in zip(readings, wanted, strict=True) if targets == found)
    return Votes(asked, by_reading)


def _chosen(port: ServicePortView) -> Targets:
    return frozenset((one.address, one.port) for one in port.choices[0].cluster or ())


def _reached(chains: Mapping[str, list[Rule]], port: ServicePortView, family: Family) -> Targets:
    """Where the service port's chain of cluster traffic leads; nowhere if it has none.

    In ipvs mode that is the virtual server of a frontend under policy Cluster, if there is one.
    """
    name = port.name
    out: set[tuple[int, int]] = set()
    # Up to 1.19 a colon stands even behind a Service whose port has no name.
    hashed = [str(name) + name.protocol.lower(), f"{name.service}:{name.port_name}{name.protocol.lower()}"]
    own = [f"KUBE-SVC-{chain_hash(text)}" for text in hashed]
    own += [proxy_name(NameKind.SERVICE, name), *_virtual_server(port, family)]
    for rule in (rule for one in own for rule in chains.get(one, ())):
        inside: Iterable[Rule] = (rule,)
        if isinstance(rule.then, Jump | Goto):
            if not rule.then.chain.startswith(("KUBE-SEP-", "endpoint-", "IPVS ")):
                continue
            inside = chains.get(rule.then.chain, ())
        for inner in inside:
            if isinstance(inner.then, Dnat):
                out.add((inner.then.address or 0, inner.then.port or 0))
    return frozenset(out)


def _virtual_server(port: ServicePortView, family: Family) -> Iterator[str]:
    """The chain that stands for a virtual server with the cluster's endpoints."""
    for kind, address in port.addresses:
        policy = port.internal_policy if kind is FrontendKind.CIP else port.external_policy
        if policy is TrafficPolicy.CLUSTER:
            host = format_address(family, address)
            host = f"[{host}]" if family is Family.IPV6 else host
            yield f"IPVS {PROTOCOL_NAMES[port.protocol]} {host}:{port.port}"
            return
