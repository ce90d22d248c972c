"""What the kernel was found to do where the walk says, or once said, something else (docs/kernel.md)."""

from fractions import Fraction

import pytest

from model.addresses import Family, parse_address
from model.outcome import Leaf, Target, Verdict
from model.packet import TCP, Origin, Packet
from tests.kernel.loading import TOOLS, Loader, load
from tests.kernel.node import standing
from tests.kernel.world import DEVICES, POD_DEVICE

pytestmark = [pytest.mark.kernel, pytest.mark.needs_root, pytest.mark.needs_tool(*TOOLS)]

FROM_A_POD = Packet(
    Family.IPV4,
    Origin.WIRE,
    parse_address("10.244.1.10")[1],
    parse_address("192.0.2.50")[1],
    TCP,
    80,
    POD_DEVICE,
)
DROPPED = Leaf(Verdict.DROP, Fraction(0))
PASSED = Leaf(Verdict.PASS, Fraction(0))


def seen(loader: Loader, text: str) -> set[Leaf]:
    """What becomes of forty packets of the pod's."""
    with standing(DEVICES) as node:
        load(loader, text if loader is Loader.NFTABLES else {Family.IPV4: text})
        return {node.send(FROM_A_POD) for _ in range(40)}


@pytest.mark.parametrize("loader", [Loader.LEGACY, Loader.NFT])
def test_a_redirect_leads_to_the_device_that_the_packet_came_in_by(loader: Loader) -> None:
    text = "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -j REDIRECT --to-ports 8080\nCOMMIT\n"

    found = seen(loader, text)

    target = Target(parse_address("10.244.1.1")[1], 8080)
    assert {Leaf(Verdict.DNAT, Fraction(0), target)} == found


@pytest.mark.parametrize("loader", [Loader.LEGACY, Loader.NFT])
@pytest.mark.parametrize(("state", "expected"), [("NEW", PASSED), ("INVALID", DROPPED)])
def test_every_packet_is_invalid_in_raw(loader: Loader, state: str, expected: Leaf) -> None:
    rule = f"-A PREROUTING -m conntrack --ctstate {state} -j DROP"

    assert {expected} == seen(loader, f"*raw\n:PREROUTING ACCEPT\n{rule}\nCOMMIT\n")


@pytest.mark.parametrize(("priority", "expected"), [(-300, PASSED), (-150, DROPPED)])
def test_notrack_is_too_late_after_connections_are_looked_up(priority: int, expected: Leaf) -> None:
    """Untracked packets are not asked about in nat; those that are tracked by then stay so."""
    text = f"""table ip t {{
 chain early {{ type filter hook prerouting priority {priority}; notrack; }}
 chain nat {{ type nat hook prerouting priority -100; drop; }}
}}
"""

    assert {expected} == seen(Loader.NFTABLES, text)


def test_a_call_that_a_random_number_picks_comes_back_to_the_next_rule() -> None:
    """Half of the packets visit a chain that returns, and meet nothing else; the others are dropped."""
    text = """table ip t {
 chain back { return; }
 chain forward {
  type filter hook forward priority 0;
  numgen random mod 2 vmap { 0 : jump back, 1 : drop }
 }
}
"""

    assert {PASSED, DROPPED} == seen(Loader.NFTABLES, text)
