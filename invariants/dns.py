"""What the cluster's DNS says of Services, whoever serves it: names, targets, chains and searches."""

from collections.abc import Iterator
from itertools import pairwise

from invariants.invariant import Kind, Violation, invariant
from invariants.names import (
    ADDRESS_TYPES,
    DnsCase,
    ask,
    domain,
    of_type,
    published,
    reverse_name,
    texts,
)
from model.objects import Endpoint, Service, ServiceType

MOST_HOPS = 11  # DNS-EXT-04
NO_ADDRESS = ("None",)


@invariant(
    "INV-76",
    "A Service's name has its cluster IPs, or if it is headless the addresses of its ready endpoints, each "
    "by a record of its family, and never both.",
    kind=Kind.DNS,
    source=("DNS-A-01", "DNS-A-02", "DNS-A-03", "DNS-A-04", "DNS-A-05"),
)
def a_name_is_cluster_ips_or_ready_addresses(case: DnsCase) -> Violation | None:
    for service in _with_addresses(case):
        if _is_headless(service):
            ready = (ip for endpoint, _ in published(case.cluster, service) for ip in endpoint.addresses)
            wanted = texts(tuple(ready))
        else:
            wanted = texts(service.cluster_ips)
        for type in ADDRESS_TYPES:
            found = ask(case, domain(case, service), type).data(type)
            if sorted(found) != sorted(of_type(wanted, type)):
                return Violation(f"{type} of {domain(case, service)} is {sorted(found)}, not {wanted}")
    return None


@invariant(
    "INV-77",
    "An endpoint that is not ready is no address of its Service's name, no target of its SRV records and "
    "of no PTR, even while a proxy uses it because it still serves.",
    kind=Kind.DNS,
    source=("DNS-A-04", "DNS-SRV-02", "DNS-PTR-01", "DNS-PTR-02"),
)
def an_endpoint_that_is_not_ready_is_nowhere(case: DnsCase) -> Violation | None:
    for service in _with_addresses(case):
        of_service = [one for one in case.cluster.slices if one.service == service.name]
        every = texts(tuple(ip for one in of_service for each in one.endpoints for ip in each.addresses))
        ready = texts(tuple(ip for each, _ in published(case.cluster, service) for ip in each.addresses))
        hidden = every - ready - texts(service.cluster_ips)
        name = domain(case, service)
        for ip in sorted(hidden):
            named = ask(case, reverse_name(ip), "PTR").data("PTR")
            if any(target == name or target.endswith(f".{name}") for target in named):
                return Violation(f"{ip} of {service.name} is not ready and has the PTR {named}")
        for question, type in ((name, "A"), (name, "AAAA"), *_srv_questions(case, service)):
            reply = ask(case, question, type)
            targets = {data.split()[3] for data in reply.data("SRV")}
            shown = {record.data for record in (*reply.answer, *reply.additional)}
            shown |= {
                ip
                for target in targets
                for kind in ADDRESS_TYPES
                for ip in ask(case, target, kind).data(kind)
            }
            if hidden & shown:
                return Violation(f"{min(hidden & shown)} is not ready, and {type} of {question} leads to it")
    return None


@invariant(
    "INV-78",
    "Every SRV target has an address; a Service with cluster IPs has one SRV for each named port, a "
    "headless one for each named port and ready endpoint whose slice has a number for it, once where "
    "endpoints share a hostname and the number.",
    kind=Kind.DNS,
    source=("DNS-SRV-01", "DNS-SRV-02", "DNS-SRV-03", "DNS-SRV-04", "DNS-EP-03"),
)
def srv_records_lead_to_addresses(case: DnsCase) -> Violation | None:
    for service in _with_addresses(case):
        for port in service.ports:
            if not port.name:
                continue
            question = f"_{port.name}._{port.protocol}.{domain(case, service)}"
            found = ask(case, question, "SRV").data("SRV")
            wanted = 1
            if _is_headless(service):
                wanted = len(set(_resolved(case, service, port.name, port.protocol)))
            if len(found) != wanted:
                return Violation(f"{question} has {len(found)} SRV records, not {wanted}")
            for target in (data.split()[3] for data in found):
                if not any(ask(case, target, type).data(type) for type in ADDRESS_TYPES):
                    return Violation(f"{question} leads to {target}, which has no address")
    return None


def _resolved(case: DnsCase, service: Service, name: str, protocol: str) -> Iterator[tuple[str, int]]:
    """Host and number of each ready endpoint at the port; a host is a hostname or an address."""
    for endpoint, one in published(case.cluster, service):
        numbers = [each.port for each in one.ports if (each.name, each.protocol) == (name, protocol)]
        for number in numbers:
            if number is not None:
                yield from ((host, number) for host in _hosts(endpoint))


def _hosts(endpoint: Endpoint) -> set[str]:
    return {endpoint.hostname.lower()} if endpoint.hostname else texts(endpoint.addresses)


