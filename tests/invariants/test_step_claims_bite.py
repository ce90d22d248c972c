"""Claims about steps: what they let pass, and what they catch, on steps by hand."""

from typing import Any

import attrs
import pytest

from invariants.catalogue import CATALOGUE, STEP
from invariants.invariant import Step, Violation
from model.api import objects as api
from model.api.refusal import Reason, Refused
from model.cluster import events
from model.cluster.state import ClusterState
from model.objects import Endpoint, Endpoints, EndpointSlice, ObjectName
from tests.invariants.states import (
    HTTP,
    NAMESPACE,
    WEB,
    a_balancer,
    a_cidr,
    a_service,
    a_step,
    an_external_name,
    at_node_port,
    holding,
    with_pools,
)

BY_ID = {claim.id: claim for claim in CATALOGUE}
NO = Refused(Reason.INVALID, "no")


def updated(old: api.Service, new: api.Service) -> Step:
    """A step that replaces one Service by another, as asked."""
    return a_step(holding(old), events.UpdateService(new), holding(new))


def dual(
    *, policy: str = "PreferDualStack", ips: tuple[str, ...] = ("10.96.0.5", "fd00:10:96::5")
) -> api.Service:
    families = tuple("IPv6" if ":" in ip else "IPv4" for ip in ips)
    return a_service(cluster_ips=ips, ip_families=families, ip_family_policy=policy)


def headless() -> api.Service:
    return a_service(cluster_ips=("None",))


def local_balancer(**spec: Any) -> api.Service:
    local: dict[str, Any] = {"external_traffic_policy": "Local", "health_check_node_port": 30081}
    return a_balancer(**(local | spec))


@pytest.mark.parametrize(
    ("id", "step", "expected"),
    [
        pytest.param("INV-12", updated(a_service(), dual()), False, id="INV-12: a second address"),
        pytest.param(
            "INV-12", updated(a_service(), a_service(cluster_ips=("10.96.0.6",))), True, id="INV-12: another"
        ),
        pytest.param(
            "INV-12",
            updated(dual(), dual(ips=("fd00:10:96::5", "10.96.0.5"))),
            True,
            id="INV-12: the families change places",
        ),
        pytest.param(
            "INV-12",
            updated(an_external_name("web"), a_service(cluster_ips=("10.96.0.6",))),
            False,
            id="INV-12: from ExternalName",
        ),
        pytest.param("INV-12", updated(headless(), a_service()), False, id="INV-12: was headless"),
        pytest.param("INV-13", updated(dual(), a_service()), False, id="INV-13: by policy SingleStack"),
        pytest.param("INV-13", updated(dual(), dual(ips=("10.96.0.5",))), True, id="INV-13: by no policy"),
        pytest.param("INV-13", updated(dual(), an_external_name("web")), False, id="INV-13: to ExternalName"),
        pytest.param("INV-14", updated(headless(), headless()), False, id="INV-14: headless stays"),
        pytest.param("INV-14", updated(headless(), a_service()), True, id="INV-14: gets an address"),
        pytest.param("INV-14", updated(a_service(), headless()), True, id="INV-14: loses it"),
        pytest.param("INV-14", updated(headless(), an_external_name("web")), False, id="INV-14: way out"),
        pytest.param("INV-14", updated(an_external_name("web"), a_service()), False, id="INV-14: way in"),
        pytest.param(
            "INV-17", updated(local_balancer(), local_balancer()), False, id="INV-17: the number stays"
        ),
        pytest.param(
            "INV-17",
            updated(local_balancer(), local_balancer(health_check_node_port=30082)),
            True,
            id="INV-17: another number",
        ),
        pytest.param("INV-17", updated(a_balancer(), local_balancer()), False, id="INV-17: a new need"),
        pytest.param(
            "INV-17",
            updated(a_balancer(), a_balancer(load_balancer_class="example.com/fast")),
            True,
            id="INV-17: a class later",
        ),
        pytest.param(
            "INV-17",
            updated(a_service(), a_balancer(load_balancer_class="example.com/fast")),
            False,
            id="INV-17: a class with the type",
        ),
    ],
)
def test_a_claim_about_updates_catches_what_no_request_may_change(
    id: str, step: Step, expected: bool
) -> None:
    assert expected is (BY_ID[id].violation(step) is not None)


