"""The ipvs dialect: what ipvsadm, ipset and ip print of a node in ipvs mode."""

from oracle.dialects.ipvs.device import kube_ipvs0, read_ip_addr
from oracle.dialects.ipvs.ipset_parse import parse_ipset
from oracle.dialects.ipvs.ipset_records import IpsetDump
from oracle.dialects.ipvs.lower import IpvsRules, ipvs_chains, lower_ipvs
from oracle.dialects.ipvs.parse import parse_ipvsadm
from oracle.dialects.ipvs.records import IpvsDump
from oracle.dialects.ipvs.set_match import members, non_members

__all__ = [
    "IpsetDump",
    "IpvsDump",
    "IpvsRules",
    "ipvs_chains",
    "kube_ipvs0",
    "lower_ipvs",
    "members",
    "non_members",
    "parse_ipset",
    "parse_ipvsadm",
    "read_ip_addr",
]
