"""Rules and tables, as a user writes them, of all that the nftables dialect reads.

Made to be loaded into a kernel and listed again, so that nft itself says how it prints them.
What a kernel or version of nft does not know is left out there, rule by rule.
"""

from typing import Final

OBJECTS: Final = """
 set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.1-192.168.1.7, 1.1.1.1 } }
 set d { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 1h; size 100; gc-interval 10s
  elements = { 1.2.3.4 . 80 timeout 30m comment "hi there", 1.2.3.5 . 81 } }
 set interfaces { type ifname; flags interval; elements = { "eth0", "cali*" } }
 set counted { type ipv4_addr; counter; elements = { 1.1.1.1 } }
 set expressions { typeof ip saddr . tcp dport; elements = { 1.1.1.1 . 80 } }
 set parts { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-80, 1.1.1.1 . 5 } }
 set states { type ct_state; elements = { new, established } }
 set marks { type mark; elements = { 0x5, 6 } }
 set macs { type ether_addr; elements = { 00:11:22:33:44:55 } }
 set protocols { type inet_proto; elements = { tcp, 50, 253 } }
 set v6 { type ipv6_addr; flags interval; elements = { fd00::/8, ::1, fe80::1-fe80::5 } }
 set pings { type icmp_type; elements = { echo-request, 13 } }
 map m { type ipv4_addr : ipv4_addr . inet_service; elements = { 1.1.1.1 : 2.2.2.2 . 80 } }
 map v { type ipv4_addr : verdict; elements = { 1.1.1.1 : accept, 1.1.1.2 comment "c" : jump x } }
 map mk { type ipv4_addr : mark; flags interval; elements = { 10.0.0.0/8 : 5 } }
 map many { type ipv4_addr . inet_proto . inet_service : verdict; elements = {
  10.96.0.1 . tcp . 443 : goto x, 10.96.0.2 . udp . 53 : drop, 10.96.0.3 . sctp . 9 : accept,
  10.96.0.4 . tcp . 443 : goto x, 10.96.0.5 . udp . 53 : drop, 10.96.0.6 . sctp . 9 : accept } }
 counter c1 { packets 0 bytes 0 }
 quota q1 { over 10 mbytes }
 limit l1 { rate 10/second }
 ct helper h { type "ftp" protocol tcp; }
 chain x { comment "a chain's own"; }
"""

FILTER_RULES: Final = (
    "ct state established,related accept",
    "ct state { new, established } accept",
    "ct state vmap { new : accept, invalid : drop }",
    "ct state != new accept",
    "ct state & (new|established) == new accept",
    "ct state @states accept",
    "ct status dnat accept",
    "ct status & (snat|dnat) != 0 accept",
    "ct mark 0x5 accept",
    "ct direction original ct zone 5 accept",
    "ct original ip saddr 1.2.3.4 accept",
    "ct expiration > 5s accept",
    "ct count over 5 drop",
    "ct zone set 5",
    'ct helper set "h"',
    "meta mark & 0xff == 0x5 accept",
    "meta mark & 0x4000 != 0x4000 return",
    "meta mark set meta mark | 0x4000",
    "meta mark set meta mark ^ 0x4000",
    "meta mark set meta mark & 0xffff0000",
    "meta mark set (meta mark & 0xffff0000) | 0x5",
    "meta mark set ip saddr map @mk",
    "ct mark set meta mark",
    "meta mark set ct mark",
    "meta random & 2147483647 < 1073741824 accept",
    'iifname "eth0" oifname != "lo" accept',
    'iifname { "a", "b*" } accept',
    "iifname @interfaces accept",
    "iif lo accept",
    "iif vmap { lo : accept }",
    "tcp dport 80-90 accept",
    "tcp dport != { 80, 443, 1000-2000 } accept",
    "tcp flags syn accept",
    "tcp flags & (fin|syn|rst|ack) == syn accept",
    "ip saddr 10.0.0.0/8 ip daddr != 1.2.3.4-1.2.3.9 accept",
    "ip saddr & 255.0.255.0 == 10.0.1.0 accept",
    "ip6 saddr fd00::/8 accept",
    "ip6 daddr != ::1 ip6 saddr @v6 accept",
    "meta nfproto ipv4 meta protocol ip accept",
    "meta l4proto { tcp, udp } th dport 53 accept",
    "meta l4proto 50 accept",
    "ip protocol icmp icmp type echo-request accept",
    "icmp type { echo-request, destination-unreachable } icmp code 3 accept",
    "icmpv6 type { nd-router-advert, echo-reply } limit rate 10/second burst 5 packets accept",
    "ip dscp cs1 ip ttl < 5 drop",
    "ip frag-off & 0x1fff != 0 drop",
    "ip6 hoplimit 255 udp length > 10 accept",
    "fib daddr type local accept",
    "fib saddr . iif oif missing drop",
    "fib daddr . iif type != { local, broadcast } drop",
    "reject",
    "reject with tcp reset",
    "reject with icmp type host-unreachable",
    "reject with icmpv6 type no-route",
    "reject with icmpx type admin-prohibited",
    "meta nfproto ipv4 reject with icmp port-unreachable",
    'log prefix "hello" level debug accept',
    "log group 5 snaplen 5",
    "limit rate over 5 mbytes/second drop",
    "quota over 5 mbytes drop",
    "counter name c1 quota name q1 limit name l1 counter",
    "add @d { ip saddr . tcp dport }",
    "update @d { ip saddr . tcp dport timeout 30s }",
    "update @d { ip saddr . tcp dport timeout 30s limit rate 5/second }",
    "delete @d { ip saddr . tcp dport }",
    "ip saddr @s ip daddr != @s accept",
    "ip saddr . tcp dport @d accept",
    "ip saddr . tcp dport { 1.1.1.1 . 80, 10.0.0.0/8 . 1-5 } accept",
    "ip saddr vmap @v",
    "ip saddr vmap { 1.1.1.1 : drop, * : continue }",
    "ip daddr . meta l4proto . th dport vmap @many",
    "numgen inc mod 10 offset 5 vmap { 5 : accept, 6-14 : drop }",
    "jhash ip saddr mod 3 0 accept",
    "queue num 3",
    "meta pkttype multicast meta cpu 0 meta skuid 1000 meta iifgroup 5 accept",
    'meta hour "10:00"-"12:00" meta day "Monday" accept',
    "meta priority set 1:2",
    "rt ipsec missing accept",
    "socket transparent 1 accept",
    "tcp option maxseg size set 1400",
    "tcp option sack-perm exists accept",
    "@nh,0,8 & 0xf == 5 accept",
    "@th,16,16 80 accept",
    "ip daddr set 1.2.3.4",
    "ether saddr 00:11:22:33:44:55 accept",
    "sctp dport 5 accept",
    "notrack",
    "goto x",
    "jump x",
    "return",
    "continue",
    "drop comment \"a } comment { with \\ and 'quotes'\"",
)

