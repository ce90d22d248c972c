"""What kubelet writes into a pod's resolv.conf (DNS-RES-01..03), and where the cluster's DNS listens.

The order of merged options is unspecified in kubelet; here they stand where they first did.
"""

import enum
import re
from collections.abc import Iterable

import attrs

from model.addresses import Family, format_address
from model.dns.index import DNS_SERVICE, is_headless
from model.dns.names import parse_host
from model.objects import Cluster, DnsPolicy, ObjectName, Pod

MOST_SERVERS, MOST_SEARCHES, MOST_SEARCH_CHARACTERS = 3, 32, 2048
_LONGEST_SEARCH = 253  # of one domain, a DNS-1123 subdomain

Options = tuple[tuple[str, str], ...]
"""Names and values, "" for an option without one, as `edns0`."""


@attrs.frozen
class ResolvConf:
    """A resolv.conf, as a resolver reads it."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: Options = ()

    @property
    def ndots(self) -> int:
        """The option `ndots`, 1 where it is unset, 15 at most (resolv.conf(5)).

        glibc reads it with atoi into four bits (resolv/res_init.c res_setoptions): what is
        no number is 0, and below 0 it is counted down from 16.
        """
        text = dict(self.options).get("ndots", "")
        if not text:
            return 1
        number = re.match(r"[+-]?[0-9]+", text)
        return min(int(number[0]), 15) & 15 if number else 0


@attrs.frozen
class PodDns:
    """What a pod's spec says of its DNS; `config` is spec.dnsConfig."""

    namespace: str
    policy: DnsPolicy = DnsPolicy.CLUSTER_FIRST
    host_network: bool = False
    config: ResolvConf = ResolvConf()

    @classmethod
    def of(cls, pod: Pod) -> "PodDns":
        """As the Pod says; an unset policy is ClusterFirst, as kubelet takes it."""
        own = pod.dns_config
        return cls(
            pod.name.namespace,
            pod.dns_policy or DnsPolicy.CLUSTER_FIRST,
            pod.host_network,
            ResolvConf(own.nameservers, own.searches, own.options),
        )


@attrs.frozen
class NodeDns:
    """kubelet's clusterDNS and clusterDomain, and the node's own resolv.conf."""

    cluster_dns: tuple[str, ...]
    cluster_domain: str = "cluster.local"
    own: ResolvConf = ResolvConf()


def pod_resolv_conf(pod: PodDns, node: NodeDns) -> ResolvConf:
    """The pod's resolv.conf: the base that its policy chooses, its dnsConfig, then the limits.

    ClusterFirst on the host's network is Default (DNS-RES-02). Without a clusterDNS kubelet
    falls back to Default.
    """
    wants_cluster = pod.policy is DnsPolicy.CLUSTER_FIRST_WITH_HOST_NET or (
        pod.policy is DnsPolicy.CLUSTER_FIRST and not pod.host_network
    )
    if pod.policy is DnsPolicy.NONE:
        base = ResolvConf()
    elif wants_cluster and node.cluster_dns:
        searches = (*_cluster_searches(pod.namespace, node.cluster_domain), *node.own.searches)
        base = ResolvConf(node.cluster_dns, _unique(searches), (("ndots", "5"),))
    else:
        base = node.own
    return _within_limits(_merged(base, pod.config))


def _cluster_searches(namespace: str, domain: str) -> tuple[str, ...]:
    return (f"{namespace}.svc.{domain}", f"svc.{domain}", domain) if domain else ()


def _merged(base: ResolvConf, more: ResolvConf) -> ResolvConf:
    """Servers and searches appended once each; an option of the same name is replaced (DNS-RES-03)."""
    return ResolvConf(
        _unique((*base.nameservers, *more.nameservers)),
        _unique((*base.searches, *more.searches)),
        tuple((dict(base.options) | dict(more.options)).items()),
    )


def _within_limits(conf: ResolvConf) -> ResolvConf:
    """The first servers and searches that fit; a domain that is too long alone is left out."""
    searches = [text for text in conf.searches[:MOST_SEARCHES] if len(text) <= _LONGEST_SEARCH]
    while len(" ".join(searches)) > MOST_SEARCH_CHARACTERS:
        searches.pop()
    return attrs.evolve(conf, nameservers=conf.nameservers[:MOST_SERVERS], searches=tuple(searches))


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


class ServerSource(enum.Enum):
    """How the address of the cluster's DNS is known."""

    SERVICE = "ClusterIP of service kube-system/kube-dns"
    FIRST_ADDRESS = "tenth address of the service CIDR, which begins at service default/kubernetes"
    SERVICE_CIDR = "tenth address of the service CIDR"
    CONVENTION = "kubeadm's usual address: no object tells the service CIDR"


@attrs.frozen
class DnsServer:
    addresses: tuple[str, ...]
    source: ServerSource


def dns_server(cluster: Cluster) -> DnsServer:
    """Where the cluster's DNS listens (DNS-RES-07): its service, else where kubeadm puts it.

    The service of the API server has the first address of the service CIDR. Of several
    CIDRs of one family the first counts.
    """
    services = {service.name: service for service in cluster.services}
    server = services.get(DNS_SERVICE)
    if server is not None and server.cluster_ips and not is_headless(server):
        return DnsServer(server.cluster_ips, ServerSource.SERVICE)
    api = services.get(ObjectName("default", "kubernetes"))
    if found := _above(api.cluster_ips if api else (), 9):
        return DnsServer(found, ServerSource.FIRST_ADDRESS)
    if found := _above((text.partition("/")[0] for text in cluster.service_cidrs), 10):
        return DnsServer(found, ServerSource.SERVICE_CIDR)
    return DnsServer(("10.96.0.10",), ServerSource.CONVENTION)


def _above(texts: Iterable[str], count: int) -> tuple[str, ...]:
    """The first address of each family, counted up; text that is no address is passed over."""
    first: dict[Family, int] = {}
    for address in map(parse_host, texts):
        if address is not None:
            first.setdefault(*address)
    return tuple(format_address(family, number + count) for family, number in first.items())
