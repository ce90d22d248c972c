"""Good output of ipvsadm, ipset and ip in every form, and the words of their formats."""

LISTING = b"""\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.96.0.1:443 rr persistent 10800
  -> 192.168.49.2:8443            Masq    1      14         0
UDP  10.96.0.10:53 mh (mh-port) persistent 60 mask 255.255.255.0 pe sip ops
  -> 10.244.0.2:53                Masq    0      0          3
SCTP [fd00:10:96::7]:9 rr persistent 9 mask 64
  -> [fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:1234]:65535 Tunnel  1      0          0
FWM  7 IPv6 wrr
"""
COMMANDS = b"""\
-A -t 10.96.0.1:443 -s rr -p 10800
-a -t 10.96.0.1:443 -r 192.168.49.2:8443 -m -w 1
-A --sctp-service [fd00::1]:9 -s mh -p 60 -M 64 --pe sip -o -b mh-port
-a --sctp-service [fd00::1]:9 -r [fd00::2]:9 -i -w 0 --tun-type gue --tun-port 6080
-A -f 7 -6 -s wrr
"""
KERNEL = b"""\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600001:01BB rr persistent 2700000 FFFFFFFF
  -> C0A83102:20FB      Masq    1      0          0
TCP  [fd00:0010:0096:0000:0000:0000:0000:0001]:01BB rr persistent 9 80000000
FWM  0000000A rr
  -> 0A000005:0000      Route   1      0          0
"""
SETS = b"""\
Name: KUBE-LOOP-BACK
Type: hash:ip,port,ip
Revision: 6
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x4b08ea89
Size in memory: 544
References: 1
Number of entries: 1
Members:
10.244.0.25,tcp:8000,10.244.0.25

Name: n
Type: hash:net
Header: family inet6 timeout 60 comment
Members:
fd00::/16 timeout 9 nomatch comment "a, b"
"""
SAVED_SETS = b"""\
create p bitmap:port range 0-65535
add p 30380
create h hash:ip,port family inet netmask 24
add h 10.0.0.0,icmp:echo-request
add h 10.0.0.0,sctp:1-9
create l list:set size 8
add l h
"""
ADDRESSES = b"""\
30: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default
    link/ether 12:37:cc:2c:0a:cc brd ff:ff:ff:ff:ff:ff
    inet 10.96.0.10/32 scope global kube-ipvs0
       valid_lft forever preferred_lft forever
    inet6 fd00:10:96::1/128 scope global
"""

IPVSADM_WORDS = (
    *b"TCP UDP SCTP FWM -> -A -a -t -u -f -6 -s -p -M -b -r -m -g -w -x rr persistent mask pe ops".split(),
    *b"(mh-port) [::] :0 0 -1 65536 4294967296 FFFFFFFF 0A600001:01BB Masq Route Prot \xd9\xa0 \0 \n".split(),
)
IPSET_WORDS = (
    *b"Name: Type: Header: Members: Number create add nomatch timeout comment netmask bitmask".split(),
    *b"hash:ip hash:net,iface list:set bitmap:port family inet6 tcp: icmp: - , / /0 /33 :: 0-65535".split(),
    *b'255 -1 4294967296 \xd9\xa0 \0 " \n'.split(),
)
ADDRESS_WORDS = (*b"inet inet6 peer / /33 :: @ 1: lo: < kube-ipvs0 [ { -1 \xd9\xa0 \0 \n".split(),)