NAT_RULES: Final = (
    "dnat ip to 1.2.3.4",
    "meta l4proto tcp dnat ip to 1.2.3.4:80",
    "meta l4proto tcp dnat ip6 to [fd00::1]:80",
    "dnat ip6 to fd00::1",
    "meta l4proto tcp dnat ip to 1.2.3.4-1.2.3.9:80-90 persistent",
    "meta l4proto tcp dnat to :80",
    "dnat ip to numgen random mod 2 map { 0 : 1.1.1.1, 1 : 2.2.2.2 }",
    "meta l4proto tcp dnat ip addr . port to numgen random mod 2 map { 0 : 1.1.1.1 . 80, 1 : 2.2.2.2 . 81 }",
    "meta l4proto tcp dnat ip addr . port to ip saddr map @m",
    "meta l4proto { tcp, udp } dnat ip to ip saddr map { 1.1.1.1 : 2.2.2.2 }:80",
    "tcp dport 80 dnat ip addr . port to ip daddr . tcp dport map { 1.1.1.1 . 80 : 2.2.2.2 . 8080 }",
    "dnat ip to jhash ip saddr mod 2 seed 0x5 map { 0 : 1.1.1.1, 1 : 2.2.2.2 }",
    "dnat ip to symhash mod 2 offset 5 map { 5 : 1.1.1.1, 6 : 2.2.2.2 }",
    "redirect",
    "ip protocol tcp redirect to :80-90 random",
    "meta nfproto ipv4 meta l4proto tcp redirect to :tcp dport map { 80 : 8080 }",
)

SOURCE_NAT_RULES: Final = (
    "masquerade",
    "masquerade random,persistent",
    "masquerade fully-random",
    "meta l4proto tcp masquerade to :1024-65535",
    "snat ip to 1.2.3.4",
    "snat ip6 to [fd00::1]-[fd00::9]",
    "meta l4proto tcp snat ip to 1.2.3.4:80",
    "snat ip prefix to ip saddr map { 10.0.0.0/24 : 11.0.0.0/24 }",
)

CHAINS: Final = {
    "type filter hook input priority filter + 5; policy drop;": FILTER_RULES,
    "type nat hook prerouting priority dstnat; policy accept;": NAT_RULES,
    "type nat hook postrouting priority srcnat - 1; policy accept;": SOURCE_NAT_RULES,
    "type filter hook prerouting priority mangle; policy accept;": (
        "meta l4proto tcp tproxy ip to 127.0.0.1:5",
        "meta l4proto tcp tproxy to :5",
    ),
}
"""Rules by the head of a base chain where they may stand."""

OTHER_TABLES: Final = (
    """table bridge b {
 chain c { type filter hook prerouting priority dstnat; policy accept; ether type ip reject; }
 chain d { type filter hook forward priority filter + 7; accept; }
}""",
    """table netdev n {
 chain i { type filter hook ingress device "lo" priority -500; policy accept; accept; }
}""",
    """table arp a {
 chain c { type filter hook input priority 0; arp operation request drop; }
}""",
    """table ip6 dormant {
 flags dormant
 chain c { type nat hook prerouting priority 5; }
 chain d { reject; }
}""",
    """table ip plain {
 chain c { reject; }
 chain d { type route hook output priority mangle; meta mark set 5; }
}""",
)

IPTABLES: Final = (
    '-t nat -A OUTPUT -s 10.0.0.0/8 -m comment --comment "he said \\"no\\"" -j ACCEPT',
    "-t nat -A OUTPUT -p tcp -m tcp --dport 80 -m statistic --mode random --probability 0.5"
    " -j DNAT --to-destination 1.2.3.4:80",
    "-t mangle -A OUTPUT -p udp --dport 80:90 ! -d 1.1.1.1 -m addrtype --dst-type LOCAL"
    " -j MARK --or-mark 0x4000",
    "-t mangle -A OUTPUT -m mark ! --mark 0x4000/0x4000 -j RETURN",
    "-A INPUT -m recent --rcheck --name A -j RETURN",
    "-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j REJECT",
    "-A INPUT -i eth+ -m multiport -p tcp --dports 1,2,5:9 -j LOG",
    "-t nat -A POSTROUTING -p tcp -m tcp --tcp-flags SYN,ACK SYN -j MASQUERADE --random-fully",
    "-t raw -A PREROUTING -m rpfilter --invert -j CT --notrack",
    "-A FORWARD -m limit --limit 5/min -p icmp --icmp-type 8 -j ACCEPT",
)
"""Rules of iptables-nft, which lists of nft show as far as they can."""
