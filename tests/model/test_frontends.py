"""A node's view holds the frontends the objects ask for, and every reading its proxy may have."""

import attrs
import pytest

from model.addresses import Family, parse_address
from model.expectation import expect
from model.expected import Contract, default_reject
from model.fate import outcome_at
from model.frontends import FrontendKind, NodeView, node_view
from model.intervals import contains
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)
from model.older_layouts import instead
from model.outcome import Outcome, Verdict
from model.packet import TCP, Origin, Packet
from model.proxy_version import Quirk, reading_of, readings

WEB = ObjectName("shop", "web")
SERVICE = Service(
    WEB,
    ServiceType.LOAD_BALANCER,
    (ServicePort("http", "TCP", 80, 30080, 8080),),
    ("10.96.0.10",),
    ("203.0.113.9",),
    (Ingress("192.0.2.9"), Ingress("192.0.2.10", ip_mode="Proxy"), Ingress(hostname="lb.example")),
)


def number(text: str) -> int:
    return parse_address(text)[1]


CONFIG = NodeConfig(
    "n1",
    cluster_cidrs=("10.244.0.0/16",),
    addresses=(
        InterfaceAddress("lo", Family.IPV4, number("127.0.0.1"), 8),
        InterfaceAddress("eth0", Family.IPV4, number("192.168.0.2"), 24),
    ),
    addresses_are_complete=True,
    primary=((Family.IPV4, number("192.168.0.2")),),
    zone="a",
)
HERE = Endpoint(("10.244.1.5",), ready=True, node_name="n1", zone_hints=("a",), node_hints=("n1",))
NEAR = Endpoint(("10.244.1.6",), ready=True, node_name="n3", zone_hints=("a",), node_hints=("n3",))
FAR = Endpoint(("10.244.2.5",), ready=True, node_name="n2", zone_hints=("b",), node_hints=("n2",))


def piece(*endpoints: Endpoint, name: str = "web") -> EndpointSlice:
    port = EndpointPort("http", "TCP", 8080)
    return EndpointSlice(ObjectName("shop", name), WEB, "IPv4", endpoints, (port,))


def view_of(config: NodeConfig, service: Service, *slices: EndpointSlice) -> NodeView:
    return node_view(Cluster((service,), slices), config, Family.IPV4)


def choices_of(config: NodeConfig, *slices: EndpointSlice) -> list[list[int]]:
    """The last numbers of the addresses in each Cl that the node may have."""
    (port,) = view_of(config, SERVICE, *slices).service_ports
    assert len(port.choices) == len(port.endpoint_choices)
    return [[one.address & 0xFFFF for one in sets.cluster or ()] for sets in port.choices]


def test_frontends_of_a_service_port() -> None:
    """FWD-OBJ-03, -04: ipMode Proxy and host names make none."""
    view = view_of(CONFIG, SERVICE, piece(HERE))

    found = {key[0]: owners[0][1] for key, owners in view.by_address.items()}
    assert found == {
        number("10.96.0.10"): FrontendKind.CIP,
        number("203.0.113.9"): FrontendKind.EXT,
        number("192.0.2.9"): FrontendKind.LBV,
    }
    assert list(view.by_node_port) == [(TCP, 30080)]


@pytest.mark.parametrize(
    "service",
    [
        attrs.evolve(SERVICE, type=ServiceType.EXTERNAL_NAME),
        attrs.evolve(SERVICE, cluster_ips=("None",)),
        attrs.evolve(SERVICE, cluster_ips=("fd00::10",)),
        attrs.evolve(SERVICE, labels=(("service.kubernetes.io/service-proxy-name", "other"),)),
    ],
    ids=["ExternalName", "headless", "the other family's", "another proxy's"],
)
def test_services_without_any_frontend(service: Service) -> None:
    """FWD-OBJ-02: external addresses and node ports included."""
    view = view_of(CONFIG, service, piece(HERE))

    assert (view.service_ports, view.by_address, view.by_node_port) == ((), {}, {})


@pytest.mark.parametrize(
    ("ranges", "allowed", "refused"),
    [
        (("198.51.100.0/24",), ("198.51.100.7",), ("192.0.2.9", "192.168.0.2")),
        (("192.168.0.0/24",), ("192.168.0.2", "192.0.2.9"), ("198.51.100.7",)),
        ((" 198.51.100.0/24 ",), ("198.51.100.7",), ("192.0.2.9",)),
    ],
    ids=["the node is outside", "the node is inside, so its own VIP is (FWD-LBSR-04)", "blanks"],
)
def test_source_ranges(ranges: tuple[str, ...], allowed: tuple[str, ...], refused: tuple[str, ...]) -> None:
    service = attrs.evolve(SERVICE, load_balancer_source_ranges=ranges)

    (port,) = view_of(CONFIG, service, piece(HERE)).service_ports

    sources = port.allowed_sources
    assert sources is not None
    assert [contains(sources, number(one)) for one in allowed] == [True] * len(allowed)
    assert [contains(sources, number(one)) for one in refused] == [False] * len(refused)


