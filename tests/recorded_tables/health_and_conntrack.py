"""Replays of what kube-proxy answered to health checks and did to the kernel's connections."""

import json
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from model.addresses import Family, parse_address
from model.conntrack import NO_FLOWS, Flow, FlowKey, cleaned
from model.conntrack_settings import ConntrackSettings, Kernel, settings_at_start
from model.frontends import node_view
from model.health import ProxyHealth, service_health
from model.load.cluster import load_cluster
from model.node_config import NodeConfig
from model.objects import Cluster, ObjectName
from model.outcome import Target
from model.packet import PROTOCOL_NUMBERS
from tests.recorded_tables.case import Case, Replay, same

TIMEOUT = 10  # seconds; the cases say which families lag, not for how long


def cluster_of(*lists: tuple[str, str, list[dict[str, Any]] | None]) -> Cluster:
    """The objects of a case, as kubectl would have given them; (apiVersion, kind, items) each."""
    items = [
        {**item, "apiVersion": version, "kind": kind}
        for version, kind, found in lists
        for item in found or ()
    ]
    return load_cluster([("case", json.dumps({"kind": "List", "apiVersion": "v1", "items": items}).encode())])


def proxied(case: Case) -> Cluster:
    """The Services and slices of a case."""
    return cluster_of(
        ("v1", "Service", case.get("services")),
        ("discovery.k8s.io/v1", "EndpointSlice", case.get("endpointSlices")),
    )


def clean_stale_entries(case: Case) -> None:
    """An entry is told apart by its whole record: the cases leave the clients' side empty."""
    view = node_view(proxied(case), NodeConfig(case["nodeName"]), Family.IPV4)
    entries = case.get("entriesBefore") or []
    flows = {at: flow_of(entry, client=at) for at, entry in enumerate(entries)}
    table = NO_FLOWS
    for flow in flows.values():
        table = table.insert(flow.original, flow)

    left = cleaned(table, view)

    kept = [entries[at] for at, flow in flows.items() if flow.original in left]
    same(sorted(map(repr, case.get("observedEntriesAfter") or ())), sorted(map(repr, kept)), "entries")


def flow_of(entry: Mapping[str, Any], client: int | None = None) -> Flow:
    """The flow of an entry; with `client`, of that source address."""
    original, reply = entry["original"], entry["reply"]
    destination = number(original["dst"])
    source = number(original["src"]) if client is None else client
    key = FlowKey(
        Family.IPV6 if ":" in original["dst"] else Family.IPV4,
        PROTOCOL_NUMBERS.get(original["protocol"].lower(), 0),
        source,
        original["sport"],
        destination,
        original["dport"],
    )
    target = Target(number(reply["src"]), reply["sport"])
    return Flow(key, target, False, None, opened=0, seen=0)


def number(host: str) -> int:
    return parse_address(host)[1] if host else 0


def flow_filter(case: Case) -> None:
    """A filter takes the flows that it was made of, told apart by their original and reply."""
    wanted = {flow_of(entry) for entry in case.get("filterFlows") or ()}

    for entry in case.get("matchFlow") or ():
        same(case["observed"], flow_of(entry) in wanted)


SYSCTLS = {
    "nf_conntrack_max": "SetMax",
    "hashsize": "SetHashsize",
    "nf_conntrack_tcp_timeout_established": "SetTCPEstablishedTimeout",
    "nf_conntrack_tcp_timeout_close_wait": "SetTCPCloseWaitTimeout",
    "nf_conntrack_tcp_be_liberal": "SetTCPBeLiberal",
    "nf_conntrack_udp_timeout": "SetUDPTimeout",
    "nf_conntrack_udp_timeout_stream": "SetUDPStreamTimeout",
}


def setup_conntrack(case: Case) -> None:
    """The size of the table hangs on the recorder's machine and is recorded as a bare call."""
    config = case["config"]
    wanted = ConntrackSettings(
        max_per_core=config["MaxPerCore"],
        min=config["Min"],
        tcp_established_timeout=seconds(config["TCPEstablishedTimeout"]),
        tcp_close_wait_timeout=seconds(config["TCPCloseWaitTimeout"]),
        tcp_be_liberal=config["TCPBeLiberal"],
        udp_timeout=seconds(config["UDPTimeout"]) or 0,
        udp_stream_timeout=seconds(config["UDPStreamTimeout"]) or 0,
    )
    calls = case.get("observedCalls") or []

    found = settings_at_start(wanted, Kernel(cores=8, hash_size=1 << 40))
    said = [f"{SYSCTLS[one.name]}({one.value})" for one in found]
    said = ["SetMax" if "SetMax" in calls and text.startswith("SetMax(") else text for text in said]

    # The first that the kernel refuses is the last that is tried.
    same(calls, said[: len(calls)] if case["wantErr"] else said)


def seconds(duration: str | None) -> Fraction | None:
    """A duration as Go prints it, of one unit or of several: `1h0m5s`."""
    if duration is None:
        return None
    units = {"ms": Fraction(1, 1000), "h": Fraction(3600), "m": Fraction(60), "s": Fraction(1)}
    total, rest = Fraction(0), duration
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        unit = next(unit for unit in units if rest[digits:].startswith(unit))
        total += Fraction(rest[:digits]) * units[unit]
        rest = rest[digits + len(unit) :]
    return total


def service_health_check(case: Case) -> None:
    """The answer on the health check node port, to the letter."""
    namespace, _, name = case["service"].partition("/")

    answer = service_health(
        ObjectName(namespace, name), case["localReadyEndpoints"], proxy_healthy=case["proxyHealthy"]
    )

    weight = "X-Load-Balancing-Endpoint-Weight"
    found = {"status": answer.status, "body": answer.body, f"header {weight}": dict(answer.headers)[weight]}
    same(case["observed"], found)


def proxy_health_check(case: Case) -> None:
    """Every family that was recorded as lagging has waited as long as the timeout."""
    recorded = json.loads(case["observed"]["body"])
    now = instant(recorded["currentTime"])
    health = ProxyHealth(TIMEOUT)
    for name, status in (recorded.get("status") or {}).items():
        health = health.updated(Family(name), instant(status["lastUpdated"]))
        if not case["expected"]["perFamily"][name]["Healthy"]:
            health = health.queued(Family(name), now - TIMEOUT)

    if case["url"] == "/livez":
        answer = health.livez(now)
    else:
        answer = health.healthz(now, node_eligible=case["expected"]["nodeEligible"])

    same(case["observed"], {"status": answer.status, "body": answer.body})


def instant(text: str) -> Fraction:
    """Seconds since 1970 of a time in UTC, exact to the nanosecond."""
    whole, _, part = text.removesuffix("Z").partition(".")
    return Fraction(int(datetime.fromisoformat(f"{whole}+00:00").timestamp())) + Fraction(f"0.{part or 0}")


REPLAYS: Mapping[str, Replay] = {
    "tables/conntrack_TestCleanStaleEntries": clean_stale_entries,
    "tables/conntrack_TestFlowFilter": flow_filter,
    "tables/conntrack_TestSetupConntrack": setup_conntrack,
    "tables/healthcheck_service": service_health_check,
    "tables/healthcheck_proxy": proxy_health_check,
}
