"""How each dialect's chains, tables and memories are called, and where its base chains hang."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import attrs

from model.addresses import Family, format_address
from model.objects import ServicePortName
from oracle.dialects.nftables.lower_memory import KUBE_PROXY
from oracle.dialects.nftables.names import EndpointPlace, NameKind, name_hash, proxy_name
from oracle.names import chain_hash
from oracle.ruleset import Accept, Base, Chain, Dialect, Hookpoint, Rule
from oracle.writing.places import WIRE, Way

_BUILT_IN = {
    "filter": (Hookpoint.INPUT, Hookpoint.FORWARD, Hookpoint.OUTPUT),
    "nat": (Hookpoint.PREROUTING, Hookpoint.INPUT, Hookpoint.OUTPUT, Hookpoint.POSTROUTING),
}
_PRIORITIES = {Hookpoint.PREROUTING: -100, Hookpoint.OUTPUT: -100, Hookpoint.POSTROUTING: 100}


@attrs.frozen
class Backend:
    """An endpoint of a service port."""

    owner: ServicePortName
    family: Family
    address: int
    port: int


@attrs.frozen
class Part:
    """What nat or the filter does: base rules by hook, and the chains that they lead to."""

    bases: Mapping[Hookpoint, list[Rule]]
    chains: Iterable[Chain]


class Names(Protocol):
    """The names of one dialect; `holds_sets` says that one rule may name many networks."""

    dialect: Dialect
    holds_sets: bool
    postrouting: str

    def dispatch(self, way: Way) -> str:
        """Where packets of a way are led to frontends."""

    def refusals(self, way: Way) -> str:
        """Where packets of a way that nat left alone are refused."""

    def guards(self, way: Way) -> str:
        """Where packets of a way to no Service are refused (MODE-02, MODE-05, MODE-06)."""

    def service(self, owner: ServicePortName, rules: Sequence[Rule]) -> str:
        """A chain of a service port."""

    def endpoint(self, backend: Backend, rules: Sequence[Rule]) -> str:
        """A chain of an endpoint."""

    def memory(self, backend: Backend) -> str:
        """The list of clients that an endpoint keeps (AFF-03)."""

    def tables(self, nat: Part, filter_: Part) -> dict[str, dict[str, Chain]]:
        """The tables that hold the base chains and all others."""


class IptablesNames:
    """Tables nat and filter; names of at most 28 characters."""

    dialect = Dialect.IPTABLES
    holds_sets = False
    postrouting = "KUBE-POSTROUTING"

    def dispatch(self, way: Way) -> str:
        return "KUBE-SERVICES" if way is WIRE else f"KUBE-SERVICES-{way.name.upper()}"

    def refusals(self, way: Way) -> str:
        return "KUBE-PROXY-FIREWALL" if way is WIRE else f"KUBE-PROXY-FIREWALL-{way.name.upper()}"

    def guards(self, way: Way) -> str:
        return "KUBE-FIREWALL" if way is WIRE else f"KUBE-FIREWALL-{way.name.upper()}"

    def service(self, owner: ServicePortName, rules: Sequence[Rule]) -> str:
        return f"KUBE-SVC-{chain_hash(_content(owner, rules))}"

    def endpoint(self, backend: Backend, rules: Sequence[Rule]) -> str:
        return f"KUBE-SEP-{chain_hash(_content(backend.owner, rules))}"

    def memory(self, backend: Backend) -> str:
        host = format_address(backend.family, backend.address)
        return f"KUBE-SEP-{chain_hash(f'{backend.owner}/{backend.owner.protocol}/{host}/{backend.port}')}"

    def tables(self, nat: Part, filter_: Part) -> dict[str, dict[str, Chain]]:
        out: dict[str, dict[str, Chain]] = {}
        for table, part in (("filter", filter_), ("nat", nat)):
            own = [Chain(at.name, part.bases.get(at, []), 0, Accept()) for at in _BUILT_IN[table]]
            out[table] = {chain.name: chain for chain in (*own, *part.chains)}
        return out


class NftNames:
    """One table of a family; chains of nat and of the filter beside each other."""

    dialect = Dialect.NFTABLES
    holds_sets = True
    postrouting = "masquerading"

    def __init__(self, family: Family) -> None:
        self._table = f"{'ip' if family is Family.IPV4 else 'ip6'} {KUBE_PROXY}"

    def dispatch(self, way: Way) -> str:
        return "services" if way is WIRE else f"services-{way.name}"

    def refusals(self, way: Way) -> str:
        return f"refusals-{way.name}"

    def guards(self, way: Way) -> str:
        return f"cluster-ips-check-{way.name}"

    def service(self, owner: ServicePortName, rules: Sequence[Rule]) -> str:
        return _digested(proxy_name(NameKind.SERVICE, owner), _content(owner, rules))

    def endpoint(self, backend: Backend, rules: Sequence[Rule]) -> str:
        name = proxy_name(NameKind.ENDPOINT, backend.owner, _place(backend))
        return _digested(name, _content(backend.owner, rules))

    def memory(self, backend: Backend) -> str:
        return proxy_name(NameKind.AFFINITY, backend.owner, _place(backend))

    def tables(self, nat: Part, filter_: Part) -> dict[str, dict[str, Chain]]:
        own = [
            Chain(f"{kind}-{at.value}", rules, 0, Accept(), Base(at, priority, is_nat=kind == "nat"))
            for kind, part in (("nat", nat), ("filter", filter_))
            for at, rules in part.bases.items()
            for priority in [_PRIORITIES[at] if kind == "nat" else 0]
        ]
        return {self._table: {chain.name: chain for chain in (*own, *nat.chains, *filter_.chains)}}


def _place(backend: Backend) -> EndpointPlace:
    return EndpointPlace(backend.family, backend.address, backend.port)


def _content(owner: ServicePortName, rules: Sequence[Rule]) -> str:
    told = [(rule.when, rule.then, rule.odds, rule.remember, rule.text) for rule in rules]
    return f"{owner}/{owner.protocol} {told}"


def _digested(name: str, content: str) -> str:
    """The name with a digest of the content in place of its own."""
    kind, _, rest = name.split("-", 2)
    return f"{kind}-{name_hash(content)}-{rest}"
