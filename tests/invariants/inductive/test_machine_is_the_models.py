"""Each step that the model makes is one that the allocation machine allows, and the other way they differ.

The machine is a second reading of the API server's allocators: on drawn histories every
formula is true of what the model did. That a changed model, or a changed formula, is
noticed is shown on one short history in which every class of events happens.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import attrs
import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from rpds import HashTrieMap

from invariants.allocation import the_static_band_comes_last
from invariants.invariant import Step
from invariants.prove import pool_machine
from invariants.prove.allocation_machine import Transition
from invariants.prove.inductive import AFTER, BEFORE, EVENT
from invariants.prove.pool_machine import EVENTS
from model.api import objects as api
from model.api.allocation.bands import Bands
from model.api.refusal import Refused
from model.api.registry import ApiConfig, Registry
from model.cluster import events
from model.cluster.events import Event, Pool
from model.cluster.state import ClusterState
from model.cluster.transition import carry_out
from model.objects import ObjectName
from tests.invariants.inductive.abstraction import AbstractStep, abstract
from tests.invariants.inductive.finite import is_true
from tests.invariants.inductive.histories import AbstractHistories, AbstractRequests, is_a_step

# Each step is held to a formula as well as to every claim: slow by hypothesis' measure.
FEW = settings(max_examples=15, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("machine", [AbstractRequests, AbstractHistories])
def test_every_step_of_every_history_is_one_of_the_machine(machine: type[AbstractRequests]) -> None:
    run_state_machine_as_test(machine, settings=FEW)


# --- One history in which everything happens

WEB, HELD, NAMED = (ObjectName("shop", name) for name in ("web", "held", "named"))


def service(name: ObjectName, type: str, *numbers: int, **spec: Any) -> api.Service:
    ports = tuple(
        api.ServicePort(f"port-{at}", port=80 + at, node_port=number) for at, number in enumerate(numbers)
    )
    finalizers = ("example.com/hold",) if name == HELD else ()
    metadata = api.Metadata(name=name.name, namespace=name.namespace, finalizers=finalizers)
    if type == "ExternalName":
        spec["external_name"] = "db.example"
    return api.Service(metadata, api.ServiceSpec(ports, type=type, **spec))


def without_finalizers(one: api.Service) -> api.Service:
    return attrs.evolve(one, metadata=attrs.evolve(one.metadata, finalizers=()))


LOCAL = {"external_traffic_policy": "Local"}
HISTORY: tuple[Event, ...] = (
    events.CreateService(service(WEB, "NodePort", 30001, 0), seed=1),
    events.CreateService(service(WEB, "NodePort", 0), seed=2),  # refused: it exists
    events.CreateService(service(NAMED, "NodePort", 0), dry_run=True, seed=3),
    events.CreateService(service(NAMED, "ExternalName", 30001), seed=4),  # the hole
    events.UpdateService(service(WEB, "LoadBalancer", 0, 0, 0, **LOCAL), seed=5),
    events.UpdateService(service(WEB, "LoadBalancer", 0, 0), seed=6),
    events.UpdateService(service(WEB, "NodePort", 0, cluster_ip="10.96.0.30"), seed=7),  # refused
    events.CreateService(service(HELD, "ClusterIP", 0), seed=8),
    events.DeleteService(HELD),
    events.UpdateService(without_finalizers(service(HELD, "ClusterIP", 0)), seed=9),
    events.DeleteService(NAMED),  # frees 30001, which web has
    events.Repair(Pool.NODE_PORTS),
    events.AddServiceCIDR("more", ("10.97.0.0/29",)),
    events.DeleteServiceCIDR("more"),
    events.UpdateService(service(WEB, "ExternalName", 0, 0), seed=10),
    events.UpdateService(service(WEB, "NodePort", 0), seed=11),
    events.Repair(Pool.CLUSTER_IPS),
    events.DeleteService(WEB),
)


def start() -> ClusterState:
    """Thirty addresses, half of them static; seventeen numbers, all but one static."""
    default = api.ServiceCIDR(api.Metadata(name="kubernetes"), api.ServiceCIDRSpec(("10.96.0.0/27",)))
    cidrs = HashTrieMap({"kubernetes": default})
    return ClusterState(registry=Registry(ApiConfig(30000, 30016), service_cidrs=cidrs))


def lived() -> Iterator[AbstractStep]:
    """The steps of the history; before the addresses are repaired one loses its owner."""
    now = start()
    for event in HISTORY:
        if event == events.Repair(Pool.CLUSTER_IPS):
            now = attrs.evolve(now, registry=attrs.evolve(now.registry, ip_owners=HashTrieMap()))
        try:
            stepped = carry_out(now, event)
            step = Step(now, event, stepped.state, stepped.answer)
        except Refused as refused:
            step = Step(now, event, now, refused)
        yield from abstract(step)
        now = step.after


def unlike() -> set[str]:
    """The classes of events of which some step is none of the machine."""
    return {one.kind for one in lived() if not is_a_step(one)}


def test_every_class_of_events_happens_in_the_history_and_changes_something() -> None:
    changed = {one.kind for one in lived() if not is_true(as_if("anything else"), one.case)}

    assert {*EVENTS} - {"anything else"} == changed
    assert set() == unlike()


def as_if(kind: str, machine: dict[str, Transition] | None = None) -> Any:
    return (machine or EVENTS)[kind](BEFORE, AFTER, EVENT)


# --- A changed model is noticed


def lowest(bands: Bands, is_taken: Callable[[int], bool], _: Random) -> int | None:
    return next((value for value in range(bands.first, bands.last + 1) if not is_taken(value)), None)


def anything(bands: Bands, *_: object) -> int | None:
    """The first value, taken or not."""
    return bands.first


STORAGE, ALLOCATION = "model.api.service_storage", "model.api.allocation"
CHANGED_MODELS: dict[str, tuple[str, Any, set[str]]] = {
    "deleted Services keep their numbers": (
        f"{STORAGE}.release_ports",
        lambda _, pool: pool,
        {"delete"},
    ),
    "deleted Services keep their addresses": (
        f"{STORAGE}.release_ips",
        lambda registry, _: registry,
        {"delete", "finish"},
    ),
    "updates release no address": (
        f"{STORAGE}.release_addresses",
        lambda registry, _: registry,
        {"update"},
    ),
    "numbers are drawn from below": (f"{ALLOCATION}.port_operation.free_value", lowest, {"create"}),
    "addresses are drawn from below": (
        f"{ALLOCATION}.cluster_ips.free_value",
        lowest,
        {"create", "update"},
    ),
    "taken addresses are given again": (
        f"{ALLOCATION}.cluster_ips.free_value",
        anything,
        {"create", "update"},
    ),
    "changes are not validated": (
        f"{STORAGE}.validate_service_update",
        lambda *_: (),
        {"update"},
    ),
    "no number is ever released": (
        f"{ALLOCATION}.port_operation.PortOperation.release",
        lambda self, *_: self,
        {"update", "delete"},
    ),
}


@pytest.mark.parametrize("change", CHANGED_MODELS)
def test_a_changed_model_makes_steps_that_the_machine_does_not(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, wrong, noticed = CHANGED_MODELS[change]
    monkeypatch.setattr(where, wrong)

    assert noticed <= unlike()


# --- A changed formula is noticed


@pytest.mark.parametrize("kind", [kind for kind in EVENTS if kind != "anything else"])
def test_a_machine_in_which_an_event_does_nothing_is_not_the_models(kind: str) -> None:
    changed = {**EVENTS, kind: pool_machine.nothing}
    verdicts = [is_true(as_if(kind, changed), one.case) for one in lived() if one.kind == kind]

    assert False in verdicts


@pytest.mark.parametrize("relation", ["IN_RANGE", "usable"])
def test_a_machine_without_a_range_is_not_the_models(relation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"invariants.prove.allocation_machine.{relation}", lambda *_: z3.BoolVal(False))
    formula = as_if("create")

    assert not all(is_true(formula, one.case) for one in lived() if one.kind == "create")


def test_a_number_may_be_drawn_and_released_in_one_write_where_the_hole_is_open() -> None:
    """ALLOC-NP-09: its own health check number, freed by another's end, is drawn anew and then let go.

    So the static band may serve the next port although no pool has the dynamic number,
    neither before nor after: INV-22 asks what is in use while the request draws.
    """
    health = {"allocate_load_balancer_node_ports": False, "health_check_node_port": 30016, **LOCAL}
    now = start()
    for event in (
        events.CreateService(service(WEB, "LoadBalancer", 0, **health), seed=1),
        events.CreateService(service(NAMED, "ExternalName", 30016), seed=2),
        events.DeleteService(NAMED),
    ):
        now = carry_out(now, event).state
    last = events.UpdateService(service(WEB, "NodePort", 0, 0), seed=3)
    stepped = carry_out(now, last)
    (one,) = abstract(Step(now, last, stepped.state, stepped.answer))

    first, second = (port.node_port for port in stepped.state.registry.services[WEB].spec.ports)
    assert 30016 == first
    assert {second: WEB} == dict(stepped.state.registry.node_ports)
    assert is_a_step(one)
    assert the_static_band_comes_last.violation(Step(now, last, stepped.state, stepped.answer)) is None