# --- INV-15, INV-16


def blanked(service: api.Service) -> api.Service:
    """The Service as a client writes it who leaves out all that was allocated."""
    spec = attrs.evolve(
        service.spec,
        cluster_ip="",
        cluster_ips=(),
        health_check_node_port=0,
        ports=tuple(attrs.evolve(port, node_port=0) for port in service.spec.ports),
    )
    metadata = api.Metadata(name=service.metadata.name, namespace=service.metadata.namespace)
    return api.Service(metadata, spec)


RELEASED = local_balancer(allocate_load_balancer_node_ports=False)
WITHOUT_PORTS = attrs.evolve(RELEASED, spec=attrs.evolve(RELEASED.spec, ports=(HTTP,)))


@pytest.mark.parametrize(
    ("stored", "submitted", "became", "expected"),
    [
        pytest.param(local_balancer(), local_balancer(), local_balancer(), False, id="kept"),
        pytest.param(local_balancer(), blanked(local_balancer()), local_balancer(), False, id="filled in"),
        pytest.param(
            local_balancer(),
            blanked(local_balancer()),
            local_balancer(health_check_node_port=30099),
            True,
            id="another health check port",
        ),
        pytest.param(
            local_balancer(),
            blanked(local_balancer()),
            local_balancer(ports=(at_node_port(30099),)),
            True,
            id="another node port",
        ),
        pytest.param(dual(), blanked(dual()), a_service(), True, id="an address lost"),
        pytest.param(headless(), blanked(headless()), headless(), False, id="headless"),
        pytest.param(headless(), blanked(headless()), a_service(), True, id="no longer headless"),
        pytest.param(RELEASED, RELEASED, WITHOUT_PORTS, True, id="node ports given and lost"),
        pytest.param(RELEASED, blanked(RELEASED), WITHOUT_PORTS, False, id="node ports released (API-TC-05)"),
        pytest.param(a_service(), a_balancer(), a_balancer(), False, id="something else was asked"),
    ],
)
def test_inv_15_holds_a_request_for_the_stored_service_to_change_nothing(
    stored: api.Service, submitted: api.Service, became: api.Service, expected: bool
) -> None:
    step = a_step(holding(stored), events.UpdateService(submitted), holding(became))

    assert expected is (BY_ID["INV-15"].violation(step) is not None)


def test_inv_15_catches_a_refusal_unless_versions_may_be_why() -> None:
    state, stored = holding(a_service()), a_service()
    stale = attrs.evolve(stored, metadata=attrs.evolve(stored.metadata, resource_version="7"))
    without = attrs.evolve(stored, metadata=attrs.evolve(stored.metadata, resource_version=""))

    caught = [
        BY_ID["INV-15"].violation(a_step(state, events.UpdateService(each), state, NO)) is not None
        for each in (stale, without)
    ]
    assert [False, True] == caught


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(holding(a_service()), id="a Service"),
        pytest.param(with_pools(holding(), ips={"10.96.0.5": WEB}), id="an address"),
        pytest.param(with_pools(holding(), ports={30080: WEB}), id="a node port"),
    ],
)
def test_inv_16_catches_what_a_refused_request_or_a_dry_run_leaves(after: ClusterState) -> None:
    refused = a_step(holding(), events.CreateService(a_service()), after, NO)
    dry = a_step(holding(), events.CreateService(a_service(), dry_run=True), after)
    carried_out = a_step(holding(), events.CreateService(a_service()), after)

    caught = [BY_ID["INV-16"].violation(step) is not None for step in (refused, dry, carried_out)]
    assert [True, True, False] == caught


def test_inv_16_lets_requests_pass_that_leave_nothing() -> None:
    refused = a_step(holding(), events.CreateService(a_service()), holding(), NO)
    dry = a_step(holding(), events.CreateService(a_service(), dry_run=True), holding())

    assert [None, None] == [BY_ID["INV-16"].violation(step) for step in (refused, dry)]


# --- INV-22, INV-24

STATIC_IPS = {f"10.96.0.{last}": ObjectName("other", f"s{last}") for last in range(17, 31)}
"""The dynamic band of 10.96.0.0/27, whose static one is .1 to .16."""

