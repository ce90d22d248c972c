"""What `svcproof diff` tells of two rule sets: all that differs, nothing that does not, and why."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oracle.cli import run

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "examples" / "healthy"
DUMPS = ROOT / "tests" / "dumps"

Capture = pytest.CaptureFixture[str]
Told = tuple[str | None, str, str, str, tuple[str, ...]]


def diff(capsys: Capture, *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
    """(exit status, nodes of the JSON answer)."""
    status = run(["diff", *map(str, arguments), "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == 1
    return status, answer["nodes"]


def told(node: dict[str, Any]) -> set[Told]:
    """(Service, kind, from, to, rules cited) of each difference of a node."""
    return {
        (one["service"], one["kind"], one["from"], one["to"], tuple(one["cites"]))
        for one in node["differences"]
    }


def edited(tmp_path: Path, change: Callable[[str], str], bundle: Path = HEALTHY) -> Path:
    """A copy of a bundle whose IPv4 rules of node-a are changed, of node-a alone."""
    copy = tmp_path / "edited"
    shutil.copytree(bundle, copy)
    for name in ("node-b", "node-c"):
        shutil.rmtree(copy / "nodes" / name)
    file = copy / "nodes" / "node-a" / "iptables-save"
    text = file.read_text()
    changed = change(text)
    assert changed != text
    file.write_text(changed)
    return copy


@pytest.mark.parametrize(
    "bundle", [HEALTHY, *sorted(DUMPS.glob("*.*tables"))], ids=lambda path: str(path.name)
)
def test_no_rules_differ_from_themselves(bundle: Path, capsys: Capture) -> None:
    status, nodes = diff(capsys, bundle, bundle)

    assert {"same"} == {node["verdict"] for node in nodes}
    assert status == 0


def test_other_words_for_the_same_treatment_are_no_difference(tmp_path: Path, capsys: Capture) -> None:
    """Chains under other names and in another order, comments gone, a range of sources split."""

    def other_words(text: str) -> str:
        text = re.sub(r' -m comment --comment "[^"]*"', "", text)
        text = text.replace("KUBE-SEP-", "AAAA-SEP-")
        split = re.sub(
            r"^(-A KUBE-FW-\S+) -s 203.0.113.0/24(.*)$",
            r"\1 -s 203.0.113.128/25\2\n\1 -s 203.0.113.0/25\2",
            text,
            flags=re.MULTILINE,
        )
        tables = split.split("COMMIT\n")
        return "COMMIT\n".join(["\n".join(_chains_reversed(one)) for one in tables])

    status, (node,) = diff(capsys, HEALTHY, edited(tmp_path, other_words))

    assert [] == node["differences"]
    assert status == 0


def _chains_reversed(table: str) -> list[str]:
    """A table's lines, its chains in another order and each chain's rules in theirs."""
    lines = table.split("\n")
    rules = [line for line in lines if line.startswith("-A ")]
    others = [line for line in lines if not line.startswith("-A ") and line]
    if not rules:
        return lines
    return [*others, *sorted(rules, key=lambda line: line.split()[1], reverse=True), ""]


@pytest.mark.parametrize(
    ("pattern", "instead", "service", "kind", "before", "after"),
    [
        (
            r"-A KUBE-SERVICES -d 192\.0\.2\.12/32 .*\n",
            "",
            "shop/web-open",
            "load balancer address",
            "delivered",
            "left alone",
        ),
        (
            r"(-A KUBE-FW-\S+) -s 198\.51\.100\.7/32",
            r"\1 -s 198.51.100.8/32",
            "shop/web",
            "load balancer address",
            "dropped",
            "delivered",
        ),
        (
            r"(-A KUBE-SVC-E3PX\S+ .*--probability) 0\.50000000000",
            r"\1 0.25000000000",
            "shop/web",
            "cluster IP",
            "delivered, evenly",
            "delivered, unevenly (1/4, 3/4)",
        ),
        (
            r"-A KUBE-SVC-PJA6\S+ ! -s 10\.244\.0\.0/16 .*-j KUBE-MARK-MASQ\n",
            "",
            "shop/web-open",
            "cluster IP",
            "delivered, source replaced",
            "delivered, source kept",
        ),
        (
            r"(-A KUBE-SEP-UFSG\S+ -p tcp .*)10\.244\.1\.10:8080",
            r"\g<1>10.244.1.11:8080",
            "shop/web-open",
            "cluster IP",
            "delivered, also to 10.244.1.10:8080",
            "delivered, also to 10.244.1.11:8080",
        ),
    ],
)
def test_a_single_edit_is_found_and_nothing_explains_it(
    pattern: str,
    instead: str,
    service: str,
    kind: str,
    before: str,
    after: str,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    changed = edited(tmp_path, lambda text: re.sub(pattern, instead, text))

    status, (node,) = diff(capsys, HEALTHY, changed)

    assert (service, kind, before, after, ()) in told(node)
    assert {service} == {one["service"] for one in node["differences"]}
    assert all(one["cause"]["kinds"] == ["departure"] for one in node["differences"])
    assert all(one["cause"]["departs"] == ["B"] for one in node["differences"])
    assert (status, node["explained"]) == (1, 0)


def test_a_difference_has_a_packet_its_fates_and_the_lines_that_decide(
    tmp_path: Path, capsys: Capture
) -> None:
    changed = edited(tmp_path, lambda text: re.sub(r"-A KUBE-SERVICES -d 192\.0\.2\.12/32 .*\n", "", text))

    _, (node,) = diff(capsys, HEALTHY, changed)

    (one,) = node["differences"]
    assert (one["packet"]["to"], one["packet"]["port"]) == ("192.0.2.12", 80)
    assert one["destinations"] == ["192.0.2.12"]
    assert [one["a"]["verdict"], one["b"]["verdict"]] == ["dnat", "pass"]
    assert any("--to-destination 10.244.0.10:8080" in line["text"] for line in one["rules"]["a"])
    assert all("-d 192.0.2.12/32" not in line["text"] for line in one["rules"]["b"])
    assert one["replayed"] is True
    assert one["port"] == {"name": "", "number": 80}


def test_without_objects_classes_are_exact_and_nothing_explains_them(tmp_path: Path, capsys: Capture) -> None:
    changed = edited(tmp_path, lambda text: re.sub(r"-A KUBE-SERVICES -d 192\.0\.2\.12/32 .*\n", "", text))
    files = [root / "nodes" / "node-a" / "iptables-save" for root in (HEALTHY, changed)]

    status, (node,) = diff(capsys, *files)

    (one,) = node["differences"]
    assert (status, one["service"], one["from"], one["to"]) == (1, "shop/web-open", "delivered", "left alone")
    assert one["destinations"] == ["192.0.2.12"]
    assert (one["explained"], one["cause"]["kinds"]) == (False, ["no-objects"])


def test_a_file_beside_a_bundle_is_read_with_the_bundles_objects(tmp_path: Path, capsys: Capture) -> None:
    changed = edited(tmp_path, lambda text: re.sub(r"-A KUBE-SERVICES -d 192\.0\.2\.12/32 .*\n", "", text))

    file = changed / "nodes" / "node-a" / "iptables-save"
    status, (node,) = diff(capsys, HEALTHY, file, "--node", "node-a")

    assert status == 1
    assert {("shop/web-open", "load balancer address", "delivered", "left alone", ())} == told(node)


NFTABLES_CHANGES_OF_HEALTHY: set[Told] = {
    *(
        (service, kind, "left alone", "refused", (rule,))
        for service in ("default/kubernetes", "shop/web", "shop/web-open")
        for kind, rule in (("cluster IP, undefined port", "MODE-05"), ("cluster IP, ICMP", "MODE-07"))
    ),
    (None, "unallocated service address", "left alone", "dropped", ("MODE-06",)),
    *(
        (service, "node port", "delivered", "left alone", ("MODE-02", "NP-03"))
        for service in ("shop/web", "shop/web-open")
    ),
    # The endpoint 10.244.1.10 is on node-b; a pod may reach itself through every frontend that
    # admits pods, which the load balancer address of `web` does not.
    *(
        (
            service,
            kind,
            "delivered, source replaced when sent back to its sender",
            "delivered, source kept when sent back to its sender",
            ("MODE-21",),
        )
        for service, kind in (
            ("shop/web", "cluster IP"),
            ("shop/web", "node port"),
            ("shop/web-open", "cluster IP"),
            ("shop/web-open", "node port"),
            ("shop/web-open", "load balancer address"),
        )
    ),
}


def test_another_mode_is_told_by_its_rules(capsys: Capture) -> None:
    """MODE-02, MODE-05, MODE-06, MODE-07, MODE-21: all that nftables mode changes on a healthy node."""
    status, (node,) = diff(capsys, HEALTHY, "mode:nftables", "--node", "node-a")

    assert NFTABLES_CHANGES_OF_HEALTHY == told(node)
    assert (status, node["unexplained"]) == (1, 0)


def test_a_mode_on_the_left_tells_the_same_the_other_way_round(capsys: Capture) -> None:
    _, (node,) = diff(capsys, "mode:nftables", HEALTHY, "--node", "node-a")

    turned = {(service, kind, to, from_, cites) for service, kind, from_, to, cites in told(node)}
    assert NFTABLES_CHANGES_OF_HEALTHY == turned


def test_rules_do_what_the_contract_of_their_own_mode_says(capsys: Capture) -> None:
    status, nodes = diff(capsys, HEALTHY, "mode:iptables")

    assert ["same"] * 3 == [node["verdict"] for node in nodes]
    assert status == 0


def test_nftables_mode_leaves_node_ports_alone_on_all_but_the_primary_address(
    tmp_path: Path, capsys: Capture
) -> None:
    """MODE-01, NP-02."""
    bundle = with_docker(tmp_path)

    _, (node,) = diff(capsys, bundle, "mode:nftables", "--node", "node-a")

    lost = [one for one in node["differences"] if "MODE-01" in one["cites"]]
    assert {(one["service"], one["from"], one["to"]) for one in lost} == {
        ("shop/web", "delivered", "left alone"),
        ("shop/web-open", "delivered", "left alone"),
    }
    assert all(one["destinations"] == ["172.17.0.1"] for one in lost)
    assert all(one["cites"] == ["MODE-01", "NP-02"] for one in lost)


def with_docker(tmp_path: Path) -> Path:
    """The healthy bundle with a second address on node-a, as docker gives one."""
    copy = tmp_path / "docker"
    shutil.copytree(HEALTHY, copy)
    file = copy / "nodes" / "node-a" / "ip-addr.json"
    listed = json.loads(file.read_text())
    own = {"family": "inet", "local": "172.17.0.1", "prefixlen": 16, "scope": "global"}
    listed.append({"ifname": "docker0", "addr_info": [own]})
    file.write_text(json.dumps(listed))
    return copy


def test_refusals_of_node_ports_are_held_to_the_node_port_addresses(capsys: Capture) -> None:
    """MODE-11: iptables refuses on loopback what has no endpoint, nftables leaves it alone."""
    bundle = DUMPS / "no-endpoints.iptables"

    _, (node,) = diff(capsys, bundle, "mode:nftables", "--node", "node-a")

    refused = {one for one in told(node) if "MODE-11" in one[4]}
    assert refused == {
        (service, "node port", "refused", "left alone", ("MODE-11", "MODE-02", "NP-03"))
        for service in ("shop/empty-np", "shop/empty-lb", "shop/empty-lb-local")
    }


def test_the_nodes_own_packets_to_external_addresses_without_endpoints(capsys: Capture) -> None:
    """MODE-10: no rule in OUTPUT refuses them in iptables mode."""
    bundle = DUMPS / "no-endpoints.iptables"

    _, (node,) = diff(capsys, bundle, "mode:nftables", "--node", "node-a")

    external = [one for one in node["differences"] if one["cites"] == ["MODE-10"]]
    assert {(one["service"], one["kind"]) for one in external} == {
        ("shop/empty-lb", "external IP"),
        ("shop/empty-lb", "load balancer address"),
        ("shop/empty-lb-local", "load balancer address"),
    }
    assert {"node"} == {one["packet"]["origin"] for one in external}
    assert {("left alone", "refused")} == {(one["from"], one["to"]) for one in external}


def between_modes(
    tmp_path: Path, capsys: Capture, first: str, second: str, *, without_endpoints: str = ""
) -> dict[str, Any]:
    """What two modes do with the healthy cluster on node-a, one Service's endpoints taken away."""
    objects = json.loads((HEALTHY / "cluster.json").read_text())
    label = "kubernetes.io/service-name"
    objects["items"] = [
        one
        for one in objects["items"]
        if one["kind"] != "EndpointSlice" or one["metadata"]["labels"].get(label) != without_endpoints
    ]
    cluster = tmp_path / "cluster.json"
    cluster.write_text(json.dumps(objects))
    node = HEALTHY / "nodes" / "node-a"
    given: list[str | Path] = ["--cluster", cluster, "--node", "node-a", "--addresses", node / "ip-addr.json"]
    given += ["--proxy-config", node / "kube-proxy-config.yaml"]
    _, (answer,) = diff(capsys, first, second, *given)
    return answer


