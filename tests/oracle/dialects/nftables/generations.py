"""One small node as each generation of kube-proxy writes it (rules-nftables 1 and 4).

The node 10.32.1.11 knows pods by 10.244.0.0/16 and the service range 10.96.0.0/16. Its
Services, all on TCP: `web` 10.96.0.1:80, node port 30080, load balancer 192.0.2.10 for
203.0.113.0/24, endpoints here and there; `far` 192.0.2.20:80 under external policy Local
with its only endpoint on another node; `dead` 10.96.0.3:80 without endpoints; `sticky`
10.96.0.4:80 with client affinity of 60 seconds.
"""

from oracle.dialects.nftables.names import Generation
from tests.oracle.dialects.nftables.lowering import chain, table

HERE, THERE, FAR = "10.244.0.5", "10.244.1.5", "10.244.1.6"
PODS = "10.244.0.0/16"
MARK = "meta mark set meta mark | 0x00004000"
MARK_CHAIN = "jump mark-for-masquerade"
WEB, FAR_WEB, STICKY = "AAAAAAAA-ns/web/tcp/", "BBBBBBBB-ns/far/tcp/", "CCCCCCCC-ns/sticky/tcp/"
KEY = "ip daddr . meta l4proto . th dport"
KEYS = "ipv4_addr . inet_proto . inet_service"
NEW = "ct state new jump"

OLD_FIREWALL = (
    f"set firewall {{\ntype {KEYS}\nelements = {{ 192.0.2.10 . tcp . 80 }}\n}}\n"
    f"set firewall-allow {{\ntype {KEYS} . ipv4_addr\nflags interval\n"
    'elements = { 192.0.2.10 . tcp . 80 . 203.0.113.0/24 comment "ns/web" }\n}\n'
    + chain("firewall-check", f"{KEY} @firewall jump firewall-allow-check")
    + chain("firewall-allow-check", f"{KEY} . ip saddr @firewall-allow return\ndrop")
)
FIREWALL = (
    f"map firewall-ips {{\ntype {KEYS} : verdict\n"
    f"elements = {{ 192.0.2.10 . tcp . 80 : goto firewall-{WEB} }}\n}}\n"
    + chain("firewall-check", f"{KEY} vmap @firewall-ips")
    + chain(f"firewall-{WEB}", "ip saddr != 203.0.113.0/24 drop")
)
CLUSTER_IPS = (
    "set cluster-ips {\ntype ipv4_addr\nelements = { 10.96.0.1, 10.96.0.2, 10.96.0.3, 10.96.0.4 }\n}\n"
    + chain("cluster-ips-check", "ip daddr @cluster-ips reject\nip daddr 10.96.0.0/16 drop")
)
DISPATCH = (
    f"map service-ips {{\ntype {KEYS} : verdict\nelements = {{"
    f" 10.96.0.1 . tcp . 80 : goto service-{WEB}, 192.0.2.10 . tcp . 80 : goto external-{WEB},"
    f" 10.96.0.2 . tcp . 80 : goto service-{FAR_WEB}, 192.0.2.20 . tcp . 80 : goto external-{FAR_WEB},"
    f" 10.96.0.4 . tcp . 80 : goto service-{STICKY} }}\n}}\n"
    "map service-nodeports {\ntype inet_proto . inet_service : verdict\n"
    f"elements = {{ tcp . 30080 : goto external-{WEB} }}\n}}\n"
    f"map no-endpoint-services {{\ntype {KEYS} : verdict\n"
    "elements = { 10.96.0.3 . tcp . 80 : goto reject-chain, 192.0.2.20 . tcp . 80 : drop }\n}\n"
    "map no-endpoint-nodeports {\ntype inet_proto . inet_service : verdict\n}\n"
    "set nodeport-ips {\ntype ipv4_addr\nelements = { 10.32.1.11 }\n}\n"
    "set affinity-here {\ntype ipv4_addr\nsize 65535\nflags dynamic,timeout\ntimeout 1m\n}\n"
    "set affinity-there {\ntype ipv4_addr\nsize 65535\nflags dynamic,timeout\ntimeout 1m\n}\n"
    + chain("reject-chain", "reject")
)
TO_NODE_PORTS = "ip daddr @nodeport-ips meta l4proto . th dport vmap"
STICKY_RULES = """
    ip saddr @affinity-here goto endpoint-sticky-here
    ip saddr @affinity-there goto endpoint-sticky-there
    numgen random mod 2 vmap { 0 : goto endpoint-sticky-here, 1 : goto endpoint-sticky-there }"""


def kube_proxy(generation: Generation) -> str:
    """The listing of the node's table."""
    is_new = generation is Generation.HAIRPIN_SET
    firewall = OLD_FIREWALL if generation is Generation.FIREWALL_SETS else FIREWALL + CLUSTER_IPS
    parts = [DISPATCH, firewall, *_base(generation), *(_new() if is_new else _old())]
    return table("\n".join(parts), name="kube-proxy")


