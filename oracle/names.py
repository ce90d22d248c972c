"""Whose a chain is: kube-proxy's names, recomputed from the objects.

A chain's name carries a hash of the service port, so a chain is known without its
comment (large clusters have none). A name that matches nothing is an unknown owner,
never an error.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cached_property

from model.objects import ObjectName, Service, ServicePortName

_OWN = re.compile(
    r"KUBE-(SERVICES|NODEPORTS|EXTERNAL-SERVICES|PROXY-FIREWALL|FORWARD|FIREWALL|POSTROUTING"
    r"|LOAD-BALANCER(-FW)?|NODE-PORT|SOURCE-RANGES-FIREWALL|IPVS-(OUT-)?FILTER)$"  # of ipvs mode
)
_PER_SERVICE = re.compile(r"KUBE-(SVC|SVL|EXT|FW|XLB|SEP)-([A-Z2-7]{16})$")
_MARK = re.compile(r"KUBE-MARK-(MASQ|DROP)$")
_COMMENT = re.compile(
    r'--comment "?([a-z0-9][a-z0-9.-]*)/([a-z0-9][a-z0-9.-]*?)(?::([a-z0-9-]*))?(?=[\s"]|$)'
)
_CHAIN = re.compile(r"(?:\[\d+:\d+\] )?-A (\S+)")
_SAID_BY_KUBE_PROXY = re.compile(r'--comment "kube(rnetes|-proxy) ')  # in a base chain
_PORT_PROTOCOL = re.compile(r" -p (tcp|udp|sctp) ")


def chain_hash(text: str) -> str:
    """The 16 characters kube-proxy derives from a text.

    >>> chain_hash("default/kubernetes:https" + "tcp")
    'NPX46M4PTMTKRN6Y'
    """
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:16]


def is_service_chain(name: str) -> bool:
    """Whether kube-proxy owns a chain of this name."""
    return bool(_OWN.match(name) or _PER_SERVICE.match(name) or _MARK.match(name))


def chain_of(rule_text: str) -> str:
    """The chain that a line of a dump belongs to, "" when it does not say."""
    found = _CHAIN.match(rule_text)
    return found.group(1) if found else ""


def is_said_to_be_kube_proxys(rule_text: str) -> bool:
    """Whether the comment of an iptables rule is one that kube-proxy writes in a base chain.

    >>> is_said_to_be_kube_proxys('-A FORWARD -m comment --comment "kube-proxy firewall rules" -j DROP')
    True
    """
    return bool(_SAID_BY_KUBE_PROXY.search(rule_text))


def is_kube_proxy_rule(rule_text: str) -> bool:
    """Whether a rule is kube-proxy's: by its chain, or by what it says in a base chain."""
    chain = chain_of(rule_text)
    return is_service_chain(chain) or "-j KUBE-" in rule_text or is_said_to_be_kube_proxys(rule_text)


class ChainOwners:
    """Service ports by the hash in their chains' names, as of any version."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = tuple(services)

    @cached_property
    def _ports(self) -> dict[ServicePortName, int]:
        return {
            ServicePortName(service.name, port.name, port.protocol): port.port
            for service in self._services
            for port in service.ports
        }

    @cached_property
    def _by_hash(self) -> dict[str, ServicePortName]:
        out: dict[str, ServicePortName] = {}
        for name in self._ports:
            for text in (str(name), f"{name.service}:{name.port_name}"):  # up to 1.19: always a colon
                out[chain_hash(text + name.protocol.lower())] = name
        return out

    def port(self, name: ServicePortName) -> int | None:
        """The Service's port of that name, None when the objects have it no more."""
        return self._ports.get(name)

    def of_rule(self, rule_text: str) -> ServicePortName | None:
        """The service port that a rule names: by a chain's hash, else by its comment."""
        for word in rule_text.split():
            found = _PER_SERVICE.match(word)
            if found and found.group(1) != "SEP":
                owner = self._by_hash.get(found.group(2))
                if owner is not None:
                    return owner
        comment = _COMMENT.search(rule_text)
        if comment is None:
            return None
        protocol = _PORT_PROTOCOL.search(rule_text)
        return ServicePortName(
            ObjectName(comment.group(1), comment.group(2)),
            comment.group(3) or "",
            protocol.group(1).upper() if protocol else "TCP",
        )
