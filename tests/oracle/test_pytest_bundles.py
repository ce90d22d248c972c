"""Others run the claims on their own bundles: `pytest --svcproof-bundle PATH`."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_without_the_option_nothing_is_added(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")

    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_every_claim_is_tried_on_a_healthy_bundle_and_seen_in_the_report(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(f"--svcproof-bundle={EXAMPLES / 'healthy'}", "-v")

    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        [
            "*INV-05[[]healthy[]] PASSED*",
            "*INV-35[[]healthy/node-c[]] PASSED*",
            "*conforms[[]healthy/node-a[]] PASSED*",
        ]
    )


def test_a_broken_promise_fails_with_the_claim_and_the_packet(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(f"--svcproof-bundle={EXAMPLES / 'stale-pod'}")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "INV-35: Every endpoint that a packet may be sent to belongs to the service port*",
            "* -> 10.32.1.147:30380 tcp *: not all of them are usable endpoints of shop/np",
        ]
    )
    result.stdout.fnmatch_lines(["*FAILED *conforms[[]stale-pod/node-b[]]*"])
    result.stdout.no_fnmatch_line("*FAILED *conforms[[]stale-pod/node-c[]]*")


def test_a_violated_claim_about_objects_fails(pytester: pytest.Pytester) -> None:
    """INV-05: an external policy where nothing is reached from outside."""
    (pytester.path / "bundle").mkdir()
    (pytester.path / "bundle" / "cluster.yaml").write_text(
        "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: ClusterIP,"
        " clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack,"
        " externalTrafficPolicy: Local, sessionAffinity: None, ports: [{port: 80, protocol: TCP}]}}"
    )

    result = pytester.runpytest_subprocess("--svcproof-bundle", "bundle")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*FAILED *INV-05[[]bundle[]]*"])


def test_a_path_without_a_bundle_is_a_wrong_command_line(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--svcproof-bundle=nowhere")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nowhere: *"])
