"""Rules as kube-proxy 1.16 to 1.25 lays them out, one small cluster through every layout.

Written from the table of version differences (docs/rules/rules-iptables.md, sections 3
and 4); the rules of later versions are `benchmarks.kube_proxy_rules`. Node n1 is
192.168.0.2, pods are in 10.244.0.0/16, and each Service has one TCP port 80, served at 8080.
"""

from collections.abc import Sequence

import attrs

from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)
from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.names import chain_hash

IP_ADDR = b"""[
  {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
  {"ifname": "eth0", "addr_info": [{"family": "inet", "local": "192.168.0.2", "prefixlen": 24}]}
]"""
PROXY = b"kind: KubeProxyConfiguration\nmode: iptables\nclusterCIDR: 10.244.0.0/16\n"
DROP_MARK = "0x8000/0x8000"


@attrs.frozen
class Old:
    """One Service: `endpoints` are addresses, those in 10.244.1.0/24 on n1, the others on n2."""

    name: str
    cluster_ip: str
    node_port: int
    endpoints: tuple[str, ...]
    port_name: str = ""
    balancer: str = ""
    external: str = ""
    ranges: tuple[str, ...] = ()
    local: bool = False

    @property
    def here(self) -> tuple[str, ...]:
        return tuple(ip for ip in self.endpoints if ip.startswith("10.244.1."))


SERVICES = (
    Old("svc1", "10.96.1.1", 30080, ("10.244.1.5", "10.244.2.5", "10.244.2.9"), port_name="p80"),
    Old("lb", "10.96.1.2", 30081, ("10.244.2.6",), balancer="203.0.113.10", ranges=("198.51.100.0/24",)),
    Old("open", "10.96.1.6", 30085, ("10.244.1.9",), balancer="203.0.113.14"),
    Old("loc", "10.96.1.3", 30082, ("10.244.1.7", "10.244.2.7"), balancer="203.0.113.11", local=True),
    Old("away", "10.96.1.4", 30083, ("10.244.2.8",), balancer="203.0.113.12", local=True),
    Old("none", "10.96.1.5", 30084, (), balancer="203.0.113.13"),
)
EXTERNAL = (
    Old("ext", "10.96.1.7", 30086, ("10.244.1.11", "10.244.2.11"), external="203.0.113.20"),
    Old("ext-none", "10.96.1.8", 30087, (), external="203.0.113.21"),
)


def cluster_of(services: Sequence[Old]) -> Cluster:
    """The objects that the rules are written for."""
    return Cluster(
        services=tuple(_service(one) for one in services),
        slices=tuple(_slice(one) for one in services),
        nodes=(
            Node("n1", (("InternalIP", "192.168.0.2"),), ("10.244.1.0/24",)),
            Node("n2", (("InternalIP", "192.168.0.3"),), ("10.244.2.0/24",)),
        ),
    )


def _service(one: Old) -> Service:
    return Service(
        ObjectName("ns1", one.name),
        ServiceType.LOAD_BALANCER if one.balancer else ServiceType.NODE_PORT,
        (ServicePort(one.port_name, "TCP", 80, one.node_port, 8080),),
        (one.cluster_ip,),
        (one.external,) if one.external else (),
        (Ingress(one.balancer),) if one.balancer else (),
        external_traffic_policy=TrafficPolicy.LOCAL if one.local else TrafficPolicy.CLUSTER,
        load_balancer_source_ranges=one.ranges,
    )


def _slice(one: Old) -> EndpointSlice:
    endpoints = [
        Endpoint((ip,), ready=True, node_name="n1" if ip in one.here else "n2") for ip in one.endpoints
    ]
    port = EndpointPort(one.port_name, "TCP", 8080)
    name = ObjectName("ns1", one.name)
    return EndpointSlice(name, name, "IPv4", tuple(endpoints), (port,))


def evidence(dump: str, *, with_config: bool = True) -> NodeEvidence:
    """Node n1 with this dump."""
    return NodeEvidence(
        "n1",
        (EvidenceFile("nodes/n1/iptables-save", dump.encode()),),
        ("nodes/n1/kube-proxy-config.yaml", PROXY) if with_config else None,
        ("nodes/n1/ip-addr.json", IP_ADDR),
    )


def old_dump(minor: int, services: Sequence[Old]) -> str:
    """What iptables-save prints on n1 under kube-proxy 1.`minor`."""
    return _Writer(minor).dump(tuple(services))


def note(text: str) -> str:
    return f'-m comment --comment "{text}"'


