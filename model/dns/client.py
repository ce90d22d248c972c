"""What a pod's resolver asks for a name, question by question, and what it ends up with.

The resolver is glibc's (DNS-RES-04): others, musl among them, search differently. It asks
the first nameserver, and another one only when that does not answer, which is not modelled.
The end of a search that hangs on a server outside the cluster is left open, never guessed.
"""

import enum
from collections.abc import Iterator, Sequence

import attrs
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from model.dns.config import Upstream
from model.dns.names import parse_host
from model.dns.reasons import reason_for_nothing
from model.dns.resolv_conf import ResolvConf
from model.dns.zone import ClusterDns, Reply


class Status(enum.Enum):
    """What became of a question, or of the whole search."""

    ANSWERED = "NOERROR"  # with records, were it only a CNAME
    NODATA = "NODATA"
    NXDOMAIN = "NXDOMAIN"
    SERVFAIL = "SERVFAIL"
    OUTSIDE = "OUTSIDE"  # another server's to say
    UNASKABLE = "NAME TOO LONG"


@attrs.frozen(eq=False)
class Step:
    """One name that was tried; one reply for each type, none where the cluster's server is not asked.

    `reason` says why the cluster has nothing for it, "" where its objects do not tell.
    """

    name: str
    status: Status
    replies: tuple[Reply, ...] = ()
    searched: bool = True  # False: the name as it was given
    reason: str = ""


@attrs.frozen(eq=False)
class Resolution:
    """Every step in order; `status` is what the program is told at the end.

    The last step is the winning one when `status` is ANSWERED.
    """

    steps: tuple[Step, ...]
    status: Status

    @property
    def winner(self) -> Step | None:
        return self.steps[-1] if self.status is Status.ANSWERED else None

    @property
    def word_of_cluster(self) -> Step | None:
        """The step by which the cluster says most, None when nothing was its to say.

        That is one with records, else of a name that exists, else with a reason, else the last.
        """
        if self.winner is not None:
            return self.winner
        own = [step for step in self.steps if step.replies and step.status is not Status.OUTSIDE]
        existing = [step for step in own if step.status is Status.NODATA]
        telling = [step for step in own if step.reason]
        return next(iter((*existing, *telling, *own[-1:])), None)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses at the end of the winner's CNAMEs, types in the order asked."""
        return tuple(text for reply in _replies(self.winner) for text in _data_at_the_end(reply.message))

    @property
    def outside(self) -> tuple[dns.name.Name, ...]:
        """The names that a server outside the cluster would have to be asked for."""
        last = self.steps[-1]
        if last.status is Status.OUTSIDE and not last.replies:
            return (dns.name.from_text(last.name),)
        return tuple(dict.fromkeys(name for reply in last.replies for name in reply.outside))


def resolve(
    server: ClusterDns,
    name: str,
    conf: ResolvConf,
    *,
    types: Sequence[dns.rdatatype.RdataType] = (dns.rdatatype.A, dns.rdatatype.AAAA),
    servers: Sequence[str] | None = None,
) -> Resolution:
    """The name as a program with this resolv.conf resolves it.

    `servers` are the addresses where `server` listens: with another first nameserver every
    question goes outside; left out, the first nameserver is the cluster's. The types are
    asked together, as getaddrinfo does: a name with an answer of one of them wins.
    Raises ValueError when the name given is no DNS name.
    """
    _check(name)
    is_ours = servers is None or _is_one_of(conf.nameservers[:1], servers)
    steps: list[Step] = []
    for text, searched in candidates(name, conf):
        # A name that cannot be asked ends the search list, not the attempt with the name as given.
        if searched and any(step.status is Status.UNASKABLE for step in steps):
            continue
        steps.append(_try(server if is_ours else None, text, types, searched=searched))
        if steps[-1].status in (Status.ANSWERED, Status.OUTSIDE):
            break
    return Resolution(tuple(steps), _end(steps))


