"""One node's rule sets and configuration, read from its evidence."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

import attrs

from model.addresses import Family
from model.errors import InputError
from model.node_config import NodeConfig
from model.objects import Cluster
from oracle.bundle import EvidenceFile, NodeEvidence, node_config
from oracle.dialects.iptables import parse_iptables
from oracle.dialects.ipvs import IpsetDump, IpvsDump, lower_ipvs, parse_ipset, parse_ipvsadm
from oracle.dialects.ipvs.table import named
from oracle.dialects.nftables import parse_nftables
from oracle.dialects.nftables.lower import lowered, table_name
from oracle.dialects.nftables.syntax import Dump, Form
from oracle.dialects.recognise import Tool, tool_of
from oracle.dialects.served_by_ipvs import marking, with_mark, with_virtual_servers
from oracle.dialects.with_sets import with_sets
from oracle.findings import NotJudged
from oracle.infer import inferred
from oracle.ruleset import Accept, Base, Chain, Dialect, Goto, Hookpoint, Jump, Ruleset

# Where the kernel asks its virtual servers: NF_IP_PRI_NAT_SRC - 1 and NF_IP_PRI_NAT_DST + 2.
_IPVS_BASES = {"IPVS": Base(Hookpoint.INPUT, 99), "IPVS of the node": Base(Hookpoint.OUTPUT, -98)}

_DEEPEST = 200  # calls; what reads chains recurses


@attrs.frozen
class NodeRules:
    """Rule sets by family, in the order the kernel asks them, and what was not read."""

    config: NodeConfig
    by_family: Mapping[Family, tuple[Ruleset, ...]]
    not_read: tuple[NotJudged, ...] = ()


def read_node(evidence: NodeEvidence, cluster: Cluster | None) -> NodeRules:
    """Parses every dump of the node and settles its configuration.

    Raises InputError when a dump cannot be read, or when the node has none that can.
    """
    reading = _Reading()
    for file in evidence.rules:
        reading.take(file)
    found = reading.rulesets()
    if not found:
        name = evidence.name or "the node"
        what = "; ".join(dict.fromkeys(f"{one.file}: {one.why}" for one in reading.not_read))
        raise InputError(f"nodes/{name}", 0, f"no rules to judge ({what or 'no rules given'})")
    config, unset = node_config(evidence, cluster)
    # Chains of equal priority are asked in the order they were hooked in, which no dump tells:
    # nf_tables' own first, then those of iptables-nft, then legacy.
    ordered = {
        family: tuple(sorted(sets, key=lambda one: (one.dialect is Dialect.IPTABLES, one.backend != "nft")))
        for family, sets in found.items()
    }
    return NodeRules(
        inferred(config, unset, ordered, reading.listings, cluster), ordered, tuple(reading.not_read)
    )


def rulesets_of(files: Iterable[EvidenceFile]) -> Mapping[Family, Sequence[Ruleset]]:
    """The rule sets of files of rules alone, by family, whatever the node is set to.

    Raises InputError for a file that cannot be read.
    """
    reading = _Reading()
    for file in files:
        reading.take(file)
    return reading.rulesets()


class _Reading:
    """A node's files of rules while they are read, one after the other."""

    def __init__(self) -> None:
        self.not_read: list[NotJudged] = []
        self._iptables: list[Ruleset] = []
        self._nft: list[Dump] = []
        self._ipvs: list[IpvsDump] = []
        self._sets: list[IpsetDump] = []

    def take(self, file: EvidenceFile) -> None:
        data = file.data
        match tool_of(data, file.label):
            case Tool.IPTABLES:
                self._take_iptables(data, file.label)
            case Tool.NFT:
                self._take_nft(parse_nftables(data, file.label))
            case Tool.IPVSADM:
                if self._ipvs:
                    what = f"virtual servers as in {self._ipvs[0].file}: give one dump"
                    raise InputError(file.label, 0, what)
                self._ipvs.append(parse_ipvsadm(data, file.label))
            case Tool.IPSET:
                self._sets.append(parse_ipset(data, file.label))
            case Tool.CILIUM:
                raise InputError(file.label, 0, "Cilium's list holds no rules: only check can judge it")
            case unknown:
                assert_never(unknown)

    def _take_iptables(self, data: bytes, label: str) -> None:
        read = parse_iptables(data, label)
        name = label.rsplit("/", 1)[-1]
        if name == "iptables-save" and all(one.family is Family.IPV6 for one in read):
            what = "wrong family: IPv6 rules in a file named iptables-save; name it ip6tables-save"
            raise InputError(label, 1, what)
        for ruleset in read:
            for other in self._iptables:
                alike = (other.family, other.backend) == (ruleset.family, ruleset.backend)
                if alike and set(other.tables) & set(ruleset.tables):
                    what = f"the same tables as {other.file}: give one dump of each family"
                    raise InputError(ruleset.file, 0, what)
            self._iptables.append(ruleset)

    def _take_nft(self, dump: Dump) -> None:
        """Of text and JSON of one moment the text is judged, whose lines a reader can look up."""
        for other in self._nft:
            if other.form is dump.form:
                both = {table_name(one) for one in other.tables} & {table_name(one) for one in dump.tables}
                if both:
                    what = f"the same tables as {other.file}: give one listing of each"
                    raise InputError(dump.file, 0, what)
        self._nft.append(dump)

    @property
    def listings(self) -> list[Dump]:
        """Those of nft that are judged: text, where it is there in both forms."""
        return [dump for dump in self._nft if dump.form is Form.TEXT] or self._nft

    def rulesets(self) -> dict[Family, list[Ruleset]]:
        """What was read, by family."""
        found: dict[Family, list[Ruleset]] = {}
        for dump in self.listings:
            for ruleset in lowered(dump, without=self._from_iptables_save(dump)):
                found.setdefault(ruleset.family, []).append(ruleset)
        virtual = self._ipvs[0] if self._ipvs else None
        for ruleset in with_virtual_servers(self._iptables, virtual):
            read = with_sets(ruleset, self._sets) if self._sets else ruleset
            found.setdefault(ruleset.family, []).append(read)
        if virtual is not None:
            marks = {f"IPVS {named(one)}": bits for one, bits in marking(self._iptables, virtual).items()}
            for family in Family:
                found.setdefault(family, []).append(_virtual_servers(virtual, family, marks))
        for sets in found.values():
            for ruleset in sets:
                _refuse_loops(ruleset)
        return found

    def _from_iptables_save(self, dump: Dump) -> set[str]:
        """The tables of an nft listing that a dump of iptables-save says better."""
        given = {
            f"{'ip' if one.family is Family.IPV4 else 'ip6'} {table}"
            for one in self._iptables
            if one.backend != "legacy"
            for table in one.tables
        }
        return given & {table_name(one) for one in dump.tables}


