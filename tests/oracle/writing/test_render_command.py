"""`svcproof render` writes rules that `svcproof check` finds conforming, and says what a manifest changes."""

import shutil
from pathlib import Path

import pytest

from oracle.cli import run
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
    """Rules of no Service belong to the node; what is no rule is not told."""
    before = '-A A -m comment --comment "shop/web CIP" -j B\n:B - [0:0]\n-A C -j D\n'
    after = '-A A -m comment --comment "shop/web CIP" -j E\n-A C -j F\n'

    found = list(changes(before, after))

    assert [
        Change(
            "shop/web",
            ('-A A -m comment --comment "shop/web CIP" -j B',),
            ('-A A -m comment --comment "shop/web CIP" -j E',),
        ),
        Change("the node", ("-A C -j D",), ("-A C -j F",)),
    ] == found
