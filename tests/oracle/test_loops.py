"""A dump whose chains lead in a circle, or too deep, is refused with the line that does it."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from model.errors import InputError
from oracle.node_rules import read_node
from tests.older_rules import evidence


def complaint(chains: Sequence[str], *rules: str) -> str:
    """What reading a filter table of these chains and rules says, empty when nothing.

    Its first rule is on the line after the last chain, and the first chain on line 2.
    """
    dump = ["*filter", *(f":{name} - [0:0]" for name in chains), *(f"-A {rule}" for rule in rules), "COMMIT"]
    try:
        read_node(evidence("\n".join(dump) + "\n"), None)
    except InputError as fault:
        return f"{fault.line}: {fault.what}"
    return ""


@pytest.mark.parametrize("flag", ["-j", "-g"])
def test_a_chain_that_leads_to_itself_is_refused(flag: str) -> None:
    """Whether it is called or gone to."""
    assert complaint(["A"], "A -j ACCEPT", f"A {flag} A") == "4: chain A leads back to itself"


@pytest.mark.parametrize("chains", [["A", "B", "C", "D"], ["D", "C", "A", "B"]])
def test_a_loop_is_named_where_it_closes(chains: list[str]) -> None:
    """The chain that only leads into the loop is not in it; leaves are out of the question."""
    found = complaint(chains, "A -j D", "A -j B", "B -j C", "C -j D", "C -j B")

    closes = {"A": "10: chain B", "D": "8: chain C"}[chains[0]]
    assert found == f"{closes} leads back to itself"


def test_several_ways_to_one_chain_are_no_loop() -> None:
    """A and B both call C, and A also by way of B."""
    assert complaint(["A", "B", "C"], "A -j C", "A -j B", "B -j C", "A -j C") == ""


@pytest.mark.parametrize("order", [1, -1])
def test_calls_may_be_two_hundred_deep_but_no_deeper(order: int) -> None:
    """Whichever chain is declared first; the line is that of the call too many."""
    names = [f"C{number}" for number in range(202)]
    calls = [f"{caller} -j {called}" for caller, called in pairwise(names)]

    assert complaint(names[1:][::order], *calls[1:]) == ""
    assert complaint(names[::order], *calls) == "204: chains call each other more than 200 deep"
