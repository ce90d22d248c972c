"""kube-proxy's names say whose an object is, and the hash in them can be checked (MODE-35)."""

import pytest

from model.addresses import Family, parse_address
from model.objects import ObjectName, ServicePortName
from oracle.dialects.nftables.names import (
    EndpointPlace,
    Generation,
    NameKind,
    generation_of,
    name_hash,
    owner_of_chain,
    owner_of_comment,
    parse_name,
    proxy_name,
)
from oracle.dialects.nftables.text import parse_text

WEB = ServicePortName(ObjectName("ns1", "svc1"), "p80", "TCP")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ns1/svc1/tcp/p80", "ULMVA6XW"),
        ("ns1/svc1/tcp/p80__10.180.0.1/80", "5OJB2KTY"),
        ("default/kubernetes/tcp/https", "2QRHZV4L"),
        ("kube-system/kube-dns/udp/dns", "FY5PMXPG"),
    ],
)
def test_the_check_values_of_the_rules(text: str, expected: str) -> None:
    """rules-nftables 2."""
    assert name_hash(text) == expected


@pytest.mark.parametrize("kind", ["service", "local", "external", "firewall"])
def test_a_chain_of_a_service_port(kind: str) -> None:
    """The kind, the owner, and a hash that fits."""
    name = f"{kind}-ULMVA6XW-ns1/svc1/tcp/p80"
    found = parse_name(name)

    assert found is not None
    assert (found.kind, found.owner, found.endpoint) == (NameKind(kind), WEB, None)
    assert found.has_right_hash
    assert proxy_name(NameKind(kind), WEB) == name


@pytest.mark.parametrize("kind", [NameKind.ENDPOINT, NameKind.AFFINITY])
def test_an_object_of_an_endpoint(kind: NameKind) -> None:
    """Its address and port come behind the owner's name."""
    name = f"{kind.value}-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80"
    place = EndpointPlace(Family.IPV4, parse_address("10.180.0.1")[1], 80)
    found = parse_name(name)

    assert found is not None
    assert (found.owner, found.endpoint, found.has_right_hash) == (WEB, place, True)
    assert proxy_name(kind, WEB, place) == name


def test_an_ipv6_endpoint_has_dots_for_colons() -> None:
    """Chain names cannot hold colons."""
    place = EndpointPlace(Family.IPV6, parse_address("fd00:10:180::1")[1], 80)
    name = proxy_name(NameKind.ENDPOINT, WEB, place)
    found = parse_name(name)

    assert name.endswith("-ns1/svc1/tcp/p80__fd00.10.180..1/80")
    assert found is not None
    assert found.endpoint == place


def test_a_port_without_a_name_leaves_a_slash() -> None:
    """The last part may be empty."""
    owner = ServicePortName(ObjectName("shop", "web"), "", "UDP")
    name = proxy_name(NameKind.SERVICE, owner)

    assert name.endswith("-shop/web/udp/")
    assert owner_of_chain(name) == owner


def test_a_wrong_hash_is_seen() -> None:
    """A chain that somebody else wrote, or renamed."""
    found = parse_name("service-AAAAAAAA-ns1/svc1/tcp/p80")

    assert found is not None
    assert found.has_right_hash is False
    assert found.owner == WEB


def test_a_long_name_is_cut_and_still_begins_with_its_hash() -> None:
    """240 characters behind the kind, the last three of them dots."""
    long = ServicePortName(ObjectName("n" * 63, "s" * 63), "p" * 120, "TCP")
    text = f"{'n' * 63}/{'s' * 63}/tcp/{'p' * 120}"
    name = proxy_name(NameKind.SERVICE, long)
    found = parse_name(name)

    assert name == f"service-{(name_hash(text) + '-' + text)[:237]}..."
    assert found is not None
    assert (found.hash, found.owner, found.has_right_hash) == (name_hash(text), None, None)


def test_a_name_cut_within_the_endpoint_still_has_its_owner() -> None:
    """What stands before `__` is whole."""
    owner = ServicePortName(ObjectName("n" * 63, "s" * 63), "p" * 63, "TCP")
    place = EndpointPlace(Family.IPV6, parse_address("fd00:1111:2222:3333:4444:5555:6666:7777")[1], 65535)
    found = parse_name(proxy_name(NameKind.ENDPOINT, owner, place))

    assert found is not None
    assert (found.owner, found.endpoint) == (owner, None)


@pytest.mark.parametrize(
    "name",
    [
        "services",
        "service-endpoints-check",
        "firewall-check",
        "service-ULMVA6XW-ns1/svc1/tcp",
        "service-ulmva6xw-ns1/svc1/tcp/p80",
        "service-ULMVA6XW-ns1/svc1/icmp/p80",
        "service-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80",
        "endpoint-ULMVA6XW-ns1/svc1/tcp/p80",
        "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__nowhere/80",
        "KUBE-SVC-ULMVA6XW",
    ],
)
def test_other_names_are_of_no_service_port(name: str) -> None:
    """Fixed chains, other people's chains, and names that do not hold together."""
    assert parse_name(name) is None
    assert owner_of_chain(name) is None


def test_an_elements_comment_names_the_service_port() -> None:
    """In the maps of refusals; the protocol is in the element's key."""
    assert owner_of_comment("ns1/svc1:p80", "TCP") == WEB
    assert owner_of_comment("ns1/svc1", "UDP") == ServicePortName(ObjectName("ns1", "svc1"), "", "UDP")
    assert owner_of_comment("web traffic", "TCP") is None


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ("set firewall-allow {\ntype ipv4_addr\n}\nchain mark-for-masquerade {\n}", Generation.FIREWALL_SETS),
        ("chain filter-output-post-dnat {\n}\nchain mark-for-masquerade {\n}", Generation.OUTPUT_POST_DNAT),
        ("chain mark-for-masquerade {\n}", Generation.MARK_CHAIN),
        ("set hairpin-connections {\ntype ipv4_addr\n}", Generation.HAIRPIN_SET),
        ("chain services {\n}", None),
    ],
)
def test_the_objects_that_are_there_tell_the_generation(objects: str, expected: Generation | None) -> None:
    """rules-nftables 4."""
    dump = parse_text(f"table ip kube-proxy {{\n{objects}\n}}\n".encode(), "nft")

    assert generation_of(dump.tables[0]) == expected


def test_generations_cover_each_version_of_the_mode() -> None:
    """1.29, when it came, to 1.36."""
    covered = {minor for one in Generation for minor in range(one.minors[0], one.minors[1] + 1)}

    assert covered == set(range(29, 37))
