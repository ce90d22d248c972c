"""What the cluster's DNS answers, and which questions a pod's resolver asks it (DNS-*)."""

from model.dns.config import DnsConfig, Extent, PodRecords, Upstream
from model.dns.zone import ClusterDns, Reply, answer

__all__ = ["ClusterDns", "DnsConfig", "Extent", "PodRecords", "Reply", "Upstream", "answer"]
