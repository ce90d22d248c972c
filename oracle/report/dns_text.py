"""An answer of the cluster's DNS as `dig` prints one, with the resolver's way to it as comments."""

from collections.abc import Iterator

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from model.dns import DnsServer, ResolvConf
from model.dns.client import Resolution, Status, Step


def dig_lines(
    resolution: Resolution, conf: ResolvConf, server: DnsServer, whose: str, *, every_step: bool
) -> Iterator[str]:
    """The whole answer: how it was searched for, the reply that says most, who gave it.

    `every_step` prints the replies to all steps. `whose` is the asker in words.
    """
    yield f";; asked by {whose}: {conf_text(conf)}"
    for at, step in enumerate(resolution.steps, 1):
        if len(resolution.steps) > 1 or step.searched or step.reason or step.status is Status.OUTSIDE:
            yield f";; {at}. {step.name} {status_text(step)}"
        if every_step and step.status is not Status.OUTSIDE:
            yield from _replies_lines(step)
            yield ""
    if not every_step and (step_shown := resolution.word_of_cluster) is not None:
        yield from _replies_lines(step_shown)
    yield ""
    for name in resolution.outside:
        yield f";; {name} is for a server outside the cluster to say; its answer is not judged"
    yield f";; SERVER: {', '.join(f'{ip}#53' for ip in server.addresses)} ({server.source.value})"


def _replies_lines(step: Step) -> Iterator[str]:
    for reply in step.replies:
        yield from message_lines(reply.message)


def short_lines(resolution: Resolution) -> Iterator[str]:
    """The data alone, one record a line, as `dig +short`."""
    if resolution.winner is None:
        return
    for reply in resolution.winner.replies:
        for rrset in reply.message.answer:
            yield from (str(record) for record in rrset)


def conf_text(conf: ResolvConf) -> str:
    """A resolv.conf on one line."""
    options = " ".join(f"{name}:{value}" if value else name for name, value in conf.options)
    servers = ", ".join(conf.nameservers) or "none"
    searches = " ".join(conf.searches) or "none"
    return f"nameserver {servers}; search {searches}; options {options or 'none'}"


def status_text(step: Step) -> str:
    """What became of a step: how many records came, or why none did."""
    if step.status is not Status.ANSWERED:
        return ": ".join(filter(None, (step.status.value, step.reason)))
    count = sum(len(rrset) for reply in step.replies for rrset in reply.message.answer)
    return f"{step.status.value}, {count} record{'' if count == 1 else 's'}"


def message_lines(message: dns.message.Message) -> Iterator[str]:
    """Header, flags and sections; empty sections but the question are left out."""
    opcode, rcode = dns.opcode.to_text(message.opcode()), dns.rcode.to_text(message.rcode())
    counts = (
        ("QUERY", len(message.question)),
        ("ANSWER", _records(message.answer)),
        ("AUTHORITY", _records(message.authority)),
        ("ADDITIONAL", _records(message.additional)),
    )
    yield ""
    yield f";; ->>HEADER<<- opcode: {opcode}, status: {rcode}, id: {message.id}"
    numbers = ", ".join(f"{name}: {count}" for name, count in counts)
    yield f";; flags: {' '.join(flag_names(message))}; {numbers}"
    yield ""
    yield ";; QUESTION SECTION:"
    for question in message.question:
        yield f";{question.name} IN {dns.rdatatype.to_text(question.rdtype)}"
    sections = (("ANSWER", message.answer), ("AUTHORITY", message.authority))
    for title, rrsets in (*sections, ("ADDITIONAL", message.additional)):
        if rrsets:
            yield ""
            yield f";; {title} SECTION:"
            for rrset in rrsets:
                yield from rrset.to_text().splitlines()


def flag_names(message: dns.message.Message) -> list[str]:
    """The header's flags in lower case, in dig's order.

    >>> flag_names(dns.message.make_query("a.", "A"))
    ['rd']
    """
    return dns.flags.to_text(message.flags).lower().split()


def _records(rrsets: list[dns.rrset.RRset]) -> int:
    return sum(len(rrset) for rrset in rrsets)
