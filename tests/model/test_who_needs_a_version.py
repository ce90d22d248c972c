"""Endpoints whose sets may depend on kube-proxy's version are told by any one of three marks."""

import attrs
import pytest

from model.eligibility import endpoint_sets, version_matters
from model.proxy_endpoints import ProxyEndpoint
from model.proxy_version import reading_of

PLAIN = ProxyEndpoint(1, 80)
OF_ZONE = ProxyEndpoint(2, 80, zone_hints=("a",))
OF_NODE = ProxyEndpoint(3, 80, node_hints=("n1",))
TERMINATING = ProxyEndpoint(4, 80, ready=False, terminating=True)


@pytest.mark.parametrize("marked", [OF_ZONE, OF_NODE, TERMINATING], ids=["zone", "node", "terminating"])
def test_one_hint_or_one_termination_is_enough(marked: ProxyEndpoint) -> None:
    """FWD-TOPO-01, -02 and FWD-EP-02, whatever the others are."""
    assert version_matters((PLAIN, marked))


def test_without_hints_and_terminations_every_version_makes_the_same_sets() -> None:
    assert not version_matters((PLAIN, attrs.evolve(PLAIN, address=9, ready=False, serving=False)))
    assert not version_matters(())


def test_an_old_version_ignores_zone_hints_where_no_annotations_are_given() -> None:
    """Up to 1.30 the Service had to ask for them by annotation (KEP-4444)."""
    sets = endpoint_sets(
        (OF_ZONE, attrs.evolve(OF_ZONE, address=5, zone_hints=("b",))),
        uses_cluster=True,
        uses_local=False,
        node_name="n1",
        zone="a",
        reading=reading_of(28),
    )

    assert sets.cluster == (OF_ZONE, attrs.evolve(OF_ZONE, address=5, zone_hints=("b",)))


def test_a_node_with_an_empty_zone_follows_no_zone_hints() -> None:
    """FWD-TOPO-01: hints are for nodes that have a zone, and the empty text names none."""
    nowhere = attrs.evolve(OF_ZONE, zone_hints=("",))

    sets = endpoint_sets((OF_ZONE, nowhere), uses_cluster=True, uses_local=False, node_name="n1", zone="")

    assert sets.cluster == (OF_ZONE, nowhere)
