"""The sets of ipvs mode have the names and types that kube-proxy gives them."""

import pytest

from model.addresses import Family
from model.ipvs.records import SetName, SetType

IP_PORT = SetType.HASH_IP_PORT
# pkg/proxy/ipvs/ipset.go and proxier.go: IPv4 name, IPv6 name, type.
SETS = [
    ("KUBE-LOOP-BACK", "KUBE-6-LOOP-BACK", SetType.HASH_IP_PORT_IP),
    ("KUBE-CLUSTER-IP", "KUBE-6-CLUSTER-IP", IP_PORT),
    ("KUBE-EXTERNAL-IP", "KUBE-6-EXTERNAL-IP", IP_PORT),
    ("KUBE-EXTERNAL-IP-LOCAL", "KUBE-6-EXTERNAL-IP-LOCAL", IP_PORT),
    ("KUBE-LOAD-BALANCER", "KUBE-6-LOAD-BALANCER", IP_PORT),
    ("KUBE-LOAD-BALANCER-FW", "KUBE-6-LOAD-BALANCER-FW", IP_PORT),
    ("KUBE-LOAD-BALANCER-LOCAL", "KUBE-6-LOAD-BALANCER-LOCAL", IP_PORT),
    ("KUBE-LOAD-BALANCER-SOURCE-IP", "KUBE-6-LOAD-BALANCER-SOURCE-IP", SetType.HASH_IP_PORT_IP),
    ("KUBE-LOAD-BALANCER-SOURCE-CIDR", "KUBE-6-LOAD-BALANCER-SOURCE-CID", SetType.HASH_IP_PORT_NET),
    ("KUBE-NODE-PORT-TCP", "KUBE-6-NODE-PORT-TCP", SetType.BITMAP_PORT),
    ("KUBE-NODE-PORT-LOCAL-TCP", "KUBE-6-NODE-PORT-LOCAL-TCP", SetType.BITMAP_PORT),
    ("KUBE-NODE-PORT-UDP", "KUBE-6-NODE-PORT-UDP", SetType.BITMAP_PORT),
    ("KUBE-NODE-PORT-LOCAL-UDP", "KUBE-6-NODE-PORT-LOCAL-UDP", SetType.BITMAP_PORT),
    ("KUBE-NODE-PORT-SCTP-HASH", "KUBE-6-NODE-PORT-SCTP-HASH", IP_PORT),
    ("KUBE-NODE-PORT-LOCAL-SCTP-HASH", "KUBE-6-NODE-PORT-LOCAL-SCTP-HAS", IP_PORT),
    ("KUBE-HEALTH-CHECK-NODE-PORT", "KUBE-6-HEALTH-CHECK-NODE-PORT", SetType.BITMAP_PORT),
    ("KUBE-IPVS-IPS", "KUBE-6-IPVS-IPS", SetType.HASH_IP),
]


def test_every_set_is_listed_here() -> None:
    assert {name.value for name in SetName} == {of_v4 for of_v4, _, _ in SETS}


@pytest.mark.parametrize(("of_v4", "of_v6", "kind"), SETS)
def test_a_set_has_a_name_in_each_family_and_one_type(of_v4: str, of_v6: str, kind: SetType) -> None:
    """MODE-34: the kernel takes 31 characters, so two names of IPv6 are cut."""
    name = SetName(of_v4)

    assert (name.of(Family.IPV4), name.of(Family.IPV6), name.type) == (of_v4, of_v6, kind)


def test_types_are_named_as_ipset_names_them() -> None:
    assert [kind.value for kind in SetType] == [
        "hash:ip",
        "hash:ip,port",
        "hash:ip,port,ip",
        "hash:ip,port,net",
        "bitmap:port",
    ]
