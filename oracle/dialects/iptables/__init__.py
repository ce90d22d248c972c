"""The iptables dialect: dumps of iptables-save and ip6tables-save become rule sets."""

from oracle.dialects.iptables.parse import parse_iptables

__all__ = ["parse_iptables"]
