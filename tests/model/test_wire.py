"""What a file leaves out is absent, and every field has the name that the API gives it."""

import inspect

import msgspec
import pytest

from model.load import wire

STRUCTS = [
    each
    for _, each in inspect.getmembers(wire, inspect.isclass)
    if issubclass(each, wire.Wire) and each is not wire.Wire
]
FIELDS = [(each, name) for each in STRUCTS for name in each.__struct_fields__]
IDS = [f"{each.__name__}.{name}" for each, name in FIELDS]
# Acronyms are in capitals in the API's JSON, besides a leading `ip`.
WRITTEN_OTHERWISE = {
    "cluster_ip": "clusterIP",
    "cluster_ips": "clusterIPs",
    "external_ips": "externalIPs",
    "client_ip": "clientIP",
    "load_balancer_ip": "loadBalancerIP",
    "pod_ip": "podIP",
    "pod_ips": "podIPs",
    "host_ip": "hostIP",
    "pod_cidr": "podCIDR",
    "pod_cidrs": "podCIDRs",
    "target_ref": "targetRef",
}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return WRITTEN_OTHERWISE.get(name) or first + "".join(word.capitalize() for word in rest)


@pytest.mark.parametrize(("each", "name"), FIELDS, ids=IDS)
def test_nothing_is_required_and_nothing_is_made_up(each: type[wire.Wire], name: str) -> None:
    """Defaults are for the model to give, which knows what an unset field means."""
    assert getattr(msgspec.json.decode(b"{}", type=each), name) is None


@pytest.mark.parametrize(("each", "name"), FIELDS, ids=IDS)
def test_a_field_has_the_name_of_the_api(each: type[wire.Wire], name: str) -> None:
    by_field = dict(zip(each.__struct_fields__, each.__struct_encode_fields__, strict=True))

    assert by_field[name] == camel(name)


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ('{"port": 0}', True),
        ('{"port": 65535}', True),
        ('{"port": 65536}', False),
        ('{"port": -1}', False),
        ('{"protocol": "SCTP"}', True),
        ('{"protocol": ""}', True),
        ('{"protocol": "ICMP"}', False),
        ('{"targetPort": "http"}', True),
        ('{"targetPort": 70000}', False),
    ],
)
def test_a_port_is_a_number_of_16_bits_and_has_a_protocol_of_the_api(text: str, is_good: bool) -> None:
    try:
        msgspec.json.decode(text, type=wire.ServicePort)
        decodes = True
    except msgspec.ValidationError:
        decodes = False

    assert decodes is is_good
