"""EndpointSlices: address types, limits, hints and port names."""

from typing import Any

import attrs
import pytest

from model.api.objects import Endpoint, EndpointHints, EndpointPort, EndpointSlice, Hint
from model.api.validation.endpoint_slice import (
    validate_endpoint_slice_create,
    validate_endpoint_slice_update,
)
from tests.model.api.validation_cases import BEFORE_STRICT_TEXT, GATES, METADATA, found

ENDPOINT = Endpoint(("10.0.0.1",))
PORT = EndpointPort("http", "TCP", 80)
SLICE = EndpointSlice(METADATA, "IPv4", (ENDPOINT,), (PORT,))
ZONE = "topology.kubernetes.io/zone"


def refusals(**change: Any) -> list[str]:
    return found(validate_endpoint_slice_create(attrs.evolve(SLICE, **change), GATES))


def of_endpoint(**change: Any) -> list[str]:
    return refusals(endpoints=(attrs.evolve(ENDPOINT, **change),))


def hints(count: int) -> tuple[Hint, ...]:
    return tuple(Hint(f"name-{number}") for number in range(count))


@pytest.mark.parametrize(
    ("address_type", "errors"),
    [
        ("IPv4", []),
        ("", ["addressType REQUIRED"]),
        ("IP", ["addressType NOT_SUPPORTED"]),
        ("ipv4", ["addressType NOT_SUPPORTED"]),
    ],
)
def test_there_are_three_address_types(address_type: str, errors: list[str]) -> None:
    """EPS-SL-05: addresses of an unknown type are not looked at."""
    assert errors == refusals(address_type=address_type)


@pytest.mark.parametrize(
    ("address_type", "address", "errors"),
    [
        ("IPv4", "255.255.255.255", []),
        ("IPv4", "10.0.0.300", ["endpoints[0].addresses[0] INVALID"]),
        ("IPv4", "010.0.0.1", ["endpoints[0].addresses[0] INVALID"]),
        ("IPv4", "fd00::1", ["endpoints[0].addresses INVALID"]),
        ("IPv4", "127.0.0.1", ["endpoints[0].addresses[0] INVALID"]),
        ("IPv6", "fd00::1", []),
        ("IPv6", "FD00::1", ["endpoints[0].addresses[0] INVALID"]),
        ("IPv6", "::ffff:10.0.0.1", ["endpoints[0].addresses[0] INVALID"]),
        ("IPv6", "10.0.0.1", ["endpoints[0].addresses INVALID"]),
        ("IPv6", "fe80::1", ["endpoints[0].addresses[0] INVALID"]),
        ("FQDN", "example.com", []),
        ("FQDN", "example.com.", []),
        ("FQDN", "example", ["endpoints[0].addresses[0] INVALID"]),
        ("FQDN", "Example.com", ["endpoints[0].addresses[0] INVALID"]),
        ("FQDN", "a" * 64 + ".com", ["endpoints[0].addresses[0] INVALID"]),
        ("FQDN", "", ["endpoints[0].addresses[0] REQUIRED"]),
    ],
)
def test_an_address_is_of_the_type_and_in_canonical_text(
    address_type: str, address: str, errors: list[str]
) -> None:
    """EPS-SL-05, EPS-SL-06, API-F-31."""
    assert errors == refusals(address_type=address_type, endpoints=(Endpoint((address,)),))


def test_before_strict_validation_addresses_had_any_spelling() -> None:
    """API-F-31."""
    sloppy = attrs.evolve(SLICE, endpoints=(Endpoint(("010.0.0.1", "10.0.0.2")),))

    assert validate_endpoint_slice_create(sloppy, BEFORE_STRICT_TEXT) == ()


@pytest.mark.parametrize(
    ("count", "errors"),
    [
        (0, ["endpoints[0].addresses REQUIRED"]),
        (1, []),
        (100, []),
        (101, ["endpoints[0].addresses TOO_MANY"]),
    ],
)
def test_an_endpoint_has_one_to_a_hundred_addresses(count: int, errors: list[str]) -> None:
    """EPS-SL-01."""
    assert errors == of_endpoint(addresses=tuple(f"10.0.0.{number}" for number in range(1, count + 1)))


@pytest.mark.parametrize(("count", "errors"), [(1000, []), (1001, ["endpoints TOO_MANY"])])
def test_a_slice_has_at_most_a_thousand_endpoints(count: int, errors: list[str]) -> None:
    """EPS-SL-01: too many are not looked at one by one."""
    broken = Endpoint(()) if errors else ENDPOINT

    assert errors == refusals(endpoints=(broken,) * count)


