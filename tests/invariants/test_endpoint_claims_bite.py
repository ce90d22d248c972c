"""Claims about slices and Endpoints: what they let pass, and what they catch."""

from typing import Any

import attrs
import pytest

import model.proxy_endpoints
from invariants.catalogue import CATALOGUE
from model.addresses import Family
from model.api import objects as api
from model.cluster.state import ClusterState
from model.objects import (
    ContainerPort,
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    ObjectName,
    Pod,
)
from tests.invariants.states import NAMESPACE, WEB, a_service, an_external_name, holding, with_pools

BY_ID = {claim.id: claim for claim in CATALOGUE}
SLICES, MIRRORING = "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"
PORT = EndpointPort("http", "TCP", 8080)


def a_pod(number: int = 5, **more: Any) -> Pod:
    """A ready pod of the Service on node-a, with addresses of both families."""
    fields: dict[str, Any] = {
        "node_name": "node-a",
        "ips": (f"10.244.0.{number}", f"fd00:10:244::{number}"),
        "phase": "Running",
        "ready": True,
        "labels": (("app", "web"),),
    }
    return Pod(ObjectName(NAMESPACE, f"web-{number}"), **(fields | more))


def listed(number: int = 5, **more: Any) -> Endpoint:
    """The pod as the slice controller lists it in IPv4."""
    fields: dict[str, Any] = {"ready": True, "serving": True, "terminating": False, "node_name": "node-a"}
    name = ObjectName(NAMESPACE, f"web-{number}")
    return Endpoint((f"10.244.0.{number}",), target=name, **(fields | more))


def a_slice(*endpoints: Endpoint, **more: Any) -> EndpointSlice:
    fields: dict[str, Any] = {"name": ObjectName(NAMESPACE, "web-1"), "ports": (PORT,), "managed_by": SLICES}
    fields |= {"service": WEB, "address_type": "IPv4", "endpoints": endpoints}
    return EndpointSlice(**(fields | more))


def selecting(**spec: Any) -> api.Service:
    return a_service(**({"selector": (("app", "web"),)} | spec))


def settled(
    service: api.Service, *slices: EndpointSlice, pods: tuple[Pod, ...] = (), **more: Any
) -> ClusterState:
    return holding(service, slices=slices, pods=pods, nodes=("node-a",), **more)


def caught(id: str, state: ClusterState) -> bool:
    return BY_ID[id].violation(state) is not None


# --- INV-28, INV-33


@pytest.mark.parametrize(
    ("count", "managed_by", "expected"),
    [(100, SLICES, False), (101, SLICES, True), (1000, "", False), (1001, "", True), (101, MIRRORING, False)],
)
def test_inv_28_bounds_the_endpoints_of_a_slice(count: int, managed_by: str, expected: bool) -> None:
    many = tuple(Endpoint((f"10.244.{at // 250}.{at % 250 + 1}",)) for at in range(count))

    assert expected is caught("INV-28", settled(a_service(), a_slice(*many, managed_by=managed_by)))


@pytest.mark.parametrize(
    ("family", "address", "expected"),
    [
        ("IPv4", "10.244.0.5", False),
        ("IPv6", "fd00:10:244::5", False),
        ("IPv4", "fd00:10:244::5", True),
        ("IPv6", "10.244.0.5", True),
        ("FQDN", "db.example", False),
    ],
)
def test_inv_28_holds_addresses_to_the_slices_type(family: str, address: str, expected: bool) -> None:
    one = a_slice(Endpoint((address,)), address_type=family)

    assert expected is caught("INV-28", settled(a_service(), one))


def test_inv_33_is_met_by_endpoints_that_tie_and_by_one_that_moves() -> None:
    """EPS-SL-08: which of two terminating entries counts is nobody's promise."""
    draining = listed(ready=False, terminating=True)
    first = a_slice(draining, listed(6))
    second = a_slice(attrs.evolve(draining, serving=False), listed(6), name=ObjectName(NAMESPACE, "web-2"))

    assert not caught("INV-33", settled(selecting(), first, second))


@pytest.mark.bites("drawn")
def test_inv_33_catches_a_reader_for_whom_the_last_slice_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_alone(slices: list[EndpointSlice], family: Family, node: str) -> object:
        return model.proxy_endpoints.merge_slices(slices[-1:], family, node)

    state = settled(selecting(), a_slice(listed()), a_slice(listed(6), name=ObjectName(NAMESPACE, "web-2")))
    right = caught("INV-33", state)
    monkeypatch.setattr("invariants.endpoint_slices.merge_slices", last_alone)

    assert (False, True) == (right, caught("INV-33", state))


