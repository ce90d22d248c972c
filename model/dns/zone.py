"""What the cluster's DNS server answers to a question, as a message that could be on the wire.

The records are those of the DNS schema 1.1.0 and, with `Extent.COREDNS`, of CoreDNS's
kubernetes plugin. What hangs on a server outside the cluster is never guessed: `Reply.outside`
names it. Left out: caching and its delay (DNS-TTL-01), the shuffling of answers (DNS-A-06,
they stand in the order of the objects), truncation, zone transfers, DNSSEC.
"""

import attrs
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from model.dns.config import DnsConfig, Upstream
from model.dns.index import DNS_SERVICE, ClusterIndex, index_cluster
from model.dns.lookup import Entry, asked, find, find_reverse, service_domain
from model.dns.names import ServiceName, absolute, parse_host
from model.dns.records import (
    SCHEMA_VERSION,
    VERSION_TTL,
    Found,
    addresses,
    record_set,
    soa,
    srv_records,
)
from model.objects import Cluster

A, AAAA, CNAME, NS = dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.CNAME, dns.rdatatype.NS
PTR, SOA, SRV, TXT = dns.rdatatype.PTR, dns.rdatatype.SOA, dns.rdatatype.SRV, dns.rdatatype.TXT

ANYWHERE = (TXT, SOA)
"""Types of which CoreDNS says NODATA at every other name, even where there is none.

It does not look for the name then (kubernetes.go Services, handler.go ServeDNS).
"""

MOST_HOPS = 11
"""CNAME records in one answer (DNS-EXT-04)."""


@attrs.frozen(eq=False)
class Reply:
    """A response, and the names for which the server asks its upstream.

    What the upstream says is not in the message. Without an answer section the message is
    then SERVFAIL, the server's own answer when its upstream does not answer, or, in a zone
    that falls through, the cluster's NXDOMAIN that the server would keep for itself.
    """

    message: dns.message.Message
    outside: tuple[dns.name.Name, ...] = ()


def answer(
    cluster: Cluster, question: dns.message.Message, *, config: DnsConfig | None = None
) -> dns.message.Message:
    """The response to one question. For many of them make one `ClusterDns`."""
    return ClusterDns.of(cluster, config or DnsConfig()).reply(question).message


