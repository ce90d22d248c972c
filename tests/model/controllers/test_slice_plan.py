"""A plan says what is written and what stays; an endpoint keeps its identity where hints stay."""

import attrs

from model.controllers.slice_plan import SlicePlan, is_ready, with_endpoints, with_hints
from model.objects import Endpoint, EndpointSlice, ObjectName

A = Endpoint(("10.244.0.1",), ready=True, zone_hints=("a",), node_hints=("n1",))
ONE, TWO, THREE = (EndpointSlice(ObjectName("shop", name), None, "IPv4") for name in ("one", "two", "three"))


def test_the_slices_of_a_plan_are_all_that_there_will_be() -> None:
    assert SlicePlan((ONE,), (TWO,), (THREE,)).slices == (ONE, TWO, THREE)


def test_hints_are_replaced_whole() -> None:
    assert with_hints(A, ("b",)) == attrs.evolve(A, zone_hints=("b",), node_hints=())
    assert with_hints(A, ("a",), ("n2",)) == attrs.evolve(A, node_hints=("n2",))


def test_an_endpoint_that_has_its_hints_is_the_same_object() -> None:
    """Slices are compared thousands of times: what is unchanged is told by identity."""
    assert with_hints(A, ("a",), ("n1",)) is A


def test_to_controllers_an_unset_condition_is_not_ready() -> None:
    """EPS-COND-03 is the proxies' reading, not theirs."""
    assert [is_ready(attrs.evolve(A, ready=ready)) for ready in (True, False, None)] == [True, False, False]


def test_a_slice_gets_other_endpoints_and_keeps_the_rest() -> None:
    assert with_endpoints(ONE, (A,)) == attrs.evolve(ONE, endpoints=(A,))
