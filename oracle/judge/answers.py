"""What an implementation says of a packet, and whether the contract allows it.

An answer is a list of fates with their odds. It is allowed if it is one of the outcomes that the
contract allows, told as a client and an endpoint would see them: "not translated" and "delivered to
where it was sent to" are one thing, and whether the node's own address was put in place of the
node's own address nobody can tell.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

import attrs

from model.addresses import format_address, parse_address
from model.expectation import Expectation
from model.intervals import contains
from model.node_config import NodeConfig
from model.outcome import Outcome, Target, Verdict
from model.packet import Packet
from oracle.report.wording import target_text

KEPT, MASQUERADED = "kept", "masqueraded"
_ODDS = re.compile(r"[0-9]{1,40}(/[0-9]{1,40}|\.[0-9]{1,40})?", re.ASCII)
FATES = ("deliver", "reject", "drop", "pass")

Seen = tuple[str, int, int, str] | tuple[str, str] | tuple[str]
"""A fate as it is seen: ("deliver", address, port, source), ("reject", error) or ("drop",)."""
Shares = Mapping[Seen, Fraction]


@attrs.frozen
class Fate:
    """One thing that may become of a packet.

    Of `deliver` there is the endpoint's address and port, and the source that it sees: kept,
    masqueraded (as whatever address of the node), or an address as text. Of `reject` the error,
    where it is told.
    """

    do: str  # of FATES
    odds: Fraction
    address: int = 0
    port: int = 0
    source: str = KEPT
    error: str | None = None


@attrs.frozen
class Answer:
    """The fates of a client that is not remembered; `affinity_seconds` says for how long one is.

    It is None where clients are not, and `tells_affinity` False where nothing was said of it.
    """

    fates: tuple[Fate, ...]
    affinity_seconds: int | None = None
    tells_affinity: bool = True


class Malformed(ValueError):
    """An answer that is not of the protocol; the text says which part, and what is wrong."""


def read_answer(tree: object, packet: Packet) -> Answer:
    """An OUTCOME of the protocol. Raises Malformed."""
    fields = _fields(tree, "an outcome", {"fates", "affinity_seconds"})
    listed = fields.get("fates")
    if not isinstance(listed, list) or not listed:
        raise Malformed("'fates' is not a list of at least one fate")
    fates = tuple(_fate(one, packet) for one in listed)
    total = sum((fate.odds for fate in fates), Fraction(0))
    if abs(total - 1) > Fraction(1, 10**6):
        raise Malformed(f"the odds of the fates sum to {total}, not to 1")
    seconds = fields.get("affinity_seconds")
    if seconds is not None and (not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1):
        raise Malformed(f"'affinity_seconds' is {seconds!r}, neither null nor a number of seconds")
    return Answer(fates, seconds, "affinity_seconds" in fields)


def is_allowed(
    answer: Answer, expectation: Expectation, packet: Packet, config: NodeConfig, tolerance: Fraction
) -> bool:
    """Whether the contract allows the answer; each fate's odds may be off by `tolerance`."""
    given = _answered(answer, packet, config)
    told = {error for key in given if key[0] == "reject" for error in key[1:] if error}
    for outcome in expectation.allowed:
        if answer.tells_affinity and answer.affinity_seconds != outcome.affinity_seconds:
            continue
        wanted = _demanded(outcome, packet, config, is_error_told=bool(told))
        if all(
            abs(given.get(key, Fraction(0)) - wanted.get(key, Fraction(0))) <= tolerance
            and (key in given) == (key in wanted)
            for key in {*given, *wanted}
        ):
            return True
    return False


def answer_tree(answer: Answer, packet: Packet) -> dict[str, object]:
    """The answer as an OUTCOME of the protocol: the inverse of `read_answer`."""
    fates = []
    for fate in answer.fates:
        tree: dict[str, object] = {"do": fate.do, "odds": str(fate.odds)}
        if fate.do == "deliver":
            to = format_address(packet.family, fate.address)
            tree |= {"to": to, "port": fate.port, "source": fate.source}
        elif fate.error is not None:
            tree["with"] = fate.error
        fates.append(tree)
    told = {"affinity_seconds": answer.affinity_seconds} if answer.tells_affinity else {}
    return {"fates": fates, **told}


def answer_text(answer: Answer, packet: Packet) -> str:
    """The answer in one line, in the words of `oracle.report.wording.outcome_text`."""
    parts = []
    for fate in answer.fates:
        notes = [str(fate.odds)] if fate.odds != 1 else []
        match fate.do:
            case "deliver":
                text = f"delivered to {target_text(packet.family, Target(fate.address, fate.port))}"
                notes += [] if fate.source == KEPT else ["masqueraded"]
                if fate.source not in (KEPT, MASQUERADED):
                    notes[-1] = f"source seen {fate.source}"
            case "reject":
                text = "REJECT"
                notes += [fate.error] if fate.error else []
            case "drop":
                text = "DROP"
            case _:
                text = "untouched"
        parts.append(f"{text} ({', '.join(notes)})" if notes else text)
    if answer.affinity_seconds is not None:
        parts.append(f"affinity {answer.affinity_seconds} s")
    return "; ".join(parts)


