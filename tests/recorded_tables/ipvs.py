"""Replay of what kube-proxy wrote in ipvs mode: virtual servers, sets, the dummy device's addresses.

The rules that it wrote beside them are not looked at here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from model.addresses import Family, format_address, parse_address
from model.frontends import node_view
from model.ipvs.node_addresses import listed
from model.ipvs.records import IpSet, IpvsSettings, VirtualServer
from model.ipvs.state import ipvs_state
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
from model.packet import PROTOCOL_NAMES
from tests.recorded_tables.case import Case, Replay, same
from tests.recorded_tables.health_and_conntrack import proxied

ZONE = "topology.kubernetes.io/zone"

ServerKey = tuple[str, str, int]


def written_state(case: Case) -> None:
    family = Family(case["settings"]["ipFamily"])
    cluster = proxied(case)

    state = ipvs_state(node_view(cluster, node_of(case, family), family), cluster.services, settings_of(case))

    servers: dict[ServerKey, list[dict[str, Any]]] = {}
    for one in state.virtual_servers:
        servers.setdefault(key_of(told := server_told(family, one)), []).append(told)
    recorded = {key_of(one): server_recorded(one) for one in case["virtualServers"] or ()}
    same(sorted(recorded), sorted(servers), "frontends")
    for key, one_of in servers.items():  # several where the order of writing decides
        if recorded[key] not in one_of:
            same(recorded[key], one_of[0], "virtual server")
    # The recorder's sets have IPv4's names and family whatever the family of the proxy.
    sets = {one.name.value: set_told(one) for one in state.sets}
    same({name: set_recorded(one) for name, one in (case["ipsets"] or {}).items()}, sets, "sets")
    device = {format_address(family, address) for address in listed(state.bound, family)}
    same(set(case["dummyDeviceAddrs"] or ()), device, "addresses of the dummy device")


def node_of(case: Case, family: Family) -> NodeConfig:
    """The node; where a list holds node ports to some addresses, with those that were found on it."""
    settings = case["settings"]
    found = [] if settings["nodePortAddressesMatchAll"] else settings["nodePortIPs"] or []
    config = NodeConfig(
        settings["nodeName"],
        ProxyMode.IPVS,
        node_port_addresses=tuple(settings["nodePortAddresses"] or ()),
        addresses=tuple(addresses_of(dict.fromkeys([*(case["nodeAddrs"] or ()), *found]))),
        addresses_are_complete=True,
        zone=(settings["topologyLabels"] or {}).get(ZONE),
    )
    if not settings["nodeIP"]:
        return config
    return attrs.evolve(config, primary=((family, parse_address(settings["nodeIP"])[1]),))


def addresses_of(texts: Iterable[str]) -> Iterable[InterfaceAddress]:
    for text in texts:
        family, address = parse_address(text)
        yield InterfaceAddress("eth0", family, address, family.bits)


def settings_of(case: Case) -> IpvsSettings:
    settings = case["settings"]
    return IpvsSettings(settings["scheduler"], tuple(settings["excludeCIDRs"] or ()))


# Records as they were recorded, in an order of their own.


def server_told(family: Family, one: VirtualServer) -> dict[str, Any]:
    return {
        "address": format_address(family, one.frontend.address),
        "port": one.frontend.port,
        "protocol": PROTOCOL_NAMES[one.frontend.protocol].upper(),
        "scheduler": one.scheduler,
        "flags": one.flags.value,
        "timeout": one.timeout,
        "realServers": {
            (format_address(family, real.address), real.port, real.weight) for real in one.real_servers
        },
    }


def server_recorded(one: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: one[name] for name in ("address", "port", "protocol", "scheduler", "timeout")}
    real = {(found["address"], found["port"], found["weight"]) for found in one["realServers"] or ()}
    return {**told, "flags": int(one["flagsRaw"], 16), "realServers": real}


def key_of(one: Mapping[str, Any]) -> ServerKey:
    return one["address"], one["protocol"], one["port"]


def set_told(one: IpSet) -> tuple[str, set[str]]:
    return one.name.type.value, set(one.entries)


def set_recorded(one: Mapping[str, Any]) -> tuple[str, set[str]]:
    return one["type"], set(one["entries"] or ())


REPLAYS: Mapping[str, Replay] = {"tables/ipvs": written_state}
