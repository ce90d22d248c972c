"""What happens to a packet: the answer type shared by the model and the rules.

An `Outcome` is a probability distribution over `Leaf` fates, with the affinity
memory that is consulted first. Odds are exact.
"""

import enum
from fractions import Fraction

import attrs


class Verdict(enum.Enum):
    """The four fates of a new packet on this node."""

    DNAT = "dnat"  # sent to an endpoint
    REJECT = "reject"  # refused with an error to the sender
    DROP = "drop"  # swallowed
    PASS = "pass"  # neither translated nor refused here


@attrs.frozen(order=True)
class Target:
    """An endpoint a packet may be sent to; address is a number of the packet's family."""

    address: int
    port: int


@attrs.frozen
class Leaf:
    """One possible fate and its odds.

    `target` is set exactly when the verdict is DNAT. `masquerade` says whether the
    source is rewritten on the way out (MASQ-*). `reject_with` names the error of a
    REJECT as iptables writes it, "" otherwise.
    """

    verdict: Verdict
    odds: Fraction
    target: Target | None = None
    masquerade: bool = False
    reject_with: str = ""


@attrs.frozen
class Remembered:
    """An affinity memory asked before chance is: a client with a live entry goes to `target`."""

    target: Target
    seconds: int
    masquerade: bool = False


@attrs.frozen
class Outcome:
    """The distribution over fates of a client that no affinity memory knows.

    `leaves` sum to one. `affinity` lists the memories in the order they are asked
    (AFF-03); empty without session affinity.
    """

    leaves: tuple[Leaf, ...]
    affinity: tuple[Remembered, ...] = ()

    @property
    def affinity_seconds(self) -> int | None:
        return self.affinity[0].seconds if self.affinity else None

    @property
    def verdict(self) -> Verdict:
        """DNAT if any part is translated, else the likeliest fate."""
        if any(leaf.verdict is Verdict.DNAT for leaf in self.leaves):
            return Verdict.DNAT
        return max(self.leaves, key=lambda leaf: leaf.odds).verdict
