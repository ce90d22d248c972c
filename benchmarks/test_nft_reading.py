"""pytest-benchmark: a large node's listing of nft is read from text as fast as from JSON.

Run by `make bench`; sizes are services with 10 endpoints each. The law, text in no more than
twice the time of JSON, is a test of its own below.
"""

import time
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.nft_nodes import nft_node
from oracle.dialects.nftables import parse_json, parse_text
from oracle.dialects.nftables.syntax import Dump

SIZES = (100, 1_000, 5_000)


@pytest.mark.parametrize("services", SIZES)
def test_read_text(benchmark: BenchmarkFixture, services: int) -> None:
    """`nft list ruleset`."""
    text = nft_node(services, 10).text

    dump = benchmark(parse_text, text, "nft")

    assert services + 1 == len(dump.tables[0].chains)


@pytest.mark.parametrize("services", SIZES)
def test_read_json(benchmark: BenchmarkFixture, services: int) -> None:
    """`nft -j list ruleset`."""
    data = nft_node(services, 10).json

    dump = benchmark(parse_json, data, "nft.json")

    assert services + 1 == len(dump.tables[0].chains)


def test_text_is_read_in_no_more_than_twice_the_time_of_json(benchmark: BenchmarkFixture) -> None:
    """The best of several rounds each, so that a busy machine does not decide."""
    forms = nft_node(300, 10)

    def best(read: Callable[[bytes, str], Dump], data: bytes) -> float:
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            read(data, "nft")
            times.append(time.perf_counter() - begun)
        return min(times)

    ratio = benchmark(lambda: best(parse_text, forms.text) / best(parse_json, forms.json))

    assert ratio <= 2
