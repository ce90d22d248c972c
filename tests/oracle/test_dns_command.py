"""`svcproof dns` as its users meet it: what it prints, and with which status it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from oracle.cli import run

ROOT = Path(__file__).parents[2]

OBJECTS = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: kubernetes, namespace: default}
  spec:
    clusterIP: 10.96.0.1
    clusterIPs: [10.96.0.1]
    ports: [{name: https, port: 443, protocol: TCP, targetPort: 6443}]
- apiVersion: v1
  kind: Service
  metadata: {name: kube-dns, namespace: kube-system}
  spec:
    clusterIP: 10.96.0.10
    clusterIPs: [10.96.0.10]
    ports: [{name: dns, port: 53, protocol: UDP}]
- apiVersion: v1
  kind: Service
  metadata: {name: nginx-svc, namespace: nginx-ns}
  spec:
    clusterIP: 10.104.157.106
    clusterIPs: [10.104.157.106]
    ports: [{port: 80, protocol: TCP}]
- apiVersion: v1
  kind: Service
  metadata: {name: client-svc, namespace: default}
  spec: {type: ExternalName, externalName: nginx-svc.nginx-ns.svc.cluster.local}
- apiVersion: v1
  kind: Service
  metadata: {name: out, namespace: default}
  spec: {type: ExternalName, externalName: db.example.com}
- apiVersion: v1
  kind: Pod
  metadata: {name: agent, namespace: web}
  spec: {hostNetwork: true, nodeName: node-a, dnsPolicy: ClusterFirst}
  status: {phase: Running, podIPs: [{ip: 10.32.1.11}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: none, namespace: web}
  spec: {dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.53]}}
- apiVersion: v1
  kind: Pod
  metadata: {name: with-host-net, namespace: web}
  spec: {hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet, dnsConfig: {nameservers: [192.0.2.53]}}
- apiVersion: v1
  kind: Pod
  metadata: {name: unset, namespace: web}
"""

SEED_ANSWER = """\
;; asked by a pod in namespace web: nameserver 10.96.0.10; \
search web.svc.cluster.local svc.cluster.local cluster.local; options ndots:5
;; 1. client-svc.default.web.svc.cluster.local. NXDOMAIN
;; 2. client-svc.default.svc.cluster.local. NOERROR, 2 records

;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 0
;; flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 0

;; QUESTION SECTION:
;client-svc.default.svc.cluster.local. IN A

;; ANSWER SECTION:
client-svc.default.svc.cluster.local. 30 IN CNAME nginx-svc.nginx-ns.svc.cluster.local.
nginx-svc.nginx-ns.svc.cluster.local. 30 IN A 10.104.157.106

;; SERVER: 10.96.0.10#53 (ClusterIP of service kube-system/kube-dns)
"""


@pytest.fixture
def cluster(tmp_path: Path) -> str:
    path = tmp_path / "cluster.yaml"
    path.write_text(OBJECTS)
    return str(path)


def test_an_alias_of_another_namespace_is_followed_to_its_address(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["dns", "client-svc.default", "--from-namespace", "web", "--cluster", cluster])

    assert (status, *capsys.readouterr()) == (0, SEED_ANSWER, "")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("kubernetes.default", "10.96.0.1\n"),
        ("kubernetes", "10.96.0.1\n"),
        ("kube-dns.kube-system", "10.96.0.10\n"),
        ("client-svc", "nginx-svc.nginx-ns.svc.cluster.local.\n10.104.157.106\n"),
        ("client-svc cname", "nginx-svc.nginx-ns.svc.cluster.local.\n"),
        ("client-svc --type CNAME", "nginx-svc.nginx-ns.svc.cluster.local.\n"),
        ("10.96.0.10", "kube-dns.kube-system.svc.cluster.local.\n"),
        ("_https._tcp.kubernetes.default SRV", "0 100 443 kubernetes.default.svc.cluster.local.\n"),
        ("dns-version.cluster.local. TXT", '"1.1.0"\n'),
        ("1-2-3-4.default.pod.cluster.local", "1.2.3.4\n"),
    ],
)
def test_short_is_the_data_alone(
    asked: str, expected: str, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["dns", *asked.split(), "--cluster", cluster, "--short"])

    assert (status, *capsys.readouterr()) == (0, expected, "")


@pytest.mark.parametrize(
    "asked",
    [
        "nope.default.svc.cluster.local.",
        "kubernetes.default.svc.cluster.local. AAAA",
        "10.96.0.99",
        "1-2-3-4.default.pod.cluster.local. --pod-records disabled",
    ],
)
def test_a_name_or_type_that_is_not_there_is_status_1(
    asked: str, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["dns", *asked.split(), "--cluster", cluster])

    out, err = capsys.readouterr()
    assert (status, err) == (1, "")
    assert "ANSWER: 0, AUTHORITY: 1" in out


def test_a_name_that_the_search_list_does_not_complete_is_status_1_and_said_to_go_outside(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["dns", "nope", "--cluster", cluster])

    out, err = capsys.readouterr()
    assert (status, err) == (1, "")
    assert ";; nope. is for a server outside the cluster to say; its answer is not judged\n" in out
    assert [line.split()[2] for line in out.splitlines() if line.startswith((";; 1.", ";; 4."))] == [
        "nope.default.svc.cluster.local.",
        "nope.",
    ]


