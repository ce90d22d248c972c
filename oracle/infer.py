"""Settings of kube-proxy that its own rules give away, for want of its configuration.

Only what most of the rules concerned agree on is taken, and each value taken is said in
`assumptions`: a fault in the rules could otherwise pass for a setting.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from model.addresses import Family
from model.node_config import DetectLocalMode, NodeConfig, ProxyMode
from model.objects import Cluster
from model.proxy_version import LATEST, OLDEST, Reading, concerned, readings, versions_text
from oracle.bundle import ASSUMED_WITHOUT_CONFIG, LIKE_KUBELET
from oracle.dataplane import MODES, live
from oracle.dialects.nftables.syntax import Dump
from oracle.infer_ipvs import from_ipvs
from oracle.infer_nftables import from_nft
from oracle.proxy_age import minors, quirks, votes
from oracle.roles import ChainKind, kind_of
from oracle.ruleset import Ruleset, SetMark

# In the service's chain; up to 1.21 in KUBE-SERVICES, beside rules of other frontends.
_MASQUERADE = re.compile(r"-A (?:KUBE-SV[CL]-\S+ (.*)|KUBE-SERVICES (.* cluster IP\"? .*))-j KUBE-MARK-MASQ$")
_SOURCE = re.compile(r"! -s (\S+) ")
_INTERFACE = re.compile(r"! -i (\S+) ")
_POD_TRAFFIC = re.compile(r'-A KUBE-(?:EXT|XLB)-\S+ -s (\S+) .*"(?:pod traffic for |Redirect pods )')
_TO_NODE_PORTS = re.compile(r"-A KUBE-SERVICES (.*)-j KUBE-NODEPORTS$")
_DESTINATION = re.compile(r"^-d (\S+) ")


def inferred(
    config: NodeConfig,
    unset: frozenset[str],
    rulesets: Mapping[Family, tuple[Ruleset, ...]],
    listings: Sequence[Dump],
    cluster: Cluster | None,
) -> NodeConfig:
    """The configuration with what was not given read off the rules, where they are clear.

    `listings` are those of nft that the rule sets were read from.
    """
    every = [one for sets in rulesets.values() for one in sets]
    found: dict[str, object] = {}
    said: list[str] = []
    if "mode" in unset:
        _mode(every, found, said)
    mode = found.get("mode", config.mode)
    from_rules = from_nft(listings) if mode is ProxyMode.NFTABLES else None
    if "cluster_cidrs" in unset:
        if from_rules is not None:
            found |= from_rules.fields
            said += from_rules.said
        elif mode is ProxyMode.IPTABLES:
            _detector(every, found, said)
            _node_ports(every, found, said)
            _mark(every, found, said)
    if mode is ProxyMode.IPVS:
        from_servers = from_ipvs(config, unset, every, cluster)
        found |= from_servers.fields
        said += from_servers.said
    gone = {text for name, text in ASSUMED_WITHOUT_CONFIG.items() if name in found}
    found["assumptions"] = (*(text for text in config.assumptions if text not in gone), *said)
    if from_rules is not None:
        found["quirks"], written_by = from_rules.quirks, from_rules.minors
    elif mode is ProxyMode.IPTABLES:
        found["quirks"], written_by = quirks(every), minors(every)
    else:
        written_by = (OLDEST, LATEST)
    config = attrs.evolve(config, **found)  # type: ignore[arg-type]  # names are fields
    if cluster is None:
        return config
    by_layout = readings(*written_by)
    return _with_readings(config, "readings" not in unset, by_layout, rulesets, cluster)


def _mode(rulesets: Sequence[Ruleset], found: dict[str, object], said: list[str]) -> None:
    """The mode whose service rules are live, where no configuration names one.

    Beside others' leftovers those of the newer mode count: fleets move that way.
    """
    modes = {plane.mode for plane in live(rulesets)}
    if not modes:
        modes = {
            MODES[one.dialect]
            for one in rulesets
            for table, chains in one.tables.items()
            if any(kind_of(one, table, name) is ChainKind.ROOT for name in chains)
        }
    for mode in (ProxyMode.NFTABLES, ProxyMode.IPVS):
        if mode in modes:
            found["mode"] = mode
            said.append(f"read off the rules: kube-proxy runs in {mode.value} mode")
            return


def _with_readings(
    config: NodeConfig,
    is_given: bool,
    by_layout: tuple[Reading, ...],
    rulesets: Mapping[Family, tuple[Ruleset, ...]],
    cluster: Cluster,
) -> NodeConfig:
    """How this kube-proxy reads the slices: by its version, its choices, and its layout.

    `by_layout` are the readings of the versions that write such rules.

    A version that only the kubelet's suggests gives way to what most service ports show,
    if two at least are there to ask: a single one may as well be at fault.
    """
    like_kubelet = any(text.startswith(LIKE_KUBELET) for text in config.assumptions)
    fits = set(config.readings) <= set(by_layout)
    if fits and is_given:
        return config
    affected = concerned(cluster)
    current = config.readings if fits and like_kubelet else by_layout
    said = LIKE_KUBELET if fits and like_kubelet else ""
    if affected.slices and len(by_layout) > 1:
        seen = votes(rulesets, affected, config, by_layout)
        favourites = seen.favourites()
        enough = seen.asked > (1 if said else 0)
        if enough and favourites and not set(current) <= set(favourites):
            current = favourites
            said = f"read off the rules: endpoints are chosen as by kube-proxy {versions_text(current)}"
        elif seen.asked and len(current) > 1:
            said = f"kube-proxy's version is unknown: endpoints may be chosen as by {versions_text(current)}"
    elif affected.slices and is_given:
        said = f"the rules are in the layout of kube-proxy {versions_text(current)}, whatever the Node says"
    kept = [text for text in config.assumptions if not text.startswith(LIKE_KUBELET) or said == LIKE_KUBELET]
    new = [said] if said not in ("", LIKE_KUBELET) else []
    return attrs.evolve(config, readings=current, assumptions=(*kept, *new))


def _texts(rulesets: Iterable[Ruleset], table: str, prefix: str) -> Iterable[str]:
    for ruleset in rulesets:
        for name, chain in ruleset.tables.get(table, {}).items():
            if name.startswith(prefix):
                yield from (rule.text for rule in chain.rules)


def _detector(rulesets: list[Ruleset], found: dict[str, object], said: list[str]) -> None:
    cidrs: list[str] = []
    for family in Family:
        own = [one for one in rulesets if one.family is family]
        chains = sum(name.startswith("KUBE-SVC-") for one in own for name in one.tables.get("nat", {}))
        conditions = Counter(
            _condition(match.group(1) or match.group(2))
            for text in (*_texts(own, "nat", "KUBE-SV"), *_texts(own, "nat", "KUBE-SERVICES"))
            if (match := _MASQUERADE.match(text))
        )
        if not conditions:
            if chains:
                found.setdefault("detect_local", DetectLocalMode.NONE)
                found["masquerade_all"] = False
            continue
        (kind, value), count = conditions.most_common(1)[0]
        if 2 * count <= sum(conditions.values()):
            continue
        found["masquerade_all"] = kind == "all"
        if kind == "cidr":
            found["detect_local"] = DetectLocalMode.CLUSTER_CIDR
            cidrs.append(value)
        elif kind == "interface":
            prefix = value.endswith("+")
            mode = DetectLocalMode.INTERFACE_NAME_PREFIX if prefix else DetectLocalMode.BRIDGE_INTERFACE
            found["detect_local"] = mode
            found["interface_name_prefix" if prefix else "bridge_interface"] = value.removesuffix("+")
        elif kind == "all":
            _pod_cidr_of_external_chains(own, cidrs, found)
        said.append(f"read off the rules: {_in_words(kind, value)} ({family.value})")
    if cidrs:
        found["cluster_cidrs"] = tuple(cidrs)
        found["detect_local"] = DetectLocalMode.CLUSTER_CIDR


def _condition(options: str) -> tuple[str, str]:
    if source := _SOURCE.search(options):
        return "cidr", source.group(1)
    if interface := _INTERFACE.search(options):
        return "interface", interface.group(1)
    return "all", ""


def _pod_cidr_of_external_chains(rulesets: list[Ruleset], cidrs: list[str], found: dict[str, object]) -> None:
    """Under masqueradeAll only policy Local tells pods apart."""
    sources = Counter(
        match.group(1)
        for prefix in ("KUBE-EXT-", "KUBE-XLB-")
        for text in _texts(rulesets, "nat", prefix)
        if (match := _POD_TRAFFIC.match(text))
    )
    if sources:
        cidrs.append(sources.most_common(1)[0][0])
    else:
        found.setdefault("detect_local", DetectLocalMode.NONE)


def _in_words(kind: str, value: str) -> str:
    return {
        "cidr": f"sources in {value} are pods",
        "interface": f"what comes in by {value} is from pods",
        "all": "masqueradeAll is on",
    }[kind]


def _node_ports(rulesets: list[Ruleset], found: dict[str, object], said: list[str]) -> None:
    listed: list[str] = []
    for text in _texts(rulesets, "nat", "KUBE-SERVICES"):
        match = _TO_NODE_PORTS.match(text)
        if not match:
            continue
        options = match.group(1)
        if "--dst-type LOCAL" in options:
            found.setdefault("node_port_addresses", ())
            if "! -d 127.0.0.0/8" in options:
                found["localhost_node_ports"] = False
                said.append("read off the rules: localhostNodePorts is off")
        elif destination := _DESTINATION.match(options):
            listed.append(destination.group(1))
    if listed:
        found["node_port_addresses"] = tuple(listed)
        said.append(f"read off the rules: node ports are served on {', '.join(listed)}")


def _mark(rulesets: list[Ruleset], found: dict[str, object], said: list[str]) -> None:
    for ruleset in rulesets:
        chain = ruleset.tables.get("nat", {}).get("KUBE-MARK-MASQ")
        for rule in chain.rules if chain else ():
            flip = rule.then.flip if isinstance(rule.then, SetMark) else 0
            if flip and flip & (flip - 1) == 0:
                found["masquerade_bit"] = flip.bit_length() - 1
                if flip != 1 << 14:
                    said.append(f"read off the rules: masqueradeBit is {flip.bit_length() - 1}")
