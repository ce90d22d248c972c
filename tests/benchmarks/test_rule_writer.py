"""The rule writer writes what kube-proxy really wrote, and its bundles say what went in."""

import json
import re
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from hypothesis import given

from benchmarks.generate import generate_cluster, main, write_bundle
from benchmarks.kube_proxy_nft import write_nftables
from benchmarks.kube_proxy_rules import chain_hash, probability, write_iptables
from model.addresses import Family, parse_address
from model.load import load_cluster
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig
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
    SessionAffinity,
    TrafficPolicy,
)
from oracle.bundle import node_config, read_bundle
from oracle.dialects.nftables import parse_text
from tests.strategies.clusters import clusters

DUMPS = Path(__file__).parent.parent / "dumps"
TOOLS = {Family.IPV4: "iptables-save", Family.IPV6: "ip6tables-save"}

# Rules of many services meet here in the order of a map; the built-in chains hold only jumps,
# whose order depends on kube-proxy's restarts.
UNORDERED = re.compile(r"KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS|PROXY-FIREWALL)|[A-Z]+")


def recorded() -> list[tuple[str, str]]:
    """Each recorded node of kube-proxy 1.36 whose rules are as kube-proxy left them."""
    return [
        (folder.name, node.name)
        for folder in sorted(DUMPS.glob("*.iptables"))
        if not folder.name.startswith(("broken-", "kp130-"))
        for node in sorted((folder / "nodes").iterdir())
    ]


def of_nft(dump: str) -> dict[tuple[str, str], object]:
    """(table, set or chain) -> what it holds, without comments on sets and the order of their elements."""
    found: dict[tuple[str, str], object] = {}
    for table in parse_text(dump.encode(), "nft").tables:
        for name, one in table.sets.items():
            elements = frozenset((element.key, element.value, element.comment) for element in one.elements)
            found[table.family.value, name] = (one.key_types, one.value_types, one.timeout, elements)
        for name, chain in table.chains.items():
            rules = tuple((rule.text, rule.comment) for rule in chain.rules)
            found[table.family.value, name] = (chain.hook, chain.type, chain.priority, rules)
    return found


@pytest.mark.parametrize(
    ("case", "node"),
    [
        (folder.name, node.name)
        for folder in sorted(DUMPS.glob("*.nftables"))
        # In busy-1 Services clash, and which of them is served depends on the order of a map.
        if not folder.name.startswith(("kp130-", "stale-", "busy-"))
        for node in sorted((folder / "nodes").iterdir())
    ],
)
def test_recorded_listings_of_nft_are_written_alike(case: str, node: str) -> None:
    """Sets, maps and chains equal what is written from the objects that the node had applied."""
    bundle = read_bundle(DUMPS / case)
    evidence = next(item for item in bundle.nodes if item.name == node)
    config, _ = node_config(evidence, bundle.cluster)
    (listing,) = [file.data.decode() for file in evidence.rules if file.label.endswith("/nft")]
    assert bundle.cluster is not None

    assert of_nft(write_nftables(bundle.cluster, config)) == of_nft(listing)


def shape(dump: str) -> dict[tuple[str, str], list[str]]:
    """(table, chain) -> its rules without counters, sorted where their order says nothing."""
    found: dict[tuple[str, str], list[str]] = {}
    table = ""
    for line in dump.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            found[table, line[1:].split()[0]] = []
        elif rule := re.fullmatch(r"(?:\[\d+:\d+\] )?-A (\S+) (.*)", line):
            found[table, rule[1]].append(rule[2])
    for (_, chain), rules in found.items():
        if UNORDERED.fullmatch(chain):
            rules.sort(key=lambda text: ("must be the last rule" in text, text))
    return found


