"""How the cluster's DNS server is configured; the defaults are those of a kubeadm Corefile."""

import enum
from functools import cached_property
from typing import Any

import attrs
import dns.exception
import dns.name


class PodRecords(enum.Enum):
    """What `<dashed ip>.<ns>.pod.<zone>` answers (DNS-POD-01); CoreDNS's option `pods`."""

    DISABLED = "disabled"
    INSECURE = "insecure"  # any address, whether or not a pod has it
    VERIFIED = "verified"  # only the address of a pod of that namespace


class Extent(enum.Enum):
    """Which records there are: those that every implementation must have, or CoreDNS's extras too.

    Extras are endpoint names of services with a ClusterIP (DNS-EP-03), SRV at a name without
    port labels (DNS-SRV-03), PTR for their endpoints (DNS-PTR-02), pod records (DNS-POD-01),
    `ns.dns.<zone>`, addresses at `_port._proto` names, and port labels without underscores.
    How an ExternalName is followed (DNS-EXT-02..06) the schema leaves open: it is CoreDNS's
    way under both.
    """

    SPECIFICATION = "specification"
    COREDNS = "coredns"


class Upstream(enum.Enum):
    """What is known of the server that answers for names outside the cluster."""

    UNKNOWN = "unknown"  # an answer holds what the cluster itself says, and names what it does not
    FAILS = "fails"  # no lookup succeeds (DNS-EXT-06)


def _is_domain(_: object, attribute: "attrs.Attribute[Any]", value: str | tuple[str, ...]) -> None:
    for text in (value,) if isinstance(value, str) else value:
        try:
            labels = dns.name.from_text(text).labels
        except dns.exception.DNSException as error:
            raise ValueError(f"{attribute.name}: {text!r} is not a domain: {error}") from None
        if len(labels) == 1:
            raise ValueError(f"{attribute.name}: the root cannot be a zone of the cluster")


@attrs.frozen
class DnsConfig:
    """The server's settings. Raises ValueError naming field and value.

    `ttl` is in seconds, 0 to 3600 (DNS-TTL-01: CoreDNS 5 unless set, kubeadm 30). `namespaces`
    adds some that no object is in. `serial` is that of the SOA; CoreDNS takes the time of its
    last change. A negative answer in one of the `fall_through` zones is asked of the upstream.
    """

    zone: str = attrs.field(default="cluster.local", validator=_is_domain)
    ttl: int = attrs.field(default=30)
    pods: PodRecords = PodRecords.INSECURE
    extent: Extent = Extent.COREDNS
    endpoint_pod_names: bool = attrs.field(default=False, kw_only=True)
    upstream: Upstream = Upstream.UNKNOWN
    reverse_zones: tuple[str, ...] = attrs.field(default=("in-addr.arpa", "ip6.arpa"), validator=_is_domain)
    fall_through: tuple[str, ...] = attrs.field(default=("in-addr.arpa", "ip6.arpa"), validator=_is_domain)
    namespaces: tuple[str, ...] = ()
    serial: int = 1

    @ttl.validator
    def _is_ttl(self, _: object, value: int) -> None:
        if not 0 <= value <= 3600:
            raise ValueError(f"ttl: {value} is not within 0 and 3600 seconds")

    @cached_property
    def origin(self) -> dns.name.Name:
        """The cluster domain as an absolute name."""
        return dns.name.from_text(self.zone)

    @cached_property
    def reverse_origins(self) -> tuple[dns.name.Name, ...]:
        return tuple(dns.name.from_text(zone) for zone in self.reverse_zones)

    @property
    def has_extras(self) -> bool:
        return self.extent is Extent.COREDNS

    def falls_through(self, name: dns.name.Name) -> bool:
        """Whether a name that the cluster does not have is asked of the upstream."""
        return any(name.is_subdomain(dns.name.from_text(zone)) for zone in self.fall_through)