# --- INV-29

NAMED = api.ServicePort("http", "TCP", port=80, target_port="web")
SERVES_WEB = (ContainerPort("web", "TCP", 8080),)


@pytest.mark.parametrize(
    ("spec", "pod", "slices", "expected"),
    [
        pytest.param({}, a_pod(), [a_slice(listed())], False, id="listed"),
        pytest.param({}, a_pod(), [], True, id="no slice"),
        pytest.param({}, a_pod(), [a_slice()], True, id="left out"),
        pytest.param(
            {},
            a_pod(),
            [a_slice(listed()), a_slice(listed(), name=ObjectName(NAMESPACE, "web-2"))],
            True,
            id="listed twice",
        ),
        pytest.param({}, a_pod(), [a_slice(listed(), managed_by="")], True, id="listed by somebody else"),
        pytest.param({}, a_pod(), [a_slice(listed(ready=False))], True, id="other conditions"),
        pytest.param(
            {}, a_pod(), [a_slice(listed(), ports=(attrs.evolve(PORT, port=80),))], True, id="other port"
        ),
        pytest.param(
            {}, a_pod(), [a_slice(listed(), address_type="IPv6")], True, id="slice of another family"
        ),
        pytest.param({}, a_pod(labels=()), [a_slice()], False, id="not selected"),
        pytest.param({}, a_pod(labels=()), [a_slice(listed())], True, id="not selected and listed"),
        pytest.param({}, a_pod(ips=()), [a_slice()], False, id="no address"),
        pytest.param({}, a_pod(ips=("fd00:10:244::5",)), [a_slice()], False, id="no address of the family"),
        pytest.param({}, a_pod(phase="Failed", ready=False), [a_slice()], False, id="ended"),
        pytest.param({}, a_pod(node_name="node-x"), [a_slice()], False, id="node is gone"),
        pytest.param(
            {"publish_not_ready_addresses": True},
            a_pod(node_name="node-x"),
            [a_slice(listed())],
            False,
            id="node is gone, unready ones published (EPS-SEL-04)",
        ),
        pytest.param(
            {},
            a_pod(terminating=True),
            [a_slice(listed(ready=False, terminating=True))],
            False,
            id="terminating",
        ),
        pytest.param(
            {"ports": (NAMED,)}, a_pod(ports=SERVES_WEB), [a_slice(listed())], False, id="named port"
        ),
        pytest.param({"ports": (NAMED,)}, a_pod(), [a_slice(listed())], True, id="port without that name"),
        pytest.param(
            {"ports": (NAMED,)}, a_pod(), [a_slice(listed(), ports=())], False, id="no port (EPS-PORT-03)"
        ),
        pytest.param({"selector": ()}, a_pod(), [], False, id="selectorless"),
    ],
)
def test_inv_29_compares_slices_with_the_pods_that_are_there(
    spec: dict[str, Any], pod: Pod, slices: list[EndpointSlice], expected: bool
) -> None:
    assert expected is caught("INV-29", settled(selecting(**spec), *slices, pods=(pod,)))


# --- INV-30


def some_endpoints(*subsets: EndpointSubset, **annotations: str) -> Endpoints:
    keys = {
        key.replace("over_capacity", "endpoints.kubernetes.io/over-capacity"): value
        for key, value in annotations.items()
    }
    return Endpoints(WEB, subsets, annotations=tuple(sorted(keys.items())))


def a_subset(ready: tuple[int, ...] = (), unready: tuple[int, ...] = ()) -> EndpointSubset:
    return EndpointSubset(tuple(map(an_address, ready)), tuple(map(an_address, unready)), (PORT,))


def an_address(number: int) -> EndpointAddress:
    ip = f"10.244.{number // 250}.{number % 250}" if number >= 250 else f"10.244.0.{number}"
    return EndpointAddress(ip, "node-a", target=ObjectName(NAMESPACE, f"web-{number}"))


