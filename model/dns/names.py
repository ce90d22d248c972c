"""How the names of the schema are built, and what a name that is asked for means.

Labels are lower-case text: names of Kubernetes objects are, and a question is compared
without regard to case (DNS schema 2.1).
"""

import attrs
import dns.exception
import dns.name

from model.addresses import Family, parse_address
from model.objects import Endpoint

Address = tuple[Family, int]

SERVICES, PODS = "svc", "pod"
MOST_LABEL = 63
_MAPPED = 0xFFFF  # ::ffff:0:0/96, which Go prints and publishes as IPv4


@attrs.frozen
class Branch:
    """A name that exists and has no records: the zone, `svc`, `pod`, or a namespace (DNS-A-07)."""

    kind: str = ""
    namespace: str | None = None


@attrs.frozen
class ServiceName:
    """`[endpoint.|_port._protocol.]service.namespace.svc`; labels as asked, underscores included."""

    namespace: str
    service: str
    endpoint: str | None = None
    port_label: str | None = None
    protocol_label: str | None = None

    @property
    def is_bare(self) -> bool:
        """Whether the name asks for the service itself: no endpoint, no port (a lone `_` is any)."""
        return self.endpoint is None and {self.port_label, self.protocol_label} <= {None, "_"}

    @property
    def has_underscores(self) -> bool:
        """Whether the labels of port and protocol are written as the schema has them."""
        labels = (self.port_label or "", self.protocol_label or "")
        return all(label.startswith("_") and len(label) > 1 for label in labels)


@attrs.frozen
class PodName:
    """`[ignored.[ignored.]]pod.namespace.pod`."""

    namespace: str
    pod: str


def parse_name(labels: tuple[str, ...]) -> Branch | ServiceName | PodName | None:
    """What the labels in front of the zone ask for; None where no name of this form exists.

    >>> parse_name(("web", "shop", "svc"))
    ServiceName(namespace='shop', service='web', endpoint=None, port_label=None, protocol_label=None)
    """
    if not labels:
        return Branch()
    *left, kind = labels
    if kind not in (SERVICES, PODS) or len(left) > 4:
        return None
    if len(left) < 2:
        return Branch(kind, left[0] if left else None)
    *extra, owner, namespace = left
    if kind == PODS:
        return PodName(namespace, owner)
    match extra:
        case [endpoint]:
            return ServiceName(namespace, owner, endpoint=endpoint)
        case [port, protocol]:
            return ServiceName(namespace, owner, port_label=port, protocol_label=protocol)
        case _:
            return ServiceName(namespace, owner)


def dashed(address: str) -> str:
    """The label that stands for an address (DNS-EP-01).

    >>> dashed("10.244.0.5"), dashed("fd00::5"), dashed("fd00::")
    ('10-244-0-5', 'fd00--5', 'fd00--0')
    """
    if "." in address:
        return address.replace(".", "-")
    label = address.replace(":", "-")
    return f"{label}0" if label.endswith("-") else label


def undashed(label: str) -> str:
    """The address that a pod's label stands for, if it is one (DNS-POD-01).

    >>> undashed("10-244-0-5"), undashed("fd00--5")
    ('10.244.0.5', 'fd00::5')
    """
    is_ipv4 = label.count("-") == 3 and "--" not in label
    return label.replace("-", "." if is_ipv4 else ":")


def endpoint_hostname(endpoint: Endpoint, address: str, *, pod_names: bool) -> str:
    """The endpoint's label below its service: hostname, else the dashed address (DNS-EP-01).

    With `pod_names` (CoreDNS's endpoint_pod_names) the name of the pod, where it fits a
    label, comes before the dashed address (DNS-EP-02).
    """
    if endpoint.hostname:
        return endpoint.hostname
    if pod_names and endpoint.target is not None and len(endpoint.target.name) <= MOST_LABEL:
        return endpoint.target.name
    return dashed(address)


def parse_host(text: str) -> Address | None:
    """The address that the text is, None for a name. An IPv4-mapped one is IPv4, as to Go."""
    try:
        family, number = parse_address(text)
    except ValueError:
        return None
    if family is Family.IPV6 and number >> 32 == _MAPPED:
        return Family.IPV4, number & 0xFFFFFFFF
    return family, number


def absolute(text: str) -> dns.name.Name | None:
    """The text as a name from the root, with or without its final dot; None where it is no name."""
    try:
        return dns.name.from_text(text) if text else None
    except dns.exception.DNSException:
        return None
