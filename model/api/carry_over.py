"""What an update may leave out, because the server allocated it for an earlier request.

A client that submits its own manifest again must not lose addresses and ports it never
wrote down (API-PIPE-04), and one that knows only clusterIP must not fight with the
server about clusterIPs (API-PIPE-05). Source: `pkg/registry/core/service/storage/storage.go
patchAllocatedValues` and `normalizeClusterIPs`.
"""

import attrs

from model.api.needs import gets_node_ports, needs_cluster_ip, node_ports
from model.api.objects import Service, ServicePort, ServiceSpec
from model.api.validation.traffic_policy import needs_health_check


def patch_allocated_values(new: Service, old: Service) -> Service:
    """The new object with the old one's allocated values where it leaves them empty.

    Only where both need such a value. Node ports are matched by the port's name, and an
    old number that the new object uses already, for whichever port, is not given out
    again (API-PIPE-04).
    """
    spec = new.spec
    if needs_cluster_ip(old.spec) and needs_cluster_ip(spec):
        spec = attrs.evolve(
            spec,
            cluster_ip=spec.cluster_ip or old.spec.cluster_ip,
            cluster_ips=spec.cluster_ips or old.spec.cluster_ips,
        )
    if gets_node_ports(old.spec) and gets_node_ports(spec):
        spec = attrs.evolve(spec, ports=_with_old_node_ports(spec, old.spec))
    if needs_health_check(old) and needs_health_check(new) and not spec.health_check_node_port:
        spec = attrs.evolve(spec, health_check_node_port=old.spec.health_check_node_port)
    return attrs.evolve(new, spec=spec)


def _with_old_node_ports(new: ServiceSpec, old: ServiceSpec) -> tuple[ServicePort, ...]:
    by_name = {port.name: port.node_port for port in old.ports}
    used = frozenset(node_ports(new))
    return tuple(
        port
        if port.node_port or (number := by_name.get(port.name, 0)) in used
        else attrs.evolve(port, node_port=number)
        for port in new.ports
    )


def normalize_cluster_ips(new: Service, old: Service | None) -> Service:
    """The new object with clusterIPs following clusterIP where the client knows only the latter.

    On create, a lone clusterIP fills clusterIPs; a lone clusterIPs stays as it is, which
    validation refuses. On update, clusterIPs follow when the client changed or cleared
    clusterIP and left clusterIPs untouched (API-PIPE-05).
    """
    spec = new.spec
    if old is None:
        if spec.cluster_ip and not spec.cluster_ips:
            return attrs.evolve(new, spec=attrs.evolve(spec, cluster_ips=(spec.cluster_ip,)))
        return new
    if spec.cluster_ip == old.spec.cluster_ip:
        if old.spec.cluster_ips and not spec.cluster_ips:
            return attrs.evolve(new, spec=attrs.evolve(spec, cluster_ips=old.spec.cluster_ips))
        return new
    if spec.cluster_ips != old.spec.cluster_ips:
        return new
    # A changed value replaces the list, a cleared one clears it. (Both empty before and a
    # value now: the value alone.)
    cleared = bool(old.spec.cluster_ip) and not spec.cluster_ip
    cluster_ips = () if cleared else (spec.cluster_ip,)
    return attrs.evolve(new, spec=attrs.evolve(spec, cluster_ips=cluster_ips))
