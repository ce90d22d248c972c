"""What `svcproof migrate` says before a switch of mode: all that concerns this cluster, and no more."""

import json
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
Item = dict[str, Any]


def migrate(capsys: Capture, *arguments: str | Path) -> tuple[int, list[Item]]:
    """(exit status, items of the JSON answer)."""
    status = run(["migrate", *map(str, arguments), "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == 1
    return status, answer["items"]


def topics(items: list[Item]) -> set[tuple[str, str]]:
    return {(item["topic"], item["effect"]) for item in items}


def of(items: list[Item], topic: str) -> Item:
    (found,) = [item for item in items if item["topic"] == topic]
    return found


def one_node(tmp_path: Path, change: Callable[[Path], None], bundle: Path = HEALTHY) -> Path:
    """A copy of a bundle with node-a alone, its folder changed."""
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    for name in ("node-b", "node-c"):
        shutil.rmtree(copy / "nodes" / name, ignore_errors=True)
    change(copy / "nodes" / "node-a")
    return copy


def rewritten(name: str, old: str, new: str) -> Callable[[Path], None]:
    """A change of one file of the node."""

    def change(node: Path) -> None:
        text = (node / name).read_text()
        assert old in text
        (node / name).write_text(text.replace(old, new, 1))

    return change


def test_all_that_nftables_mode_changes_in_a_healthy_cluster(capsys: Capture) -> None:
    """The Services have node ports, source ranges and no session affinity; hosts have no firewall."""
    status, items = migrate(capsys, HEALTHY, "--to", "nftables")

    assert topics(items) == {
        ("node-ports-on-loopback", "breaks"),
        ("undefined-ports", "changes"),
        ("ping", "changes"),
        ("unallocated-addresses", "changes"),
        ("hairpin", "changes"),
        ("source-ranges", "changes"),
        ("invalid-packets", "changes"),
        ("kernel", "check"),
        ("nodePortAddresses", "check"),
    }
    assert status == 1


def test_an_item_names_services_nodes_addresses_and_rules(capsys: Capture) -> None:
    """MODE-02."""
    _, items = migrate(capsys, HEALTHY, "--to", "nftables")

    lost = of(items, "node-ports-on-loopback")
    assert lost["services"] == ["shop/web port 80/TCP", "shop/web-open port 80/TCP"]
    assert lost["nodes"] == ["node-a", "node-b", "node-c"]
    assert lost["addresses"] == ["127.0.0.0/8"]
    assert lost["cites"] == ["MODE-02", "NP-03"]


def test_a_cluster_without_node_ports_hears_nothing_of_them(capsys: Capture) -> None:
    status, items = migrate(capsys, DUMPS / "only-kubernetes.iptables", "--to", "nftables")

    assert topics(items) == {
        ("undefined-ports", "changes"),
        ("ping", "changes"),
        ("unallocated-addresses", "changes"),
        ("invalid-packets", "changes"),
        ("kernel", "check"),
    }
    assert status == 0


def test_who_uses_a_node_port_on_another_address_loses_access(tmp_path: Path, capsys: Capture) -> None:
    """MODE-01: with the addresses concerned."""

    def with_docker(node: Path) -> None:
        listed = json.loads((node / "ip-addr.json").read_text())
        own = {"family": "inet", "local": "172.17.0.1", "prefixlen": 16, "scope": "global"}
        listed.append({"ifname": "docker0", "addr_info": [own]})
        (node / "ip-addr.json").write_text(json.dumps(listed))

    _, items = migrate(capsys, one_node(tmp_path, with_docker), "--to", "nftables")

    lost = of(items, "node-ports-on-other-addresses")
    assert (lost["effect"], lost["addresses"]) == ("breaks", ["172.17.0.1"])
    assert lost["services"] == ["shop/web port 80/TCP", "shop/web-open port 80/TCP"]


def test_firewalls_of_the_host_are_named_by_their_lines(tmp_path: Path, capsys: Capture) -> None:
    """MODE-27 and MODE-28: FORWARD by its policy, INPUT by a rule; both Services have health checks."""

    def walls(node: Path) -> None:
        rewritten("iptables-save", ":FORWARD ACCEPT", ":FORWARD DROP")(node)
        rewritten(
            "iptables-save",
            "-A FORWARD -m conntrack",
            "-A INPUT -p tcp -m tcp --dport 1024:65535 -j DROP\n-A FORWARD -m conntrack",
        )(node)

    _, items = migrate(capsys, one_node(tmp_path, walls), "--to", "nftables")

    forward, health = of(items, "forward-firewall"), of(items, "health-check-firewall")
    assert [line["text"] for line in forward["lines"]] == [":FORWARD DROP"]
    assert [line["text"] for line in health["lines"]] == ["-A INPUT -p tcp -m tcp --dport 1024:65535 -j DROP"]
    assert health["services"] == ["shop/web", "shop/web-open"]
    assert (forward["cites"], health["cites"]) == (["MODE-27"], ["MODE-28"])


def test_a_rule_against_invalid_packets_is_no_firewall(tmp_path: Path, capsys: Capture) -> None:
    rule = "-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A FORWARD -m conntrack"
    change = rewritten("iptables-save", "-A FORWARD -m conntrack", rule)

    _, items = migrate(capsys, one_node(tmp_path, change), "--to", "nftables")

    assert "health-check-firewall" not in {item["topic"] for item in items}


def test_settings_of_the_old_section_that_the_new_one_lacks(tmp_path: Path, capsys: Capture) -> None:
    change = rewritten("kube-proxy-config.yaml", "iptables:\n", "iptables:\n  masqueradeAll: true\n")

    _, items = migrate(capsys, one_node(tmp_path, change), "--to", "nftables")

    assert of(items, "sections")["details"] == ["iptables.masqueradeAll: true"]


def test_node_port_addresses_that_are_set_need_no_word(tmp_path: Path, capsys: Capture) -> None:
    """NP-01: a list means the same in both modes; on loopback nothing was served."""
    change = rewritten(
        "kube-proxy-config.yaml", "mode: iptables\n", "mode: iptables\nnodePortAddresses: [primary]\n"
    )

    _, items = migrate(capsys, one_node(tmp_path, change), "--to", "nftables")

    assert "nodePortAddresses" not in {item["topic"] for item in items}


def test_clients_that_affinity_holds_are_forgotten(capsys: Capture) -> None:
    """MODE-18."""
    _, items = migrate(capsys, DUMPS / "session-affinity.iptables", "--to", "nftables")

    affinity = of(items, "affinity")
    assert affinity["effect"] == "changes"
    assert affinity["services"]
    assert all(name.startswith("shop/sticky") for name in affinity["services"])


def test_what_ipvs_mode_brings(capsys: Capture) -> None:
    """MODE-04, MODE-08, MODE-16, MODE-17, MODE-32, MODE-33."""
    _, items = migrate(capsys, HEALTHY, "--to", "ipvs", "--node", "node-a")

    assert topics(items) >= {
        ("kube-ipvs0", "changes"),
        ("undefined-external-ports", "changes"),
        ("no-short-circuit", "changes"),
        ("scheduler", "changes"),
        ("excludeCIDRs", "check"),
        ("leftovers", "tidy"),
        ("node-ports-on-loopback", "breaks"),
    }
    assert "kernel" not in {item["topic"] for item in items}


def test_policy_local_without_endpoints_here_is_served_remotely_by_ipvs(capsys: Capture) -> None:
    """MODE-15: node-c has no endpoint of either Service."""
    _, items = migrate(capsys, HEALTHY, "--to", "ipvs", "--node", "node-c")

    opened = [item for item in items if item["topic"] == "external-policy-local"]
    assert {"opens"} == {item["effect"] for item in opened}
    assert {"shop/web port 80/TCP", "shop/web-open port 80/TCP"} == {
        name for item in opened for name in item["services"]
    }


def test_present_rules_that_are_wrong_are_to_be_checked_first(capsys: Capture) -> None:
    _, items = migrate(capsys, DUMPS / "stale-pod-deleted.iptables", "--to", "nftables")

    wrong = of(items, "present-rules")
    assert (wrong["effect"], wrong["nodes"]) == ("check", ["node-a", "node-b"])
    assert wrong["lines"]


def test_versions_before_general_availability_are_told(tmp_path: Path, capsys: Capture) -> None:
    """KEP-3866: beta up to 1.32, absent before 1.29."""

    def at(version: str) -> tuple[int, Item]:
        folder = tmp_path / version
        folder.mkdir()
        bundle = one_node(folder, lambda _: None, DUMPS / "only-kubernetes.iptables")
        file = bundle / "cluster.json"
        objects = json.loads(file.read_text())
        for one in objects["items"]:
            if one["kind"] == "Node":
                one.setdefault("status", {}).setdefault("nodeInfo", {})["kubeletVersion"] = version
                one["status"]["nodeInfo"].pop("kubeProxyVersion", None)
        file.write_text(json.dumps(objects))
        status, items = migrate(capsys, bundle, "--to", "nftables")
        return status, of(items, "version")

    beta, absent = at("v1.31.2"), at("v1.28.0")

    assert (beta[0], beta[1]["effect"], beta[1]["details"]) == (0, "check", ["node-a: v1.31.2"])
    assert (absent[0], absent[1]["effect"]) == (1, "breaks")


def test_a_node_that_is_in_the_mode_already_is_left_out(capsys: Capture) -> None:
    status = run(["migrate", str(HEALTHY), "--to", "iptables", "--node", "node-a"])

    captured = capsys.readouterr()
    assert status == 0
    assert "nodes/node-a: is in mode iptables already" in captured.err
    assert "nothing to know" in captured.out


def test_files_one_by_one_under_both_names(capsys: Capture) -> None:
    node = HEALTHY / "nodes" / "node-a"
    given: list[str | Path] = ["--cluster", HEALTHY / "cluster.json", "--node", "node-a", "--to", "nftables"]
    given += ["--addresses", node / "ip-addr.json", "--proxy-config", node / "kube-proxy-config.yaml"]

    by_rules = migrate(capsys, "--rules", node / "iptables-save", *given)
    by_dump = migrate(capsys, "--from-dump", node / "iptables-save", *given)

    assert by_rules == by_dump
    assert ("node-ports-on-loopback", "breaks") in topics(by_rules[1])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--to", "nftables"], "give a bundle PATH, or --rules and --cluster"),
        ([str(HEALTHY)], "Missing option '--to'"),
        ([str(HEALTHY), "--to", "userspace"], "is not one of"),
        (["nowhere", "--to", "nftables"], "nowhere"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: list[str], expected: str, capsys: Capture) -> None:
    assert run(["migrate", *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_text_has_the_gravest_first_and_whole_sentences(capsys: Capture) -> None:
    run(["migrate", str(HEALTHY), "--to", "nftables"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "iptables -> nftables  3 nodes  1 breaks, 6 changes, 2 check"
    assert lines[2].strip().startswith("breaks  node-ports-on-loopback: node ports on 127.0.0.0/8:")
    assert not any("…" in line for line in lines if line.startswith("  ") and line[2] != " ")


def test_a_dump_that_is_a_folder_is_a_bundle(capsys: Capture) -> None:
    by_path = migrate(capsys, HEALTHY, "--to", "nftables")
    by_dump = migrate(capsys, "--from-dump", HEALTHY, "--to", "nftables")

    assert by_path[1]
    assert by_path == by_dump
