"""What the cluster's DNS is asked when a claim about it is tried, and what it says, as plain text.

A server is any function from a question to an answer message, so a claim can be held to the
model, to a server made wrong on purpose, or to a real one. dnspython is imported when a
question is asked, not before: the catalogue of claims stays quick to load.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from model.addresses import format_address, parse_address
from model.objects import Cluster, Endpoint, EndpointSlice, Service

if TYPE_CHECKING:
    import dns.message

    from model.dns.resolv_conf import ResolvConf

    Server = Callable[[dns.message.Message], dns.message.Message]
    Lookup = Callable[[str, ResolvConf], "LookedUp"]

ADDRESS_TYPES = {"A": "IPv4", "AAAA": "IPv6"}


@attrs.frozen
class LookedUp:
    """What became of a name: the names tried in order, whether the last won, and its addresses.

    `left_open` says that the search ended at a name that is another server's to answer.
    """

    tried: tuple[str, ...]
    answered: bool
    left_open: bool
    addresses: tuple[str, ...]


@attrs.frozen(eq=False)
class DnsCase:
    """A moment's objects, the server over them, and a resolver that asks it.

    `conf` is the search order that names are looked up with; `zone` the cluster's domain.
    """

    cluster: Cluster
    server: "Server"
    lookup: "Lookup"
    conf: "ResolvConf"
    zone: str = "cluster.local"


@attrs.frozen
class Record:
    """Owner, type and data in lower case; names end with a dot."""

    owner: str
    type: str
    data: str


@attrs.frozen
class Reply:
    """What a message says: whether the name exists, and its records."""

    exists: bool
    answer: tuple[Record, ...]
    additional: tuple[Record, ...]

    def data(self, type: str) -> list[str]:
        """The data of the answers of a type, in order."""
        return [record.data for record in self.answer if record.type == type]


def ask(case: DnsCase, name: str, type: str) -> Reply:
    """What the server says of an absolute name."""
    import dns.message
    import dns.rcode
    import dns.rdatatype

    said = case.server(dns.message.make_query(name, type, id=0))
    sections = (
        tuple(
            Record(str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), str(data).lower())
            for rrset in section
            for data in rrset
        )
        for section in (said.answer, said.additional)
    )
    return Reply(said.rcode() != dns.rcode.NXDOMAIN, *sections)


def domain(case: DnsCase, service: Service) -> str:
    """FQ(s), in lower case and with a final dot."""
    return f"{service.name.name}.{service.name.namespace}.svc.{case.zone}.".lower()


def reverse_name(address: str) -> str:
    """The name that is asked for the PTR of an address."""
    from ipaddress import ip_address

    return f"{ip_address(address).reverse_pointer}."


def published(cluster: Cluster, service: Service) -> Iterator[tuple[Endpoint, EndpointSlice]]:
    """The Service's endpoints that are ready, unset counting as ready (DNS-A-04), with their slices."""
    for one in cluster.slices:
        if one.service == service.name:
            yield from ((endpoint, one) for endpoint in one.endpoints if endpoint.ready is not False)


def texts(addresses: Sequence[str]) -> set[str]:
    """The addresses among them, as records spell them."""
    found = set()
    for text in addresses:
        try:
            found.add(format_address(*parse_address(text)))
        except ValueError:
            continue  # a host name, of a slice of type FQDN
    return found


def of_type(addresses: set[str], type: str) -> set[str]:
    """Those that a record of type A or AAAA can hold."""
    return {text for text in addresses if parse_address(text)[0].value == ADDRESS_TYPES[type]}