@pytest.mark.parametrize(
    ("spec", "pod", "endpoints", "expected"),
    [
        pytest.param({}, a_pod(), [some_endpoints(a_subset((5,)))], False, id="ready"),
        pytest.param({}, a_pod(), [], True, id="no Endpoints"),
        pytest.param({}, a_pod(), [some_endpoints()], True, id="left out"),
        pytest.param({}, a_pod(), [some_endpoints(a_subset((), (5,)))], True, id="not called ready"),
        pytest.param({}, a_pod(ready=False), [some_endpoints(a_subset((), (5,)))], False, id="unready"),
        pytest.param({}, a_pod(terminating=True), [some_endpoints()], False, id="terminating"),
        pytest.param(
            {}, a_pod(terminating=True), [some_endpoints(a_subset((5,)))], True, id="terminating and listed"
        ),
        pytest.param(
            {"publish_not_ready_addresses": True},
            a_pod(terminating=True, ready=False),
            [some_endpoints(a_subset((5,)))],
            False,
            id="terminating and published",
        ),
        pytest.param({}, a_pod(node_name="node-x"), [some_endpoints(a_subset((5,)))], False, id="node gone"),
        pytest.param(
            {}, a_pod(), [some_endpoints(a_subset((5,)), over_capacity="truncated")], True, id="not too many"
        ),
        pytest.param({"selector": ()}, a_pod(), [some_endpoints()], False, id="selectorless"),
        pytest.param(
            {"cluster_ips": ("None",), "ports": ()},
            a_pod(),
            [some_endpoints(EndpointSubset((an_address(5),)))],
            False,
            id="headless without ports (EPS-PORT-07)",
        ),
    ],
)
def test_inv_30_compares_endpoints_with_the_pods_that_are_there(
    spec: dict[str, Any], pod: Pod, endpoints: list[Endpoints], expected: bool
) -> None:
    state = settled(selecting(**spec), pods=(pod,), endpoints=tuple(endpoints))

    assert expected is caught("INV-30", state)


ALL = tuple(range(1, 1003))


@pytest.mark.parametrize(
    ("ready", "unready", "annotated", "expected"),
    [
        pytest.param(ALL[:990], ALL[990:1000], True, False, id="unready ones left out"),
        pytest.param(ALL[:990], ALL[990:1000], False, True, id="nothing says so"),
        pytest.param(ALL[:989], ALL[990:1001], True, True, id="a ready one left out first"),
        pytest.param(ALL[:990], ALL[990:1001], True, True, id="too many"),
    ],
)
def test_inv_30_bounds_endpoints_to_a_thousand_addresses(
    ready: tuple[int, ...], unready: tuple[int, ...], annotated: bool, expected: bool
) -> None:
    """990 pods are ready and 12 are not."""
    pods = tuple(a_pod(n, ips=(an_address(n).ip,), ready=n <= 990) for n in ALL)
    extra = {"over_capacity": "truncated"} if annotated else {}
    state = settled(selecting(), pods=pods, endpoints=(some_endpoints(a_subset(ready, unready), **extra),))

    assert expected is caught("INV-30", state)


# --- INV-31


def mirrored(number: int = 5, **more: Any) -> Endpoint:
    fields: dict[str, Any] = {"ready": True, "node_name": "node-a"}
    return Endpoint((f"10.244.0.{number}",), target=ObjectName(NAMESPACE, f"web-{number}"), **(fields | more))


def a_mirror(*endpoints: Endpoint, **more: Any) -> EndpointSlice:
    return a_slice(*endpoints, managed_by=MIRRORING, **more)


BY_HAND = some_endpoints(a_subset((5,)))