@attrs.define
class _Writer:
    minor: int
    filter: dict[str, list[str]] = attrs.field(factory=dict)
    nat: dict[str, list[str]] = attrs.field(factory=dict)

    def dump(self, services: tuple[Old, ...]) -> str:
        self._frame()
        for one in services:
            self._write(one)
        last = note("kubernetes service nodeports; NOTE: this must be the last rule in this chain")
        self.nat["KUBE-SERVICES"].append(f"{last} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS")
        return self._table("filter", self.filter) + self._table("nat", self.nat)

    @staticmethod
    def _table(name: str, chains: dict[str, list[str]]) -> str:
        lines = [f"*{name}"]
        lines += [f":{chain} {'-' if chain.startswith('KUBE-') else 'ACCEPT'} [0:0]" for chain in chains]
        lines += [f"-A {chain} {rule}" for chain, rules in chains.items() for rule in rules]
        return "\n".join([*lines, "COMMIT", ""])

    def _frame(self) -> None:
        new = "-m conntrack --ctstate NEW"
        services, external = f"{new} -j KUBE-SERVICES", f"{new} -j KUBE-EXTERNAL-SERVICES"
        firewall = [f"{new} -j KUBE-PROXY-FIREWALL"] if self.minor >= 25 else []
        self.filter |= {
            "INPUT": [*firewall, *([services] if self.minor <= 19 else []), external, "-j KUBE-FIREWALL"],
            "FORWARD": [*firewall, "-j KUBE-FORWARD", services, *([external] if self.minor >= 20 else [])],
            "OUTPUT": [*firewall, services, "-j KUBE-FIREWALL"],
            "KUBE-SERVICES": [],
            "KUBE-EXTERNAL-SERVICES": [],
            **({"KUBE-PROXY-FIREWALL": []} if self.minor >= 25 else {}),
            "KUBE-FIREWALL": [
                f"-m mark --mark {DROP_MARK} -j DROP",
                f"! -s 127.0.0.0/8 -d 127.0.0.0/8 {note('block incoming localnet connections')}"
                " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
            ],
            "KUBE-FORWARD": [
                "-m conntrack --ctstate INVALID -j DROP",
                "-m mark --mark 0x4000/0x4000 -j ACCEPT",
                "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            ],
        }
        cleared = ["-m mark ! --mark 0x4000/0x4000 -j RETURN", "-j MARK --set-xmark 0x4000/0x0"]
        marked = "-m mark --mark 0x4000/0x4000 -j MASQUERADE"
        self.nat |= {
            "PREROUTING": ["-j KUBE-SERVICES"],
            "INPUT": [],
            "OUTPUT": ["-j KUBE-SERVICES"],
            "POSTROUTING": ["-j KUBE-POSTROUTING"],
            "KUBE-SERVICES": [],
            "KUBE-NODEPORTS": [],
            "KUBE-MARK-DROP": [f"-j MARK --set-xmark {DROP_MARK}"],
            "KUBE-MARK-MASQ": ["-j MARK --set-xmark 0x4000/0x4000"],
            "KUBE-POSTROUTING": [marked] if self.minor <= 18 else [*cleared, "-j MASQUERADE"],
        }

    def _title(self, one: Old) -> str:
        colon = ":" if one.port_name or self.minor <= 19 else ""
        return f"ns1/{one.name}{colon}{one.port_name}"

    def _at(self, one: Old, address: str, why: str) -> str:
        return f"-d {address}/32 -p tcp {note(f'{self._title(one)} {why}')} -m tcp --dport 80"

    def _write(self, one: Old) -> None:
        code = chain_hash(self._title(one) + "tcp")
        if not one.endpoints:
            self._refuse(one)
            return
        inside = self._at(one, one.cluster_ip, "cluster IP")
        not_pod = f"! -s 10.244.0.0/16 {inside} -j KUBE-MARK-MASQ"
        entry = self.nat["KUBE-SERVICES"]
        entry += [*([not_pod] if self.minor <= 21 else []), f"{inside} -j KUBE-SVC-{code}"]
        self.nat[f"KUBE-SVC-{code}"] = [not_pod] if self.minor >= 22 else []
        self.nat[f"KUBE-SVC-{code}"] += self._choice(one, one.endpoints)
        for ip in one.endpoints:
            self.nat[self._sep(one, ip)] = [
                f"-s {ip}/32 -j KUBE-MARK-MASQ",
                f"-p tcp -m tcp -j DNAT --to-destination {ip}:8080",
            ]
        if self.minor >= 24:
            self._outside(one, code)
        else:
            self._outside_before_ext(one, code)

    def _refuse(self, one: Old) -> None:
        reject = "-j REJECT --reject-with icmp-port-unreachable"
        external = self.filter["KUBE-EXTERNAL-SERVICES"]
        self.filter["KUBE-SERVICES"].append(f"{self._at(one, one.cluster_ip, 'has no endpoints')} {reject}")
        if one.balancer:
            where = self.filter["KUBE-SERVICES"] if self.minor <= 19 else external
            where.append(f"{self._at(one, one.balancer, 'has no endpoints')} {reject}")
        if one.external:
            external.append(f"{self._at(one, one.external, 'has no endpoints')} {reject}")
        external.append(f"-p tcp -m addrtype --dst-type LOCAL -m tcp --dport {one.node_port} {reject}")

    def _outside_before_ext(self, one: Old, code: str) -> None:
        """Up to 1.23: XLB under policy Local, FW for every load balancer IP, marks for drops."""
        target = f"KUBE-XLB-{code}" if one.local else f"KUBE-SVC-{code}"
        node_port = f"-p tcp {note(self._title(one))} -m tcp --dport {one.node_port}"
        loopback = "-s 127.0.0.0/8 " if one.local else ""
        self.nat["KUBE-NODEPORTS"] += [
            f"{loopback}{node_port} -j KUBE-MARK-MASQ",
            f"{node_port} -j {target}",
        ]
        entry = self.nat["KUBE-SERVICES"]
        if one.external:
            outside = self._at(one, one.external, "external IP")
            entry.append(f"{outside} -j KUBE-MARK-MASQ")
            if self.minor <= 20:
                entry.append(
                    f"{outside} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j {target}"
                )
                entry.append(f"{outside} -m addrtype --dst-type LOCAL -j {target}")
            else:
                entry.append(f"{outside} -j {target}")
        if one.balancer:
            entry.append(f"{self._at(one, one.balancer, 'loadbalancer IP')} -j KUBE-FW-{code}")
            self.nat[f"KUBE-FW-{code}"] = [
                *([] if one.local else ["-j KUBE-MARK-MASQ"]),
                *([f"-s {cidr} -j {target}" for cidr in one.ranges] or [f"-j {target}"]),
                "-j KUBE-MARK-DROP",
            ]
        if one.local:
            why = note("Redirect pods trying to reach external loadbalancer VIP to clusterIP")
            self.nat[target] = [
                f"-s 10.244.0.0/16 {why} -j KUBE-SVC-{code}",
                "-m addrtype --src-type LOCAL -j KUBE-MARK-MASQ",
                f"-m addrtype --src-type LOCAL -j KUBE-SVC-{code}",
                *(self._choice(one, one.here) or ["-j KUBE-MARK-DROP"]),
            ]

    def _outside(self, one: Old, code: str) -> None:
        """From 1.24: EXT for all, FW only with source ranges, drops in filter but for 1.24's FW."""
        ext = f"KUBE-EXT-{code}"
        self.nat["KUBE-NODEPORTS"].append(f"-p tcp -m tcp --dport {one.node_port} -j {ext}")
        entry = self.nat["KUBE-SERVICES"]
        if one.external:
            entry.append(f"{self._at(one, one.external, 'external IP')} -j {ext}")
        if one.balancer:
            to = f"KUBE-FW-{code}" if one.ranges else ext
            entry.append(f"{self._at(one, one.balancer, 'loadbalancer IP')} -j {to}")
        if one.ranges:
            self.nat[f"KUBE-FW-{code}"] = [f"-s {cidr} -j {ext}" for cidr in one.ranges]
            if self.minor >= 25:
                self.filter["KUBE-PROXY-FIREWALL"].append(
                    f"{self._at(one, one.balancer, 'not accepted')} -j DROP"
                )
            else:
                self.nat[f"KUBE-FW-{code}"].append("-j KUBE-MARK-DROP")
        if not one.local:
            self.nat[ext] = ["-j KUBE-MARK-MASQ", f"-j KUBE-SVC-{code}"]
            return
        self.nat[ext] = [
            f"-s 10.244.0.0/16 -j KUBE-SVC-{code}",
            "-m addrtype --src-type LOCAL -j KUBE-MARK-MASQ",
            f"-m addrtype --src-type LOCAL -j KUBE-SVC-{code}",
        ]
        if one.here:
            self.nat[ext].append(f"-j KUBE-SVL-{code}")
            self.nat[f"KUBE-SVL-{code}"] = self._choice(one, one.here)
        else:
            self.filter["KUBE-EXTERNAL-SERVICES"] += [
                f"{self._at(one, one.balancer, 'has no local endpoints')} -j DROP",
                f"-p tcp -m addrtype --dst-type LOCAL -m tcp --dport {one.node_port} -j DROP",
            ]

    def _sep(self, one: Old, ip: str) -> str:
        return f"KUBE-SEP-{chain_hash(f'{self._title(one)}tcp{ip}:8080')}"

    def _choice(self, one: Old, endpoints: tuple[str, ...]) -> list[str]:
        """The lottery; before 1.17 its odds had five decimals."""
        third = "0.33332999982" if self.minor < 17 else "0.33333333349"
        odds = {1: "", 2: "0.50000000000", 3: third}
        out = []
        for left, ip in zip(range(len(endpoints), 0, -1), endpoints, strict=True):
            chance = f"-m statistic --mode random --probability {odds[left]} " if left > 1 else ""
            out.append(f"{chance}-j {self._sep(one, ip)}")
        return out