PORTS = {number: ObjectName("other", "many") for number in range(30086, 32768)}
"""The dynamic band of the default range."""


@pytest.mark.parametrize(
    ("taken", "ask", "expected"),
    [
        pytest.param(STATIC_IPS, "", False, id="the dynamic band is full"),
        pytest.param(dict(list(STATIC_IPS.items())[1:]), "", True, id="one dynamic address is free"),
        pytest.param({}, "", True, id="all dynamic addresses are free"),
        pytest.param({}, "10.96.0.5", False, id="asked for"),
    ],
)
def test_inv_22_lets_only_a_full_dynamic_band_lead_to_static_addresses(
    taken: dict[str, ObjectName], ask: str, expected: bool
) -> None:
    cidrs = (a_cidr("10.96.0.0/27"),)
    asked = a_service(cluster_ips=(ask,) if ask else ())
    step = a_step(
        with_pools(holding(cidrs=cidrs), ips=taken),
        events.CreateService(asked),
        with_pools(holding(a_service(), cidrs=cidrs), ips={**taken, "10.96.0.5": WEB}),
    )

    assert expected is (BY_ID["INV-22"].violation(step) is not None)


def test_inv_22_counts_every_service_cidr_that_may_have_given_an_address() -> None:
    """ALLOC-IP-01: 10.96.0.40 is static in 10.96.0.32/27 and dynamic in 10.96.0.0/26."""
    narrow, wide = a_cidr("10.96.0.32/27"), a_cidr("10.96.0.0/26", name="wide")
    drawn = a_service(cluster_ips=("10.96.0.40",))

    caught = [
        BY_ID["INV-22"].violation(
            a_step(
                holding(cidrs=cidrs),
                events.CreateService(a_service(cluster_ips=())),
                holding(drawn, cidrs=cidrs),
            )
        )
        is not None
        for cidrs in ((narrow,), (narrow, wide))
    ]
    assert [True, False] == caught


@pytest.mark.parametrize(
    ("taken", "ask", "expected"),
    [
        pytest.param(PORTS, 0, False, id="the dynamic band is full"),
        pytest.param(dict(list(PORTS.items())[1:]), 0, True, id="one dynamic number is free"),
        pytest.param({}, 30080, False, id="asked for"),
    ],
)
def test_inv_22_lets_only_a_full_dynamic_band_lead_to_static_node_ports(
    taken: dict[int, ObjectName], ask: int, expected: bool
) -> None:
    step = a_step(
        with_pools(holding(), ports=taken),
        events.CreateService(a_balancer(ports=(at_node_port(ask),))),
        with_pools(holding(a_balancer()), ports={**taken, 30080: WEB}),
    )

    assert expected is (BY_ID["INV-22"].violation(step) is not None)


def test_inv_24_catches_what_a_deleted_service_still_owns() -> None:
    before, event = holding(local_balancer()), events.DeleteService(WEB)
    nothing, address = holding(), with_pools(holding(), ips={"10.96.0.5": WEB})
    health_check = with_pools(holding(), ports={30081: WEB})

    found = [
        BY_ID["INV-24"].violation(a_step(before, event, after)) for after in (nothing, address, health_check)
    ]
    assert [
        None,
        Violation("shop/web is gone, and ['10.96.0.5'] are still owned"),
        Violation("shop/web is gone, and [30081] are still owned"),
    ] == found


@pytest.mark.parametrize(
    ("cidrs", "expected"),
    [
        (("fd00:10:96::/64",), True),
        (("fd00:10:96::/63",), False),
        (("fd00:10:96::/63", "fd00:10:96::/112"), True),
        (("fd00:20::/63",), True),
    ],
    ids=["/64", "wider than /64", "a wider and a narrower one", "elsewhere"],
)
def test_inv_24_leaves_out_addresses_that_only_ranges_wider_than_64_hold(
    cidrs: tuple[str, ...], expected: bool
) -> None:
    """ALLOC-IP-02: such a range has no allocator that could take an address back."""
    web = a_service(cluster_ips=("fd00:10:96::5",), ip_families=("IPv6",))
    there = tuple(a_cidr(one, name=f"range-{at}") for at, one in enumerate(cidrs))
    kept = with_pools(holding(cidrs=there), ips={"fd00:10:96::5": WEB})

    violation = BY_ID["INV-24"].violation(a_step(holding(web, cidrs=there), events.DeleteService(WEB), kept))

    assert expected == (violation is not None)


