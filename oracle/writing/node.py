"""The files that the tools of one node would print if it did what the contract demands."""

from collections.abc import Iterable, Iterator

from model.addresses import Family
from model.node_config import NodeConfig, ProxyMode
from model.objects import Cluster
from oracle.writing.compile import rules_for
from oracle.writing.files import WrittenFile
from oracle.writing.iptables import iptables_lines
from oracle.writing.nft import nft_lines


def node_files(cluster: Cluster, config: NodeConfig, families: Iterable[Family]) -> tuple[WrittenFile, ...]:
    """The files of the families, named as in a bundle, in the mode that `config` says.

    Raises NotWritableError for rules that the mode's tool cannot hold, ValueError for ipvs mode.
    """
    chosen = tuple(families)
    if config.mode is ProxyMode.NFTABLES:
        listing = nft_lines(rules_for(cluster, config, family) for family in chosen)
        return (WrittenFile("nft", chosen, tuple(listing)),)
    return tuple(_saved(cluster, config, chosen))


def _saved(cluster: Cluster, config: NodeConfig, families: Iterable[Family]) -> Iterator[WrittenFile]:
    for family in families:
        name = "iptables-save" if family is Family.IPV4 else "ip6tables-save"
        yield WrittenFile(name, (family,), tuple(iptables_lines(rules_for(cluster, config, family))))
