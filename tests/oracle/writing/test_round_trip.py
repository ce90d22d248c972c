"""What is written reads back as it was: conditions, actions, odds, memories, bases and policies."""

from hypothesis import given

from model.predicate import All
from oracle.dialects.iptables import parse_iptables
from oracle.dialects.nftables import parse_nftables
from oracle.dialects.nftables.lower import lowered
from oracle.ruleset import Dialect, Ruleset
from oracle.writing import write_iptables, write_nft
from tests.strategies.rulesets import rulesets


def meaning(ruleset: Ruleset) -> object:
    """Everything but lines and texts, which are the dump's; the order of a rule's conditions says nothing."""
    return (
        ruleset.family,
        ruleset.backend,
        ruleset.unsupported,
        [
            (
                table,
                chain.name,
                chain.policy,
                chain.base,
                [
                    (frozenset(when.parts) if isinstance(when, All) else when, then, odds, remember)
                    for when, then, _, _, odds, remember in chain.rules
                ],
            )
            for table, chains in ruleset.tables.items()
            for chain in chains.values()
        ],
    )


@given(rulesets(Dialect.IPTABLES))
def test_iptables(ruleset: Ruleset) -> None:
    """The parser of iptables-save undoes the writer."""
    text = write_iptables(ruleset)

    (read,) = parse_iptables(text.encode(), "drawn", ruleset.family)

    assert meaning(ruleset) == meaning(read)


@given(rulesets(Dialect.NFTABLES))
def test_nft(ruleset: Ruleset) -> None:
    """The parser of nft's listings, and what lowers them to rules, undo the writer."""
    text = write_nft([ruleset])

    read = {one.family: one for one in lowered(parse_nftables(text.encode(), "drawn"))}

    assert meaning(ruleset) == meaning(read[ruleset.family])
