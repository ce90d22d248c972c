"""Each claim about states and names catches recorded objects that were made wrong."""

from collections.abc import Callable

import attrs
import pytest
from rpds import HashTrieMap

from invariants.catalogue import CATALOGUE
from invariants.tried import recorded as recorded_for
from model.cluster.state import ClusterState
from model.cluster.watched import Slices
from model.objects import Cluster, Endpoint, EndpointSlice, ObjectName
from model.proxy_endpoints import merge_slices
from tests.invariants import recorded
from tests.invariants.dns_cases import dns_case
from tests.invariants.states import with_pools
from tests.invariants.wrong_services import STORED, Change

BY_ID = {claim.id: claim for claim in CATALOGUE}
Damage = Callable[[ClusterState], ClusterState]


def stored(change: Change) -> Damage:
    """Every Service as the change has it."""

    def damage(state: ClusterState) -> ClusterState:
        services = HashTrieMap((name, change(one)) for name, one in state.registry.services.items())
        return attrs.evolve(state, registry=attrs.evolve(state.registry, services=services))

    return damage


def listed(change: Callable[[EndpointSlice], EndpointSlice | None]) -> Damage:
    """Every slice as the change has it, or none."""

    def damage(state: ClusterState) -> ClusterState:
        slices = Slices()
        for one in state.slices.by_name.values():
            other = change(one)
            slices = slices if other is None else slices.put(other, 0)
        return attrs.evolve(state, slices=slices)

    return damage


def without_its_last_endpoint(one: EndpointSlice) -> EndpointSlice:
    return attrs.evolve(one, endpoints=one.endpoints[:-1])


def of_a_hundred_and_one(one: EndpointSlice) -> EndpointSlice:
    return attrs.evolve(one, endpoints=tuple(Endpoint((f"10.244.9.{at}",)) for at in range(101)))


def without_the_last_ones_hint(one: EndpointSlice) -> EndpointSlice:
    *others, last = one.endpoints or (Endpoint(()),)
    return attrs.evolve(one, endpoints=(*others, attrs.evolve(last, zone_hints=())))


def none_is_mirrored(one: EndpointSlice) -> EndpointSlice | None:
    return None if one.managed_by == "endpointslicemirroring-controller.k8s.io" else one


def no_endpoints(state: ClusterState) -> ClusterState:
    return attrs.evolve(state, endpoints=HashTrieMap())


def an_address_more(state: ClusterState) -> ClusterState:
    owners = dict(state.registry.ip_owners.items())
    return with_pools(state, ips={**owners, "10.96.0.77": ObjectName("shop", "gone")})


WRONG: dict[str, tuple[str, Damage]] = {
    "INV-01": ("clusterip-basic", stored(STORED["INV-01"])),
    "INV-02": ("clusterip-basic", stored(STORED["INV-02"])),
    "INV-03": ("clusterip-basic", stored(STORED["INV-03"])),
    "INV-04": ("externalname", stored(STORED["INV-04"])),
    "INV-05": ("nodeport", stored(STORED["INV-05"])),
    "INV-06": ("nodeport", stored(STORED["INV-06"])),
    "INV-07": ("nodeport", stored(STORED["INV-07"])),
    "INV-08": ("headless", stored(STORED["INV-08"])),
    "INV-09": ("multi-port", stored(STORED["INV-09"])),
    "INV-10": ("session-affinity", stored(STORED["INV-10"])),
    "INV-11": ("clusterip-basic", stored(STORED["INV-11"])),
    "INV-18": ("clusterip-basic", lambda state: with_pools(state, ips={})),
    "INV-19": ("nodeport", lambda state: with_pools(state, ports={})),
    "INV-20": ("nodeport", stored(STORED["INV-20"])),
    "INV-21": ("clusterip-basic", stored(STORED["INV-21"])),
    "INV-25": ("clusterip-basic", an_address_more),
    "INV-28": ("clusterip-basic", listed(of_a_hundred_and_one)),
    "INV-29": ("clusterip-basic", listed(without_its_last_endpoint)),
    "INV-30": ("clusterip-basic", no_endpoints),
    "INV-31": ("selectorless", listed(none_is_mirrored)),
    "INV-34": ("traffic-distribution", listed(without_the_last_ones_hint)),
}
"""For each claim a recorded cluster, and how its objects are made wrong."""


