"""What kube-proxy keeps on a node in ipvs mode, beside its few iptables rules.

`state` makes the whole of it for one family: virtual servers with their real servers, the
members of the KUBE-* sets and the addresses of the dummy device kube-ipvs0. `sync` says how
a node gets from one such state to the next.
"""