def test_without_endpoints_a_source_outside_the_ranges_is_dropped_and_not_refused(
    tmp_path: Path, capsys: Capture
) -> None:
    """MODE-12; from the node itself nothing refuses in iptables mode (MODE-10)."""
    node = between_modes(tmp_path, capsys, "mode:iptables", "mode:nftables", without_endpoints="web")

    balanced = {one for one in told(node) if one[1] == "load balancer address" and one[0] == "shop/web"}
    assert balanced == {
        ("shop/web", "load balancer address", "refused", "dropped", ("MODE-12",)),
        ("shop/web", "load balancer address", "left alone", "dropped", ("MODE-10",)),
    }


def test_ranges_that_leave_the_node_out_do_not_bind_its_own_packets_in_ipvs_mode(
    tmp_path: Path, capsys: Capture
) -> None:
    """MODE-13."""
    node = between_modes(tmp_path, capsys, "mode:iptables", "mode:ipvs")

    opened = [one for one in node["differences"] if "MODE-13" in one["cites"]]
    assert opened
    assert {("shop/web", "dropped", "delivered")} == {
        (one["service"], one["from"], one["to"]) for one in opened
    }
    assert {"node"} == {one["packet"]["origin"] for one in opened}


def test_with_unexplained_only_what_nothing_explains_counts(tmp_path: Path, capsys: Capture) -> None:
    healthy = run(["diff", str(HEALTHY), "mode:nftables", "--unexplained"])
    said = capsys.readouterr().out
    changed = edited(tmp_path, lambda text: re.sub(r"-A KUBE-SERVICES -d 192\.0\.2\.12/32 .*\n", "", text))

    status, (node,) = diff(capsys, changed, "mode:nftables", "--unexplained")

    assert healthy == 0
    assert "MODE-05" not in said
    assert (status, node["unexplained"]) == (1, len(node["differences"]))
    assert {("shop/web-open", "load balancer address", "left alone", "delivered", ())} <= told(node)


