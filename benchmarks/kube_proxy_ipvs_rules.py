"""What iptables-save prints on a node whose kube-proxy 1.36 runs in ipvs mode.

Chains, jumps and rules in kube-proxy's own order (each jump is put before those that are
there), as iptables 1.8.9 prints them. Rules of empty sets are left out but for those of the
health check and of the filter. Source: pkg/proxy/ipvs/proxier.go, rules-ipvs 6.
"""

from benchmarks.kube_proxy_frame import Tables, comment
from benchmarks.kube_proxy_ipvs_sets import SETS, Sets, set_name
from benchmarks.kube_proxy_state import cidr_text
from model.addresses import Family
from model.node_config import DetectLocalMode, NodeConfig
from model.packet import PROTOCOL_NUMBERS

# (set, table, chain, target, directions, protocol): ipsetWithIptablesChain
_OF_SETS = (
    ("KUBE-LOOP-BACK", "nat", "KUBE-POSTROUTING", "MASQUERADE", "dst,dst,src", ""),
    ("KUBE-LOAD-BALANCER", "nat", "KUBE-SERVICES", "KUBE-LOAD-BALANCER", "dst,dst", ""),
    ("KUBE-LOAD-BALANCER-LOCAL", "nat", "KUBE-LOAD-BALANCER", "RETURN", "dst,dst", ""),
    ("KUBE-NODE-PORT-LOCAL-TCP", "nat", "KUBE-NODE-PORT", "RETURN", "dst", "tcp"),
    ("KUBE-NODE-PORT-TCP", "nat", "KUBE-NODE-PORT", "KUBE-MARK-MASQ", "dst", "tcp"),
    ("KUBE-NODE-PORT-LOCAL-UDP", "nat", "KUBE-NODE-PORT", "RETURN", "dst", "udp"),
    ("KUBE-NODE-PORT-UDP", "nat", "KUBE-NODE-PORT", "KUBE-MARK-MASQ", "dst", "udp"),
    ("KUBE-NODE-PORT-LOCAL-SCTP-HASH", "nat", "KUBE-NODE-PORT", "RETURN", "dst,dst", "sctp"),
    ("KUBE-NODE-PORT-SCTP-HASH", "nat", "KUBE-NODE-PORT", "KUBE-MARK-MASQ", "dst,dst", "sctp"),
    ("KUBE-LOAD-BALANCER-FW", "filter", "KUBE-PROXY-FIREWALL", "KUBE-SOURCE-RANGES-FIREWALL", "dst,dst", ""),
    ("KUBE-LOAD-BALANCER-SOURCE-CIDR", "filter", "KUBE-SOURCE-RANGES-FIREWALL", "RETURN", "dst,dst,src", ""),
    ("KUBE-LOAD-BALANCER-SOURCE-IP", "filter", "KUBE-SOURCE-RANGES-FIREWALL", "RETURN", "dst,dst,src", ""),
)
_FILTER_CHAINS = (
    *("KUBE-FORWARD", "KUBE-NODE-PORT", "KUBE-PROXY-FIREWALL", "KUBE-SOURCE-RANGES-FIREWALL"),
    *("KUBE-IPVS-FILTER", "KUBE-IPVS-OUT-FILTER"),
)
_NAT_CHAINS = (
    *("KUBE-SERVICES", "KUBE-POSTROUTING", "KUBE-NODE-PORT", "KUBE-LOAD-BALANCER", "KUBE-MARK-MASQ"),
)


def write_rules(config: NodeConfig, family: Family, sets: Sets, closed: list[tuple[str, str, int]]) -> str:
    """The dump of one family; `closed` lists (address, protocol, port) that the node may not reach."""
    tables = Tables(
        family,
        filter=_jumps() | {name: [] for name in _FILTER_CHAINS},
        nat=_nat_jumps() | {name: [] for name in _NAT_CHAINS},
    )
    rules = {"filter": tables.filter, "nat": tables.nat}
    nat_services = tables.nat["KUBE-SERVICES"]
    nat_services.append(f"-s {'127.0.0.0/8' if family is Family.IPV4 else '::1/128'} -j RETURN")
    for name, table, chain, target, directions, protocol in _OF_SETS:
        if sets[name]:
            of = f"-p {protocol} " if protocol else ""
            rules[table][chain].append(f"{of}{_member(name, family, directions)} -j {target}")
    if sets["KUBE-CLUSTER-IP"]:
        nat_services.append(_masquerade_of_cluster_ips(config, family))
    for name in ("KUBE-EXTERNAL-IP", "KUBE-EXTERNAL-IP-LOCAL"):
        if sets[name]:
            of_set = _member(name, family, "dst,dst")
            if name == "KUBE-EXTERNAL-IP":
                nat_services.append(f"{of_set} -j KUBE-MARK-MASQ")
            nat_services.append(
                f"{of_set} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT"
            )
            nat_services.append(f"{of_set} -m addrtype --dst-type LOCAL -j ACCEPT")
    nat_services.append("-m addrtype --dst-type LOCAL -j KUBE-NODE-PORT")
    tables.nat["KUBE-LOAD-BALANCER"].append("-j KUBE-MARK-MASQ")
    for name in ("KUBE-CLUSTER-IP", "KUBE-LOAD-BALANCER"):
        if sets[name]:
            nat_services.append(f"{_plain_member(name, family, 'dst,dst')} -j ACCEPT")
    mark = f"{1 << config.masquerade_bit:#x}"
    tables.nat["KUBE-POSTROUTING"] += [
        f"-m mark ! --mark {mark}/{mark} -j RETURN",
        f"-j MARK --set-xmark {mark}/0x0",
        f"{comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully",
    ]
    tables.nat["KUBE-MARK-MASQ"].append(f"-j MARK --set-xmark {mark}/{mark}")
    _fill_filter(tables, family, mark, closed)
    return tables.text()


