"""How places and regions of sources are said in conditions, and which rows a comment names."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import attrs

from model.frontends import NodeView
from model.intervals import Intervals, single, subtract
from model.node_config import DetectLocalMode
from model.predicate import All, Fact, Field, Predicate, Within
from oracle.ruleset import Action, Rule
from oracle.writing.literals import networks
from oracle.writing.places import Place, Way, rows

Literals = tuple[Predicate, ...]

_EVERY_PROTOCOL: Intervals = ((0, 0xFF),)


def rule(when: Iterable[Predicate], then: Action, comment: str = "", odds: Fraction | None = None) -> Rule:
    """A rule that stands in no dump yet; what is in place of its text becomes its comment."""
    return Rule(All(tuple(when)), then, 0, comment, odds)


@attrs.frozen
class Conditions:
    """What rules of one node and family ask; `holds_sets`: one rule may name many networks."""

    view: NodeView
    holds_sets: bool

    def sources(self, values: Intervals) -> list[Literals]:
        """Conditions that together mean packets from these sources."""
        return list(self._spans(Field.SOURCE, values))

    def targets(self, place: Place) -> list[Literals]:
        """Conditions that together mean packets to the place."""
        port: Literals = ()
        if place.port is not None:
            port = Within(Field.PROTOCOL, place.protocols), Within(Field.PORT, single(place.port))
        elif place.protocols != _EVERY_PROTOCOL:
            port = (Within(Field.PROTOCOL, place.protocols),)
        return [(*span, *port) for span in self._spans(Field.DESTINATION, place.destinations)]

    def pod_interface(self) -> Fact:
        """That the packet came in by an interface that is taken for a pod's (SRC-02)."""
        config = self.view.config
        is_bridge = config.detect_local is DetectLocalMode.BRIDGE_INTERFACE
        return Fact(
            "in-interface", config.bridge_interface if is_bridge else f"{config.interface_name_prefix}+"
        )

    def title(self, place: Place) -> str:
        """The service port and the kind of frontend, `shop/web:http CIP`."""
        if place.owner is None:
            return "no Service's"
        one, kind = place.owner
        return f"{one.name} {kind.value}"

    def verdict(self, place: Place, way: Way, source: int) -> str:
        """The comment of a rule that carries out the row which decides for the source."""
        return f"{self.title(place)} [{rows(self.view, place, way, source)[0]}]"

    def rewriting(self, place: Place, way: Way, source: int) -> str:
        """The comment of a rule that marks the source: every row that may have it rewritten."""
        found = rows(self.view, place, way, source)[1:]
        return f"{self.title(place)} [{', '.join(row for row in found if not row.startswith('AFF'))}]"

    def _spans(self, field: Field, values: Intervals) -> Iterator[Literals]:
        family = self.view.family
        if values == family.everything:
            yield ()
        elif self.holds_sets or len(subtract(family.everything, values)) == 1:
            yield (Within(field, values),)
        else:
            for span in values:
                parts = list(networks(family, (span,)))
                yield from ((Within(field, one),) for one in (parts if len(parts) <= 2 else [(span,)]))