@pytest.mark.parametrize(
    "ranges", [(), ("0.0.0.0/0", "198.51.100.0/24"), ("2001:db8::/32",), ("198.51.100.7",), ("no range",)]
)
def test_source_ranges_that_leave_everyone_in(ranges: tuple[str, ...]) -> None:
    """FWD-LBSR-02: a list without a range of this family filters nothing here."""
    service = attrs.evolve(SERVICE, load_balancer_source_ranges=ranges)

    (port,) = view_of(CONFIG, service, piece(HERE)).service_ports

    assert port.allowed_sources is None


ALL_VERSIONS = attrs.evolve(CONFIG, readings=readings(14, 36))
HERE_ONLY, OWN_ZONE, EVERYWHERE = [0x0105], [0x0105, 0x0106], [0x0105, 0x0106, 0x0205]


@pytest.mark.parametrize(("minor", "expected"), [(36, HERE_ONLY), (33, OWN_ZONE), (30, EVERYWHERE)])
def test_known_version_gives_one_reading(minor: int, expected: list[int]) -> None:
    config = attrs.evolve(CONFIG, readings=(reading_of(minor),))

    assert choices_of(config, piece(HERE, NEAR, FAR)) == [expected]


def test_unknown_version_gives_each_different_reading_once_the_newest_first() -> None:
    assert choices_of(ALL_VERSIONS, piece(HERE, NEAR, FAR)) == [HERE_ONLY, OWN_ZONE, EVERYWHERE]


def test_unknown_version_does_not_matter_without_hints() -> None:
    plain = [attrs.evolve(one, zone_hints=(), node_hints=()) for one in (HERE, NEAR, FAR)]

    assert choices_of(ALL_VERSIONS, piece(*plain)) == [EVERYWHERE]


def test_ties_and_versions_multiply() -> None:
    """EPS-SL-08: two slices say different things of FAR; only one of them makes it ready."""
    tie = piece(attrs.evolve(FAR, ready=False, serving=False), name="web-2")

    assert choices_of(ALL_VERSIONS, piece(HERE, NEAR, FAR), tie) == [
        HERE_ONLY,
        OWN_ZONE,
        EVERYWHERE,
        HERE_ONLY,  # another list of endpoints with the same set
        OWN_ZONE,
    ]


@pytest.mark.parametrize("kind", [FrontendKind.CIP, FrontendKind.NP])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_old_layouts_treat_cluster_ips_and_node_ports_alike(kind: FrontendKind, verdict: Verdict) -> None:
    for origin in Origin:
        for local in (False, True):
            others = instead(
                frozenset(Quirk), kind, verdict, origin, source_local=local, destination_local=False
            )
            assert others == ()


PASSES = ((Verdict.PASS, False), (Verdict.PASS, True))


@pytest.mark.parametrize(
    ("quirk", "kind", "verdict", "origin", "source_local", "expected"),
    [
        (Quirk.MARKED_DROPS, FrontendKind.LBV, Verdict.DROP, Origin.WIRE, False, PASSES),
        (Quirk.MARKED_DROPS, FrontendKind.LBV, Verdict.DROP, Origin.NODE, True, ()),
        (Quirk.MARKED_DROPS, FrontendKind.LBV, Verdict.REJECT, Origin.WIRE, False, ()),
        (Quirk.EARLY_REFUSALS, FrontendKind.EXT, Verdict.REJECT, Origin.WIRE, False, PASSES[:1]),
        (Quirk.EARLY_REFUSALS, FrontendKind.LBV, Verdict.REJECT, Origin.WIRE, False, ()),
        (
            Quirk.EARLY_REFUSALS,
            FrontendKind.LBV,
            Verdict.PASS,
            Origin.NODE,
            True,
            ((Verdict.REJECT, False),),
        ),
        (Quirk.EXTERNAL_FROM_ELSEWHERE, FrontendKind.EXT, Verdict.DNAT, Origin.NODE, True, PASSES),
        (Quirk.EXTERNAL_FROM_ELSEWHERE, FrontendKind.EXT, Verdict.DNAT, Origin.WIRE, False, ()),
        (Quirk.EXTERNAL_FROM_ELSEWHERE, FrontendKind.LBV, Verdict.DNAT, Origin.NODE, True, ()),
    ],
)
def test_what_an_old_layout_may_do_instead(
    quirk: Quirk,
    kind: FrontendKind,
    verdict: Verdict,
    origin: Origin,
    source_local: bool,
    expected: tuple[tuple[Verdict, bool], ...],
) -> None:
    """And never where the packet is for the node itself."""
    others = instead({quirk}, kind, verdict, origin, source_local=source_local, destination_local=False)
    at_home = instead({quirk}, kind, verdict, origin, source_local=source_local, destination_local=True)

    assert (others, at_home) == (expected, ())


