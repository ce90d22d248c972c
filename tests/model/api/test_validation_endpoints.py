"""Endpoints: which addresses and ports pass, and that unchanged subsets are not asked again."""

from typing import Any

import attrs
import pytest

from model.api.objects import EndpointAddress, Endpoints, EndpointSubset, Metadata, SubsetPort
from model.api.validation.endpoints import validate_endpoints_create, validate_endpoints_update
from tests.model.api.validation_cases import BEFORE_STRICT_TEXT, GATES, METADATA, found

ADDRESS = EndpointAddress("10.0.0.1")
PORT = SubsetPort("http", 80, "TCP")
SUBSET = EndpointSubset((ADDRESS,), (), (PORT,))


def refusals(**change: Any) -> list[str]:
    endpoints = Endpoints(METADATA, (attrs.evolve(SUBSET, **change),))
    return found(validate_endpoints_create(endpoints, GATES))


@pytest.mark.parametrize(
    ("address", "errors"),
    [
        (ADDRESS, []),
        (EndpointAddress("2001:DB8::1"), []),
        (EndpointAddress("255.255.255.255"), []),
        (EndpointAddress(""), ["subsets[0].addresses[0].ip INVALID"] * 2),
        (EndpointAddress("foo"), ["subsets[0].addresses[0].ip INVALID"] * 2),
        (EndpointAddress("10.0.0.01"), ["subsets[0].addresses[0].ip INVALID"]),
        (EndpointAddress("::ffff:10.0.0.1"), ["subsets[0].addresses[0].ip INVALID"]),
        (EndpointAddress("127.0.0.1"), ["subsets[0].addresses[0].ip INVALID"]),
        (EndpointAddress("127.0.0.01"), ["subsets[0].addresses[0].ip INVALID"] * 2),
        (EndpointAddress("10.0.0.1", hostname="web-0"), []),
        (EndpointAddress("10.0.0.1", hostname="web.0"), ["subsets[0].addresses[0].hostname INVALID"]),
        (EndpointAddress("10.0.0.1", node_name="node.a"), []),
        (EndpointAddress("10.0.0.1", node_name=""), ["subsets[0].addresses[0].nodeName INVALID"]),
    ],
)
def test_an_address_can_be_sent_to(address: EndpointAddress, errors: list[str]) -> None:
    """EPS-SL-06, API-F-31: text and meaning are asked for apart, so garbage fails twice."""
    assert errors == refusals(addresses=(address,))


def test_addresses_that_are_not_ready_are_checked_likewise() -> None:
    assert ["subsets[0].notReadyAddresses[1].ip INVALID"] == refusals(
        not_ready_addresses=(ADDRESS, EndpointAddress("0.0.0.0"))
    )


def test_a_subset_has_an_address_of_either_kind() -> None:
    none, unready = refusals(addresses=()), refusals(addresses=(), not_ready_addresses=(ADDRESS,))

    assert (["subsets[0] REQUIRED"], []) == (none, unready)


@pytest.mark.parametrize(
    ("ports", "errors"),
    [
        ((), []),
        ((SubsetPort(port=80, protocol="UDP"),), []),
        ((PORT, SubsetPort("", 81, "TCP")), ["subsets[0].ports[1].name REQUIRED"]),
        ((PORT, PORT), []),
        ((SubsetPort("Web", 80, "TCP"),), ["subsets[0].ports[0].name INVALID"]),
        ((SubsetPort("a", 0, "TCP"),), ["subsets[0].ports[0].port INVALID"]),
        ((SubsetPort("a", 65536, "TCP"),), ["subsets[0].ports[0].port INVALID"]),
        ((SubsetPort("a", 80, ""),), ["subsets[0].ports[0].protocol REQUIRED"]),
        ((SubsetPort("a", 80, "ICMP"),), ["subsets[0].ports[0].protocol NOT_SUPPORTED"]),
        ((SubsetPort("a", 80, "TCP", "kubernetes.io/h2c"),), []),
        ((SubsetPort("a", 80, "TCP", "~h2c"),), ["subsets[0].ports[0].appProtocol INVALID"]),
    ],
)
def test_several_ports_have_names_that_may_repeat(ports: tuple[SubsetPort, ...], errors: list[str]) -> None:
    assert errors == refusals(ports=ports)


def test_the_name_is_a_subdomain() -> None:
    dotted, underlined = (Endpoints(Metadata(name=name, namespace="shop")) for name in ("a.b", "a_b"))

    actual = [found(validate_endpoints_create(one, GATES)) for one in (dotted, underlined)]
    assert [[], ["metadata.name INVALID"]] == actual


def test_leading_zeros_passed_before_strict_validation() -> None:
    """API-F-31."""
    old = Endpoints(METADATA, (EndpointSubset((EndpointAddress("10.0.0.01"),)),))

    assert validate_endpoints_create(old, BEFORE_STRICT_TEXT) == ()


def test_stored_subsets_are_exempt_only_as_a_whole() -> None:
    """API-F-31: labels may change beside a bad address, other addresses may not."""
    bad = EndpointSubset((EndpointAddress("10.0.0.01"),), (), (PORT,))
    old = Endpoints(METADATA, (bad,))
    labelled = attrs.evolve(old, metadata=attrs.evolve(METADATA, labels=(("a", "b"),)))
    longer = attrs.evolve(old, subsets=(bad, SUBSET))

    actual = [found(validate_endpoints_update(new, old, GATES)) for new in (labelled, longer)]
    assert [[], ["subsets[0].addresses[0].ip INVALID"]] == actual


def test_a_change_keeps_identity() -> None:
    old = Endpoints(METADATA)
    new = Endpoints(attrs.evolve(METADATA, namespace="other"))

    assert ["metadata.namespace INVALID"] == found(validate_endpoints_update(new, old, GATES))


def test_the_form_of_the_name_is_asked_for_on_every_change() -> None:
    """Unlike that of a Service."""
    old = Endpoints(attrs.evolve(METADATA, name="Old_Name"))

    assert ["metadata.name INVALID"] == found(validate_endpoints_update(old, old, GATES))
