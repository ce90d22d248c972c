"""ALLOC-NP-09: INV-19 does not hold of clusters where ExternalName Services carry node ports.

A machine that assumes nothing finds the hole; what it finds is told here step by step.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from rpds import HashTrieMap

from invariants.allocation import node_ports_have_one_owner
from model.api import objects as api
from model.api.refusal import Refused
from model.api.registry import Registry
from model.cluster import events
from model.cluster.events import Pool
from model.cluster.state import ClusterState
from model.cluster.transition import carry_out, step
from model.objects import ObjectName
from tests.strategies.machine.requests import BrokenClaim, Requests


class WithoutTheAssumption(Requests):
    """Requests for Services, ExternalName ones with node ports among them."""

    external_names_have_node_ports = True


def is_external_name_with_a_node_port(event: events.Event) -> bool:
    if not isinstance(event, events.CreateService | events.UpdateService):
        return False
    spec = event.service.spec
    return spec.type == "ExternalName" and any(port.node_port for port in spec.ports)


@pytest.mark.thorough
def test_the_machine_finds_the_hole_and_tells_it_in_a_few_steps() -> None:
    # The same search on every run, for as long as it takes.
    search = settings(
        max_examples=2000,
        stateful_step_count=12,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )

    with pytest.raises(BrokenClaim) as found:
        run_state_machine_as_test(WithoutTheAssumption, settings=search)

    assert found.value.id == "INV-19"
    assert any(is_external_name_with_a_node_port(event) for event in found.value.history)
    assert len(found.value.history) <= 6


# --- The same, by hand

WEB, ELSEWHERE = ObjectName("shop", "web"), ObjectName("shop", "elsewhere")


def a_service(name: ObjectName, type: str, node_port: int = 30080, **spec: Any) -> api.Service:
    port = api.ServicePort("http", port=80, node_port=node_port)
    metadata = api.Metadata(name=name.name, namespace=name.namespace)
    return api.Service(metadata, api.ServiceSpec((port,), type=type, **spec))


def an_external_name(node_port: int = 30080) -> api.Service:
    return a_service(ELSEWHERE, "ExternalName", node_port, external_name="db.example")


def an_empty_cluster() -> ClusterState:
    default = api.ServiceCIDR(api.Metadata(name="kubernetes"), api.ServiceCIDRSpec(("10.96.0.0/24",)))
    return ClusterState(registry=Registry(service_cidrs=HashTrieMap({"kubernetes": default})))


def with_web_and_elsewhere() -> ClusterState:
    """web owns 30080; elsewhere, of type ExternalName, says 30080 too, and nobody minds."""
    state = step(an_empty_cluster(), events.CreateService(a_service(WEB, "NodePort"), seed=1))
    return step(state, events.CreateService(an_external_name(), seed=2))


def numbers(state: ClusterState) -> dict[str, list[int]]:
    """The node ports of each Service."""
    services = state.registry.services
    return {str(name): [port.node_port for port in services[name].spec.ports] for name in sorted(services)}


def broken(state: ClusterState) -> str | None:
    """How INV-19 is broken, even where its assumption does not hold."""
    violation = node_ports_have_one_owner.check(state)
    return None if violation is None else violation.what


def test_an_external_name_service_says_a_number_that_another_one_owns() -> None:
    state = with_web_and_elsewhere()

    assert {"shop/elsewhere": [30080], "shop/web": [30080]} == numbers(state)
    assert {30080: WEB} == dict(state.registry.node_ports)
    assert broken(state) == "node port 30080 belongs to shop/elsewhere and to shop/web"
    assert node_ports_have_one_owner.violation(state) is None  # its assumption does not hold


def test_two_services_serve_one_number_after_a_change_of_type() -> None:
    """The update takes over the number as one that the Service holds, and so never allocates it."""
    state = step(with_web_and_elsewhere(), events.UpdateService(a_service(ELSEWHERE, "NodePort"), seed=3))

    assert {"shop/elsewhere": [30080], "shop/web": [30080]} == numbers(state)
    assert {30080: WEB} == dict(state.registry.node_ports)
    assert node_ports_have_one_owner.violation(state) is not None


def test_deleting_the_external_name_service_frees_the_other_ones_number() -> None:
    """The next Service may ask for 30080, and gets it."""
    state = step(with_web_and_elsewhere(), events.DeleteService(ELSEWHERE))
    third = a_service(ObjectName("shop", "third"), "NodePort")
    after = step(state, events.CreateService(third, seed=3))

    assert {} == dict(state.registry.node_ports)
    assert broken(state) == "shop/web has node port 30080, which counts as free"
    assert broken(after) == "node port 30080 belongs to shop/third and to shop/web"


def test_a_number_that_nobody_owns_comes_into_use_unallocated() -> None:
    """Without any other Service: the number of an ExternalName Service that changes its type."""
    state = step(an_empty_cluster(), events.CreateService(an_external_name(), seed=1))
    state = step(state, events.UpdateService(a_service(ELSEWHERE, "NodePort"), seed=2))

    assert {"shop/elsewhere": [30080]} == numbers(state)
    assert broken(state) == "shop/elsewhere has node port 30080, which counts as free"


def test_repair_reports_the_duplicate_and_does_not_end_it() -> None:
    """ALLOC-NP-10"""
    state = step(with_web_and_elsewhere(), events.UpdateService(a_service(ELSEWHERE, "NodePort"), seed=3))
    repaired = carry_out(state, events.Repair(Pool.NODE_PORTS))

    assert isinstance(repaired.answer, tuple)
    assert ["30080"] == [event.value for event in repaired.answer]
    assert {"shop/elsewhere": [30080], "shop/web": [30080]} == numbers(repaired.state)


def test_a_service_that_was_never_an_external_name_cannot_share_the_number() -> None:
    state = step(an_empty_cluster(), events.CreateService(a_service(WEB, "NodePort"), seed=1))

    with pytest.raises(Refused):
        step(state, events.CreateService(a_service(ELSEWHERE, "NodePort"), seed=2))
