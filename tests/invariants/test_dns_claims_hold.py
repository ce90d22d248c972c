"""The claims about names hold of drawn clusters and of recorded ones, and their premises are met."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invariants.catalogue import DNS
from invariants.invariant import DnsCheck, Invariant
from invariants.names import DnsCase, ask, domain
from model.objects import Cluster, Endpoint, Service, ServiceType
from tests.invariants import recorded
from tests.invariants.dns_cases import FEW_DOTS, SEARCHED, dns_case
from tests.strategies.dns import dns_clusters
from tests.strategies.search import found

each_claim = pytest.mark.parametrize("claim", DNS, ids=lambda claim: claim.id)


@each_claim
@given(cluster=dns_clusters(), conf=st.sampled_from((SEARCHED, FEW_DOTS)))
def test_a_claim_about_names_holds_of_drawn_clusters(
    claim: Invariant[DnsCheck], cluster: Cluster, conf: Any
) -> None:
    assert claim.violation(dns_case(cluster, conf=conf)) is None


@each_claim
@pytest.mark.parametrize("case", recorded.CASES)
def test_a_claim_about_names_holds_of_recorded_clusters(claim: Invariant[DnsCheck], case: str) -> None:
    assert claim.violation(dns_case(recorded.state_in(case).objects())) is None


# --- The premises


def headless(case: DnsCase) -> list[Service]:
    return [one for one in case.cluster.services if one.cluster_ips == ("None",)]


def has_ready_headless_endpoints(case: DnsCase) -> bool:
    return any(ask(case, domain(case, one), "A").answer for one in headless(case))


def has_a_draining_headless_endpoint(case: DnsCase) -> bool:
    def drains(endpoint: Endpoint) -> bool:
        return endpoint.ready is False and bool(endpoint.serving) and bool(endpoint.terminating)

    names = {one.name for one in headless(case)}
    of_headless = [one for one in case.cluster.slices if one.service in names]
    return any(drains(endpoint) for one in of_headless for endpoint in one.endpoints)


def has_a_headless_srv(case: DnsCase) -> bool:
    return any(
        ask(case, f"_{port.name}._{port.protocol}.{domain(case, one)}", "SRV").answer
        for one in headless(case)
        for port in one.ports
        if port.name
    )


def has_a_chain_of(hops: int, case: DnsCase) -> bool:
    """Whether some name has so many CNAMEs, and addresses at their end."""
    aliases = [one for one in case.cluster.services if one.type is ServiceType.EXTERNAL_NAME]
    replies = [ask(case, domain(case, one), "A") for one in aliases]
    return any(len(reply.data("CNAME")) == hops and reply.data("A") for reply in replies)


@pytest.mark.parametrize(
    "premise",
    [
        pytest.param(has_ready_headless_endpoints, id="INV-76 headless"),
        pytest.param(has_a_draining_headless_endpoint, id="INV-77 draining"),
        pytest.param(has_a_headless_srv, id="INV-78 headless"),
        pytest.param(lambda case: has_a_chain_of(2, case), id="INV-80 a chain of two"),
    ],
)
def test_drawn_clusters_meet_the_premise(premise: Any) -> None:
    assert premise(found(dns_clusters().map(dns_case), premise))