def test_a_setting_that_differs_is_named(tmp_path: Path, capsys: Capture) -> None:
    """MASQ-01: masqueradeAll on one side."""
    other = tmp_path / "other"
    shutil.copytree(HEALTHY, other)
    file = other / "nodes" / "node-a" / "kube-proxy-config.yaml"
    file.write_text(file.read_text().replace("iptables:\n", "iptables:\n  masqueradeAll: true\n"))

    cluster = HEALTHY / "cluster.json"
    options = ["--node", "node-a", "--cluster", str(cluster), "--addresses"]
    options += [str(HEALTHY / "nodes" / "node-a" / "ip-addr.json"), "--proxy-config", str(file)]
    _, (node,) = diff(capsys, "mode:nftables", "mode:iptables", *options)

    (pods,) = [
        one
        for one in node["differences"]
        if (one["service"], one["from"]) == ("shop/web", "delivered, source kept")
        if one["kind"] == "cluster IP"
    ]
    assert pods["to"] == "delivered, source replaced"
    assert pods["cites"] == ["MASQ-01", "MASQ-03"]
    assert pods["cause"]["kinds"] == ["setting"]
    assert pods["cause"]["text"] == ["masqueradeAll differs"]


def test_another_moment_names_what_changed(capsys: Capture) -> None:
    """Where each side is right for its own objects, the objects are the cause."""
    bundle = DUMPS / "stale-pod-deleted.iptables"
    earlier = HEALTHY

    _, (node,) = diff(capsys, earlier, bundle, "--node", "node-c")

    gone = [one for one in node["differences"] if one["service"] == "shop/web-open"]
    assert gone
    assert all(one["cause"]["kinds"] == ["objects"] for one in gone)
    assert all("only in A" in text for one in gone for text in one["cause"]["text"])