@pytest.mark.parametrize("policy", list(TrafficPolicy))
@pytest.mark.parametrize("endpoints", [(HERE, FAR), (FAR,), ()], ids=["here", "elsewhere", "nowhere"])
@pytest.mark.parametrize("minor", [18, 36])
def test_both_readings_of_the_contract_allow_the_same_to_old_layouts(
    minor: int, endpoints: tuple[Endpoint, ...], policy: TrafficPolicy
) -> None:
    """Packet by packet and for all sources at once, with every quirk and an unknown version."""
    quirks = frozenset(Quirk) if minor == 18 else frozenset()
    config = attrs.evolve(ALL_VERSIONS, quirks=quirks)
    service = attrs.evolve(
        SERVICE, external_traffic_policy=policy, load_balancer_source_ranges=("198.51.100.0/24",)
    )
    view = view_of(config, service, piece(*endpoints))
    contract = Contract(view)
    for destination in ("10.96.0.10", "203.0.113.9", "192.0.2.9", "192.168.0.2"):
        port = 30080 if destination == "192.168.0.2" else 80
        for source in ("198.51.100.7", "203.0.113.2", "10.244.1.5", "192.168.0.2"):
            for origin in (Origin.WIRE, Origin.NODE) if source == "192.168.0.2" else (Origin.WIRE,):
                packet = Packet(Family.IPV4, origin, number(source), number(destination), TCP, port)
                assert set(expect(view, packet).allowed) == _allowed(contract, packet)


def _allowed(contract: Contract, packet: Packet) -> set[Outcome]:
    _, treatments = contract.allowed(
        packet.destination, packet.protocol, packet.port, packet.origin, from_pod_interface=False
    )
    outcomes = (outcome_at(fates, packet.source) for fates in treatments)
    return {one for one in outcomes if one is not None}


def test_addresses_with_leading_zeros_are_those_without() -> None:
    """API-F-31: what was stored before 1.36 may hold some, and kube-proxy reads it."""
    old = attrs.evolve(
        SERVICE,
        cluster_ips=("010.096.0.10",),
        external_ips=("203.0.113.009",),
        ingress=(Ingress("192.000.2.9"),),
        load_balancer_source_ranges=("010.1.0.0/16",),
    )
    new = attrs.evolve(
        SERVICE,
        cluster_ips=("10.96.0.10",),
        external_ips=("203.0.113.9",),
        ingress=(Ingress("192.0.2.9"),),
        load_balancer_source_ranges=("10.1.0.0/16",),
    )

    def said(service: Service) -> list[object]:
        (one,) = view_of(CONFIG, service).service_ports
        return [one.cluster_ip, one.external_ips, one.vips, one.allowed_sources]

    assert said(new) == said(old)
    assert said(old)[3] is not None


def test_an_address_frontend_with_endpoints_is_alone_and_one_without_comes_first() -> None:
    """FWD-OBJ-07: where it has no endpoints, a node port of its number may answer in its place."""
    of_address = Service(
        WEB, ServiceType.CLUSTER_IP, (ServicePort("http", "TCP", 80),), ("10.96.0.10",), ("192.168.0.2",)
    )
    of_node_port = Service(
        ObjectName("shop", "other"),
        ServiceType.NODE_PORT,
        (ServicePort("http", "TCP", 8080, 80),),
        ("10.96.0.11",),
    )

    def kinds(*slices: EndpointSlice, at: str = "192.168.0.2") -> list[tuple[str, FrontendKind]]:
        view = node_view(Cluster((of_address, of_node_port), slices), CONFIG, Family.IPV4)
        return [(one.name.service.name, kind) for one, kind in view.owners(number(at), TCP, 80)]

    external, node_port = ("web", FrontendKind.EXT), ("other", FrontendKind.NP)
    assert [external] == kinds(piece(HERE))
    assert [external, node_port] == kinds()
    assert [("web", FrontendKind.CIP)] == kinds(at="10.96.0.10")
    assert [] == kinds(at="192.168.0.3")


def test_a_refusal_says_port_unreachable_in_the_words_of_its_family() -> None:
    """FWD-REJ-01"""
    found = [default_reject(node_view(Cluster(), CONFIG, family)) for family in Family]

    assert found == ["icmp-port-unreachable", "icmp6-port-unreachable"]
