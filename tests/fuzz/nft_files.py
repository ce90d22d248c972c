"""Good listings of nft in both forms, with nearly every kind of thing, and the words of the format."""

TEXT = rb"""# Warning: table ip nat is managed by iptables-nft, do not touch!
table inet t { # handle 1
	comment "a comment"
	flags dormant

	counter c1 {
		packets 0 bytes 0
	}

	set d {
		type ipv4_addr . inet_service
		size 100
		flags dynamic,timeout
		timeout 1h2m3s
		elements = { 1.2.3.4 . 80 timeout 30m expires 19m59s984ms comment "hi",
			10.0.0.0/8 . 1-5 counter packets 5 bytes 6 }
	}

	map v {
		typeof ip6 saddr . meta mark : verdict
		elements = { fd00::1 . 0x00000005 : goto x/y.z, * : drop }
	}

	chain x/y.z {
		type nat hook prerouting priority dstnat - 10; policy accept;
		ct state established,related ct state vmap { invalid : drop, new : jump c }
		meta mark & 0x00004000 != 0x00000000 meta mark set (meta mark & 0xff) | 0x00000001
		return comment "say "hi" # handle 4" # handle 5
		meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 81 }
		dnat ip6 to [fd00::1]-[fd00::9]:80-90 persistent,random
		redirect to :tcp dport map { 80 : 8080 }
		tcp flags syn / fin,syn,rst,ack fib daddr . iif type != { local, broadcast }
		reject with icmpx type admin-prohibited
		update @d { ip saddr . tcp dport timeout 30s limit rate over 5/second }
		ip saddr . tcp dport @d jhash ip saddr mod 2 seed 0x5 vmap { 0 : accept, 1 : drop }
		xt match "recent" counter packets 1 bytes 2 log prefix "x" level debug queue num 1-3 bypass
		ip option lsrr type 1 @nh,0,8 & 0xf == 0x5 teleport { to } accept
	}
}
"""

TEXT_WORDS = (
    b"",
    b"\n",
    b"\0",
    b"\xff",
    b'"',
    *b"{ } ( ( [ ] , ; : . / - -1 * @ @d # | & ^ << ! != == = + map vmap set to mod comment elements".split(),
    *b"table chain type hook priority policy timeout 1s 99999999999999999999 0x 0x1 :: 1.2.3.4/33".split(),
    *b"ip tcp meta ct fib numgen jhash symhash dnat redirect reject with limit rate over log".split(),
)

JSON = rb"""{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
{"table": {"family": "inet", "name": "t", "handle": 1, "flags": ["dormant"]}},
{"counter": {"family": "inet", "name": "c1", "table": "t", "packets": 0}},
{"set": {"family": "inet", "name": "d", "table": "t", "type": ["ipv4_addr", "inet_service"], "size": 100,
"flags": "timeout", "timeout": 3600, "elem": [{"elem": {"val": {"concat": ["1.2.3.4", 80]}, "timeout": 1800,
"expires": 1199, "comment": "hi"}},
{"concat": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"range": [1, 5]}]}]}},
{"map": {"family": "inet", "name": "v", "table": "t", "type": {"typeof": {"meta": {"key": "mark"}}},
"map": "verdict", "elem": [[5, {"goto": {"target": "x"}}], ["*", {"drop": null}]]}},
{"chain": {"family": "inet", "table": "t", "name": "x", "type": "nat", "hook": "prerouting", "prio": -110,
"policy": "accept"}},
{"rule": {"family": "inet", "table": "t", "chain": "x", "handle": 5, "comment": "why", "expr": [
{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
{"match": {"op": "!=", "left": {"&": [{"meta": {"key": "mark"}}, 16384]}, "right": 0}},
{"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}},
{"|": ["fin", "syn"]}]},
"right": "syn"}}, {"vmap": {"key": {"numgen": {"mode": "random", "mod": 2, "offset": 0}}, "data": {"set":
[[0, {"accept": null}], [{"range": [1, 2]}, {"jump": {"target": "x"}}]]}}},
{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"^": [{"meta": {"key": "mark"}}, 16384]}}},
{"dnat": {"family": "ip", "addr": {"map": {"key": {"jhash": {"mod": 2, "seed": 5,
"expr": {"meta": {"key": "mark"}}}},
"data": {"set": [[0, {"concat": ["1.1.1.1", 80]}]]}}}, "port": {"range": [80, 90]}, "flags": "random"}},
{"set": {"op": "add",
"elem": {"elem": {"val": {"fib": {"result": "type", "flags": ["daddr"]}}, "timeout": 3}},
"set": "@d", "stmt": [{"limit": {"rate": 5}}]}}, {"reject": {"type": "icmpx", "expr": "port-unreachable"}},
{"xt": {"type": "match", "name": "recent"}}, {"counter": {"packets": 1, "bytes": 2}},
{"masquerade": null}]}}]}
"""

JSON_WORDS = (
    b"",
    b"\0",
    b"\xff",
    *rb'{ } [ ] , : " null true -1 1.5 1e999 99999999999999999999999 "" "@" "@d" "*" "\ud800" [] {}'.split(),
    *b'"elem" "set" "map" "concat" "prefix" "range" "nftables" "rule" "table" "expr" "addr" "&"'.split(),
    b"[[[[[[[[",
    b'{"elem":{"val":',
)
