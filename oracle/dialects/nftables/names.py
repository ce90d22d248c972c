"""kube-proxy's names in its nftables tables, which say whose an object is.

A name is a kind, a hash and what was hashed: `service-ULMVA6XW-ns1/svc1/tcp/p80`. The hash is
the first 8 characters of the base32 of SHA-256 of the rest, so a name can be checked; one
that was cut still differs from every other by it.

Sources: rules-nftables 2 and 4; MODE-35.
"""

import base64
import enum
import hashlib
import re
from typing import Final

import attrs

from model.addresses import Family, format_address, parse_address
from model.objects import ObjectName, ServicePortName
from oracle.dialects.nftables.syntax import Dump, Table, TableFamily

KUBE_PROXY: Final = "kube-proxy"
_LONGEST: Final = 240  # without the kind
_CUT: Final = "..."

_NAME: Final = re.compile(r"(service|local|external|firewall|endpoint|affinity)-([A-Z2-7]{8})-(.+)")
_OWNER: Final = re.compile(r"([a-z0-9-]+)/([a-z0-9.-]+)/(tcp|udp|sctp)/([a-z0-9-]*)")
_COMMENT: Final = re.compile(r"([a-z0-9-]+)/([a-z0-9.-]+?)(?::([a-z0-9-]*))?")


class NameKind(enum.Enum):
    """What an object of a service port is for; the value begins its name."""

    SERVICE = "service"  # the endpoints of policy Cluster
    LOCAL = "local"  # the endpoints of policy Local
    EXTERNAL = "external"
    FIREWALL = "firewall"
    ENDPOINT = "endpoint"
    AFFINITY = "affinity"  # a set


@attrs.frozen
class EndpointPlace:
    """An endpoint as a name has it."""

    family: Family
    address: int
    port: int


@attrs.frozen
class ProxyName:
    """A name taken apart.

    `owner` is None when the name was cut before its end. `has_right_hash` is None for a
    name that was cut, whose hash cannot be computed from it.
    """

    kind: NameKind
    hash: str
    owner: ServicePortName | None
    endpoint: EndpointPlace | None = None
    has_right_hash: bool | None = None


def name_hash(text: str) -> str:
    """The 8 characters that kube-proxy derives from a text.

    >>> name_hash("ns1/svc1/tcp/p80"), name_hash("ns1/svc1/tcp/p80__10.180.0.1/80")
    ('ULMVA6XW', '5OJB2KTY')
    """
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:8]


def proxy_name(kind: NameKind, owner: ServicePortName, endpoint: EndpointPlace | None = None) -> str:
    """The name of a service port's object; chains and sets of endpoints name the endpoint.

    >>> proxy_name(NameKind.LOCAL, ServicePortName(ObjectName("kube-system", "kube-dns"), "dns", "UDP"))
    'local-FY5PMXPG-kube-system/kube-dns/udp/dns'
    """
    text = f"{owner.service}/{owner.protocol.lower()}/{owner.port_name}"
    if endpoint is not None:
        host = format_address(endpoint.family, endpoint.address).replace(":", ".")
        text += f"__{host}/{endpoint.port}"
    name = f"{name_hash(text)}-{text}"
    if len(name) > _LONGEST:
        name = name[: _LONGEST - len(_CUT)] + _CUT
    return f"{kind.value}-{name}"


def parse_name(name: str) -> ProxyName | None:
    """What a chain's or set's name says, None for one that is of no service port."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    kind, digest, text = NameKind(found[1]), found[2], found[3]
    is_cut = text.endswith(_CUT)
    owner_text, parts, place_text = text.partition("__")
    is_whole = bool(parts) or not is_cut
    owner = _OWNER.fullmatch(owner_text) if is_whole else None
    if is_whole and owner is None:
        return None
    endpoint = None if is_cut or not parts else _place(place_text)
    if not is_cut and (endpoint is not None) is not (kind in (NameKind.ENDPOINT, NameKind.AFFINITY)):
        return None
    return ProxyName(
        kind,
        digest,
        None if owner is None else _owner(owner[1], owner[2], owner[4], owner[3]),
        endpoint,
        None if is_cut else digest == name_hash(text),
    )


def owner_of_chain(name: str) -> ServicePortName | None:
    """The service port that a chain or set belongs to, None where its name does not say.

    >>> str(owner_of_chain("service-2QRHZV4L-default/kubernetes/tcp/https"))
    'default/kubernetes:https'
    """
    parsed = parse_name(name)
    return None if parsed is None else parsed.owner


def owner_of_comment(comment: str, protocol: str) -> ServicePortName | None:
    """The service port that a map's element names in its comment (`ns1/svc1:p80`).

    `protocol` is the one of the element's key, in capitals.
    """
    found = _COMMENT.fullmatch(comment)
    return None if found is None else _owner(found[1], found[2], found[3] or "", protocol)


def _owner(namespace: str, service: str, port_name: str, protocol: str) -> ServicePortName:
    return ServicePortName(ObjectName(namespace, service), port_name, protocol.upper())


def _place(text: str) -> EndpointPlace | None:
    """`10.0.0.1/80`, or `fd00..1/80`: an IPv6 address with its colons as dots."""
    host, _, port = text.rpartition("/")
    if not port.isdigit():
        return None
    for written in (host, host.replace(".", ":")):
        try:
            family, address = parse_address(written)
        except ValueError:
            continue
        return EndpointPlace(family, address, int(port))
    return None


class Generation(enum.Enum):
    """Layouts that differ in their objects; the value is the first and last minor version."""

    FIREWALL_SETS = (29, 29)
    OUTPUT_POST_DNAT = (30, 33)
    MARK_CHAIN = (31, 35)  # the fix of BZ-44 went to older branches too
    HAIRPIN_SET = (36, 36)

    @property
    def minors(self) -> tuple[int, int]:
        """The oldest and newest minor version of Kubernetes 1.x that writes it."""
        oldest, newest = self.value
        return oldest, newest


def generation_of(table: Table) -> Generation | None:
    """The layout of a kube-proxy table, None when none of its marks is there."""
    if "firewall-allow" in table.sets:
        return Generation.FIREWALL_SETS
    if "hairpin-connections" in table.sets:
        return Generation.HAIRPIN_SET
    if "filter-output-post-dnat" in table.chains:
        return Generation.OUTPUT_POST_DNAT
    return Generation.MARK_CHAIN if "mark-for-masquerade" in table.chains else None


def proxy_tables(dump: Dump) -> dict[Family, Table]:
    """kube-proxy's own tables, by family."""
    families = {TableFamily.IP: Family.IPV4, TableFamily.IP6: Family.IPV6}
    return {
        families[table.family]: table
        for table in dump.tables
        if table.name == KUBE_PROXY and table.family in families
    }
