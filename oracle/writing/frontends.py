"""The chains of `nat`: what becomes of the packets of each frontend that are translated.

A frontend's chain parts sources by their fate. What is not translated leaves by ACCEPT, for the
filter to refuse; all others meet a choice: mark the sources that are rewritten whichever endpoint
is chosen, ask the memories, draw. An endpoint's chain marks what only it has rewritten (a hairpin),
remembers the client, translates. Chains of the same content are one.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from model.fate import Fate, LeafFate
from model.frontends import ServicePortView
from model.intervals import Intervals, intersect, single, subtract
from model.outcome import Verdict
from model.predicate import All, Fact, Field, Within
from oracle.ruleset import Accept, Chain, Continue, Dnat, Jump, Rule, SetMark
from oracle.writing.conditions import Conditions, Literals, rule
from oracle.writing.names import Backend, Names
from oracle.writing.places import Place, Way


class FrontendWriter:
    """Writes the chains of frontends; `chains` grows with each."""

    def __init__(self, conditions: Conditions, names: Names) -> None:
        self._conditions = conditions
        self._names = names
        self._mark = 1 << conditions.view.config.masquerade_bit
        self.chains: dict[str, Chain] = {}

    def dispatch(self, places: Iterable[Place], way: Way) -> list[Rule]:
        """Rules that lead packets of a way to the frontends' chains, which they write."""
        out: list[Rule] = []
        for place in places:
            if place.owner is not None:
                to = Jump(self._frontend(place, place.owner[0], way))
                title = self._conditions.title(place)
                out += [rule(target, to, title) for target in self._conditions.targets(place)]
        return out

    def _frontend(self, place: Place, owner: ServicePortView, way: Way) -> str:
        *some, rest = sorted(place.fates[way], key=lambda fate: len(fate.sources))
        rules: list[Rule] = []
        for fate in (*some, rest):
            of_others: list[Literals] = [()]
            regions = of_others if fate is rest else self._conditions.sources(fate.sources)
            verdict = self._conditions.verdict(place, way, fate.sources[0][0])
            if fate.leaves[0].verdict != Verdict.DNAT.value:
                rules += [rule(region, Accept(), f"{verdict} not translated") for region in regions]
            elif rules or some:
                chain = self._add(owner, self._choice(place, owner, way, fate))
                rules += [rule(region, Jump(chain), verdict) for region in regions]
            else:
                rules = self._choice(place, owner, way, fate)
        return self._add(owner, rules)

    def _choice(self, place: Place, owner: ServicePortView, way: Way, fate: Fate) -> list[Rule]:
        """Marks for all, memories, then one of the endpoints with even odds."""
        family = self._conditions.view.family
        marked = [intersect(leaf.masquerade, fate.sources) for leaf in fate.leaves]
        common = marked[0]
        for sources in marked[1:]:
            common = intersect(common, sources)
        if len(fate.leaves) == 1:  # a hairpin is the endpoint's own affair, also where there is but one
            own = single(fate.leaves[0].address)
            common = subtract(common, own) if own[0] in common else common
        rules = list(self._marking(place, way, common, fate.sources))
        chains = {
            (leaf.address, leaf.port): self._endpoint(place, owner, way, leaf, subtract(sources, common))
            for leaf, sources in zip(fate.leaves, marked, strict=True)
        }
        verdict = self._conditions.verdict(place, way, fate.sources[0][0])
        for memory in fate.memories:
            name = self._names.memory(Backend(owner.name, family, memory.address, memory.port))
            asked = Fact("recent", f"{name}/{memory.seconds}")
            to = Jump(chains[memory.address, memory.port])
            rules.append(rule((asked,), to, f"{self._conditions.title(place)} [AFF-03]"))
        for at, chain in enumerate(chains.values()):
            left = len(chains) - at
            rules.append(rule((), Jump(chain), verdict, Fraction(1, left) if left > 1 else None))
        return rules

    def _marking(self, place: Place, way: Way, sources: Intervals, among: Intervals) -> Iterator[Rule]:
        """Marks some sources among those that come here."""
        if not sources:
            return
        comment = self._conditions.rewriting(place, way, sources[0][0])
        everybody: list[Literals] = [()]
        for span in everybody if sources == among else self._conditions.sources(sources):
            yield rule(span, SetMark(self._mark, self._mark), comment)

    def _endpoint(
        self, place: Place, owner: ServicePortView, way: Way, leaf: LeafFate, marked: Intervals
    ) -> str:
        """The chain of an endpoint, which has sources rewritten that others do not."""
        backend = Backend(owner.name, self._conditions.view.family, leaf.address, leaf.port)
        rules = list(self._marking(place, way, marked, ()))
        if owner.affinity_seconds is not None:
            name = self._names.memory(backend)
            rules.append(Rule(All(), Continue(), 0, f"{owner.name} [AFF-03]", None, name))
        of_protocol = Within(Field.PROTOCOL, place.protocols)
        rules.append(rule((of_protocol,), Dnat(leaf.address, leaf.port), str(owner.name)))
        chain = self._names.endpoint(backend, rules)
        self.chains.setdefault(chain, Chain(chain, rules, 0))
        return chain

    def _add(self, owner: ServicePortView, rules: list[Rule]) -> str:
        chain = self._names.service(owner.name, rules)
        self.chains.setdefault(chain, Chain(chain, rules, 0))
        return chain