@pytest.mark.parametrize(("case", "node"), recorded())
def test_recorded_nodes_are_written_line_for_line(case: str, node: str) -> None:
    """Both families' dumps equal what is written from the objects that the node had applied."""
    folder = DUMPS / case
    bundle = read_bundle(folder)
    evidence = next(item for item in bundle.nodes if item.name == node)
    config, _ = node_config(evidence, bundle.cluster)
    cluster = bundle.cluster
    before = folder / "cluster-before.json"  # what a stopped kube-proxy had last seen
    if before.exists() and node in json.loads((folder / "expected.json").read_text())["stoppedNodes"]:
        cluster = load_cluster([(before.name, before.read_bytes())])
    assert cluster is not None
    rules = {file.label.rpartition("/")[2]: file.data.decode() for file in evidence.rules}

    for family, tool in TOOLS.items():
        assert shape(write_iptables(cluster, config, family)) == shape(rules[tool])


WEB = ObjectName("shop", "web")
WEB_HASH = chain_hash("shop/webtcp")
SERVICE = Service(name=WEB, ports=(ServicePort("", "TCP", 80),), cluster_ips=("10.96.0.10",))
BALANCER = attrs.evolve(SERVICE, type=ServiceType.LOAD_BALANCER, ingress=(Ingress("192.0.2.10"),))
NODE = NodeConfig(
    name="node-a",
    cluster_cidrs=("10.244.0.0/16",),
    addresses=(
        InterfaceAddress("lo", *parse_address("127.0.0.1"), 8),
        InterfaceAddress("eth0", *parse_address("10.32.1.11"), 24),
    ),
    primary=(parse_address("10.32.1.11"),),
)


def remote(count: int) -> EndpointSlice:
    """That many ready endpoints of shop/web, all on node-b."""
    return EndpointSlice(
        name=ObjectName("shop", "web-1"),
        service=WEB,
        address_type="IPv4",
        endpoints=tuple(
            Endpoint(addresses=(f"10.244.{1 + at // 250}.{at % 250 + 2}",), node_name="node-b")
            for at in range(count)
        ),
        ports=(EndpointPort("", "TCP", 8080),),
    )


def rules_of(chain: str, service: Service, config: NodeConfig = NODE, count: int = 1) -> list[str]:
    """What is written into one chain (`table/NAME`) for one service with remote endpoints."""
    table, _, name = chain.partition("/")
    cluster = Cluster(services=(service,), slices=(remote(count),))
    return shape(write_iptables(cluster, config, Family.IPV4)).get((table, name), [])


@pytest.mark.parametrize(
    ("hashed", "expected"),
    [
        ("default/kubernetes:https" + "tcp", "NPX46M4PTMTKRN6Y"),
        ("default/nginx-service" + "tcp", "V2OKYYMBY3REGZOG"),
        ("statsd-demo/backend:http" + "tcp" + "172.27.223.101:9123", "7RROIIUYDTARWBEO"),
    ],
)
def test_chain_names_are_those_of_published_dumps(hashed: str, expected: str) -> None:
    """Names seen in dumps of other clusters come out of the same text."""
    assert chain_hash(hashed) == expected


@pytest.mark.parametrize(
    ("choices", "expected"), [(2, "0.50000000000"), (3, "0.33333333349"), (7, "0.14285714272")]
)
def test_probability_is_what_the_kernel_gives_back(choices: int, expected: str) -> None:
    """The text is that of the 31-bit number the kernel keeps, not of the fraction."""
    assert probability(choices) == expected


def test_local_policy_without_local_endpoints_keeps_the_short_circuit_and_drops_the_rest() -> None:
    """EXT still leads pods and the node to all endpoints and then ends; filter drops outsiders."""
    local = attrs.evolve(BALANCER, external_traffic_policy=TrafficPolicy.LOCAL)

    about = "shop/web external destinations"
    assert rules_of(f"nat/KUBE-EXT-{WEB_HASH}", local) == [
        f'-s 10.244.0.0/16 -m comment --comment "pod traffic for {about}" -j KUBE-SVC-{WEB_HASH}',
        f'-m comment --comment "masquerade LOCAL traffic for {about}"'
        " -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ",
        f'-m comment --comment "route LOCAL traffic for {about}"'
        f" -m addrtype --src-type LOCAL -j KUBE-SVC-{WEB_HASH}",
    ]
    assert rules_of("filter/KUBE-EXTERNAL-SERVICES", local) == [
        '-d 192.0.2.10/32 -p tcp -m comment --comment "shop/web has no local endpoints"'
        " -m tcp --dport 80 -j DROP"
    ]


