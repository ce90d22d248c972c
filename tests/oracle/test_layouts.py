"""Healthy rules conform in every layout of kube-proxy since 1.16, and one damaged rule does not."""

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from oracle.bundle import read_bundle
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node
from oracle.proxy_age import minors
from tests.older_rules import EXTERNAL, SERVICES, Old, cluster_of, evidence, old_dump

DUMPS = Path(__file__).parents[1] / "dumps"
MINORS = (16, 18, 19, 20, 21, 23, 24, 25)
BY_NAME = {one.name: one for one in SERVICES}


def judged(dump: str, services: tuple[Old, ...] = SERVICES, *, with_config: bool = True) -> NodeReport:
    return check_node(evidence(dump, with_config=with_config), cluster_of(services))


def damaged(dump: str, is_target: Callable[[str], bool], change: Callable[[str], str | None]) -> str:
    """The dump with its first line of that kind changed, or left out for None."""
    lines = dump.splitlines()
    at = next(n for n, line in enumerate(lines) if is_target(line))
    changed = change(lines[at])
    lines[at : at + 1] = [] if changed is None else [changed]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("with_config", [True, False], ids=["configured", "without configuration"])
@pytest.mark.parametrize("minor", MINORS)
def test_a_healthy_node_of_any_layout_conforms(minor: int, with_config: bool) -> None:
    """Also where pod CIDR and settings must be read off the rules."""
    report = judged(old_dump(minor, SERVICES), with_config=with_config)

    assert (report.verdict, report.differences, report.not_judged) == (NodeVerdict.CONFORMS, (), ())


@pytest.mark.parametrize("minor", [21, 23, 24, 25])
def test_external_ips_conform_since_their_rules_ask_no_bridge(minor: int) -> None:
    report = judged(old_dump(minor, EXTERNAL), EXTERNAL)

    assert (report.verdict, report.not_judged) == (NodeVerdict.CONFORMS, ())


@pytest.mark.parametrize("minor", [16, 18, 19, 20])
def test_external_ips_before_that_are_not_judged(minor: int) -> None:
    """Whether a packet came over a bridge port is in no dump: no guess, and the line is named."""
    report = judged(old_dump(minor, EXTERNAL), EXTERNAL)

    assert (report.verdict, report.differences) == (NodeVerdict.NOT_JUDGED, ())
    (line,) = report.not_judged
    assert "-m physdev ! --physdev-is-in" in line.text


@pytest.mark.parametrize("minor", MINORS)
def test_a_stale_endpoint_is_found_in_every_layout(minor: int) -> None:
    dump = old_dump(minor, SERVICES).replace("10.244.2.5", "10.244.2.99")

    report = judged(dump)

    assert {(one.kind, str(one.service_port)) for one in report.differences} == {
        (Kind.STALE_TARGET, "ns1/svc1:p80"),
        (Kind.MISSING_TARGET, "ns1/svc1:p80"),
    }


@pytest.mark.parametrize("minor", MINORS)
def test_uneven_odds_are_found_in_every_layout(minor: int) -> None:
    """Odds of five decimals up to 1.16, of ten later; half for the first of three is neither."""
    third = "0.33332999982" if minor < 17 else "0.33333333349"

    report = judged(old_dump(minor, SERVICES).replace(third, "0.50000000000"))

    assert {(one.kind, str(one.service_port)) for one in report.differences} == {
        (Kind.UNEVEN_ODDS, "ns1/svc1:p80")
    }


@pytest.mark.parametrize("minor", MINORS)
def test_a_masquerade_that_is_gone_is_found_in_every_layout(minor: int) -> None:
    """Up to 1.21 the rule stands in KUBE-SERVICES, then in the service's own chain."""
    chain = "KUBE-SERVICES" if minor <= 21 else "KUBE-SVC-"
    dump = damaged(
        old_dump(minor, SERVICES),
        lambda line: line.startswith(f"-A {chain}") and "! -s 10.244.0.0/16 -d 10.96.1.1/32" in line,
        lambda _: None,
    )

    report = judged(dump)

    assert {(one.kind, one.frontend) for one in report.differences} == {
        (Kind.MASQUERADE_MISSING, "10.96.1.1:80")
    }