def test_short_says_beside_the_data_that_the_search_went_outside(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["dns", "nope", "--cluster", cluster, "--short"])

    complaint = "svcproof: nope. is for a server outside the cluster to answer: not judged\n"
    assert (status, *capsys.readouterr()) == (1, "", complaint)


def test_the_reply_shown_of_a_failed_search_is_the_telling_one_with_its_reason(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service exists and has no IPv6 address; the later names of the list never were any."""
    run(["dns", "kubernetes", "AAAA", "--cluster", cluster])

    out = capsys.readouterr().out
    name = "kubernetes.default.svc.cluster.local."
    reason = "default/kubernetes has no IPv6 address to publish (DNS-A-02)"
    assert f";; 1. {name} NODATA: {reason}\n" in out
    assert f"\n;{name} IN AAAA\n" in out


@pytest.mark.parametrize(
    ("pod", "nameserver", "err"),
    [
        ("web/none", "192.0.2.53", "svcproof: kubernetes.default.svc.cluster.local. is for a server outside"),
        ("web/with-host-net", "10.96.0.10, 192.0.2.53", ""),
        ("web/none --dns-policy ClusterFirst", "10.96.0.10, 192.0.2.53", ""),
        (
            "web/unset",
            "10.96.0.10",
            "svcproof: pod web/unset has no dnsPolicy: ClusterFirst assumed (--dns-policy)\n",
        ),
    ],
)
def test_a_pod_asks_as_its_own_policy_and_config_say_unless_told_otherwise(
    pod: str, nameserver: str, err: str, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["dns", "kubernetes.default.svc.cluster.local.", "--pod", *pod.split(), "--cluster", cluster])

    out, said = capsys.readouterr()
    assert out.splitlines()[0].split(": ", 1)[1].startswith(f"nameserver {nameserver};")
    assert said[: len(err) or None] == err


@pytest.mark.parametrize(
    "asked", ["www.example.com.", "kubernetes --pod web/agent", "kubernetes --dns-policy Default"]
)
def test_what_only_another_server_can_answer_is_status_2(
    asked: str, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pod on the host's network asks the node's server."""
    status = run(["dns", *asked.split(), "--cluster", cluster])

    assert status == 2
    assert "is for a server outside the cluster" in capsys.readouterr().err


def test_json_has_the_steps_the_records_and_the_server(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["dns", "out", "--cluster", cluster, "--format", "json"])

    assert status == 0
    assert json.loads(capsys.readouterr().out) == {
        "version": 1,
        "name": "out",
        "type": "A",
        "status": "answered",
        "server": {"addresses": ["10.96.0.10"], "source": "ClusterIP of service kube-system/kube-dns"},
        "resolver": {
            "nameservers": ["10.96.0.10"],
            "searches": ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"],
            "options": ["ndots:5"],
        },
        "steps": [
            {
                "name": "out.default.svc.cluster.local.",
                "status": "answered",
                "searched": True,
                "answers": 1,
                "reason": None,
            }
        ],
        "rcode": "NOERROR",
        "flags": ["qr", "aa", "rd"],
        "answer": [
            {"name": "out.default.svc.cluster.local.", "ttl": 30, "type": "CNAME", "data": "db.example.com."}
        ],
        "authority": [],
        "additional": [],
        "addresses": [],
        "outside": ["db.example.com."],
    }


def test_trace_prints_the_reply_to_every_step(cluster: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["dns", "kubernetes.default", "--cluster", cluster, "--trace"])

    assert [
        line.split("status: ")[1][:8] for line in capsys.readouterr().out.splitlines() if "->>" in line
    ] == [
        "NXDOMAIN",
        "NOERROR,",
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("a..b", "svcproof: NAME: 'a..b' is not a DNS name"),
        ("web --pod web", "svcproof: --pod: 'web' is not NAMESPACE/NAME"),
        ("web --pod web/gone", "svcproof: --pod: no pod web/gone among the objects"),
        ("web --ttl 9999", "svcproof: --cluster-domain, --ttl: ttl: 9999 is not within 0 and 3600"),
        ("web --cluster-domain .", "svcproof: --cluster-domain, --ttl: zone: the root cannot be"),
        ("web A --type SRV", "Usage: svcproof dns"),
        ("web AXFR", "Usage: svcproof dns"),
        ("web --short --format json", "Usage: svcproof dns"),
        ("web --pod a/b --from-namespace c", "Usage: svcproof dns"),
    ],
)
def test_what_cannot_be_asked_is_status_2_and_one_complaint(
    arguments: str, complaint: str, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["dns", *arguments.split(), "--cluster", cluster])

    out, err = capsys.readouterr()
    assert (status, out, err[: len(complaint)]) == (2, "", complaint)


def test_without_objects_there_is_nothing_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dns", "web"]) == 2
    assert "give --cluster, or a bundle PATH" in capsys.readouterr().err


def test_a_bundle_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cluster.yaml").write_text(OBJECTS)

    assert run(["dns", "kubernetes", str(tmp_path), "--short"]) == 0
    assert capsys.readouterr().out == "10.96.0.1\n"


def test_other_commands_start_without_the_dns_library() -> None:
    program = "import oracle.cli, sys; oracle.cli.run(['check', '--help']); sys.exit('dns' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)

    assert done.returncode == 0
