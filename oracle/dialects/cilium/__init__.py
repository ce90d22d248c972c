"""The cilium dialect: the list of frontends and backends that Cilium's agent keeps for a node."""

from oracle.dialects.cilium.judge import judge_services
from oracle.dialects.cilium.listing import ServiceList, parse_services

__all__ = ["ServiceList", "judge_services", "parse_services"]
