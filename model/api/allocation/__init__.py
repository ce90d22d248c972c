"""Cluster IPs and node ports: which are free, who owns them, and how a request gets one."""
