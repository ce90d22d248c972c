"""One node's table of kube-proxy, as `nft list ruleset` and `nft -j list ruleset` print it.

Only what makes a listing large is drawn: services with endpoints, each at a cluster IP and a
node port. Both forms say the same; made to measure readers against each other.
"""

import ipaddress
from typing import Any, NamedTuple

import msgspec

_TYPES = {
    "service-ips": ("ipv4_addr", "inet_proto", "inet_service"),
    "service-nodeports": ("inet_proto", "inet_service"),
}


class Forms(NamedTuple):
    """The same listing in both forms."""

    text: bytes
    json: bytes


class Entry(NamedTuple):
    """One element of a map of verdicts: its key, written out, and the chain it leads to."""

    key: tuple[str | int, ...]
    chain: str


def nft_node(services: int, endpoints: int) -> Forms:
    """The listing of a node with so many services of so many endpoints each."""
    names = [f"service-{number:08X}-shop/web-{number}/tcp/http" for number in range(services)]
    ips = [Entry((_at("10.96.0.0", number), "tcp", 80), name) for number, name in enumerate(names, 1)]
    ports = [
        Entry(("tcp", 30000 + number % 2768 + number // 2768 * 3000), name)
        for number, name in enumerate(names)
    ]
    targets = [
        [_at("10.244.0.0", number * endpoints + each) for each in range(endpoints)]
        for number in range(services)
    ]
    maps = {"service-ips": ips, "service-nodeports": ports}
    return Forms(_text(maps, names, targets).encode(), msgspec.json.encode(_json(maps, names, targets)))


def _at(base: str, offset: int) -> str:
    return str(ipaddress.IPv4Address(base) + offset)


def _text(maps: dict[str, list[Entry]], names: list[str], targets: list[list[str]]) -> str:
    lines = ["table ip kube-proxy {"]
    for name, entries in maps.items():
        elements = [f"{' . '.join(map(str, entry.key))} : goto {entry.chain}" for entry in entries]
        lines += [
            f"\tmap {name} {{",
            f"\t\ttype {' . '.join(_TYPES[name])} : verdict",
            "\t\telements = { " + ",\n\t\t\t     ".join(elements) + " }",
            "\t}",
            "",
        ]
    lines += [
        "\tchain nat-prerouting {",
        "\t\ttype nat hook prerouting priority dstnat; policy accept;",
        "\t\tip daddr . meta l4proto . th dport vmap @service-ips",
        "\t}",
        "",
    ]
    for name, found in zip(names, targets, strict=True):
        branches = ", ".join(f"{number} : {address} . 8080" for number, address in enumerate(found))
        rule = f"meta l4proto tcp dnat ip to numgen random mod {len(found)} map {{ {branches} }}"
        lines += [f"\tchain {name} {{", f"\t\t{rule}", "\t}", ""]
    return "\n".join([*lines, "}", ""])


def _json(maps: dict[str, list[Entry]], names: list[str], targets: list[list[str]]) -> dict[str, Any]:
    place = {"family": "ip", "table": "kube-proxy"}
    objects: list[dict[str, Any]] = [
        {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "ip", "name": "kube-proxy"}},
    ]
    for name, entries in maps.items():
        elements = [[{"concat": entry.key}, {"goto": {"target": entry.chain}}] for entry in entries]
        objects.append(
            {"map": {**place, "name": name, "type": _TYPES[name], "map": "verdict", "elem": elements}}
        )
    base = {"type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}
    objects.append({"chain": {**place, "name": "nat-prerouting", **base}})
    objects += [{"chain": {**place, "name": name}} for name in names]
    fields = [_payload("ip", "daddr"), {"meta": {"key": "l4proto"}}, _payload("th", "dport")]
    lookup = {"vmap": {"key": {"concat": fields}, "data": "@service-ips"}}
    objects.append({"rule": {**place, "chain": "nat-prerouting", "expr": [lookup]}})
    is_tcp = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}}
    for name, found in zip(names, targets, strict=True):
        branches = [[number, {"concat": [address, 8080]}] for number, address in enumerate(found)]
        draw = {"numgen": {"mode": "random", "mod": len(found), "offset": 0}}
        dnat = {"dnat": {"family": "ip", "addr": {"map": {"key": draw, "data": {"set": branches}}}}}
        objects.append({"rule": {**place, "chain": name, "expr": [is_tcp, dnat]}})
    return {"nftables": objects}


def _payload(protocol: str, field: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": field}}
