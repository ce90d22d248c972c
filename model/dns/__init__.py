"""What the cluster's DNS answers, and which questions a pod's resolver asks it (DNS-*)."""

from model.dns.client import Resolution, Status, resolve
from model.dns.config import DnsConfig, Extent, PodRecords, Upstream
from model.dns.resolv_conf import (
    DnsServer,
    NodeDns,
    PodDns,
    ResolvConf,
    dns_server,
    pod_resolv_conf,
)
from model.dns.zone import ClusterDns, Reply, answer
from model.objects import DnsPolicy

__all__ = [
    "ClusterDns",
    "DnsConfig",
    "DnsPolicy",
    "DnsServer",
    "Extent",
    "NodeDns",
    "PodDns",
    "PodRecords",
    "Reply",
    "Resolution",
    "ResolvConf",
    "Status",
    "Upstream",
    "answer",
    "dns_server",
    "pod_resolv_conf",
    "resolve",
]