def test_rules_that_lag_are_told_to_fit_the_other_sides_objects(tmp_path: Path, capsys: Capture) -> None:
    """SYNC-02: the proxy of node-a stopped before a pod was deleted; A is the moment before."""
    stale = DUMPS / "stale-pod-deleted.iptables"
    before = edited(
        tmp_path,
        lambda text: re.sub(r"-A KUBE-SERVICES -d 192\.0\.2\.10/32 .*\n", "", text),
        stale,
    )
    shutil.copy(before / "cluster-before.json", before / "cluster.json")

    _, (node,) = diff(capsys, before, stale, "--node", "node-a")

    # Clients from outside reach the endpoint on node-a alone, which is right before and after (FWD-ETP-04).
    both, outside = sorted(node["differences"], key=lambda one: len(one["cause"]["departs"]), reverse=True)
    first, second = both["cause"]["text"]
    assert (both["service"], both["cause"]["departs"]) == ("shop/lb", ["A", "B"])
    assert (outside["service"], outside["cause"]["departs"]) == ("shop/lb", ["A"])
    assert first == "A's rules are not what its contract says"
    assert "B's rules are not what its contract says; they fit the objects of A" in second
    assert "endpoint 10.244.1.10:8080 no longer used" in second


def test_rules_that_are_only_late_behave_as_before(tmp_path: Path, capsys: Capture) -> None:
    """Equal rules are no difference, whatever objects stand beside them."""
    stale = DUMPS / "stale-pod-deleted.iptables"
    before = tmp_path / "before"
    shutil.copytree(stale, before)
    shutil.copy(before / "cluster-before.json", before / "cluster.json")

    status, (node,) = diff(capsys, before, stale, "--node", "node-a")

    assert (status, node["differences"]) == (0, [])


