"""An answer of the cluster's DNS as JSON values; docs/dns.md describes the schema."""

import dns.rcode
import dns.rdatatype
import dns.rrset

from model.dns import DnsServer, ResolvConf
from model.dns.client import Resolution, Step
from oracle.report.as_json import VERSION, Json
from oracle.report.dns_text import flag_names


def resolution_json(
    resolution: Resolution, name: str, rdtype: dns.rdatatype.RdataType, conf: ResolvConf, server: DnsServer
) -> Json:
    """The object that `svcproof dns --format json` prints."""
    return {
        "version": VERSION,
        "name": name,
        "type": dns.rdatatype.to_text(rdtype),
        "status": resolution.status.name.lower(),
        "server": {"addresses": list(server.addresses), "source": server.source.value},
        "resolver": {
            "nameservers": list(conf.nameservers),
            "searches": list(conf.searches),
            "options": [f"{key}:{value}" if value else key for key, value in conf.options],
        },
        "steps": [_step_json(step) for step in resolution.steps],
        **_message_json(resolution.word_of_cluster),
        "addresses": list(resolution.addresses) if rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA) else [],
        "outside": [str(target) for target in resolution.outside],
    }


def _step_json(step: Step) -> Json:
    answers = sum(len(rrset) for reply in step.replies for rrset in reply.message.answer)
    return {
        "name": step.name,
        "status": step.status.name.lower(),
        "searched": step.searched,
        "answers": answers,
        "reason": step.reason or None,
    }


def _message_json(step: Step | None) -> Json:
    """The reply that says most: rcode, null when nothing was the cluster's to say, flags, sections."""
    if step is None:
        return {"rcode": None, "flags": [], "answer": [], "authority": [], "additional": []}
    message = step.replies[-1].message
    return {
        "rcode": dns.rcode.to_text(message.rcode()),
        "flags": flag_names(message),
        "answer": _records_json(message.answer),
        "authority": _records_json(message.authority),
        "additional": _records_json(message.additional),
    }


def _records_json(rrsets: list[dns.rrset.RRset]) -> list[Json]:
    return [
        {
            "name": str(rrset.name),
            "ttl": rrset.ttl,
            "type": dns.rdatatype.to_text(rrset.rdtype),
            "data": str(record),
        }
        for rrset in rrsets
        for record in rrset
    ]