@invariant(
    "INV-79",
    "The PTR of a cluster IP is the name of the Service that has it, and nothing else.",
    kind=Kind.DNS,
    source=("DNS-PTR-01", "ALLOC-IP-01"),
)
def the_ptr_of_a_cluster_ip_is_its_service(case: DnsCase) -> Violation | None:
    for service in _with_addresses(case):
        for ip in sorted(texts(service.cluster_ips)):
            found = ask(case, reverse_name(ip), "PTR").data("PTR")
            if found != [domain(case, service)]:
                return Violation(f"{ip} of {service.name} has the PTR {found}")
    return None


@invariant(
    "INV-80",
    "In every graph of ExternalName Services a chain ends after 11 names at most, and its answer is the "
    "whole chain with addresses at its end, or nothing; outside the cluster's zone addresses are not the "
    "cluster's to say.",
    kind=Kind.DNS,
    source=("DNS-EXT-01", "DNS-EXT-02", "DNS-EXT-03", "DNS-EXT-04", "DNS-EXT-05", "DNS-EXT-06"),
)
def a_chain_of_names_is_whole_or_absent(case: DnsCase) -> Violation | None:
    aliases = {
        domain(case, one): one for one in case.cluster.services if one.type is ServiceType.EXTERNAL_NAME
    }
    for start in aliases:
        chain = _chain(start, aliases)
        owners = [start, *(chain or ())]
        for type in ADDRESS_TYPES:
            answer = ask(case, start, type).answer
            found = [(record.owner, record.type, record.data) for record in answer]
            hops = [(owner, "CNAME", target) for owner, target in pairwise(owners)]
            allowed = [hops + [(owners[-1], type, ip) for ip in ask(case, owners[-1], type).data(type)]]
            if chain and not chain[-1].endswith(f".{case.zone}."):
                allowed += [[]]  # DNS-EXT-06
            elif chain is None or len(allowed[0]) == len(hops):
                allowed = [[]]
            if found not in allowed:
                return Violation(f"{type} of {start} is {found}, not {allowed[0]}")
    return None


def _chain(start: str, aliases: dict[str, Service]) -> list[str] | None:
    """The names that one after the other stand for `start`; None where the chain is to be cut."""
    chain: list[str] = []
    name = start
    while name in aliases:
        text = aliases[name].external_name.lower()
        target = f"{text.removesuffix('.')}."
        if texts((text,)) or f".{target}".endswith(f".{name}") or target in chain or len(chain) == MOST_HOPS:
            return None
        chain.append(target)
        name = target
    return chain


@invariant(
    "INV-81",
    "Looking up a name twice ends alike, by trying the names that the search order makes of it until one "
    "is answered; and a name with a final dot is tried once, as it is.",
    kind=Kind.DNS,
    source=("DNS-RES-04", "DNS-RES-05"),
)
def a_search_is_decided_by_its_order(case: DnsCase) -> Violation | None:
    for asked in _questions(case):
        first, second = case.lookup(asked, case.conf), case.lookup(asked, case.conf)
        if first != second:
            return Violation(f"{asked} is looked up as {first}, and then as {second}")
        order = _search_order(asked, case.conf.searches, case.conf.ndots)
        if not first.tried or first.tried != order[: len(first.tried)]:
            return Violation(f"for {asked} the resolver tries {first.tried}, not {order}")
        if not first.answered and not first.left_open and first.tried != order:
            return Violation(f"for {asked} the resolver stops after {first.tried} of {order}")
    return None


def _questions(case: DnsCase) -> Iterator[str]:
    """Each Service as a pod may write it: with more or less of its name, and with a final dot."""
    for service in case.cluster.services:
        whole = domain(case, service)
        labels = whole.split(".")
        yield from (".".join(labels[:count]) for count in (1, 2))
        yield from (whole.removesuffix("."), f"nobody.{whole}")


def _search_order(name: str, searches: tuple[str, ...], ndots: int) -> tuple[str, ...]:
    """Every name that may be tried, the first first."""
    if name.endswith("."):
        return (name,)
    listed = [f"{name}.{domain}." for domain in searches]
    return (f"{name}.", *listed) if name.count(".") >= ndots else (*listed, f"{name}.")


def _with_addresses(case: DnsCase) -> Iterator[Service]:
    """Every Service that is more than another name."""
    for service in case.cluster.services:
        if service.type is not ServiceType.EXTERNAL_NAME:
            yield service


def _is_headless(service: Service) -> bool:
    return service.cluster_ips[:1] == NO_ADDRESS


def _srv_questions(case: DnsCase, service: Service) -> list[tuple[str, str]]:
    name = domain(case, service)
    named = [f"_{port.name}._{port.protocol}.{name}" for port in service.ports if port.name]
    return [(question, "SRV") for question in (name, *named)]
