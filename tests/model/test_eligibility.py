"""Cl, Lo and `has` are as FWD-EP and FWD-TOPO say, and as each version of kube-proxy had them."""

import pytest

from model.eligibility import EndpointSets, endpoint_sets
from model.objects import Cluster, Endpoint, EndpointSlice, ObjectName, Service
from model.proxy_endpoints import EndpointList, ProxyEndpoint
from model.proxy_version import (
    Reading,
    ZoneHints,
    concerned,
    minor_version,
    reading_of,
    readings,
    versions_text,
)

CONTRACT = Reading()
READY = ProxyEndpoint(1, 80)
READY_HERE = ProxyEndpoint(2, 80, local=True)
UNREADY = ProxyEndpoint(3, 80, ready=False, serving=False)
DRAINING = ProxyEndpoint(4, 80, ready=False, terminating=True)
DRAINING_HERE = ProxyEndpoint(5, 80, ready=False, terminating=True, local=True)
DYING = ProxyEndpoint(6, 80, ready=False, serving=False, terminating=True)


def sets_of(
    endpoints: EndpointList,
    reading: Reading = CONTRACT,
    annotations: dict[str, str] | None = None,
) -> EndpointSets:
    """The sets on node n1 in zone a."""
    return endpoint_sets(
        endpoints,
        uses_cluster=True,
        uses_local=True,
        node_name="n1",
        zone="a",
        reading=reading,
        annotations=annotations or {},
    )


@pytest.mark.parametrize(
    ("endpoints", "cluster", "local", "has"),
    [
        ((), (), (), False),
        ((UNREADY, DYING), (), (), False),
        ((READY, READY_HERE, UNREADY), (READY, READY_HERE), (READY_HERE,), True),
        ((READY, DRAINING), (READY,), (), True),
        ((READY, DRAINING_HERE), (READY,), (DRAINING_HERE,), True),
        ((DRAINING, DRAINING_HERE, DYING), (DRAINING, DRAINING_HERE), (DRAINING_HERE,), True),
        ((READY_HERE, DRAINING_HERE), (READY_HERE,), (READY_HERE,), True),
    ],
    ids=[
        "none",
        "none usable",
        "ready ones",
        "draining only without ready ones",
        "the fallback of Lo is independent (FWD-EP-03)",
        "only draining",
        "ready before draining on the node",
    ],
)
def test_sets(endpoints: EndpointList, cluster: EndpointList, local: EndpointList, has: bool) -> None:
    assert sets_of(endpoints) == EndpointSets(cluster, local, has)


def test_sets_that_no_frontend_uses_are_not_defined() -> None:
    """FWD-EP-01: and `has` still tells of the whole cluster (FWD-EP-04)."""
    sets = endpoint_sets((READY,), uses_cluster=False, uses_local=True, node_name="n1", zone=None)

    assert sets == EndpointSets(None, (), True)


def test_before_1_26_a_draining_endpoint_is_no_endpoint() -> None:
    assert sets_of((DRAINING_HERE,), reading_of(25)) == EndpointSets((), (), False)
    assert sets_of((DRAINING_HERE,), reading_of(26)) == EndpointSets((DRAINING_HERE,), (DRAINING_HERE,), True)