def _virtual_servers(dump: IpvsDump, family: Family, marks: Mapping[str, int]) -> Ruleset:
    """The kernel's virtual servers of a family, asked at input and for what the node sends.

    `marks` are the bits that some of them set, by their chains, for rules that ask who sent a packet on.
    """
    lowered_ = lower_ipvs(dump, family)
    chains = {
        name: with_mark(chain, marks[name]) if name in marks else chain
        for name, chain in lowered_.chains.items()
    }
    root = chains.pop("IPVS")
    bases = {
        name: attrs.evolve(root, name=name, policy=Accept(), base=base) for name, base in _IPVS_BASES.items()
    }
    tables = {"ipvs": {**bases, **chains}}
    notes, warnings = tuple(lowered_.unsupported), tuple(lowered_.warnings)
    return Ruleset(family, dump.file, tables, notes, warnings, dialect=Dialect.IPVS)


def _refuse_loops(ruleset: Ruleset) -> None:
    """A chain that leads back to itself cannot be loaded, so no kernel gave such a dump.

    Chains are settled from the leaves up, in as many rounds as they call each other deep
    at the most; what no round settles leads into a loop.
    """
    for chains in ruleset.tables.values():
        depth: dict[str, int] = {}
        pending = list(chains.values())
        while pending:
            left: list[Chain] = []
            for chain in pending:
                calls = 0
                for rule in chain.rules:
                    then = rule.then
                    if type(then) is Jump or type(then) is Goto:
                        below = depth.get(then.chain)
                        if below is None:
                            left.append(chain)
                            break
                        if below >= calls:
                            calls = below + 1
                            if calls > _DEEPEST:
                                what = f"chains call each other more than {_DEEPEST} deep"
                                raise InputError(ruleset.file, rule.line, what)
                else:
                    depth[chain.name] = calls
            if len(left) == len(pending):
                raise _loop(left, ruleset.file)
            pending = left


def _loop(chains: Sequence[Chain], file: str) -> InputError:
    """The first loop among chains each of which has an exit to another of them."""
    exits = {
        chain.name: {rule.then.chain: rule.line for rule in chain.rules if isinstance(rule.then, Jump | Goto)}
        for chain in chains
    }
    to, seen = chains[0].name, set[str]()
    while to not in seen:
        seen.add(to)
        to, line = next((to, line) for to, line in exits[to].items() if to in exits)
    return InputError(file, line, f"chain {to} leads back to itself")
