"""What the allocators of a cluster know at one moment, as relations over any number of things.

Four sorts without size: Services by name, numbers (node ports and health check node
ports), cluster IPs, and ServiceCIDRs; and classes of load balancers. A state says which
facts hold of them. Nothing is counted, so what is proved of these relations is proved of
every cluster. Of a Service that does not exist every fact is false.

This is a second reading of `model.api.registry` and its allocators: a test holds it equal
to the first on every step of drawn histories.
"""

from collections.abc import Iterator

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

SERVICE = z3.DeclareSort("Service")
NUMBER = z3.DeclareSort("Number")
ADDRESS = z3.DeclareSort("Address")
CIDR = z3.DeclareSort("Cidr")
CLASS = z3.DeclareSort("Class")

_FACT = (SERVICE,)

SORTS: dict[str, tuple[z3.SortRef, ...]] = {
    "exists": _FACT,
    "marked": _FACT,
    "external": _FACT,
    "node_type": _FACT,
    "balancer": _FACT,
    "checks": _FACT,
    "headless": _FACT,
    "single": _FACT,
    "first_is_v4": _FACT,
    "carries": (SERVICE, NUMBER),
    "health": (SERVICE, NUMBER),
    "primary": (SERVICE, ADDRESS),
    "secondary": (SERVICE, ADDRESS),
    "classed": (SERVICE, CLASS),
    "pooled": (NUMBER, SERVICE),
    "seen": (NUMBER,),
    "seen_twice": (NUMBER,),
    "owned": (ADDRESS, SERVICE),
    "present": (CIDR,),
    "ready": (CIDR,),
}

OF_A_SERVICE = tuple(name for name, sorts in SORTS.items() if sorts[0] == SERVICE)
"""The relations that a write of one Service changes for it alone."""


@attrs.frozen
class State:
    """The relations of one moment."""

    exists: z3.FuncDeclRef
    marked: z3.FuncDeclRef  # for deletion, waiting for finalizers
    external: z3.FuncDeclRef  # type ExternalName
    node_type: z3.FuncDeclRef  # type NodePort or LoadBalancer
    balancer: z3.FuncDeclRef  # type LoadBalancer
    checks: z3.FuncDeclRef  # needs a health check node port (API-PRED-04)
    headless: z3.FuncDeclRef
    single: z3.FuncDeclRef  # ipFamilyPolicy SingleStack
    first_is_v4: z3.FuncDeclRef  # ipFamilies[0] is IPv4
    carries: z3.FuncDeclRef  # a port's nodePort
    health: z3.FuncDeclRef  # healthCheckNodePort
    primary: z3.FuncDeclRef  # clusterIPs[0]
    secondary: z3.FuncDeclRef  # clusterIPs[1]
    classed: z3.FuncDeclRef  # loadBalancerClass
    pooled: z3.FuncDeclRef  # the number counts as allocated, for this Service
    seen: z3.FuncDeclRef  # repair has found the number leaked
    seen_twice: z3.FuncDeclRef
    owned: z3.FuncDeclRef  # the address's IPAddress object names this Service
    present: z3.FuncDeclRef  # the ServiceCIDR exists
    ready: z3.FuncDeclRef  # and gives out addresses


def state(moment: str) -> State:
    """The relations named after their moment, as `before.carries`."""
    return State(
        **{name: z3.Function(f"{moment}.{name}", *sorts, z3.BoolSort()) for name, sorts in SORTS.items()}
    )


@attrs.frozen
class Request:
    """What an event brings along; what it is not about it leaves open."""

    target: z3.ExprRef  # the Service
    cidr: z3.ExprRef
    refused: z3.BoolRef
    dry: z3.BoolRef
    asked: z3.FuncDeclRef  # numbers that the request gives its ports
    asked_health: z3.FuncDeclRef
    asked_address: z3.FuncDeclRef
    gained: z3.FuncDeclRef  # node ports that it takes from the pool


def request(moment: str = "event") -> Request:
    numbers, truth = (NUMBER,), z3.BoolSort()
    return Request(
        z3.Const(f"{moment}.target", SERVICE),
        z3.Const(f"{moment}.cidr", CIDR),
        z3.Bool(f"{moment}.refused"),
        z3.Bool(f"{moment}.dry"),
        z3.Function(f"{moment}.asked", *numbers, truth),
        z3.Function(f"{moment}.asked_health", *numbers, truth),
        z3.Function(f"{moment}.asked_address", ADDRESS, truth),
        z3.Function(f"{moment}.gained", *numbers, truth),
    )


# What no event changes: the ranges.

IN_RANGE = z3.Function("in_range", NUMBER, z3.BoolSort())
STATIC = z3.Function("static", NUMBER, z3.BoolSort())
IS_V4 = z3.Function("is_v4", ADDRESS, z3.BoolSort())
SPANS = z3.Function("spans", CIDR, ADDRESS, z3.BoolSort())
EDGE = z3.Function("edge", CIDR, ADDRESS, z3.BoolSort())  # network and IPv4 broadcast address
STATIC_OF = z3.Function("static_of", CIDR, ADDRESS, z3.BoolSort())

RIGID = (IN_RANGE, STATIC, IS_V4, SPANS, EDGE, STATIC_OF)


def usable(cidr: z3.ExprRef, address: z3.ExprRef) -> z3.BoolRef:
    """Whether the ServiceCIDR could give the address: all of it but its edges (ALLOC-IP-02).

    Left out: IPv6 ranges wider than /64, which give nothing and yet cover others.
    """
    return z3.And(SPANS(cidr, address), z3.Not(EDGE(cidr, address)))


# Variables for quantifiers.

s, t, u = z3.Consts("s t u", SERVICE)
n, m = z3.Consts("n m", NUMBER)
a, b = z3.Consts("a b", ADDRESS)
c, d = z3.Consts("c d", CIDR)
k = z3.Const("k", CLASS)

_VARIABLES = {SERVICE: (s, t), NUMBER: (n, m), ADDRESS: (a, b), CIDR: (c, d), CLASS: (k,)}


def variables(sorts: tuple[z3.SortRef, ...]) -> Iterator[z3.ExprRef]:
    """A variable for each place of a relation."""
    for place, sort in enumerate(sorts):
        yield _VARIABLES[sort][sorts[:place].count(sort)]


# Derived relations.


def addresses(now: State, service: z3.ExprRef, address: z3.ExprRef) -> z3.BoolRef:
    """Whether it is one of the Service's cluster IPs."""
    return z3.Or(now.primary(service, address), now.secondary(service, address))


def numbers(now: State, service: z3.ExprRef, number: z3.ExprRef) -> z3.BoolRef:
    """Whether the Service names the number, as a node port or for its health check."""
    return z3.Or(now.carries(service, number), now.health(service, number))


def is_pooled(now: State, number: z3.ExprRef) -> z3.BoolRef:
    return z3.Exists(u, now.pooled(number, u))


def is_owned(now: State, address: z3.ExprRef) -> z3.BoolRef:
    return z3.Exists(u, now.owned(address, u))


def is_held(now: State, address: z3.ExprRef) -> z3.BoolRef:
    """Whether some ServiceCIDR could have given it, in whatever state that is."""
    return z3.Exists(c, z3.And(now.present(c), usable(c, address)))
