"""Which rule speaks of a field, so that an answer can be looked up in docs/rules."""

import re

_SERVICE = tuple(
    (re.compile(pattern + r"(?=[.\[]|$)"), rules)
    for pattern, rules in (
        (r"metadata\.name", ("API-F-01",)),
        (r"metadata\.annotations\[service\.kubernetes\.io/topology[^\]]*\]", ("API-F-28",)),
        (
            r"metadata\.annotations\[service\.beta\.kubernetes\.io/load-balancer-source-ranges\]",
            ("API-F-17",),
        ),
        (r"spec\.type", ("API-F-02",)),
        (r"spec\.ports\[\d+\]\.name", ("API-F-04",)),
        (r"spec\.ports\[\d+\]\.protocol", ("API-F-05",)),
        (r"spec\.ports\[\d+\]\.port", ("API-F-06",)),
        (r"spec\.ports\[\d+\]\.targetPort", ("API-F-07",)),
        (r"spec\.ports\[\d+\]\.nodePort", ("API-F-08", "ALLOC-NP-05", "ALLOC-NP-08")),
        (r"spec\.ports\[\d+\]\.appProtocol", ("API-F-09",)),
        (r"spec\.ports", ("API-F-03",)),
        (r"spec\.selector", ("API-F-10",)),
        (r"spec\.clusterIPs?", ("API-F-11", "ALLOC-IP-05", "API-DS-06")),
        (r"spec\.ipFamilies", ("API-F-12", "API-DS-02")),
        (r"spec\.ipFamilyPolicy", ("API-F-13", "API-DS-01")),
        (r"spec\.externalName", ("API-F-14",)),
        (r"spec\.externalIPs", ("API-F-15",)),
        (r"spec\.loadBalancerIP", ("API-F-16",)),
        (r"spec\.loadBalancerSourceRanges", ("API-F-17",)),
        (r"spec\.loadBalancerClass", ("API-F-18",)),
        (r"spec\.allocateLoadBalancerNodePorts", ("API-F-19",)),
        (r"spec\.sessionAffinityConfig", ("API-F-21",)),
        (r"spec\.sessionAffinity", ("API-F-20",)),
        (r"spec\.externalTrafficPolicy", ("API-F-22",)),
        (r"spec\.healthCheckNodePort", ("API-F-23", "ALLOC-HC-01")),
        (r"spec\.internalTrafficPolicy", ("API-F-24",)),
        (r"spec\.publishNotReadyAddresses", ("API-F-25",)),
        (r"spec\.trafficDistribution", ("API-F-26",)),
        (r"status\.loadBalancer", ("API-F-29",)),
        (r"status", ("API-F-30",)),
    )
)
_SLICE = (
    (re.compile(r"ports\[\d+\]"), ("EPS-PORT-06",)),
    (re.compile(r"endpoints\[\d+\]\.conditions"), ("EPS-COND-03",)),
)


def rules_of(kind: str, field: str) -> tuple[str, ...]:
    """The rules about a field of a kind, none where docs/rules is silent.

    >>> rules_of("Service", "spec.ports[0].port")
    ('API-F-06',)
    """
    table = {"Service": _SERVICE, "EndpointSlice": _SLICE}.get(kind, ())
    return next((rules for pattern, rules in table if pattern.match(field)), ())