def _answered(answer: Answer, packet: Packet, config: NodeConfig) -> Shares:
    shares: defaultdict[Seen, Fraction] = defaultdict(Fraction)
    for fate in answer.fates:
        match fate.do:
            case "deliver":
                source = _source_seen(fate.source, packet, config)
                shares["deliver", fate.address, fate.port, source] += fate.odds
            case "pass":
                shares["deliver", packet.destination, packet.port, _kept(packet, config)] += fate.odds
            case "reject":
                shares["reject", fate.error or ""] += fate.odds
            case _:
                shares[("drop",)] += fate.odds
    return shares


def _demanded(outcome: Outcome, packet: Packet, config: NodeConfig, *, is_error_told: bool) -> Shares:
    shares: defaultdict[Seen, Fraction] = defaultdict(Fraction)
    for leaf in outcome.leaves:
        match leaf.verdict:
            case Verdict.REJECT:
                shares["reject", leaf.reject_with if is_error_told else ""] += leaf.odds
            case Verdict.DROP:
                shares[("drop",)] += leaf.odds
            case _:
                address, port = packet.destination, packet.port
                if leaf.target is not None:
                    address, port = leaf.target.address, leaf.target.port
                source = _source_seen(MASQUERADED if leaf.masquerade else KEPT, packet, config)
                shares["deliver", address, port, source] += leaf.odds
    return shares


def _source_seen(source: str, packet: Packet, config: NodeConfig) -> str:
    """Kept, masqueraded, or "either" where both look alike; an address of nobody's as it is."""
    kept = _kept(packet, config)
    if source == KEPT:
        return kept
    if source != MASQUERADED:
        number = parse_address(source)[1]
        if number == packet.source:
            return kept
        if not _is_own(number, packet, config):
            return source
    return "either" if kept == "either" else MASQUERADED


def _kept(packet: Packet, config: NodeConfig) -> str:
    return "either" if _is_own(packet.source, packet, config) else KEPT


def _is_own(address: int, packet: Packet, config: NodeConfig) -> bool:
    """Whether masquerading may put the address in."""
    family = packet.family
    is_loopback = contains(family.loopback, address)
    return contains(config.local_addresses(family), address) and not is_loopback


def _fate(tree: object, packet: Packet) -> Fate:
    fields = _fields(tree, "a fate", {"do", "odds", "to", "port", "source", "with"})
    do = fields.get("do")
    if do not in FATES:
        raise Malformed(f"'do' is {do!r}, not one of {', '.join(FATES)}")
    belong = {"deliver": {"to", "port", "source"}, "reject": {"with"}}.get(do, set())
    if stray := sorted(fields.keys() - {"do", "odds"} - belong):
        raise Malformed(f"'{stray[0]}' does not belong to {do!r}")
    odds = _odds(fields.get("odds", 1))
    if do == "reject":
        error = fields.get("with")
        if error is not None and not isinstance(error, str):
            raise Malformed(f"'with' is {error!r}, not the name of an error")
        return Fate(do, odds, error=error)
    if do != "deliver":
        return Fate(do, odds)
    port = fields.get("port")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise Malformed(f"'port' is {port!r}, not a number from 0 to 65535")
    source = fields.get("source")
    if source not in (KEPT, MASQUERADED):
        _address(source, "source", packet)
    return Fate(do, odds, _address(fields.get("to"), "to", packet), port, str(source))


def _address(value: object, key: str, packet: Packet) -> int:
    try:
        family, number = parse_address(value if isinstance(value, str) else "")
    except ValueError:
        also = f", {KEPT!r} or {MASQUERADED!r}" if key == "source" else ""
        raise Malformed(f"{key!r} is {value!r}, not an IP address{also}") from None
    if family is not packet.family:
        raise Malformed(f"{key!r} is {value}, but the packet is {packet.family.value}")
    return number


def _odds(value: object) -> Fraction:
    try:
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise ValueError
        if isinstance(value, str) and not _ODDS.fullmatch(value):
            raise ValueError  # exponents among them, which may be astronomic to write out
        odds = Fraction(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        odds = Fraction(0)
    if not 0 < odds <= 1:
        raise Malformed(f"'odds' is {value!r}, not a number above 0 and up to 1 such as 0.5 or \"1/3\"")
    return odds


def _fields(tree: object, what: str, known: set[str]) -> dict[str, object]:
    if not isinstance(tree, dict):
        raise Malformed(f"{what} is not a JSON object")
    if unknown := sorted(tree.keys() - known):
        raise Malformed(f"{what} has the key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return tree
