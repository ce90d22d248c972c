"""Writes of Endpoints and EndpointSlices: defaults, carried over metadata, refusals."""

import attrs
import pytest

from model.api.endpoint_requests import (
    create_endpoint_slice,
    create_endpoints,
    update_endpoint_slice,
    update_endpoints,
)
from model.api.objects import (
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    Metadata,
    SubsetPort,
)
from model.api.refusal import Reason, Refused
from tests.model.api.validation_cases import GATES, found

METADATA = Metadata(name="web", namespace="shop")
STORED = attrs.evolve(METADATA, uid="u1", resource_version="7", creation_timestamp="2026-01-01T00:00:00Z")
ADDRESS = EndpointAddress("10.0.0.1")
TOPOLOGY = (("kubernetes.io/hostname", "node-a"),)


def test_the_ports_of_endpoints_default_to_tcp() -> None:
    ports = (SubsetPort("a", 80), SubsetPort("b", 80, "UDP"))

    stored = create_endpoints(Endpoints(METADATA, (EndpointSubset((ADDRESS,), (), ports),)), GATES)

    expected = (SubsetPort("a", 80, "TCP"), SubsetPort("b", 80, "UDP"))
    assert expected == stored.subsets[0].ports


def test_subsets_are_stored_as_they_came() -> None:
    """EPS-EP-04 is the controller's doing: one address may stay both ready and not ready."""
    first = EndpointSubset((ADDRESS,), (ADDRESS,), (SubsetPort("b", 81, "TCP"), SubsetPort("a", 80, "TCP")))
    second = EndpointSubset((ADDRESS,), (), (SubsetPort("c", 82, "TCP"),))
    written = Endpoints(METADATA, (first, second))

    assert written == create_endpoints(written, GATES)


def test_the_ports_of_a_slice_default_to_tcp_without_a_name() -> None:
    """EPS-PORT-06; a port number that is not given stays so, and means all ports."""
    written = EndpointSlice(METADATA, "IPv4", (), (EndpointPort(), EndpointPort("b", "UDP", 53)))

    stored = create_endpoint_slice(written, GATES)

    assert (EndpointPort("", "TCP", None), EndpointPort("b", "UDP", 53)) == stored.ports


def test_a_new_slice_has_generation_one_and_no_deprecated_topology() -> None:
    endpoint = Endpoint(("10.0.0.1",), deprecated_topology=TOPOLOGY)

    stored = create_endpoint_slice(EndpointSlice(METADATA, "IPv4", (endpoint,)), GATES)

    expected = EndpointSlice(attrs.evolve(METADATA, generation=1), "IPv4", (Endpoint(("10.0.0.1",)),))
    assert expected == stored


def test_a_refusal_has_every_cause() -> None:
    """Two names that are absent are the same name once they are defaulted."""
    written = EndpointSlice(METADATA, "", (), (EndpointPort(), EndpointPort()))

    with pytest.raises(Refused) as refusal:
        create_endpoint_slice(written, GATES)

    assert Reason.INVALID is refusal.value.reason
    assert ["addressType REQUIRED", "ports[1].name DUPLICATE"] == found(refusal.value.causes)


def test_endpoints_are_refused_likewise() -> None:
    with pytest.raises(Refused) as refusal:
        create_endpoints(Endpoints(METADATA, (EndpointSubset(),)), GATES)

    assert ["subsets[0] REQUIRED"] == found(refusal.value.causes)


def test_what_a_client_leaves_out_of_metadata_is_carried_over() -> None:
    written = attrs.evolve(METADATA, labels=(("a", "b"),))

    endpoints = update_endpoints(Endpoints(written), Endpoints(STORED), GATES)
    endpoint_slice = update_endpoint_slice(
        EndpointSlice(written, "IPv4"), EndpointSlice(attrs.evolve(STORED, generation=4), "IPv4"), GATES
    )

    expected = attrs.evolve(STORED, labels=(("a", "b"),))
    assert expected == endpoints.metadata
    assert attrs.evolve(expected, generation=5) == endpoint_slice.metadata


