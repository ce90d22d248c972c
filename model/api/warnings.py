"""Warnings that the API server sends along with an accepted Service.

Only the fields they are about and their number are promised; the wording is ours.
Source: WRN GetWarningsForService, apimachinery GetWarningsForIP and GetWarningsForCIDR
(API-F-14, -15, -16, -26, -28, -31).
"""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_network

from model.api.objects import HEADLESS, Service
from model.api.validation.ip_text import parse_cidr, parse_ip, strict_ip
from model.api.validation.service import TOPOLOGY_AWARE_HINTS, TOPOLOGY_MODE


def service_warnings(
    service: Service,
    old: Service | None = None,  # noqa: ARG001  what was there before never silences a warning
) -> tuple[str, ...]:
    """The warnings for a Service that is created, or changed from `old`, unchanged faults included."""
    return tuple(_warnings(service))


def ip_warnings(field: str, text: str) -> Iterator[str]:
    """At most one warning, for an address in a form that consumers may read differently."""
    address, strict = parse_ip(text), strict_ip(text)
    if address is None:
        return
    if strict is None or (isinstance(strict, IPv6Address) and strict.ipv4_mapped):
        yield f"{field}: {text!r} is not a standard address; use {address}"
    elif isinstance(strict, IPv6Address) and str(strict) != text:
        yield f"{field}: {text!r} should be written as {strict} (RFC 5952)"


def cidr_warnings(field: str, text: str) -> Iterator[str]:
    """Warnings for a CIDR with host bits, and for one in a form that consumers may read differently.

    None for a text that is no CIDR as it stands, which one with a blank around it is.
    """
    parsed = parse_cidr(text)
    if parsed is None:
        return
    address, prefix = parsed
    written, _, length = text.partition("/")
    strict = strict_ip(written)
    is_mapped = isinstance(strict, IPv6Address) and strict.ipv4_mapped is not None
    # The prefix of an IPv4-mapped address counts the 96 bits before the IPv4 part.
    bits = max(prefix - 96, 0) if ":" in written and address.version == 4 else prefix
    network = ip_network(f"{address}/{bits}", strict=False)
    is_ambiguous = network.network_address != address
    is_odd = strict is None or is_mapped or length != str(prefix)
    if is_ambiguous:
        yield f"{field}: {text!r} is ambiguous; use {network} or {address}"
    if is_odd:
        yield f"{field}: {text!r} is not a standard CIDR; use {network}"
    if not is_ambiguous and not is_odd and address.version == 6 and str(network) != text:
        yield f"{field}: {text!r} should be written as {network} (RFC 5952)"


def _warnings(service: Service) -> Iterator[str]:
    spec = service.spec
    is_headless = spec.type == "ClusterIP" and spec.cluster_ip == HEADLESS
    if TOPOLOGY_AWARE_HINTS in dict(service.metadata.annotations):
        yield f"annotation {TOPOLOGY_AWARE_HINTS} is deprecated; use {TOPOLOGY_MODE}"
    if spec.cluster_ip not in ("", HEADLESS):
        for index, text in enumerate(spec.cluster_ips):
            yield from ip_warnings(f"spec.clusterIPs[{index}]", text)
    if is_headless:
        yield from _headless_warnings(service)
    for index, text in enumerate(spec.external_ips):
        yield from ip_warnings(f"spec.externalIPs[{index}]", text)
    if spec.external_ips and not is_headless and spec.type != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer work in some clusters"
    if spec.load_balancer_ip:
        yield from ip_warnings("spec.loadBalancerIP", spec.load_balancer_ip)
    for index, text in enumerate(spec.load_balancer_source_ranges):
        yield from cidr_warnings(f"spec.loadBalancerSourceRanges[{index}]", text)
    if spec.type == "ExternalName" and spec.external_ips:
        yield "spec.externalIPs is ignored when spec.type is ExternalName"
    if spec.type != "ExternalName" and spec.external_name:
        yield "spec.externalName is ignored when spec.type is not ExternalName"
    if spec.traffic_distribution == "PreferClose":
        yield "spec.trafficDistribution PreferClose is deprecated; use PreferSameZone"


def _headless_warnings(service: Service) -> Iterator[str]:
    if service.spec.load_balancer_ip:
        yield "spec.loadBalancerIP is ignored for headless services"
    if service.spec.external_ips:
        yield "spec.externalIPs is ignored for headless services"
    if service.spec.session_affinity != "None":
        yield "spec.sessionAffinity is ignored for headless services"