def candidates(name: str, conf: ResolvConf) -> Iterator[tuple[str, bool]]:
    """The absolute names to try, in order, each with whether the search list made it (DNS-RES-04).

    >>> conf = ResolvConf(searches=("x.svc", "svc"), options=(("ndots", "2"),))
    >>> [text for text, _ in candidates("a.b", conf)]
    ['a.b.x.svc.', 'a.b.svc.', 'a.b.']
    """
    as_is = name if name.endswith(".") else f"{name}."
    is_first = name.endswith(".") or name.count(".") >= conf.ndots
    if is_first:
        yield as_is, False
    if name.endswith("."):
        return
    has_root = False
    for domain in conf.searches:
        domain = domain.removeprefix(".")
        has_root |= domain == ""
        yield (f"{as_is}{domain.removesuffix('.')}." if domain else as_is), True
    if not is_first and not has_root:
        yield as_is, False


def _is_one_of(first: Sequence[str], servers: Sequence[str]) -> bool:
    """Whether the first nameserver is one of these addresses, however they are spelled."""
    known = {parse_host(text) for text in servers}
    return any(parse_host(text) in known - {None} for text in first)


def _try(
    server: ClusterDns | None, text: str, types: Sequence[dns.rdatatype.RdataType], *, searched: bool
) -> Step:
    """One name, asked of the cluster's server or, without it, of nobody that is known here."""
    try:
        name = dns.name.from_text(text)
    except dns.exception.DNSException:
        return Step(text, Status.UNASKABLE, searched=searched)
    if server is None:
        return Step(text, Status.OUTSIDE, searched=searched)
    replies = tuple(server.ask(name, rdtype) for rdtype in types)
    status = _best([reply_status(reply, server.config.upstream) for reply in replies])
    reason = ""
    if status in (Status.NODATA, Status.NXDOMAIN):
        reason = reason_for_nothing(server.index, server.config, name, types[-1])
    return Step(text, status, replies, searched, reason)


def _best(found: Sequence[Status]) -> Status:
    """An answer of any type wins, then one that another server might still give."""
    order = (Status.ANSWERED, Status.OUTSIDE, Status.SERVFAIL, Status.NODATA)
    return next((status for status in order if status in found), Status.NXDOMAIN)


def reply_status(reply: Reply, upstream: Upstream) -> Status:
    """What one reply amounts to."""
    if reply.message.answer:
        return Status.ANSWERED
    match reply.message.rcode():
        case dns.rcode.NOERROR:
            return Status.NODATA
        case dns.rcode.NXDOMAIN:
            return Status.NXDOMAIN
        case _:
            is_open = reply.outside != () and upstream is Upstream.UNKNOWN
            return Status.OUTSIDE if is_open else Status.SERVFAIL


def _end(steps: Sequence[Step]) -> Status:
    """What the program is told: the failure of the name as given if that came first, else the kindest."""
    last, first = steps[-1].status, steps[0]
    if last in (Status.ANSWERED, Status.OUTSIDE):
        return last
    if not first.searched:
        return first.status
    found = {step.status for step in steps}
    return next((status for status in (Status.NODATA, Status.SERVFAIL) if status in found), last)


def _check(name: str) -> None:
    try:
        dns.name.from_text(name)
    except dns.exception.DNSException as error:
        raise ValueError(f"{name!r} is not a DNS name: {error}") from None
    if not name:
        raise ValueError("an empty text is not a DNS name")


def _replies(step: Step | None) -> tuple[Reply, ...]:
    return step.replies if step is not None else ()


def _data_at_the_end(message: dns.message.Message) -> Iterator[str]:
    """The data of the asked type after the CNAMEs are followed."""
    question = message.question[0]
    name = question.name
    for rrset in message.answer:
        if rrset.name == name and rrset.rdtype == dns.rdatatype.CNAME != question.rdtype:
            name = rrset[0].target
        elif rrset.name == name and rrset.rdtype == question.rdtype:
            yield from (str(record) for record in rrset)
