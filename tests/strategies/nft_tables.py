"""Tables as kube-proxy writes them for nft, with any addresses, ports and numbers in them."""

from hypothesis import strategies as st

from model.addresses import Family, format_address


@st.composite
def kube_proxy_tables(draw: st.DrawFn) -> str:
    """A table of kube-proxy's shapes, of either family, with drawn addresses, ports and numbers."""
    family = draw(st.sampled_from(Family))
    word, kind = ("ip", "ipv4_addr") if family is Family.IPV4 else ("ip6", "ipv6_addr")
    some = st.integers(1, family.top - 1).map(lambda number: format_address(family, number))
    ports = st.integers(1, 65535)
    protocols = st.sampled_from(["tcp", "udp", "sctp"])
    keys = draw(
        st.dictionaries(
            st.tuples(some, protocols, ports),
            st.sampled_from(["drop", "goto e0", "accept"]),
            min_size=1,
            max_size=9,
        )
    )
    endpoints = draw(st.lists(st.tuples(some, ports), min_size=1, max_size=6, unique=True))
    length = draw(st.integers(1, family.bits))
    # What is known must not expire between two listings on a busy machine.
    pods, timeout, mark = draw(some), draw(st.integers(60, 10**6)), 1 << draw(st.integers(0, 31))
    elements = ", ".join(
        f"{at} . {protocol} . {port} : {then}" for (at, protocol, port), then in keys.items()
    )
    pairs = ", ".join(f"{number} : {at} . {port}" for number, (at, port) in enumerate(endpoints))
    jumps = ", ".join(f"{number} : goto e0" for number in range(len(endpoints)))
    return f"""table {word} kube-proxy {{
 set known {{ type {kind}; flags dynamic,timeout; timeout {timeout}s; elements = {{ {endpoints[0][0]} }} }}
 map service-ips {{ type {kind} . inet_proto . inet_service : verdict; elements = {{ {elements} }} }}
 chain e0 {{ update @known {{ {word} saddr }}; }}
 chain nat {{ type nat hook prerouting priority dstnat; policy accept;
  {word} daddr . meta l4proto . th dport vmap @service-ips
  {word} saddr != {pods}/{length} meta mark set meta mark or {mark:#x}
  meta mark and {mark:#x} != 0 meta mark set meta mark xor {mark:#x} accept
  {word} saddr @known goto e0
  meta l4proto tcp dnat {word} addr . port to numgen random mod {len(endpoints)} map {{ {pairs} }}
  numgen random mod {len(endpoints)} vmap {{ {jumps} }}
 }}
}}
"""
