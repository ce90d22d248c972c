"""`svcproof render` writes rules that `svcproof check` finds conforming, and says what a manifest changes."""

import json
import shutil
from pathlib import Path

import pytest

from oracle.cli import run
from oracle.writing.files import Line
from oracle.writing.what_if import Change, changes

ROOT = Path(__file__).parents[3]
HEALTHY = ROOT / "examples" / "healthy"
NODE = HEALTHY / "nodes" / "node-a"

Capture = pytest.CaptureFixture[str]

NEW = """\
apiVersion: v1
kind: Service
metadata: {name: fresh, namespace: shop}
spec: {clusterIP: 10.96.200.1, ports: [{port: 80}]}
"""
SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: fresh-1, namespace: shop, labels: {kubernetes.io/service-name: fresh}}
addressType: IPv4
endpoints: [{addresses: [10.244.9.9], conditions: {ready: true}}]
ports: [{port: 8080}]
"""


def render(capsys: Capture, *arguments: str | Path) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) for node-a of the healthy cluster."""
    objects = [f"--from-objects={HEALTHY / name}" for name in ("cluster.json", "servicecidrs.json")]
    files = [f"--addresses={NODE / 'ip-addr.json'}", f"--proxy-config={NODE / 'kube-proxy-config.yaml'}"]
    status = run(["render", *objects, "--node=node-a", *files, *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def a_bundle(folder: Path, mode: str) -> Path:
    """The healthy cluster with node-a alone, in the mode, without rules."""
    node = folder / "nodes" / "node-a"
    node.mkdir(parents=True)
    for name in ("cluster.json", "servicecidrs.json"):
        shutil.copy(HEALTHY / name, folder)
    shutil.copy(NODE / "ip-addr.json", node)
    config = (NODE / "kube-proxy-config.yaml").read_text()
    (node / "kube-proxy-config.yaml").write_text(config.replace("mode: iptables", f"mode: {mode}"))
    return node


def test_check_finds_iptables_rules_conforming(tmp_path: Path, capsys: Capture) -> None:
    """MODE-02 included: the guard of loopback is known by its chain's name, so nothing is warned of."""
    node = a_bundle(tmp_path, "iptables")
    for family, name in (("IPv4", "iptables-save"), ("IPv6", "ip6tables-save")):
        (node / name).write_text(render(capsys, "--family", family)[1])

    status = run(["check", str(tmp_path)])

    said = capsys.readouterr().out
    assert (0, True, False) == (status, said.startswith("node-a  CONFORMS"), "warning" in said)


def test_check_finds_nftables_rules_conforming(tmp_path: Path, capsys: Capture) -> None:
    """MODE-05 and MODE-06 included; both families are in one listing."""
    node = a_bundle(tmp_path, "nftables")
    (node / "nft").write_text(render(capsys, "--mode", "nftables")[1])

    status = run(["check", str(tmp_path)])

    said = capsys.readouterr().out
    assert (0, True, False) == (status, said.startswith("node-a  CONFORMS"), "warning" in said)


def test_a_manifest_says_what_it_changes(tmp_path: Path, capsys: Capture) -> None:
    """A Service without endpoints comes as a refusal (FWD-REJ-01), and nothing else moves."""
    manifest = tmp_path / "new.yaml"
    manifest.write_text(NEW)

    status, out, _ = render(capsys, "--with-manifest", manifest)

    lines = out.splitlines()
    assert (0, "node-a IPv4: 0 rules go, 3 come", "  shop/fresh") == (status, *lines[:2])
    assert (
        "    + -A KUBE-PROXY-FIREWALL -d 10.96.200.1/32 -p tcp -m tcp --dport 80 -m comment --comment"
        ' "shop/fresh CIP [FWD-REJ-01]" -j REJECT --reject-with icmp-port-unreachable'
    ) in lines
    assert "node-a IPv6: no rule changes" == lines[-1]


def test_a_manifest_that_the_server_refuses_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    """One line names the file, the object and the field."""
    manifest = tmp_path / "new.yaml"
    manifest.write_text(NEW.replace("port: 80", "port: 0"))

    status, out, err = render(capsys, "--with-manifest", manifest)

    assert (2, "", 1) == (status, out, err.count("\n"))
    assert all(word in err for word in (str(manifest), "Service fresh is refused", "spec.ports[0].port"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--node=node-a"], "give --cluster", id="no objects"),
        pytest.param(
            [f"--cluster={HEALTHY / 'cluster.json'}", "--node=elsewhere"],
            "no address of elsewhere",
            id="no node",
        ),
        pytest.param(["--cluster=-", "--with-manifest=-", "--node=n"], "only one input", id="two inputs"),
    ],
)
def test_what_is_missing_is_said(arguments: list[str], says: str, capsys: Capture) -> None:
    """Exit status 2, and no rules."""
    status = run(["render", *arguments])

    said = capsys.readouterr()
    assert (2, "", True) == (status, said.out, says in said.err)


def test_ipvs_mode_is_not_written(tmp_path: Path, capsys: Capture) -> None:
    """Its virtual servers are no rules; another mode may be asked for."""
    config = tmp_path / "config.yaml"
    config.write_text((NODE / "kube-proxy-config.yaml").read_text().replace("mode: iptables", "mode: ipvs"))

    refused = render(capsys, "--proxy-config", config)
    written = render(capsys, "--proxy-config", config, "--mode", "nftables", "--family", "IPv4")

    assert (2, "", 0) == (refused[0], refused[1], written[0])
    assert written[1].startswith("table ip kube-proxy {")


def test_lines_that_differ_are_told_by_service() -> None:
    """A line is its Service's by the whole comment, however it is quoted; others are the node's."""
    web, frame, nobodys = "shop/web:http CIP [FWD-CIP-01]", None, "no Service's [MODE-02]"
    before = [Line("-A A -j B", web), Line(":B - [0:0]", frame), Line("-A C -j D", nobodys)]
    after = [Line("-A A -j E", web), Line(":E - [0:0]", frame), Line("-A C -j F", nobodys)]

    found = list(changes(before, after))

    assert [
        Change("shop/web", ("-A A -j B",), ("-A A -j E",)),
        Change(None, ("-A C -j D",), ("-A C -j F",)),
    ] == found


def test_a_translation_is_its_services(tmp_path: Path, capsys: Capture) -> None:
    """A comment of one word stands without quotes, and the line is told under its Service all the same."""
    manifest = tmp_path / "new.yaml"
    manifest.write_text(f"{NEW}---\n{SLICE}")

    out = render(capsys, "--with-manifest", manifest, "--family", "IPv4")[1].splitlines()

    assert "  the node" not in out
    assert any(line.endswith("-j DNAT --to-destination 10.244.9.9:8080") for line in out)


def test_json_has_the_files_and_what_each_line_is_for(capsys: Capture) -> None:
    """FWD-LBSR-01 drops in one line, which is found by its number in the file's text."""
    status, out, _ = render(capsys, "--format", "json", "--family", "IPv4")

    answer = json.loads(out)
    (file,) = answer["files"]
    (drop,) = (
        line for line in answer["lines"] if line["cites"] == ["FWD-LBSR-01"] and "DROP" in line["text"]
    )
    assert (0, 1, "node-a", "iptables", ["IPv4"]) == (
        status,
        *(answer[key] for key in ("version", "node", "mode", "families")),
    )
    assert ("iptables-save", ["IPv4"]) == (file["name"], file["families"])
    assert ("iptables-save", "shop/web", "shop/web LBV [FWD-LBSR-01]") == tuple(
        drop[key] for key in ("file", "service", "comment")
    )
    assert drop["text"] == file["text"].splitlines()[drop["line"] - 1]


def test_json_has_both_families_of_a_listing_in_one_file(capsys: Capture) -> None:
    """What is rendered as text is the file's text."""
    as_text = render(capsys, "--mode", "nftables")[1]
    as_json = json.loads(render(capsys, "--mode", "nftables", "--format", "json")[1])

    assert [{"name": "nft", "families": ["IPv4", "IPv6"], "text": as_text}] == as_json["files"]


def test_json_of_a_manifest_has_the_changes_of_each_family(tmp_path: Path, capsys: Capture) -> None:
    """One entry for a family and a Service, with the lines that go and those that come."""
    manifest = tmp_path / "new.yaml"
    manifest.write_text(NEW)

    status, out, _ = render(capsys, "--with-manifest", manifest, "--format", "json")

    answer = json.loads(out)
    (change,) = answer["changes"]
    assert (0, ["IPv4", "IPv6"]) == (status, answer["families"])
    assert ("IPv4", "shop/fresh", [], 3) == (
        *(change[key] for key in ("family", "service", "gone")),
        len(change["come"]),
    )