def test_what_network_plugins_do_is_left_out_beside_a_mode(tmp_path: Path, capsys: Capture) -> None:
    """They would do it in every mode; beside other rules it is a difference that no mode explains."""
    rule = "-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE\nCOMMIT\n"

    def with_plugin(text: str) -> str:
        before, table, after = text.rpartition("*nat\n")
        return before + table + after.replace("COMMIT\n", rule, 1)

    changed = edited(tmp_path, with_plugin)

    assert run(["diff", str(changed), "mode:iptables"]) == 0
    assert run(["diff", str(changed), "mode:nftables", "--unexplained"]) == 0
    capsys.readouterr()
    status, (node,) = diff(capsys, HEALTHY, changed)
    assert status == 1
    assert {"others"} == {kind for one in node["differences"] for kind in one["cause"]["kinds"]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["mode:nft", str(HEALTHY)], "mode:nft: no such mode; there are iptables, nftables, ipvs"),
        ([str(HEALTHY), "mode:nftables", "--node", "x"], "no node 'x'; there are: node-a, node-b, node-c"),
        (["nowhere", str(HEALTHY)], "which node? choose one with --node: node-a, node-b, node-c"),
        (["mode:iptables", "mode:nftables"], "a mode needs the cluster's objects"),
        (
            [str(HEALTHY), "mode:nftables", "--cluster", str(HEALTHY / "cluster.json")],
            "a bundle has its own objects, addresses and configuration",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(
    arguments: list[str], expected: str, capsys: Capture
) -> None:
    status = run(["diff", *arguments])

    error = capsys.readouterr().err
    assert status == 2
    assert expected in error
    assert error.count("\n") == 1


def test_bundles_without_a_common_node_are_refused(tmp_path: Path, capsys: Capture) -> None:
    other = tmp_path / "other"
    shutil.copytree(HEALTHY, other)
    shutil.rmtree(other / "nodes" / "node-a")
    only_a = edited(tmp_path, lambda text: text + "# \n")

    status = run(["diff", str(only_a), str(other)])

    assert status == 2
    assert "no node is in both bundles: node-a and node-b, node-c" in capsys.readouterr().err


def test_text_tells_what_is_alike_once(capsys: Capture) -> None:
    status = run(["diff", str(HEALTHY), "mode:nftables", "--node", "node-a"])

    said = capsys.readouterr().out
    assert status == 1
    assert said.startswith("node-a  DIFFERS  15 differences, all explained")
    assert said.count("[MODE-05] cluster IP, undefined port: left alone -> refused") == 1
    assert "services  default/kubernetes, shop/web, shop/web-open  " in said


def test_a_line_that_cannot_be_judged_is_told_where_fates_hang_on_it(tmp_path: Path, capsys: Capture) -> None:
    """Nothing is guessed: no difference is claimed, and no equality."""

    option = " -d 192.0.2.12/32 -m unheard --of it "
    changed = edited(tmp_path, lambda text: text.replace(" -d 192.0.2.12/32 ", option))

    status, (node,) = diff(capsys, HEALTHY, changed)

    assert (status, node["verdict"], node["differences"]) == (2, "not-judged", [])
    assert any("-m unheard --of it" in one["text"] and one["matters"] for one in node["unsupported"])
    assert {"B: nodes/node-a/iptables-save"} == {one["file"] for one in node["unsupported"]}
    assert diff(capsys, changed, changed)[0] == 0


BOTH_MODES = sorted(
    path.name.removesuffix(".nftables")
    for path in DUMPS.glob("*.nftables")
    if (DUMPS / f"{path.name.removesuffix('.nftables')}.iptables").is_dir()
    if not path.name.startswith(("stale-", "broken-", "kp130-"))
)


@pytest.mark.parametrize("name", [name for name in BOTH_MODES if name not in ("busy-1", "terminating")])
def test_one_cluster_recorded_in_two_modes_differs_as_the_modes_do(name: str, capsys: Capture) -> None:
    """MODE-05, MODE-06, MODE-07 at every cluster IP; the recordings' own addresses may differ too."""
    status, nodes = diff(capsys, DUMPS / f"{name}.iptables", DUMPS / f"{name}.nftables")

    differences = [one for node in nodes for one in node["differences"]]
    kinds = {kind for one in differences for kind in one["cause"]["kinds"]}
    assert status == 1
    assert all(one["explained"] for one in differences)
    assert kinds <= {"mode", "setting", "objects", "choice"}
    assert {"MODE-05", "MODE-06", "MODE-07"} <= {rule for one in differences for rule in one["cites"]}


LISTED_TWICE = [
    path.parent
    for path in sorted(DUMPS.glob("*.nftables/nodes/node-a/nft.json*"))
    if (path.parent / "nft").exists()
]


@pytest.mark.parametrize("node", LISTED_TWICE, ids=lambda node: str(node.parents[1].stem))
def test_text_and_json_of_one_moment_are_the_same_rules(node: Path, capsys: Capture) -> None:
    """Of nft's two ways to list a rule set."""
    (json_form,) = node.glob("nft.json*")
    given: list[str | Path] = ["--cluster", *node.parents[1].glob("cluster.*"), "--node", node.name]
    given += ["--addresses", node / "ip-addr.json"]

    status, (answer,) = diff(capsys, node / "nft", json_form, *given)

    assert (status, answer["differences"]) == (0, [])
    assert answer["families"] == ["IPv4", "IPv6"]


def test_cluster_ips_that_are_no_longer_checked_are_a_departure(tmp_path: Path, capsys: Capture) -> None:
    """MODE-05, MODE-07: nothing refuses, so it is nobody else's doing."""
    copy = tmp_path / "unchecked"
    shutil.copytree(DUMPS / "nodeport.nftables", copy)
    for file in copy.glob("nodes/*/nft.json*"):
        file.unlink()
    file = copy / "nodes" / "node-a" / "nft"
    text = file.read_text()
    file.write_text(re.sub(r"^\s+ip daddr @cluster-ips reject.*\n", "", text, flags=re.MULTILINE))
    assert text != file.read_text()

    _, (node,) = diff(capsys, DUMPS / "nodeport.nftables", copy, "--node", "node-a")

    kinds = {(one["kind"], tuple(one["cause"]["kinds"])) for one in node["differences"]}
    assert kinds == {
        ("cluster IP, undefined port", ("departure",)),
        ("cluster IP, ICMP", ("departure",)),
    }