def test_ranges_that_hold_the_node_let_the_balancer_address_in() -> None:
    """The VIP becomes a source of its own behind the ranges (FWD-LBSR-04)."""
    ranged = attrs.evolve(BALANCER, load_balancer_source_ranges=("10.32.1.0/24", "2001:db8::/32"))

    allowed = '-m comment --comment "shop/web loadbalancer IP"'
    assert rules_of(f"nat/KUBE-FW-{WEB_HASH}", ranged) == [
        f"-s 10.32.1.0/24 {allowed} -j KUBE-EXT-{WEB_HASH}",
        f"-s 192.0.2.10/32 {allowed} -j KUBE-EXT-{WEB_HASH}",
        '-m comment --comment "other traffic to shop/web will be dropped by KUBE-PROXY-FIREWALL"',
    ]


@pytest.mark.parametrize("ranges", [("198.51.100.0/24", "0.0.0.0/0"), ("2001:db8::/32",)])
def test_ranges_that_restrict_nobody_make_no_firewall(ranges: tuple[str, ...]) -> None:
    """A /0 among the ranges, or none of the family, leaves the address open."""
    ranged = attrs.evolve(BALANCER, load_balancer_source_ranges=ranges)

    assert rules_of("filter/KUBE-PROXY-FIREWALL", ranged) == []
    assert rules_of("nat/KUBE-SERVICES", ranged)[1].endswith(f"-j KUBE-EXT-{WEB_HASH}")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (NODE, ["! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp"]),
        (
            attrs.evolve(NODE, detect_local=DetectLocalMode.BRIDGE_INTERFACE, bridge_interface="cbr0"),
            ["-d 10.96.0.10/32 ! -i cbr0 -p tcp"],
        ),
        (
            attrs.evolve(
                NODE, detect_local=DetectLocalMode.INTERFACE_NAME_PREFIX, interface_name_prefix="cali"
            ),
            ["-d 10.96.0.10/32 ! -i cali+ -p tcp"],
        ),
        (attrs.evolve(NODE, masquerade_all=True), ["-d 10.96.0.10/32 -p tcp"]),
        (attrs.evolve(NODE, detect_local=DetectLocalMode.NONE), []),
    ],
)
def test_each_detector_has_its_own_masquerade_rule(config: NodeConfig, expected: list[str]) -> None:
    """SVC marks what does not come from a pod, its options in the order iptables prints them."""
    marking = [
        rule.partition(" -m comment")[0]
        for rule in rules_of(f"nat/KUBE-SVC-{WEB_HASH}", SERVICE, config)
        if "KUBE-MARK-MASQ" in rule
    ]

    assert marking == expected


def test_loopback_off_closes_127_and_takes_the_guard_away() -> None:
    """Without localhost node ports there is no counting twin, no guard, and 127/8 is excluded (NP-03)."""
    service = attrs.evolve(SERVICE, type=ServiceType.NODE_PORT, ports=(ServicePort("", "TCP", 80, 30080),))
    config = attrs.evolve(NODE, localhost_node_ports=False)

    assert rules_of("nat/KUBE-NODEPORTS", service, config) == [
        f'-p tcp -m comment --comment "shop/web" -m tcp --dport 30080 -j KUBE-EXT-{WEB_HASH}'
    ]
    assert rules_of("filter/KUBE-FIREWALL", service, config) == []
    assert rules_of("nat/KUBE-SERVICES", service, config)[-1].startswith("! -d 127.0.0.0/8 ")


