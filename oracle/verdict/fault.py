"""One packet's evidence, and a fault that it shows."""

from collections.abc import Sequence

import attrs

from model.expectation import Expectation
from model.frontends import Owner
from model.outcome import Outcome
from model.packet import Packet
from oracle.findings import Kind, Line
from oracle.plain import End
from oracle.roles import Met


@attrs.frozen
class Evidence:
    """All that is known of one packet: who owns it, what is allowed, what was found and how."""

    packet: Packet
    owners: tuple[Owner, ...]
    expectation: Expectation
    expected: Outcome  # the allowed outcome that is likest to the one found
    found: Outcome
    ends: Sequence[End]
    met: Sequence[Met]
    from_attached: bool  # the source is in a network behind this node alone


@attrs.frozen
class Fault:
    """One kind of difference of one packet, with its evidence."""

    kind: Kind
    lines: tuple[Line, ...]
    explanation: str