@attrs.frozen(eq=False)
class ClusterDns:
    """The server over one moment's objects."""

    config: DnsConfig
    index: ClusterIndex

    @classmethod
    def of(cls, cluster: Cluster, config: DnsConfig | None = None) -> "ClusterDns":
        config = config or DnsConfig()
        return cls(config, index_cluster(cluster, config))

    def ask(self, name: dns.name.Name | str, rdtype: dns.rdatatype.RdataType) -> Reply:
        """The reply to the question for a name and type; its id is 0."""
        return self.reply(dns.message.make_query(name, rdtype, id=0))

    def reply(self, query: dns.message.Message) -> Reply:
        """The reply to a query; FORMERR, NOTIMP, REFUSED or BADVERS for what is no question of class IN."""
        if query.opcode() != dns.opcode.QUERY:
            return _bare(query, dns.rcode.NOTIMP)
        if len(query.question) != 1:
            return _bare(query, dns.rcode.FORMERR)
        question = query.question[0]
        if question.rdclass != dns.rdataclass.IN:
            return _bare(query, dns.rcode.REFUSED)
        if query.edns > 0:
            return _bare(query, dns.rcode.BADVERS)
        zone = self._zone_of(question.name)
        if zone is None:
            return attrs.evolve(_bare(query, dns.rcode.SERVFAIL), outside=(question.name,))
        if zone == self.config.origin:
            found = self._forward(question.name, question.rdtype)
        else:
            found = self._reverse(question.name, question.rdtype)
        if found is None and self.config.falls_through(question.name):
            return self._passed_on(query, zone)
        return self._authoritative(query, zone, found)

    def _zone_of(self, name: dns.name.Name) -> dns.name.Name | None:
        """The longest of the server's zones that the name is in."""
        ours = (self.config.origin, *self.config.reverse_origins)
        zones = [zone for zone in ours if name.is_subdomain(zone)]
        return max(zones, key=len, default=None)

    def _passed_on(self, query: dns.message.Message, zone: dns.name.Name) -> Reply:
        """The cluster's own NXDOMAIN, which the server keeps for itself and asks the upstream instead."""
        if self.config.upstream is Upstream.FAILS:
            return attrs.evolve(_bare(query, dns.rcode.SERVFAIL), outside=(query.question[0].name,))
        reply = self._authoritative(query, zone, None)
        return attrs.evolve(reply, outside=(query.question[0].name,))

    def _authoritative(self, query: dns.message.Message, zone: dns.name.Name, found: Found | None) -> Reply:
        """NOERROR with records, or with the SOA (NODATA); NXDOMAIN with it where nothing is found."""
        rcode = dns.rcode.NXDOMAIN if found is None else dns.rcode.NOERROR
        reply = _bare(query, rcode)
        reply.message.flags |= dns.flags.AA
        found = found or Found()
        reply.message.answer.extend(found.answer)
        reply.message.additional.extend(found.additional)
        if not found.answer:
            asked_zone = query.question[0].name.split(len(zone))[1]  # in the letters of the question
            reply.message.authority.append(soa(asked_zone, self.config.ttl, self.config.serial))
        return attrs.evolve(reply, outside=found.outside)

    def _reverse(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Found | None:
        """PTR records (DNS-PTR-01). Of other types CoreDNS has no such name, the schema no data."""
        if name in self.config.reverse_origins:
            is_soa = rdtype == SOA
            return Found((soa(name, self.config.ttl, self.config.serial),) if is_soa else ())
        if self.config.has_extras and rdtype in ANYWHERE:
            return Found()
        targets = find_reverse(self.index, self.config, name)
        if targets is None or (rdtype != PTR and self.config.has_extras):
            return None
        if rdtype != PTR:
            return Found()
        return Found(record_set(name, self.config.ttl, PTR, map(str, targets)))

    def _forward(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Found | None:
        """The records of a name in the zone."""
        special = self._special(name, rdtype)
        if special is not None:
            return special
        entries = find(self.index, self.config, name)
        if entries is None:
            return None
        # The schema has nothing but SRV at port names, and SRV nowhere else (DNS-SRV-03).
        question = asked(self.config, name)
        has_port = isinstance(question, ServiceName) and question.port_label is not None
        if not self.config.has_extras and has_port != (rdtype == SRV):
            return Found()
        return self._of_entries(name, rdtype, entries)

    def _of_entries(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, entries: tuple[Entry, ...]
    ) -> Found:
        if rdtype in (A, AAAA):
            return self._addresses(name, rdtype, entries, ())
        if rdtype == SRV:
            return srv_records(name, self.config.ttl, entries)
        if rdtype == CNAME and entries and parse_host(entries[0].host) is None:
            target = absolute(entries[0].host)
            return Found(record_set(name, self.config.ttl, CNAME, [str(target)] if target else []))
        return Found()

    def _special(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Found | None:
        """Names and types that hang on no object of a namespace; None for all others."""
        origin, extras = self.config.origin, self.config.has_extras
        if name == dns.name.Name((b"dns-version", *origin.labels)):
            if rdtype == TXT:
                return Found(record_set(name, VERSION_TTL, TXT, [f'"{SCHEMA_VERSION}"']))
            return None if extras else Found()
        if name == origin and rdtype == SOA:
            return Found((soa(name, self.config.ttl, self.config.serial),))
        if not extras:
            return None
        if rdtype in ANYWHERE:
            return Found()
        server = self.index.services.get(DNS_SERVICE)
        entries = tuple(
            Entry(service_domain(self.config, DNS_SERVICE), ip)
            for ip in (server.cluster_ips if server else ())
            if parse_host(ip) is not None
        )
        if name == origin and rdtype == NS:
            return self._name_server(name, entries)
        if name == dns.name.Name((b"ns", b"dns", *origin.labels)):
            return self._addresses(name, rdtype, entries, ()) if rdtype in (A, AAAA) else Found()
        return None

    def _name_server(self, zone: dns.name.Name, entries: tuple[Entry, ...]) -> Found:
        """The service of the DNS server is the zone's name server."""
        ttl = self.config.ttl
        extra = tuple(
            rrset
            for rdtype in (A, AAAA)
            for entry in entries[:1]
            for rrset in record_set(entry.owner, ttl, rdtype, addresses(entries, rdtype))
        )
        return Found(record_set(zone, ttl, NS, (str(entry.owner) for entry in entries)), extra)

    def _addresses(
        self,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
        entries: tuple[Entry, ...],
        followed: tuple[dns.name.Name, ...],
    ) -> Found:
        """Addresses, and the chains of CNAMEs that lead to them (DNS-EXT-02..06).

        `followed` are the targets of the CNAMEs so far. A chain is whole or left out.
        """
        own = record_set(name, self.config.ttl, rdtype, addresses(entries, rdtype))
        hosts = dict.fromkeys(entry.host for entry in entries if parse_host(entry.host) is None)
        chains = [self._chain(name, rdtype, absolute(host), followed) for host in hosts]
        return Found(
            answer=sum((chain.answer for chain in chains), own),
            outside=sum((chain.outside for chain in chains), ()),
        )

    def _chain(
        self,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
        target: dns.name.Name | None,
        followed: tuple[dns.name.Name, ...],
    ) -> Found:
        if target is None or target.is_subdomain(name):
            return Found()
        if len(followed) == MOST_HOPS or target in followed:
            return Found()
        hop = record_set(name, self.config.ttl, CNAME, [str(target)])
        if not target.is_subdomain(self.config.origin):
            if self.config.upstream is Upstream.FAILS:
                return Found(outside=(target,))
            return Found(hop, outside=(target,))
        rest = self._followed(target, rdtype, (*followed, target))
        return attrs.evolve(rest, answer=hop + rest.answer if rest.answer else ())

    def _followed(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, followed: tuple[dns.name.Name, ...]
    ) -> Found:
        """The next step of a chain, inside the zone; what does not exist is an empty end (DNS-EXT-03)."""
        special = self._special(name, rdtype)
        if special is not None:
            return special
        entries = find(self.index, self.config, name)
        return Found() if entries is None else self._addresses(name, rdtype, entries, followed)


def _bare(query: dns.message.Message, rcode: dns.rcode.Rcode) -> Reply:
    """The question again with a code; flags RD and CD, EDNS size and DO as they were asked."""
    message = dns.message.make_response(query)
    message.flags |= query.flags & dns.flags.CD
    if query.edns >= 0:
        message.use_edns(0, query.ednsflags & dns.flags.DO, query.payload)
    message.set_rcode(rcode)
    return Reply(message)