def test_the_generation_counts_changes_of_content_and_labels_but_not_of_annotations() -> None:
    old = create_endpoint_slice(EndpointSlice(METADATA, "IPv4"), GATES)
    content = attrs.evolve(old, endpoints=(Endpoint(("10.0.0.1",)),))
    labels = attrs.evolve(old, metadata=attrs.evolve(old.metadata, labels=(("a", "b"),)))
    annotations = attrs.evolve(old, metadata=attrs.evolve(old.metadata, annotations=(("a", "b"),)))

    actual = [
        update_endpoint_slice(new, old, GATES).metadata.generation
        for new in (old, content, labels, annotations)
    ]
    assert [1, 2, 2, 1] == actual


def test_deprecated_topology_stays_with_endpoints_that_stay() -> None:
    """Objects of an older API version are stored with it."""
    old = EndpointSlice(METADATA, "IPv4", (Endpoint(("10.0.0.1",), deprecated_topology=TOPOLOGY),))

    assert old.endpoints == update_endpoint_slice(old, old, GATES).endpoints


def test_a_host_name_of_dropped_topology_becomes_the_node_name_if_it_was_stored_before() -> None:
    """Source: endpointSliceStrategy dropTopologyOnV1."""
    elsewhere = (("kubernetes.io/hostname", "node-b"),)
    old = EndpointSlice(METADATA, "IPv4", (Endpoint(("10.0.0.1",), deprecated_topology=TOPOLOGY),))
    written = (
        Endpoint(("10.0.0.1",), deprecated_topology=TOPOLOGY),
        Endpoint(("10.0.0.2",), deprecated_topology=TOPOLOGY, node_name="node-c"),
        Endpoint(("10.0.0.3",), deprecated_topology=elsewhere),
        Endpoint(("10.0.0.4",)),
    )

    changed = update_endpoint_slice(attrs.evolve(old, endpoints=written), old, GATES)

    assert (
        Endpoint(("10.0.0.1",), node_name="node-a"),
        Endpoint(("10.0.0.2",), node_name="node-c"),
        Endpoint(("10.0.0.3",)),
        Endpoint(("10.0.0.4",)),
    ) == changed.endpoints


def test_a_host_name_that_is_no_node_name_is_dropped_with_the_topology() -> None:
    """Source: endpointSliceStrategy dropTopologyOnV1."""
    topology = (("kubernetes.io/hostname", "Node_A"),)
    old = EndpointSlice(METADATA, "IPv4", (Endpoint(("10.0.0.1",), deprecated_topology=topology),))
    written = attrs.evolve(old, endpoints=(*old.endpoints, Endpoint(("10.0.0.2",))))

    changed = update_endpoint_slice(written, old, GATES)

    assert (Endpoint(("10.0.0.1",)), Endpoint(("10.0.0.2",))) == changed.endpoints


def test_the_generation_counts_topology_that_is_dropped() -> None:
    """What is written is compared before the topology goes: PrepareForUpdate."""
    old = create_endpoint_slice(EndpointSlice(METADATA, "IPv4", (Endpoint(("10.0.0.1",)),)), GATES)
    written = attrs.evolve(old, endpoints=(Endpoint(("10.0.0.1",), deprecated_topology=TOPOLOGY),))

    changed = update_endpoint_slice(written, old, GATES)

    assert (old.endpoints, 2) == (changed.endpoints, changed.metadata.generation)


def test_a_change_is_validated_against_what_is_stored() -> None:
    old = EndpointSlice(STORED, "IPv4")

    marked = attrs.evolve(STORED, deletion_timestamp="2026-02-02T00:00:00Z")

    with pytest.raises(Refused) as refusal:
        update_endpoint_slice(EndpointSlice(marked, "IPv6"), old, GATES)

    expected = ["addressType INVALID", "metadata.deletionTimestamp INVALID"]
    assert expected == found(refusal.value.causes)