# --- INV-26, INV-27, INV-32


def a_slice(
    *endpoints: Endpoint, name: str = "web-1", managed_by: str = "endpointslice-controller.k8s.io"
) -> EndpointSlice:
    return EndpointSlice(ObjectName(NAMESPACE, name), WEB, "IPv4", endpoints, managed_by=managed_by)


SELECTING: dict[str, Any] = {"selector": (("app", "web"),)}
PATIENT = {**SELECTING, "publish_not_ready_addresses": True}


@pytest.mark.parametrize(
    ("spec", "conditions", "expected"),
    [
        (SELECTING, (True, True, False), set()),
        (SELECTING, (False, False, False), set()),
        (SELECTING, (False, True, True), set()),
        (SELECTING, (True, False, False), {"INV-26"}),
        (SELECTING, (False, True, False), {"INV-26"}),
        (SELECTING, (True, True, True), {"INV-26", "INV-27"}),
        (PATIENT, (True, False, True), set()),
        (PATIENT, (False, True, False), {"INV-26"}),
    ],
)
def test_conditions_that_the_slice_controller_writes(
    spec: dict[str, Any], conditions: tuple[bool, bool, bool], expected: set[str]
) -> None:
    service, written = a_service(**spec), a_slice(Endpoint(("10.244.0.5",), *conditions))
    step = a_step(holding(service), events.SyncSlices(WEB), holding(service, slices=(written,)))
    by_hand = a_step(step.before, events.Tick(1), step.after)

    assert expected == {id for id in ("INV-26", "INV-27") if BY_ID[id].violation(step)}
    assert set() == {id for id in ("INV-26", "INV-27") if BY_ID[id].violation(by_hand)}


EMPTY = Endpoints(WEB)


@pytest.mark.parametrize(
    ("service", "event", "written", "expected"),
    [
        pytest.param(
            a_service(**SELECTING), events.SyncSlices, {"slices": (a_slice(),)}, False, id="managed"
        ),
        pytest.param(a_service(), events.SyncSlices, {"slices": (a_slice(),)}, True, id="no selector"),
        pytest.param(
            an_external_name("web", **SELECTING),
            events.SyncSlices,
            {"slices": (a_slice(),)},
            True,
            id="ExternalName",
        ),
        pytest.param(a_service(), events.SyncEndpoints, {"endpoints": (EMPTY,)}, True, id="Endpoints"),
        pytest.param(
            a_service(),
            events.MirrorEndpoints,
            {"slices": (a_slice(managed_by="endpointslicemirroring-controller.k8s.io"),)},
            False,
            id="mirrored",
        ),
        pytest.param(
            a_service(**SELECTING),
            events.MirrorEndpoints,
            {"endpoints": (EMPTY,)},
            True,
            id="mirroring writes Endpoints",
        ),
    ],
)
def test_inv_32_catches_a_controller_that_writes_what_is_not_its_own(
    service: api.Service, event: type[events.SyncSlices], written: dict[str, Any], expected: bool
) -> None:
    step = a_step(holding(service), event(WEB), holding(service, **written))
    by_hand = a_step(step.before, events.Tick(1), step.after)

    assert expected is (BY_ID["INV-32"].violation(step) is not None)
    assert BY_ID["INV-32"].violation(by_hand) is None


def test_inv_32_catches_a_slice_that_is_deleted() -> None:
    service, own = a_service(), a_slice(managed_by="somebody")
    step = a_step(holding(service, slices=(own,)), events.CollectGarbage(WEB), holding(service))

    assert BY_ID["INV-32"].violation(step) is not None


def test_every_claim_about_steps_lets_time_pass() -> None:
    state = holding(local_balancer())
    step = a_step(state, events.Tick(1), attrs.evolve(state, now=1))

    assert [None] * len(STEP) == [claim.violation(step) for claim in STEP]
