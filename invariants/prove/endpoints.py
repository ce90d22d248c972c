"""The endpoint sets of a service port as formulas, over any number of endpoints.

The text of FWD-EP-01..04 and FWD-TOPO-01..04 once more, for a solver: `Endpoints` says what
is known of each endpoint, `Sets` which of them are in Cl and Lo. The text is read over a
domain: `Unbounded` quantifies over a sort without size, `Listed` over the endpoints that it
names, which unrolls every quantifier. A test holds it equal to `model.eligibility` on drawn
lists, under both domains and every reading of kube-proxy's versions.
"""

from collections.abc import Callable, Sequence

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

ENDPOINT = z3.DeclareSort("Endpoint")
CHOSEN = z3.Const("the endpoint", ENDPOINT)
"""Any one endpoint; what is proved of it holds of all."""

Property = Callable[[z3.ExprRef], z3.BoolRef]


@attrs.frozen
class Unbounded:
    """Any number of endpoints, none and infinitely many included."""

    def every(self, what: Property) -> z3.BoolRef:
        one = z3.Const("x", ENDPOINT)
        return z3.ForAll([one], what(one))

    def some(self, what: Property) -> z3.BoolRef:
        one = z3.Const("x", ENDPOINT)
        return z3.Exists([one], what(one))


@attrs.frozen
class Listed:
    """These endpoints and no others."""

    members: tuple[z3.ExprRef, ...]

    def every(self, what: Property) -> z3.BoolRef:
        return z3.And([what(one) for one in self.members])

    def some(self, what: Property) -> z3.BoolRef:
        return z3.Or([what(one) for one in self.members])


Domain = Unbounded | Listed

PROPERTIES = (
    "listed",  # is among the merged endpoints of the service port
    "ready",
    "serving",
    "terminating",
    "local",  # its node is this node
    "node hint",  # has a hint of some node
    "hints this node",
    "zone hint",  # has a hint of some zone
    "hints this zone",
)


@attrs.frozen
class Endpoints:
    """What slices say of each endpoint. `properties` has one for each of PROPERTIES.

    `reads_*` are what the version of kube-proxy makes of the slices, all true in the
    contract; `zone_known` says that the node has a zone.
    """

    domain: Domain
    properties: dict[str, Property]
    zone_known: z3.BoolRef
    reads_node_hints: z3.BoolRef
    reads_zone_hints: z3.BoolRef
    reads_still_serving: z3.BoolRef

    def is_(self, name: str, one: z3.ExprRef) -> z3.BoolRef:
        return self.properties[name](one)

    def ready(self, one: z3.ExprRef) -> z3.BoolRef:
        return z3.And(self.is_("listed", one), self.is_("ready", one))

    def still_serving(self, one: z3.ExprRef) -> z3.BoolRef:
        """Serving while it terminates (KEP-1669)."""
        return z3.And(
            self.is_("listed", one),
            self.is_("serving", one),
            self.is_("terminating", one),
            self.reads_still_serving,
        )


def any_endpoints(domain: Domain, suffix: str = "") -> Endpoints:
    """Endpoints of which nothing is known but what hints are (`hints_make_sense`)."""
    functions = {name: z3.Function(name + suffix, ENDPOINT, z3.BoolSort()) for name in PROPERTIES}
    return Endpoints(
        domain,
        dict(functions),
        z3.Bool(f"the node's zone is known{suffix}"),
        z3.Bool(f"node hints are read{suffix}"),
        z3.Bool(f"zone hints are read{suffix}"),
        z3.Bool(f"still serving ones are used{suffix}"),
    )


def hints_make_sense(of: Endpoints) -> z3.BoolRef:
    """An endpoint that hints at this node or zone has a hint (FWD-TOPO-01)."""
    return of.domain.every(
        lambda one: z3.And(
            z3.Implies(of.is_("hints this node", one), of.is_("node hint", one)),
            z3.Implies(of.is_("hints this zone", one), of.is_("zone hint", one)),
        )
    )


@attrs.frozen
class Sets:
    """Cl and Lo of one node, each with what must be taken for granted of its names.

    The closed parts (is some endpoint in the set by topology, ...) get names, so that no
    quantifier stands below another; `definitions` say what the names mean.
    """

    cluster: Property
    local: Property
    has: z3.BoolRef
    local_is_empty: z3.BoolRef
    definitions: tuple[z3.BoolRef, ...]


def sets(of: Endpoints, uses_cluster: z3.BoolRef, uses_local: z3.BoolRef, suffix: str = "") -> Sets:
    """The sets of FWD-EP-02..04; a set that no frontend uses is empty (FWD-EP-01)."""
    definitions: list[z3.BoolRef] = []

    def named(name: str, meaning: z3.BoolRef) -> z3.BoolRef:
        symbol = z3.Bool(f"{name}{suffix}")
        definitions.append(symbol == meaning)
        return symbol

    same_node = named("by node", z3.And(of.reads_node_hints, _mode(of, "node hint", "hints this node")))
    same_zone = named(
        "by zone",
        z3.And(
            z3.Not(same_node), of.reads_zone_hints, of.zone_known, _mode(of, "zone hint", "hints this zone")
        ),
    )

    def admitted(one: z3.ExprRef) -> z3.BoolRef:
        """FWD-TOPO-02."""
        return z3.And(
            z3.Implies(same_node, of.is_("hints this node", one)),
            z3.Implies(same_zone, of.is_("hints this zone", one)),
        )

    def ready_here(one: z3.ExprRef) -> z3.BoolRef:
        return z3.And(of.ready(one), of.is_("local", one))

    some_admitted = named(
        "topology admits one", of.domain.some(lambda one: z3.And(of.ready(one), admitted(one)))
    )
    some_ready_here = named("one is ready here", of.domain.some(ready_here))

    def cluster(one: z3.ExprRef) -> z3.BoolRef:
        """FWD-EP-02."""
        first = z3.And(of.ready(one), admitted(one))
        return z3.And(uses_cluster, z3.If(some_admitted, first, of.still_serving(one)))

    def local(one: z3.ExprRef) -> z3.BoolRef:
        """FWD-EP-03."""
        fallback = z3.And(of.still_serving(one), of.is_("local", one))
        return z3.And(uses_local, z3.If(some_ready_here, ready_here(one), fallback))

    usable = of.domain.some(lambda one: z3.Or(of.ready(one), of.still_serving(one)))
    has = named("one is usable", usable)
    some_local = named("the local set has one", of.domain.some(local))
    return Sets(cluster, local, has, z3.Not(some_local), tuple(definitions))


def _mode(of: Endpoints, any_hint: str, hint_here: str) -> z3.BoolRef:
    """FWD-TOPO-01: all ready endpoints have a hint, and one names this place."""
    return z3.And(
        of.domain.every(lambda one: z3.Implies(of.ready(one), of.is_(any_hint, one))),
        of.domain.some(lambda one: z3.And(of.ready(one), of.is_(hint_here, one))),
    )


def members(count: int) -> Sequence[z3.ExprRef]:
    """Names for so many endpoints, which may be one and the same."""
    return [z3.Const(f"endpoint {at}", ENDPOINT) for at in range(1, count + 1)]