IN_A = ProxyEndpoint(1, 80, zone_hints=("a",))
IN_B = ProxyEndpoint(2, 80, zone_hints=("b",))
AT_N1 = ProxyEndpoint(3, 80, zone_hints=("a",), node_hints=("n1",))
AT_N2 = ProxyEndpoint(4, 80, zone_hints=("b",), node_hints=("n2",))
ONLY_NODE = ProxyEndpoint(6, 80, node_hints=("n1",))
FOR_BOTH = ProxyEndpoint(7, 80, zone_hints=("a", "b"))
UNREADY_IN_A = ProxyEndpoint(5, 80, ready=False, serving=False, zone_hints=("a",))


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        ((IN_A, IN_B), (IN_A,)),
        ((IN_A, IN_B, READY), (IN_A, IN_B, READY)),
        ((IN_B,), (IN_B,)),
        ((UNREADY_IN_A, IN_B), (IN_B,)),
        ((IN_A, AT_N1, AT_N2), (IN_A, AT_N1)),
        ((IN_A, ONLY_NODE), (IN_A, ONLY_NODE)),
        ((IN_B, FOR_BOTH), (FOR_BOTH,)),
        ((AT_N1, AT_N2), (AT_N1,)),
    ],
    ids=[
        "own zone",
        "one without hint: none counts",
        "nobody for this zone",
        "hints of unready ones do not count (BZ-16)",
        "not all have node hints: zones",
        "some hinted for a node, some for a zone: none counts",
        "an endpoint hinted for several zones",
        "own node before own zone",
    ],
)
def test_topology(endpoints: EndpointList, expected: EndpointList) -> None:
    """FWD-TOPO-01, -02: all or nothing over the ready endpoints."""
    sets = sets_of(endpoints)

    assert sets.cluster == expected


BESIDE = ProxyEndpoint(1, 80, zone_hints=("a",), node_hints=("n9",))
EVERYWHERE = (BESIDE, AT_N2, AT_N1)
OWN_ZONE = (BESIDE, AT_N1)
AUTO = {"service.kubernetes.io/topology-aware-hints": "Auto"}
MODE = {"service.kubernetes.io/topology-mode": "whatever"}
OFF = {"service.kubernetes.io/topology-mode": "Disabled"}


@pytest.mark.parametrize(
    ("minor", "annotations", "expected"),
    [
        (36, {}, (AT_N1,)),
        (34, {}, (AT_N1,)),
        (33, {}, OWN_ZONE),
        (31, {}, OWN_ZONE),
        (30, {}, EVERYWHERE),
        (30, MODE, OWN_ZONE),
        (30, OFF, EVERYWHERE),
        (27, AUTO, OWN_ZONE),
        (26, MODE, EVERYWHERE),
        (24, AUTO, OWN_ZONE),
        (23, AUTO, EVERYWHERE),
    ],
)
def test_hints_by_version(minor: int, annotations: dict[str, str], expected: EndpointList) -> None:
    """Node hints since 1.34, zone hints since 1.24, and until 1.30 only where the Service asks."""
    sets = sets_of((BESIDE, AT_N2, AT_N1), reading_of(minor), annotations)

    assert sets.cluster == expected


def test_readings_of_a_span_are_the_newest_first_and_each_once() -> None:
    assert readings(29, 35) == (
        Reading(),
        Reading(node_hints=False),
        Reading(node_hints=False, zone_hints=ZoneHints.ANNOTATED),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v1.30.5", 30),
        ("Kubernetes v1.36.2", 36),
        ("v1.27.3-gke.100", 27),
        ("v1.22+", 22),
        ("v1.99.0", 36),
        ("", None),
        ("v2.0.0", None),
        ("unknown", None),
    ],
)
def test_minor_version(text: str, expected: int | None) -> None:
    assert minor_version(text) == expected


def test_versions_in_words() -> None:
    texts = [versions_text(readings(*span)) for span in ((34, 36), (31, 33), (14, 30), (24, 30))]

    assert texts == ["1.34 or newer", "1.31 to 1.33", "1.30 or older", "1.24 to 1.30"]


def test_only_services_with_hints_or_terminating_endpoints_depend_on_the_version() -> None:
    endpoints = {
        "plain": Endpoint(("10.0.0.1",), ready=True),
        "hinted": Endpoint(("10.0.0.2",), ready=True, node_hints=("n1",)),
        "draining": Endpoint(("10.0.0.3",), ready=False, terminating=True),
    }
    names = {text: ObjectName("shop", text) for text in endpoints}
    cluster = Cluster(
        services=tuple(Service(name) for name in names.values()),
        slices=tuple(
            EndpointSlice(names[text], names[text], "IPv4", (one,)) for text, one in endpoints.items()
        ),
    )

    found = concerned(cluster)

    assert [one.name.name for one in found.services] == ["hinted", "draining"]
    assert [one.name.name for one in found.slices] == ["hinted", "draining"]