@pytest.mark.parametrize(
    ("service", "endpoints", "slices", "expected"),
    [
        pytest.param(a_service(), BY_HAND, [a_mirror(mirrored())], False, id="mirrored"),
        pytest.param(an_external_name("web"), BY_HAND, [a_mirror(mirrored())], False, id="ExternalName"),
        pytest.param(a_service(), BY_HAND, [], True, id="not mirrored"),
        pytest.param(a_service(), BY_HAND, [a_slice(mirrored())], True, id="by somebody else"),
        pytest.param(a_service(), BY_HAND, [a_mirror(mirrored(ready=False))], True, id="other conditions"),
        pytest.param(a_service(), BY_HAND, [a_mirror(mirrored(serving=True))], True, id="too much said"),
        pytest.param(a_service(), BY_HAND, [a_mirror(mirrored(), ports=())], True, id="other ports"),
        pytest.param(
            a_service(),
            some_endpoints(a_subset((), (5,))),
            [a_mirror(mirrored(ready=False))],
            False,
            id="unready",
        ),
        pytest.param(selecting(), BY_HAND, [], False, id="a selector"),
        pytest.param(selecting(), BY_HAND, [a_mirror(mirrored())], True, id="a selector, mirrored"),
        pytest.param(
            a_service(),
            attrs.evolve(BY_HAND, labels=(("endpointslice.kubernetes.io/skip-mirror", "true"),)),
            [],
            False,
            id="label forbids it",
        ),
        pytest.param(
            a_service(),
            attrs.evolve(BY_HAND, annotations=(("control-plane.alpha.kubernetes.io/leader", "{}"),)),
            [a_mirror(mirrored())],
            True,
            id="a leader's lock, mirrored",
        ),
        pytest.param(a_service("other"), BY_HAND, [a_mirror(mirrored())], True, id="no Service"),
        pytest.param(
            a_service(),
            some_endpoints(EndpointSubset((EndpointAddress("fd00:10:244::5"),), (), (PORT,))),
            [a_mirror(Endpoint(("fd00:10:244::5",), ready=True), address_type="IPv6")],
            False,
            id="whatever the Service's families (EPS-MIR-02)",
        ),
        pytest.param(
            a_service(),
            some_endpoints(EndpointSubset((EndpointAddress("somewhere"),), (), (PORT,))),
            [],
            False,
            id="no address",
        ),
    ],
)
def test_inv_31_compares_mirrored_slices_with_endpoints(
    service: api.Service, endpoints: Endpoints, slices: list[EndpointSlice], expected: bool
) -> None:
    assert expected is caught("INV-31", settled(service, *slices, endpoints=(endpoints,)))


# --- INV-34

HINTED: dict[str, Any] = {"zone": "zone-a", "zone_hints": ("zone-a",)}
NEAR = {"traffic_distribution": "PreferSameNode"}


@pytest.mark.parametrize(
    ("spec", "endpoints", "expected"),
    [
        pytest.param(NEAR, [listed(**HINTED)], False, id="hinted"),
        pytest.param(NEAR, [listed(**HINTED, node_hints=("node-a",))], False, id="hinted at its node"),
        pytest.param(NEAR, [listed(**HINTED), listed(6)], False, id="one without zone"),
        pytest.param(NEAR, [listed(**HINTED), listed(6, zone="zone-a")], True, id="one without hint"),
        pytest.param(
            NEAR, [listed(zone="zone-a", zone_hints=("zone-b",))], True, id="hinted at another zone"
        ),
        pytest.param(NEAR, [listed(**HINTED, node_hints=("node-b",))], True, id="hinted at another node"),
        pytest.param(
            NEAR,
            [listed(**HINTED), listed(6, ready=False, serving=False, zone="zone-a")],
            False,
            id="an unready one without hint",
        ),
        pytest.param({}, [listed(zone="zone-a")], False, id="nothing asked"),
    ],
)
def test_inv_34_wants_all_hints_or_none_and_each_its_own(
    spec: dict[str, Any], endpoints: list[Endpoint], expected: bool
) -> None:
    assert expected is caught("INV-34", settled(selecting(**spec), a_slice(*endpoints)))


def test_inv_34_leaves_the_annotations_hints_alone() -> None:
    """EPS-HINT-01, EPS-HINT-04: topology-mode may hint at other zones."""
    service = selecting(**NEAR)
    annotated = attrs.evolve(
        service,
        metadata=attrs.evolve(
            service.metadata, annotations=(("service.kubernetes.io/topology-mode", "Auto"),)
        ),
    )
    elsewhere = a_slice(listed(zone="zone-a", zone_hints=("zone-b",)))

    assert [True, False] == [caught("INV-34", settled(each, elsewhere)) for each in (service, annotated)]


# --- INV-25


def test_inv_25_catches_what_is_owned_and_not_used() -> None:
    state = settled(a_service())

    found = [
        BY_ID["INV-25"].violation(each)
        for each in (state, with_pools(state, ports={30080: WEB}), with_pools(state, ips={}))
    ]
    assert [
        None,
        "node ports [30080] are owned and not used, or used and not owned",
        "addresses ['10.96.0.5'] are owned and not used, or used and not owned",
    ] == [violation and violation.what for violation in found]