@pytest.mark.bites("on dumps")
@pytest.mark.parametrize("id", WRONG)
def test_a_claim_about_states_catches_recorded_objects_made_wrong(id: str) -> None:
    case, damage = WRONG[id]
    right = recorded.state_in(case)

    assert BY_ID[id].violation(right) is None
    assert BY_ID[id].violation(damage(right)) is not None


@pytest.mark.bites("on dumps")
def test_inv_33_catches_a_reader_of_recorded_slices_for_whom_the_last_endpoint_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def last_alone(slices: list[EndpointSlice], *how: object) -> object:
        kept = [attrs.evolve(one, endpoints=one.endpoints[-1:]) for one in slices]
        return merge_slices(kept, *how)  # type: ignore[arg-type]  # passed on as given

    monkeypatch.setattr("invariants.endpoint_slices.merge_slices", last_alone)

    assert BY_ID["INV-33"].violation(recorded.state_in("clusterip-basic")) is not None


def other_cluster_ips(cluster: Cluster) -> Cluster:
    services = (
        attrs.evolve(one, cluster_ips=("10.96.0.99",)) if one.cluster_ips not in ((), ("None",)) else one
        for one in cluster.services
    )
    return attrs.evolve(cluster, services=tuple(services))


def all_ready(cluster: Cluster) -> Cluster:
    def ready(one: EndpointSlice) -> EndpointSlice:
        return attrs.evolve(one, endpoints=tuple(attrs.evolve(each, ready=True) for each in one.endpoints))

    return attrs.evolve(cluster, slices=tuple(map(ready, cluster.slices)))


def no_ports(cluster: Cluster) -> Cluster:
    return attrs.evolve(cluster, services=tuple(attrs.evolve(one, ports=()) for one in cluster.services))


def aliases_of_another_name(cluster: Cluster) -> Cluster:
    services = (
        attrs.evolve(one, external_name="elsewhere.example") if one.external_name else one
        for one in cluster.services
    )
    return attrs.evolve(cluster, services=tuple(services))


@pytest.mark.bites("on dumps")
@pytest.mark.parametrize(
    ("id", "case", "served"),
    [
        ("INV-76", "clusterip-basic", other_cluster_ips),
        ("INV-77", "unready-pods", all_ready),
        ("INV-78", "multi-port", no_ports),
        ("INV-79", "clusterip-basic", other_cluster_ips),
        ("INV-80", "externalname", aliases_of_another_name),
    ],
)
def test_a_claim_about_names_catches_a_server_of_other_objects_than_those_recorded(
    id: str, case: str, served: Callable[[Cluster], Cluster]
) -> None:
    cluster = recorded.state_in(case).objects()

    assert BY_ID[id].violation(dns_case(cluster)) is None
    assert BY_ID[id].violation(dns_case(cluster, served(cluster))) is not None


@pytest.mark.bites("on dumps")
def test_inv_81_catches_a_resolver_that_asks_nothing_for_recorded_names() -> None:
    right = dns_case(recorded.state_in("clusterip-basic").objects())
    wrong = attrs.evolve(right, lookup=lambda *how: attrs.evolve(right.lookup(*how), tried=()))

    assert BY_ID["INV-81"].violation(right) is None
    assert BY_ID["INV-81"].violation(wrong) is not None


def test_every_claim_that_recorded_objects_are_held_to_is_among_these() -> None:
    held = {id for id, claim in BY_ID.items() if recorded_for(claim) == "objects of recorded clusters"}

    assert {*WRONG, "INV-33", *(f"INV-{number}" for number in range(76, 82))} == held
