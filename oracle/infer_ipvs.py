"""What a node in ipvs mode gives away of kube-proxy's settings, and of its own addresses.

The rule that masquerades cluster IPs says who is a pod; node ports have a virtual server at
each address that serves them. Only what most of the virtual servers agree on is taken.
Source: rules-ipvs 2 and 6.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from model.addresses import Family, format_address
from model.ipvs.node_addresses import node_port_servers
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig
from model.objects import Cluster
from model.packet import PROTOCOL_NUMBERS
from model.predicate import All, Field, Within
from model.written_addresses import of_family
from oracle.roles import IPVS_ROOTS
from oracle.ruleset import Dialect, Ruleset, SetMark

_CLUSTER_IPS = re.compile(r"-A KUBE-SERVICES (.*)--match-set KUBE-(?:6-)?CLUSTER-IP (\S+) -j KUBE-MARK-MASQ$")
_SOURCE = re.compile(r"! -s (\S+) ")
_INTERFACE = re.compile(r"! -i (\S+) ")


@attrs.frozen
class FromIpvs:
    """Fields of NodeConfig with their values, and why they were taken."""

    fields: Mapping[str, object]
    said: tuple[str, ...]


def from_ipvs(
    config: NodeConfig, unset: frozenset[str], rulesets: Sequence[Ruleset], cluster: Cluster | None
) -> FromIpvs:
    """What rules and virtual servers say of settings that nothing gave."""
    fields: dict[str, object] = {}
    said: list[str] = []
    if "cluster_cidrs" in unset:
        _detector(rulesets, fields, said)
    if cluster is not None:
        _node_ports(config, unset, rulesets, cluster, fields, said)
    return FromIpvs(fields, tuple(said))


def with_servers_at_home(config: NodeConfig, rulesets: Iterable[Ruleset]) -> tuple[NodeConfig, str]:
    """(the configuration with every virtual server's address as one of the node's, why).

    The kernel asks its virtual servers about what is delivered to the node, so kube-proxy puts
    their addresses on kube-ipvs0 (rules-ipvs 4). Where nobody listed the interfaces this is taken
    for granted; where they are known, or nothing is served by ipvs, nothing changes and the
    reason is empty.
    """
    if config.addresses_are_complete:
        return config, ""
    known = {(one.family, one.address) for one in config.addresses}
    every = tuple(rulesets)
    found = dict.fromkeys((family, at) for family in Family for at, _, _ in _places(every, family))
    new = [place for place in found if place not in known]
    if not new:
        return config, ""
    held = (InterfaceAddress("kube-ipvs0", family, at, family.bits) for family, at in new)
    why = "the addresses of the virtual servers are taken to be the node's (give --addresses to be sure)"
    return attrs.evolve(config, addresses=(*config.addresses, *held)), why


def _detector(rulesets: Iterable[Ruleset], fields: dict[str, object], said: list[str]) -> None:
    cidrs: list[str] = []
    for ruleset in rulesets:
        chain = ruleset.tables.get("nat", {}).get("KUBE-SERVICES")
        found = [match for rule in (chain.rules if chain else ()) if (match := _CLUSTER_IPS.match(rule.text))]
        if not found:
            continue
        options, directions = found[0].groups()
        fields["masquerade_all"] = False
        if source := _SOURCE.search(options):
            cidrs.append(source[1])
            said.append(f"read off the rules: sources in {source[1]} are pods ({ruleset.family.value})")
        elif interface := _INTERFACE.search(options):
            is_prefix = interface[1].endswith("+")
            kind = DetectLocalMode.INTERFACE_NAME_PREFIX if is_prefix else DetectLocalMode.BRIDGE_INTERFACE
            fields["detect_local"] = kind
            name = "interface_name_prefix" if is_prefix else "bridge_interface"
            fields[name] = interface[1].removesuffix("+")
            said.append(f"read off the rules: what comes in by {interface[1]} is from pods")
        elif directions == "src,dst":
            fields.setdefault("detect_local", DetectLocalMode.NONE)
            said.append(f"read off the rules: nothing tells pods apart ({ruleset.family.value})")
        else:
            fields["masquerade_all"] = True
            said.append(f"read off the rules: masqueradeAll is on ({ruleset.family.value})")
        _mark(ruleset, fields, said)
    if cidrs:
        fields["cluster_cidrs"] = tuple(cidrs)
        fields["detect_local"] = DetectLocalMode.CLUSTER_CIDR


def _mark(ruleset: Ruleset, fields: dict[str, object], said: list[str]) -> None:
    chain = ruleset.tables["nat"].get("KUBE-MARK-MASQ")
    for rule in chain.rules if chain else ():
        flip = rule.then.flip if isinstance(rule.then, SetMark) else 0
        if flip and flip & (flip - 1) == 0:
            fields["masquerade_bit"] = flip.bit_length() - 1
            if flip != 1 << 14:
                said.append(f"read off the rules: masqueradeBit is {flip.bit_length() - 1}")


def _node_ports(
    config: NodeConfig,
    unset: frozenset[str],
    rulesets: Sequence[Ruleset],
    cluster: Cluster,
    fields: dict[str, object],
    said: list[str],
) -> None:
    """Addresses of the node that only its virtual servers tell, and those that serve node ports.

    A single node port may as well be at fault, so it tells only of addresses, and only where
    the interfaces' are not known.
    """
    listed: list[str] = []
    is_list = False
    addresses = list(config.addresses)
    for family in Family:
        count, served = _serving(rulesets, cluster, family)
        if not served:
            continue
        texts = [format_address(family, address) for address in sorted(served)]
        own = {one.address for one in addresses if one.family is family}
        new = sorted(served - own) if not config.addresses_are_complete else []
        addresses += [InterfaceAddress("", family, address, family.bits) for address in new]
        if new:
            shown = ", ".join(format_address(family, address) for address in new)
            said.append(f"read off the virtual servers: {shown} are addresses of the node")
        known = attrs.evolve(config, addresses=tuple(addresses))
        if "node_port_addresses" in unset and count > 1 and served != set(node_port_servers(known, family)):
            is_list = True
            said.append(f"read off the virtual servers: node ports are served on {', '.join(texts)}")
        listed += [f"{text}/{family.bits}" for text in texts]
    if len(addresses) > len(config.addresses):
        fields["addresses"] = tuple(addresses)
    if is_list:
        fields["node_port_addresses"] = tuple(listed)


def _serving(rulesets: Iterable[Ruleset], cluster: Cluster, family: Family) -> tuple[int, set[int]]:
    """(node ports with virtual servers, addresses at which most of them have one)."""
    ports = {
        (PROTOCOL_NUMBERS.get(port.protocol.lower()), port.node_port)
        for service in cluster.services
        for port in service.ports
        if port.node_port
    }
    taken = {
        address
        for service in cluster.services
        for address in of_family(
            (*service.cluster_ips, *service.external_ips, *(one.ip for one in service.ingress if one.ip)),
            family,
        )
    }
    found: dict[int, set[tuple[int, int]]] = {}
    for address, protocol, port in _places(rulesets, family):
        if (protocol, port) in ports and address not in taken:
            found.setdefault(address, set()).add((protocol, port))
    served = Counter({address: len(of) for address, of in found.items()})
    count = len({place for of in found.values() for place in of})
    return count, {address for address, number in served.items() if 2 * number > count}


def _places(rulesets: Iterable[Ruleset], family: Family) -> Iterator[tuple[int, int, int]]:
    """(address, protocol, port) of each virtual server of one port."""
    for ruleset in rulesets:
        if ruleset.dialect is not Dialect.IPVS or ruleset.family is not family:
            continue
        for rule in ruleset.tables["ipvs"][IPVS_ROOTS[0]].rules:
            parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
            values = {part.field: part.values[0][0] for part in parts if isinstance(part, Within)}
            if {Field.DESTINATION, Field.PORT, Field.PROTOCOL} <= values.keys():
                yield values[Field.DESTINATION], values[Field.PROTOCOL], values[Field.PORT]