@pytest.mark.parametrize(("count", "commented"), [(1000, True), (1001, False)])
def test_endpoint_comments_end_beyond_a_thousand_endpoints(count: int, commented: bool) -> None:
    """Endpoint jumps lose their comment, the cluster IP rule before them keeps it."""
    first, second, *_ = rules_of(f"nat/KUBE-SVC-{WEB_HASH}", SERVICE, count=count)

    assert ("--comment" in first, "--comment" in second) == (True, commented)


def test_a_client_with_a_memory_is_asked_for_before_chance() -> None:
    """The recent rule precedes the lottery and names the endpoint's chain."""
    sticky = attrs.evolve(SERVICE, session_affinity=SessionAffinity.CLIENT_IP, affinity_seconds=60)

    sep = "KUBE-SEP-" + chain_hash("shop/webtcp10.244.1.2:8080")
    assert rules_of(f"nat/KUBE-SVC-{WEB_HASH}", sticky)[1:] == [
        '-m comment --comment "shop/web -> 10.244.1.2:8080" -m recent --rcheck --seconds 60 --reap'
        f" --name {sep} --mask 255.255.255.255 --rsource -j {sep}",
        f'-m comment --comment "shop/web -> 10.244.1.2:8080" -j {sep}',
    ]


def test_a_seed_changes_the_order_between_services_only() -> None:
    """Shuffled or not, the same rules are written, and the node-port dispatch stays last."""
    cluster, config = generate_cluster(20, 2)
    plain, shuffled = (write_iptables(cluster, config, Family.IPV4, seed) for seed in (None, 5))

    assert plain != shuffled
    assert shape(plain) == shape(shuffled)
    assert re.findall("-A KUBE-SERVICES .*", shuffled)[-1].endswith("-j KUBE-NODEPORTS")


def test_generated_clusters_have_53_lines_a_service_at_ten_endpoints() -> None:
    """The mix gives about 53 lines a service, and no two endpoints share an address."""
    cluster, config = generate_cluster(200, 10)

    addresses = [entry.addresses for piece in cluster.slices for entry in piece.endpoints]
    assert round(write_iptables(cluster, config, Family.IPV4).count("\n") / 200) == 53
    assert len(set(addresses)) == len(addresses) == 1900  # one service in 20 has none


def test_too_many_services_are_refused_in_words(tmp_path: Path) -> None:
    """Running out of node ports is said on one line, with exit status 2."""
    result = CliRunner().invoke(main, ["--services", "150000", "--endpoints", "0", str(tmp_path / "out")])

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: 150000 services need more node ports than there are: at most 118440"
    )


@given(drawn=clusters())
def test_a_written_bundle_reads_back_as_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[Cluster, NodeConfig]
) -> None:
    """Services, slices, nodes and the node's settings survive the round through files."""
    cluster, config = drawn
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, cluster, config)
    bundle = read_bundle(folder)
    evidence = next(node for node in bundle.nodes if node.name == config.name)
    read, _ = node_config(evidence, bundle.cluster)

    assert bundle.cluster is not None
    assert _without_identities(bundle.cluster, cluster.service_cidrs) == cluster
    for family, tool in TOOLS.items():
        rules = next(file.data for file in evidence.rules if file.label.endswith(f"/{tool}"))
        assert write_iptables(bundle.cluster, read, family).encode() == rules


def _without_identities(cluster: Cluster, service_cidrs: tuple[str, ...]) -> Cluster:
    """The cluster without what only an API server adds: who owns what under which uid."""
    return attrs.evolve(
        cluster,
        services=tuple(attrs.evolve(one, uid="") for one in cluster.services),
        slices=tuple(attrs.evolve(one, service_owners=()) for one in cluster.slices),
        service_cidrs=service_cidrs,
    )