@pytest.mark.parametrize("minor", MINORS)
def test_an_open_source_range_is_found_in_every_layout(minor: int) -> None:
    """FWD-LBSR-01: 203.0.113.2 is outside 198.51.100.0/24 and must not reach an endpoint."""
    dump = damaged(
        old_dump(minor, SERVICES),
        lambda line: line.startswith("-A KUBE-FW-") and "-s 198.51.100.0/24 " in line,
        lambda line: line.replace("-s 198.51.100.0/24 ", ""),
    )

    report = judged(dump)

    assert {(one.kind, one.frontend) for one in report.differences} == {
        (Kind.SOURCE_RANGE, "203.0.113.10:80")
    }


@pytest.mark.parametrize("minor", MINORS)
def test_traffic_of_policy_local_sent_on_is_found_in_every_layout(minor: int) -> None:
    """FWD-ETP-05: no endpoint of ns1/away is here, so clients from outside must get nowhere."""
    away = BY_NAME["away"]
    healthy = old_dump(minor, SERVICES)
    chain = "KUBE-XLB-" if minor <= 23 else "KUBE-EXT-"
    entry = next(line for line in healthy.splitlines() if f"--dport {away.node_port} -j {chain}" in line)
    local_chain = entry.rsplit(" ", 1)[1]
    dump = damaged(
        healthy,
        lambda line: line.startswith(f"-A {local_chain} -m addrtype --src-type LOCAL -j KUBE-SVC-"),
        lambda line: line.replace("-m addrtype --src-type LOCAL ", ""),
    )

    report = judged(dump)

    assert {str(one.service_port) for one in report.differences} == {"ns1/away"}
    assert Kind.INELIGIBLE_TARGET in {one.kind for one in report.differences}


@pytest.mark.parametrize("minor", MINORS)
def test_a_refusal_that_is_gone_is_found_in_every_layout(minor: int) -> None:
    dump = damaged(
        old_dump(minor, SERVICES),
        lambda line: "-d 10.96.1.5/32" in line and "REJECT" in line,
        lambda _: None,
    )

    report = judged(dump)

    assert {(one.kind, one.frontend) for one in report.differences} == {(Kind.WRONG_VERDICT, "10.96.1.5:80")}


def test_a_drop_mark_is_no_excuse_where_drops_are_rules() -> None:
    """Since 1.25 what policy and ranges drop must be dropped where it is forwarded, too."""
    dump = damaged(
        old_dump(25, SERVICES), lambda line: line.startswith("-A KUBE-PROXY-FIREWALL"), lambda _: None
    )

    report = judged(dump)

    assert {one.frontend for one in report.differences} == {"203.0.113.10:80"}


@pytest.mark.parametrize(
    ("minor", "expected"),
    [(16, (14, 19)), (19, (14, 19)), (21, (14, 21)), (23, (22, 23)), (24, (24, 24)), (25, (25, 36))],
)
def test_layout_tells_the_version(minor: int, expected: tuple[int, int]) -> None:
    node = read_node(evidence(old_dump(minor, SERVICES)), cluster_of(SERVICES))

    assert minors(one for sets in node.by_family.values() for one in sets) == expected


def healthy_bundles() -> list[str]:
    wrong = ("stale-", "broken-")
    return sorted(path.name for path in DUMPS.glob("*.iptables") if not path.name.startswith(wrong))


@pytest.mark.parametrize("name", healthy_bundles())
def test_a_recorded_node_conforms_without_its_configuration(name: str) -> None:
    """Pod CIDR, node-port addresses and masqueradeAll are read off the rules, and it is said."""
    bundle = read_bundle(str(DUMPS / name))
    assert bundle.cluster is not None
    for one in bundle.nodes:
        report = check_node(attrs.evolve(one, proxy_config=None), bundle.cluster)

        assert (report.verdict, report.differences) == (NodeVerdict.CONFORMS, ())
        assert any(text.startswith("read off the rules: ") for text in report.assumptions)