def _fill_filter(tables: Tables, family: Family, mark: str, closed: list[tuple[str, str, int]]) -> None:
    error = "icmp-port-unreachable" if family is Family.IPV4 else "icmp6-port-unreachable"
    tables.filter["KUBE-SOURCE-RANGES-FIREWALL"].append("-j DROP")
    tables.filter["KUBE-IPVS-OUT-FILTER"] += [
        f"-s {address}/{family.bits} -m ipvs --vproto {PROTOCOL_NUMBERS[protocol]}"
        f" --vaddr {address} --vport {port} -j DROP"
        for address, protocol, port in closed
    ]
    tables.filter["KUBE-FORWARD"] += [
        f"{comment('kubernetes forwarding rules')} -m mark --mark {mark}/{mark} -j ACCEPT",
        f"{comment('kubernetes forwarding conntrack rule')}"
        " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]
    health = "KUBE-HEALTH-CHECK-NODE-PORT"
    tables.filter["KUBE-NODE-PORT"].append(f"{_member(health, family, 'dst')} -j ACCEPT")
    let_through = ("KUBE-LOAD-BALANCER", "KUBE-CLUSTER-IP", "KUBE-EXTERNAL-IP", "KUBE-EXTERNAL-IP-LOCAL")
    tables.filter["KUBE-IPVS-FILTER"] += [
        *(f"{_plain_member(name, family, 'dst,dst')} -j RETURN" for name in let_through),
        f"{_plain_member(health, family, 'dst')} -j RETURN",
        f"-m conntrack --ctstate NEW {_plain_member('KUBE-IPVS-IPS', family, 'dst')}"
        f" -j REJECT --reject-with {error}",
    ]


def _jumps() -> dict[str, list[str]]:
    firewall = f"{comment('kube-proxy firewall rules')} -j KUBE-PROXY-FIREWALL"
    return {
        "INPUT": [
            f"{comment('kubernetes ipvs access filter')} -j KUBE-IPVS-FILTER",
            firewall,
            f"{comment('kubernetes health check rules')} -j KUBE-NODE-PORT",
        ],
        "FORWARD": [firewall, f"{comment('kubernetes forwarding rules')} -j KUBE-FORWARD"],
        "OUTPUT": [f"{comment('kubernetes ipvs access filter')} -j KUBE-IPVS-OUT-FILTER"],
    }


def _nat_jumps() -> dict[str, list[str]]:
    services = f"{comment('kubernetes service portals')} -j KUBE-SERVICES"
    return {
        "PREROUTING": [services],
        "OUTPUT": [services],
        "POSTROUTING": [f"{comment('kubernetes postrouting rules')} -j KUBE-POSTROUTING"],
    }


def _masquerade_of_cluster_ips(config: NodeConfig, family: Family) -> str:
    """All of it, what is not from pods, or, where nobody knows pods, what took a VIP for its source."""
    if config.masquerade_all:
        return f"{_member('KUBE-CLUSTER-IP', family, 'dst,dst')} -j KUBE-MARK-MASQ"
    from_elsewhere = ""
    match config.detect_local:
        case DetectLocalMode.CLUSTER_CIDR | DetectLocalMode.NODE_CIDR:
            span = config.detector_cidr(family)
            from_elsewhere = f"! -s {cidr_text(family, span)} " if span else ""
        case DetectLocalMode.BRIDGE_INTERFACE:
            from_elsewhere = f"! -i {config.bridge_interface} "
        case DetectLocalMode.INTERFACE_NAME_PREFIX:
            from_elsewhere = f"! -i {config.interface_name_prefix}+ "
        case DetectLocalMode.NONE:
            pass
    directions = "dst,dst" if from_elsewhere else "src,dst"
    return f"{from_elsewhere}{_member('KUBE-CLUSTER-IP', family, directions)} -j KUBE-MARK-MASQ"


def _member(name: str, family: Family, directions: str) -> str:
    return f"{comment(SETS[name][1])} {_plain_member(name, family, directions)}"


def _plain_member(name: str, family: Family, directions: str) -> str:
    return f"-m set --match-set {set_name(name, family)} {directions}"
