"""The ipvs dialect: what ipvsadm, ipset and ip print of a node in ipvs mode."""

from oracle.dialects.ipvs.parse import parse_ipvsadm
from oracle.dialects.ipvs.records import IpvsDump

__all__ = ["IpvsDump", "parse_ipvsadm"]
