"""Node ports given out, asked for and released."""

from random import Random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.api.allocation.port_operation import NoPort, PortOperation
from model.objects import ObjectName
from tests.model.api.api_cases import registry

WEB = ObjectName("shop", "web")


def operation(first: int = 30000, last: int = 32767, *, dry_run: bool = False) -> PortOperation:
    state = registry(first_node_port=first, last_node_port=last)
    return PortOperation.begin(state, WEB, dry_run=dry_run)


@given(seed=st.integers())
def test_a_dynamic_port_comes_from_the_upper_band(seed: int) -> None:
    """ALLOC-NP-02."""
    _, port = operation().take_next(Random(seed))

    assert 30086 <= port <= 32767


def test_the_lower_band_is_used_when_the_upper_one_is_full() -> None:
    """ALLOC-NP-02: of 20 numbers, sixteen are static and four dynamic."""
    pool, ports = operation(30000, 30019), []
    for seed in range(20):
        pool, port = pool.take_next(Random(seed))
        ports.append(port)

    assert ({*ports[:4]}, {*ports[4:]}) == ({*range(30016, 30020)}, {*range(30000, 30016)})
    with pytest.raises(NoPort, match=r"^range is full$"):
        pool.take_next(Random(0))


@pytest.mark.parametrize("port", [29999, 32768, -1])
def test_a_number_out_of_range_is_refused(port: int) -> None:
    """ALLOC-NP-01, ALLOC-NP-08."""
    with pytest.raises(NoPort, match=r"^provided port is not in the valid range 30000-32767$"):
        operation().take(port)


@pytest.mark.parametrize("port", [30000, 30085, 30086, 32767])
def test_any_number_of_the_range_may_be_asked_for_once(port: int) -> None:
    """ALLOC-NP-01, ALLOC-NP-03."""
    pool = operation().take(port)

    assert dict(pool.commit().items()) == {port: WEB}
    with pytest.raises(NoPort, match=r"^provided port is already allocated$"):
        pool.take(port)


def test_numbers_to_release_are_taken_until_the_write() -> None:
    """ALLOC-NP-12."""
    pool = operation().take(30001).release(30001)

    with pytest.raises(NoPort, match=r"^provided port is already allocated$"):
        pool.take(30001)
    assert dict(pool.commit().items()) == {}


def test_a_dry_run_shows_numbers_from_32769_on_and_takes_none() -> None:
    """API-PIPE-06."""
    pool, first = operation(dry_run=True).take_next(Random(0))
    pool, second = pool.take_next(Random(0))

    assert (first, second, dict(pool.commit().items())) == (32769, 32770, {})


def test_a_dry_run_counts_on_from_what_was_asked_for_and_does_not_look_at_the_range() -> None:
    """API-PIPE-06."""
    _, port = operation(dry_run=True).take(40000).take_next(Random(0))

    assert port == 40001


def test_below_100_a_dry_run_passes_over_numbers_that_are_taken() -> None:
    """API-PIPE-06: as the server's search for a placeholder has it, which ends there."""
    state = registry(first_node_port=10, last_node_port=200)
    for port in (21, 22, 99):
        state = attrs.evolve(state, node_ports=state.node_ports.insert(port, ObjectName("shop", "other")))
    pool = PortOperation.begin(state, WEB, dry_run=True)

    shown = [pool.take(asked).take_next(Random(0))[1] for asked in (20, 30, 98, 100)]

    assert shown == [23, 31, 99, 101]
