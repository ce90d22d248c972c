"""Objects with the model's DNS server over them, as cases for the claims about names."""

from collections.abc import Callable

import attrs
import dns.message

from invariants.names import DnsCase, LookedUp
from model.dns import ClusterDns, ResolvConf, Status, resolve
from model.objects import Cluster

SEARCHED = ResolvConf(
    ("10.96.0.10",), ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local"), (("ndots", "5"),)
)
"""What a pod of namespace shop has under ClusterFirst (DNS-RES-01)."""

FEW_DOTS = attrs.evolve(SEARCHED, options=(("ndots", "1"),))


def dns_case(cluster: Cluster, served: Cluster | None = None, conf: ResolvConf = SEARCHED) -> DnsCase:
    """The cluster, with the server that the model has for it, or for the objects `served`."""
    server = ClusterDns.of(cluster if served is None else served)

    def lookup(name: str, conf: ResolvConf) -> LookedUp:
        found = resolve(server, name, conf)
        return LookedUp(
            tuple(step.name for step in found.steps),
            answered=found.winner is not None,
            left_open=found.status is Status.OUTSIDE,
            addresses=found.addresses,
        )

    return DnsCase(cluster, lambda question: server.reply(question).message, lookup, conf)


def answering(case: DnsCase, change: Callable[[dns.message.Message], dns.message.Message | None]) -> DnsCase:
    """The case with another server: of each answer `change` makes another one, or edits it."""

    def server(question: dns.message.Message) -> dns.message.Message:
        said = case.server(question)
        return change(said) or said

    return attrs.evolve(case, server=server)
