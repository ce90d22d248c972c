"""`svcproof dns`: what the cluster's DNS answers a pod that asks for a name."""

import os
from typing import TYPE_CHECKING

import click

from model.errors import InputError
from oracle.commands.options import KUBECTL, Sources, SpreadCommand
from oracle.commands.terminal import note, say, say_json

if TYPE_CHECKING:
    from model.dns import DnsConfig, PodDns
    from model.objects import Cluster

TYPES = ("A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "NS", "SOA", "MX", "ANY")
ANSWERED, NOTHING, NOT_JUDGED = 0, 1, 2


@click.command(cls=SpreadCommand)
@click.argument("name", metavar="NAME")
@click.argument("rest", metavar="[TYPE] [PATH]", nargs=-1)
@click.option("--cluster", metavar="F...", multiple=True, help=f"Objects, from `{KUBECTL}`.")
@click.option(
    "--type", "rdtype", type=click.Choice(TYPES, case_sensitive=False), help="As TYPE  [default: A]"
)
@click.option("--from-namespace", metavar="NS", help="Ask as a pod there does  [default: default]")
@click.option("--pod", metavar="NS/POD", help="Ask as this pod does.")
@click.option(
    "--dns-policy",
    type=click.Choice(["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    help="The pod's dnsPolicy  [default: as --pod has it, else ClusterFirst]",
)
@click.option("--cluster-domain", metavar="Z", default="cluster.local", show_default=True)
@click.option(
    "--pod-records",
    type=click.Choice(["disabled", "insecure", "verified"]),
    default="insecure",
    show_default=True,
    help="CoreDNS's option `pods`.",
)
@click.option("--ttl", type=int, default=30, show_default=True, help="CoreDNS's option `ttl`, in seconds.")
@click.option("--short", is_flag=True, help="Only the data of the records.")
@click.option("--trace", is_flag=True, help="Every reply of the search, not only the last.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def dns(
    name: str,
    rest: tuple[str, ...],
    cluster: tuple[str, ...],
    rdtype: str | None,
    from_namespace: str | None,
    pod: str | None,
    dns_policy: str | None,
    cluster_domain: str,
    pod_records: str,
    ttl: int,
    short: bool,
    trace: bool,
    form: str,
) -> int:
    """Say what the cluster's DNS answers a pod that asks for NAME.

    NAME is looked up as a pod's resolver does it: with the search list of its namespace,
    unless it ends with a dot. An IP address is looked up in reverse. TYPE is one of A, AAAA,
    SRV, PTR, CNAME, TXT, NS, SOA, MX, ANY; PATH is a bundle as for `check`, of which only the
    objects are needed.

    Exit status: 0 answered with records, 1 the cluster has no such name or no such records,
    2 unreadable, or nothing of it is the cluster's to answer.
    """
    kind, path = _type_and_path(rest, rdtype)
    if path is None and not cluster:
        raise click.UsageError("give --cluster, or a bundle PATH")
    if pod and from_namespace:
        raise click.UsageError("give --from-namespace or --pod, not both")
    if form == "json" and (short or trace):
        raise click.UsageError("--short and --trace go with --format text")

    from dns.rdatatype import from_text

    from model.dns import ClusterDns, NodeDns, Status, dns_server, pod_resolv_conf, resolve

    bundle = Sources(path, cluster).read()
    if bundle.cluster is None:
        raise InputError(bundle.path or "--cluster", 0, f"no cluster objects; add the output of: {KUBECTL}")
    asker = _asker(bundle.cluster, pod, from_namespace, dns_policy)
    config = _config(cluster_domain, pod_records, ttl)
    server = dns_server(bundle.cluster)
    conf = pod_resolv_conf(asker, NodeDns(server.addresses, cluster_domain.removesuffix(".")))
    wanted, kind = _question(name, kind)
    try:
        resolution = resolve(
            ClusterDns.of(bundle.cluster, config),
            wanted,
            conf,
            types=(from_text(kind),),
            servers=server.addresses,
        )
    except ValueError as error:
        raise InputError("NAME", 0, str(error)) from None
    if form == "json":
        from oracle.report.dns_json import resolution_json

        say_json(resolution_json(resolution, name, from_text(kind), conf, server), indent=2)
    else:
        from oracle.report.dns_text import dig_lines, short_lines

        whose = f"pod {pod}" if pod else f"a pod in namespace {asker.namespace}"
        lines = dig_lines(resolution, conf, server, whose, every_step=trace)
        say(short_lines(resolution) if short else lines)
    if resolution.status is Status.OUTSIDE:
        is_silent = resolution.word_of_cluster is None
        if is_silent or short:  # the whole answer says it itself
            note(f"{resolution.outside[0]} is for a server outside the cluster to answer: not judged")
        return NOT_JUDGED if is_silent else NOTHING
    return ANSWERED if resolution.winner else NOTHING


def _type_and_path(rest: tuple[str, ...], rdtype: str | None) -> tuple[str | None, str | None]:
    """TYPE and PATH in any order. A word that is a type is one, also where a file is called so."""
    kinds = [word.upper() for word in rest if word.upper() in TYPES]
    paths = [word for word in rest if word.upper() not in TYPES]
    if len(kinds) + (rdtype is not None) > 1:
        raise click.UsageError("only one TYPE")
    if len(paths) > 1:
        raise click.UsageError(f"only one PATH; a TYPE is one of {', '.join(TYPES)}")
    if paths and paths[0] != "-" and not os.path.exists(paths[0]) and paths[0].isalnum():
        raise click.UsageError(f"{paths[0]} is neither a PATH nor a TYPE: {', '.join(TYPES)}")
    kind = rdtype.upper() if rdtype is not None else None
    return (kinds[0] if kinds else kind), (paths[0] if paths else None)


def _asker(cluster: "Cluster", pod: str | None, namespace: str | None, policy: str | None) -> "PodDns":
    """The pod that asks. Raises InputError when the one named is not among the objects."""
    from attrs import evolve

    from model.dns import DnsPolicy, PodDns
    from model.objects import ObjectName

    if pod is None:
        return PodDns(namespace or "default", DnsPolicy(policy or "ClusterFirst"))
    where, slash, named = pod.partition("/")
    if not (where and slash and named):
        raise InputError("--pod", 0, f"{pod!r} is not NAMESPACE/NAME")
    found = next((item for item in cluster.pods if item.name == ObjectName(where, named)), None)
    if found is None:
        raise InputError("--pod", 0, f"no pod {pod} among the objects")
    if policy is None and found.dns_policy is None:
        note(f"pod {pod} has no dnsPolicy: ClusterFirst assumed (--dns-policy)")
    asker = PodDns.of(found)
    return evolve(asker, policy=DnsPolicy(policy)) if policy is not None else asker


def _config(domain: str, pods: str, ttl: int) -> "DnsConfig":
    """The server's settings. Raises InputError for a domain or TTL that it cannot have."""
    from model.dns import DnsConfig, PodRecords

    try:
        return DnsConfig(domain, ttl, PodRecords(pods))
    except ValueError as error:
        raise InputError("--cluster-domain, --ttl", 0, str(error)) from None


def _question(name: str, kind: str | None) -> tuple[str, str]:
    """The name and type to ask for: an address asks for the PTR of its reverse name."""
    from model.dns.names import parse_host

    if kind in (None, "PTR") and parse_host(name) is not None:
        from dns.reversename import from_address

        return str(from_address(name)), "PTR"
    return name, kind or "A"