@pytest.mark.parametrize(("count", "errors"), [(20000, []), (20001, ["ports TOO_MANY"])])
def test_a_slice_has_at_most_twenty_thousand_ports(count: int, errors: list[str]) -> None:
    """EPS-SL-01."""
    ports = tuple(EndpointPort(f"p{number}", "TCP", 80) for number in range(count))

    assert errors == refusals(ports=ports)


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"node_name": "node.a"}, []),
        ({"node_name": "Node_A"}, ["endpoints[0].nodeName INVALID"]),
        ({"node_name": ""}, ["endpoints[0].nodeName INVALID"]),
        ({"hostname": "web-0"}, []),
        ({"hostname": "web.0"}, ["endpoints[0].hostname INVALID"]),
        ({"zone": "any text"}, []),
        ({"deprecated_topology": (("a", "b"),)}, []),
        ({"deprecated_topology": (("a", "b c"),)}, ["endpoints[0].deprecatedTopology INVALID"]),
        (
            {"deprecated_topology": ((ZONE, "a"),)},
            [f"endpoints[0].deprecatedTopology[{ZONE}] INTERNAL"],
        ),
        (
            {"deprecated_topology": tuple((f"k{number}", "") for number in range(17))},
            ["endpoints[0].deprecatedTopology TOO_MANY"],
        ),
        ({"deprecated_topology": tuple((f"k{number}", "") for number in range(16))}, []),
    ],
)
def test_what_is_said_of_an_endpoint(change: dict[str, Any], errors: list[str]) -> None:
    assert errors == of_endpoint(**change)


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        (EndpointHints(hints(8), hints(8)), []),
        (EndpointHints(hints(9)), ["endpoints[0].hints.forZones TOO_MANY"]),
        (EndpointHints((), hints(9)), ["endpoints[0].hints.forNodes TOO_MANY"]),
        (EndpointHints(hints(9), hints(9)), ["endpoints[0].hints.forZones TOO_MANY"]),
        (EndpointHints(hints(8), hints(9)), ["endpoints[0].hints.forNodes TOO_MANY"]),
        (EndpointHints(hints(1) * 3), [f"endpoints[0].hints.forZones[{i}].name DUPLICATE" for i in (1, 2)]),
        (EndpointHints((), hints(1) * 2), ["endpoints[0].hints.forNodes[1].name DUPLICATE"]),
        (EndpointHints((Hint("Zone_A"),)), []),
        (EndpointHints((Hint("zone a"),)), ["endpoints[0].hints.forZones[0].name INVALID"]),
        (EndpointHints((), (Hint("Node_A"),)), ["endpoints[0].hints.forNodes[0].name INVALID"]),
    ],
)
def test_hints_name_up_to_eight_zones_and_nodes_once(given: EndpointHints, errors: list[str]) -> None:
    """EPS-SL-01."""
    assert errors == of_endpoint(hints=given)


@pytest.mark.parametrize(
    ("ports", "errors"),
    [
        ((), []),
        ((EndpointPort("", "TCP", 0), EndpointPort("a", "SCTP", 65536), EndpointPort("b", "UDP")), []),
        ((PORT, PORT), ["ports[1].name DUPLICATE"]),
        ((EndpointPort("", "TCP"), EndpointPort("", "UDP")), ["ports[1].name DUPLICATE"]),
        ((EndpointPort("HTTP", "TCP"),), ["ports[0].name INVALID"]),
        ((EndpointPort("a", None),), ["ports[0].protocol REQUIRED"]),
        ((EndpointPort("a", ""),), ["ports[0].protocol NOT_SUPPORTED"]),
        ((EndpointPort("a", "tcp"),), ["ports[0].protocol NOT_SUPPORTED"]),
        ((EndpointPort("a", "TCP", 80, "--"),), ["ports[0].appProtocol INVALID"]),
    ],
)
def test_port_names_are_unique_and_port_numbers_are_anything(
    ports: tuple[EndpointPort, ...], errors: list[str]
) -> None:
    """EPS-PORT-06."""
    assert errors == refusals(ports=ports)


def test_the_name_is_a_subdomain_in_a_namespace() -> None:
    errors = refusals(metadata=attrs.evolve(METADATA, name="A", namespace=""))

    assert ["metadata.name INVALID", "metadata.namespace REQUIRED"] == errors


def test_the_address_type_does_not_change() -> None:
    """EPS-SL-05."""
    new = attrs.evolve(SLICE, address_type="IPv6", endpoints=())

    assert ["addressType INVALID"] == found(validate_endpoint_slice_update(new, SLICE, GATES))


def test_stored_endpoints_are_exempt_only_as_a_whole() -> None:
    """API-F-31."""
    bad = Endpoint(("010.0.0.1",))
    old = attrs.evolve(SLICE, endpoints=(bad,))
    renamed = attrs.evolve(old, ports=(attrs.evolve(PORT, name="B"),))
    longer = attrs.evolve(old, endpoints=(bad, ENDPOINT))

    actual = [found(validate_endpoint_slice_update(new, old, GATES)) for new in (old, renamed, longer)]
    assert [[], ["ports[0].name INVALID"], ["endpoints[0].addresses[0] INVALID"]] == actual