def _base(generation: Generation) -> list[str]:
    services = "service-endpoints-check"
    nodes = "nodeport-endpoints-check"
    checks = [
        chain(services, f"{KEY} vmap @no-endpoint-services"),
        chain(nodes, f"{TO_NODE_PORTS} @no-endpoint-nodeports"),
        chain("nat-prerouting", "jump services", "nat hook prerouting priority dstnat"),
        chain("nat-output", "jump services", "nat hook output priority -100"),
        chain("nat-postrouting", "jump masquerading", "nat hook postrouting priority srcnat"),
    ]

    def hooked(name: str, hook: str, priority: str, *jumps: str) -> str:
        return chain(
            name, "\n".join(f"{NEW} {one}" for one in jumps), f"filter hook {hook} priority {priority}"
        )

    match generation:
        case Generation.FIREWALL_SETS:
            first = [services, nodes, "firewall-check"]
            return [
                *checks,
                *(hooked(f"filter-{h}", h, "-101", *first) for h in ("input", "forward", "output")),
            ]
        case Generation.OUTPUT_POST_DNAT:
            return [
                *checks,
                hooked("filter-prerouting", "prerouting", "dstnat - 10", "firewall-check"),
                hooked("filter-input", "input", "-110", nodes, services),
                hooked("filter-forward", "forward", "-110", services, "cluster-ips-check"),
                hooked("filter-output", "output", "-110", services, "firewall-check"),
                hooked("filter-output-post-dnat", "output", "-90", "cluster-ips-check"),
            ]
    return [
        *checks,
        hooked("filter-prerouting-pre-dnat", "prerouting", "dstnat - 10", "firewall-check"),
        hooked("filter-output-pre-dnat", "output", "-110", "firewall-check"),
        hooked("filter-input", "input", "filter", nodes, services),
        hooked("filter-forward", "forward", "filter", services, "cluster-ips-check"),
        hooked("filter-output", "output", "filter", services, "cluster-ips-check"),
    ]


def _external(mark: str) -> list[str]:
    policy_local = f"""
        ip saddr {PODS} goto service-{FAR_WEB}
        fib saddr type local {mark}
        fib saddr type local goto service-{FAR_WEB}"""
    return [
        chain(f"external-{WEB}", f"{mark}\ngoto service-{WEB}"),
        chain(f"external-{FAR_WEB}", policy_local),
    ]


def _services(first: str) -> str:
    return chain("services", f"{first}\n{KEY} vmap @service-ips\n{TO_NODE_PORTS} @service-nodeports")


def _new() -> list[str]:
    """1.36: marks where services are dispatched, hairpin by a set, endpoints in one rule."""

    def spread(*hosts: str) -> str:
        ways = ", ".join(f"{at} : {host} . 8080" for at, host in enumerate(hosts))
        return f"meta l4proto tcp dnat ip to numgen random mod {len(hosts)} map {{ {ways} }}"

    return [
        f"set hairpin-connections {{\ntype ipv4_addr . {KEYS}\n"
        f"elements = {{ {HERE} . {HERE} . tcp . 8080 }}\n}}",
        _services(f"ip daddr @cluster-ips ip saddr != {PODS} {MARK}"),
        chain(
            "masquerading",
            "meta mark & 0x00004000 != 0x00000000"
            " meta mark set meta mark ^ 0x00004000 masquerade fully-random\n"
            f"ct status dnat ip saddr . {KEY} @hairpin-connections masquerade fully-random",
        ),
        *_external(MARK),
        chain(f"service-{WEB}", spread(HERE, THERE)),
        chain(f"service-{FAR_WEB}", spread(FAR)),
        chain(f"service-{STICKY}", STICKY_RULES),
        *(
            chain(
                f"endpoint-sticky-{side}",
                f"update @affinity-{side} {{ ip saddr }}\nmeta l4proto tcp dnat to {host}:8080",
            )
            for side, host in (("here", HERE), ("there", THERE))
        ),
    ]


def _old() -> list[str]:
    """Up to 1.35: a mark for each service, a chain for each endpoint."""

    def endpoint(name: str, host: str, update: str = "") -> str:
        return chain(
            f"endpoint-{name}",
            f"ip saddr {host} {MARK_CHAIN}\n{update}\nmeta l4proto tcp dnat to {host}:8080".replace(
                "\n\n", "\n"
            ),
        )

    def service(name: str, address: str, rules: str) -> str:
        return chain(
            f"service-{name}", f"ip daddr {address} tcp dport 80 ip saddr != {PODS} {MARK_CHAIN}\n{rules}"
        )

    return [
        _services("counter"),
        chain("mark-for-masquerade", MARK),
        chain(
            "masquerading",
            "meta mark & 0x00004000 == 0x00000000 return\n"
            "meta mark set meta mark ^ 0x00004000\nmasquerade fully-random",
        ),
        *_external(MARK_CHAIN),
        service(
            WEB, "10.96.0.1", "numgen random mod 2 vmap { 0 : goto endpoint-here, 1 : goto endpoint-there }"
        ),
        service(FAR_WEB, "10.96.0.2", "numgen random mod 1 vmap { 0 : goto endpoint-far }"),
        service(STICKY, "10.96.0.4", STICKY_RULES),
        endpoint("here", HERE),
        endpoint("there", THERE),
        endpoint("far", FAR),
        endpoint("sticky-here", HERE, "update @affinity-here { ip saddr }"),
        endpoint("sticky-there", THERE, "update @affinity-there { ip saddr }"),
    ]
