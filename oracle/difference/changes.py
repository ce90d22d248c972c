"""What changed between two moments about the service ports that a packet concerns, in words."""

from collections.abc import Iterable, Iterator

from model.addresses import Family, format_address
from model.frontends import NodeView, ServicePortView
from model.objects import ServicePortName
from model.outcome import Target


def changes(first: NodeView, second: NodeView, names: Iterable[ServicePortName]) -> tuple[str, ...]:
    """One sentence for each thing about these service ports that is not as it was."""
    before = {one.name: one for one in first.service_ports}
    after = {one.name: one for one in second.service_ports}
    out: list[str] = []
    for name in dict.fromkeys(names):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            if one is not other:
                out.append(f"{name} is only in {'B' if one is None else 'A'}")
            continue
        said = tuple(_changes(one, other, first.family))
        if said:
            out.append(f"{name}: {', '.join(said)}")
    return tuple(out)


def _changes(one: ServicePortView, other: ServicePortView, family: Family) -> Iterator[str]:
    def address(number: int) -> str:
        return format_address(family, number)

    for what, before, after in (
        ("port", one.port, other.port),
        ("nodePort", one.node_port or "none", other.node_port or "none"),
        ("clusterIP", address(one.cluster_ip), address(other.cluster_ip)),
        ("internalTrafficPolicy", one.internal_policy.value, other.internal_policy.value),
        ("externalTrafficPolicy", one.external_policy.value, other.external_policy.value),
        ("session affinity", _seconds(one.affinity_seconds), _seconds(other.affinity_seconds)),
        (
            "healthCheckNodePort",
            one.health_check_node_port or "none",
            other.health_check_node_port or "none",
        ),
    ):
        if before != after:
            yield f"{what} {before} -> {after}"
    for what, gone, new in (
        ("externalIP", one.external_ips, other.external_ips),
        ("load balancer address", one.vips, other.vips),
    ):
        yield from (f"{what} {address(number)} gone" for number in gone if number not in new)
        yield from (f"{what} {address(number)} new" for number in new if number not in gone)
    if one.allowed_sources != other.allowed_sources:
        yield "loadBalancerSourceRanges changed"
    before_, after_ = _eligible(one), _eligible(other)
    if before_ != after_:
        gone_, new_ = sorted(before_ - after_), sorted(after_ - before_)
        yield from (f"endpoint {address(e.address)}:{e.port} no longer used" for e in gone_)
        yield from (f"endpoint {address(e.address)}:{e.port} now used" for e in new_)


def _seconds(seconds: int | None) -> str:
    return "none" if seconds is None else f"{seconds} s"


def _eligible(one: ServicePortView) -> set[Target]:
    return {
        Target(endpoint.address, endpoint.port)
        for sets in one.choices
        for chosen in (sets.cluster, sets.local)
        for endpoint in chosen or ()
    }