def test_a_fault_of_changed_metadata_is_reported_by_each_check_that_sees_it() -> None:
    """Once for any kind (rest.BeforeUpdate); of Endpoints twice more, as an update and as an object."""
    bad = attrs.evolve(STORED, labels=(("a", "b c"),))

    with pytest.raises(Refused) as of_endpoints:
        update_endpoints(Endpoints(bad), Endpoints(STORED), GATES)
    with pytest.raises(Refused) as of_slice:
        update_endpoint_slice(EndpointSlice(bad, "IPv4"), EndpointSlice(STORED, "IPv4"), GATES)

    assert ["metadata.labels INVALID"] * 3 == found(of_endpoints.value.causes)
    assert ["metadata.labels INVALID"] * 2 == found(of_slice.value.causes)


def test_what_a_client_cannot_change_of_metadata_stays_without_an_error() -> None:
    """Source: rest.BeforeUpdate ignores the creation time, and a mark for deletion stays."""
    deleted = attrs.evolve(STORED, deletion_timestamp="2026-02-02T00:00:00Z", deletion_grace_period_seconds=0)
    written = attrs.evolve(
        METADATA, creation_timestamp="2020-01-01T00:00:00Z", deletion_timestamp="2020-01-01T00:00:00Z"
    )

    changed = update_endpoints(Endpoints(written), Endpoints(deleted), GATES)

    assert deleted == changed.metadata


def test_a_new_object_is_not_marked_for_deletion() -> None:
    """Source: rest.BeforeCreate."""
    marked = attrs.evolve(
        METADATA, deletion_timestamp="2026-02-02T00:00:00Z", deletion_grace_period_seconds=30
    )

    endpoints = create_endpoints(Endpoints(marked), GATES)
    endpoint_slice = create_endpoint_slice(EndpointSlice(marked, "IPv4"), GATES)

    assert METADATA == endpoints.metadata
    assert attrs.evolve(METADATA, generation=1) == endpoint_slice.metadata


def test_a_new_object_that_names_a_resource_version_is_refused() -> None:
    """As a fault of the server's own and without a reason (500); version 0 is none."""
    versioned, zero = (attrs.evolve(METADATA, resource_version=text) for text in ("7", "0"))

    with pytest.raises(Refused) as of_endpoints:
        create_endpoints(Endpoints(versioned), GATES)
    with pytest.raises(Refused) as of_slice:
        create_endpoint_slice(EndpointSlice(versioned, "IPv4"), GATES)

    assert [Reason.UNKNOWN] * 2 == [of_endpoints.value.reason, of_slice.value.reason]
    assert Endpoints(zero) == create_endpoints(Endpoints(zero), GATES)


def test_endpoints_with_an_unchanged_bad_address_are_stored() -> None:
    """API-F-31."""
    old = Endpoints(STORED, (EndpointSubset((EndpointAddress("10.0.0.01"),)),))

    assert old == update_endpoints(old, old, GATES)


def test_a_request_for_another_uid_conflicts() -> None:
    """The uid of a body is a precondition, judged before any field is."""
    other = attrs.evolve(STORED, uid="u2")

    with pytest.raises(Refused) as of_endpoints:
        update_endpoints(Endpoints(other), Endpoints(STORED), GATES)
    with pytest.raises(Refused) as of_slice:
        update_endpoint_slice(EndpointSlice(other, "IPv6"), EndpointSlice(STORED, "IPv4"), GATES)

    assert [Reason.CONFLICT] * 2 == [of_endpoints.value.reason, of_slice.value.reason]


def test_a_request_for_version_0_takes_the_stored_one() -> None:
    zero = attrs.evolve(METADATA, resource_version="0")

    changed = update_endpoints(Endpoints(zero), Endpoints(STORED), GATES)

    assert STORED == changed.metadata


def test_a_request_for_another_resource_version_conflicts() -> None:
    stale = attrs.evolve(STORED, resource_version="6")

    with pytest.raises(Refused) as of_endpoints:
        update_endpoints(Endpoints(stale), Endpoints(STORED), GATES)
    with pytest.raises(Refused) as of_slice:
        update_endpoint_slice(EndpointSlice(stale, "IPv4"), EndpointSlice(STORED, "IPv4"), GATES)

    assert [Reason.CONFLICT] * 2 == [of_endpoints.value.reason, of_slice.value.reason]
