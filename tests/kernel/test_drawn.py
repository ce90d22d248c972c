"""The kernel does with drawn rules what the walk says, in every dialect and both families.

At least a thousand packets for each rule set. SVCPROOF_KERNEL_RULE_SETS sets how many rule sets each
test draws.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from model.addresses import Family
from tests.kernel.agreeing import Disagreement, compared, fewest_lines, rules_of, sample
from tests.kernel.loading import TOOLS, Loader, NotLoadedError
from tests.kernel.world import every_packet
from tests.strategies.kernel_nft import nft_rules
from tests.strategies.kernel_rules import iptables_rules

RULE_SETS = int(os.environ.get("SVCPROOF_KERNEL_RULE_SETS", "160"))
PACKETS = 300  # each sent four times
MOST_ONCE = 1 / 1_000  # of the packets may be seen to go astray once, and never again

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.thorough,
    pytest.mark.needs_root,
    pytest.mark.needs_tool(*TOOLS),
]


@pytest.mark.parametrize("family", Family, ids=lambda family: family.value)
@pytest.mark.parametrize("loader", Loader, ids=lambda loader: loader.value)
def test_kernel_and_walk_agree_on_drawn_rules(loader: Loader, family: Family) -> None:
    """Nothing is seen that the walk does not say, and nearly every rule set can be loaded and judged."""
    rules = nft_rules(family) if loader is Loader.NFTABLES else iptables_rules(family)
    packets = every_packet(family)
    sent: list[int] = []
    once: list[Disagreement] = []

    @settings(
        max_examples=RULE_SETS,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(rules, st.integers(0, 1 << 20))
    def ask(text: str, seed: int) -> None:
        try:
            read = rules_of(text, loader, family)
            tally, found = compared(loader, text, read, sample(packets, PACKETS, seed))
        except NotLoadedError:
            return
        sent.append(tally.sent)
        for one in {item.packet: item for item in found}.values():
            assert not is_seen_again(loader, text, one), told(loader, text, one)
            once.append(one)

    ask()

    assert len(sent) >= 0.95 * RULE_SETS
    assert sum(sent) >= 1000 * len(sent)
    assert len(once) <= MOST_ONCE * sum(sent), once


def is_seen_again(loader: Loader, text: str, one: Disagreement) -> bool:
    """Whether a second node with the same rules, asked a hundred times, disagrees about the packet, too.

    A machine that is busy may ask some chains of nft later than the first packets come.
    """
    _, found = compared(loader, text, rules_of(text, loader, one.packet.family), [one.packet] * 25)
    return bool(found)


def told(loader: Loader, text: str, one: Disagreement) -> str:
    """A disagreement, with the fewest of the lines that still show it."""

    def is_wrong(less: str) -> bool:
        _, found = compared(loader, less, rules_of(less, loader, one.packet.family), [one.packet] * 3)
        return bool(found)

    return f"{one.packet}\nseen: {one.seen}\nsaid: {one.said}\n{fewest_lines(text, is_wrong)}"
