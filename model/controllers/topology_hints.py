"""Hints of topology mode Auto: endpoints spread over zones in proportion to their CPUs (EPS-HINT-04).

Source: staging/src/k8s.io/endpointslice/topologycache (KEP-2433). Numbers are floats and
are worked out in the order of the original, since a rounding decides an allocation.
Where the original takes any zone of several alike, the first by name is taken here.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import attrs

from model.controllers.hints import remove_hints
from model.controllers.slice_plan import SlicePlan, Slices, is_ready, with_endpoints, with_hints
from model.objects import Endpoint, EndpointSlice, Node

OVERLOAD_THRESHOLD = 0.2

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@attrs.frozen
class Allocation:
    """How many endpoints a zone may have: at least, at most, and ideally."""

    minimum: int
    maximum: int
    desired: float


def cpu_ratios(nodes: Iterable[Node]) -> Mapping[str, float] | None:
    """Each zone's share of the allocatable CPUs of ready nodes outside the control plane.

    None when a node lacks its zone or CPUs, or when there are fewer than two zones.
    """
    cpu_by_zone: Counter[str] = Counter()
    for node in nodes:
        labels = dict(node.labels)
        if not node.ready or any(label in labels for label in _CONTROL_PLANE):
            continue
        if not node.zone or not node.allocatable_cpu:
            return None
        cpu_by_zone[node.zone] += node.allocatable_cpu  # type: ignore[assignment]  # Counter says int
    if len(cpu_by_zone) < 2:
        return None
    total = math.ceil(sum(cpu_by_zone.values()) * 1000)
    return {zone: math.ceil(cpu_by_zone[zone] * 1000) / total for zone in sorted(cpu_by_zone)}


def allocate(ratios: Mapping[str, float] | None, endpoints: int) -> Mapping[str, Allocation] | None:
    """What each zone may have of so many ready endpoints.

    None when there are fewer endpoints than zones, or when some endpoint would have to
    take more than 20 % over its share.
    """
    if ratios is None or len(ratios) < 2 or len(ratios) > endpoints:
        return None
    shares = {zone: ratio * float(endpoints) for zone, ratio in ratios.items()}
    least = {zone: math.ceil(share * (1 / (1 + OVERLOAD_THRESHOLD))) for zone, share in shares.items()}
    spare = endpoints - sum(least.values())
    if spare < 0:
        return None
    return {
        zone: Allocation(least[zone], least[zone] + spare, max(share, float(least[zone])))
        for zone, share in shares.items()
    }


def add_hints(plan: SlicePlan, ratios: Mapping[str, float] | None) -> SlicePlan:
    """The plan with one zone hinted per ready endpoint, or with no hints where that cannot be fair.

    Unchanged slices whose hints still fit the allocations keep them.
    """
    ready = [endpoint for one in plan.slices for endpoint in one.endpoints if is_ready(endpoint)]
    allocations = allocate(ratios, len(ready))
    if allocations is None:
        return remove_hints(plan)
    plan, hinted = _keep_fitting(plan, allocations)
    changed = [endpoint for one in (*plan.create, *plan.update) for endpoint in one.endpoints]
    zones = [endpoint.zone for endpoint in changed if is_ready(endpoint)]
    if not all(zones):
        return remove_hints(plan)
    hinted.update(zone for zone in zones if zone)
    if not hinted:
        return remove_hints(plan)
    giving, receiving = transfers(allocations, hinted)
    give = iter([_hint(endpoint, giving, receiving) for endpoint in changed])

    def rehinted(slices: Slices) -> Slices:
        return tuple(with_endpoints(one, tuple(next(give) for _ in one.endpoints)) for one in slices)

    return SlicePlan(rehinted(plan.create), rehinted(plan.update), plan.unchanged)


def transfers(
    allocations: Mapping[str, Allocation], hinted: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """How many endpoints each zone gives to others and receives from others."""
    surplus = {zone: hinted.get(zone, 0) - each.desired for zone, each in sorted(allocations.items())}
    to_give = {zone: amount for zone, amount in surplus.items() if amount > 0}
    to_receive = {zone: -amount for zone, amount in surplus.items() if amount < 0}
    giving: Counter[str] = Counter()
    receiving: Counter[str] = Counter()
    while True:
        giver, most = _most(to_give)
        receiver, least = _most(to_receive)
        if most < 0.5 or least < 0.5 or (most < 1.0 and least < 1.0):
            return dict(giving), dict(receiving)
        giving[giver] += 1
        to_give[giver] -= 1
        receiving[receiver] += 1
        to_receive[receiver] -= 1


def _most(amounts: Mapping[str, float]) -> tuple[str, float]:
    zone = max(amounts, key=amounts.__getitem__, default="")
    return zone, max(amounts.get(zone, 0.0), 0.0)


def _keep_fitting(plan: SlicePlan, allocations: Mapping[str, Allocation]) -> tuple[SlicePlan, Counter[str]]:
    """The plan with unfitting slices among those to update, and the hints of those that fit."""
    kept: list[EndpointSlice] = []
    unfit: list[EndpointSlice] = []
    hinted: Counter[str] = Counter()
    for one in plan.unchanged:
        hints = _hints_by_zone(one, hinted, allocations)
        (kept if hints is not None else unfit).append(one)
        hinted.update(hints or {})
    return SlicePlan(plan.create, (*plan.update, *unfit), tuple(kept)), hinted


def _hints_by_zone(
    one: EndpointSlice, hinted: Mapping[str, int], allocations: Mapping[str, Allocation]
) -> Counter[str] | None:
    """The slice's hints, None when one is missing, or for a zone without need or above its most."""
    ready = [endpoint for endpoint in one.endpoints if is_ready(endpoint)]
    if not all(endpoint.zone_hints for endpoint in ready):
        return None
    counted = Counter(zone for endpoint in ready for zone in endpoint.zone_hints)
    fits = all(
        zone in allocations and count + hinted.get(zone, 0) <= allocations[zone].maximum
        for zone, count in counted.items()
    )
    return counted if fits else None


def _hint(endpoint: Endpoint, giving: dict[str, int], receiving: dict[str, int]) -> Endpoint:
    """The endpoint hinted at its own zone, or at another as long as its zone has to give.

    Counts both down. One that is not ready keeps what it has.
    """
    if not is_ready(endpoint) or endpoint.zone is None:
        return endpoint
    zone = endpoint.zone
    receiver = next((each for each in sorted(receiving) if receiving[each] > 0), None)
    if giving.get(zone, 0) > 0 and receiver is not None:
        giving[zone] -= 1
        receiving[receiver] -= 1
        zone = receiver
    return with_hints(endpoint, (zone,))
