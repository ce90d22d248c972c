"""INV-19 without its assumption is false: a history that the solver finds (ALLOC-NP-09).

Every step of it is some event, one formula for each, and the last state has two Services
of type NodePort or LoadBalancer with one number. The solver chooses events, Services and
numbers, and what it chose is believed only when the model, replaying it, comes to such a
state. Nothing is claimed of longer histories, for one is enough.
"""

from collections.abc import Iterator
from itertools import combinations

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information
from rpds import HashTrieMap

from invariants.allocation import node_ports_have_one_owner
from invariants.prove.inductive import RANGES, initial
from invariants.prove.machine_state import Request, State, n, request, s, state, t
from invariants.prove.machine_witness import holding, label
from invariants.prove.pool_machine import EVENTS
from invariants.prove.query import Query
from model.api import objects as api
from model.api.refusal import Refused
from model.api.registry import DEFAULT_SERVICE_CIDR, Registry
from model.cluster import events
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.objects import ObjectName

SHORTEST = 3
"""No shorter history leads there: two Services come to be, and one changes its type."""


def nobody_shares_a_served_number(now: State) -> z3.BoolRef:
    """No two Services that nodes serve have one node port."""
    both = z3.And(now.node_type(s), now.node_type(t), now.carries(s, n), now.carries(t, n))
    return z3.ForAll([s, t, n], z3.Implies(both, s == t))


@attrs.frozen
class Trace:
    """The moments of a history, and for every step its request and which event it is."""

    moments: tuple[State, ...]
    requests: tuple[Request, ...]
    kinds: tuple[dict[str, z3.BoolRef], ...]

    def premises(self) -> tuple[z3.BoolRef, ...]:
        """Each step is one event, carried out, and the first state is empty."""
        return (*RANGES, initial(self.moments[0]), *self._steps())

    def _steps(self) -> Iterator[z3.BoolRef]:
        for at, (event, kinds) in enumerate(zip(self.requests, self.kinds, strict=True)):
            yield z3.Or(*kinds.values())
            yield z3.And([z3.Not(z3.And(one, other)) for one, other in combinations(kinds.values(), 2)])
            for name, chosen in kinds.items():
                happens = EVENTS[name](self.moments[at], self.moments[at + 1], event)
                yield z3.Implies(chosen, z3.And(happens, z3.Not(event.refused), z3.Not(event.dry)))

    def nothing_is_left_to_chance(self) -> Iterator[z3.BoolRef]:
        """Requests name all their node ports, and need none for health checks; so a replay draws none."""
        for event, now in zip(self.requests, self.moments[1:], strict=True):
            yield z3.ForAll(n, z3.Implies(event.gained(n), event.asked(n)))
            yield z3.ForAll(s, z3.Not(now.checks(s)))


def trace(steps: int) -> Trace:
    moments = tuple(state(f"at{at}") for at in range(steps + 1))
    requests = tuple(request(f"event{at}") for at in range(steps))
    kinds = tuple({name: z3.Bool(f"event{at} is {name}") for name in EVENTS} for at in range(steps))
    return Trace(moments, requests, kinds)


@attrs.frozen
class Found:
    """One event of a history: its class, the Service, its type then, and the numbers asked for."""

    kind: str
    service: str
    type: str
    asked: tuple[str, ...]

    def __str__(self) -> str:
        asks = f" asking for {', '.join(self.asked)}" if self.asked else ""
        return f"{self.kind} {self.service} as {self.type}{asks}"


def found(witness: z3.ModelRef, of: Trace) -> tuple[Found, ...]:
    """The events that the solver chose, in their order."""
    return tuple(_found(witness, of, at) for at in range(len(of.requests)))


def _found(witness: z3.ModelRef, of: Trace, at: int) -> Found:
    event, after = of.requests[at], of.moments[at + 1]
    kind = next(name for name, chosen in of.kinds[at].items() if _is_so(witness, chosen))
    target = witness.eval(event.target, model_completion=True)
    asked = tuple(sorted(label(witness, number) for (number,) in holding(witness, event.asked)))
    names = (("external", "ExternalName"), ("balancer", "LoadBalancer"), ("node_type", "NodePort"))
    type = next((name for fact, name in names if _is_so(witness, getattr(after, fact)(target))), "ClusterIP")
    return Found(kind, label(witness, target), type, asked)


def _is_so(witness: z3.ModelRef, formula: z3.BoolRef) -> bool:
    return bool(z3.is_true(witness.eval(formula, model_completion=True)))


def replayed(history: tuple[Found, ...]) -> ClusterState:
    """What the model makes of it: `number-3` is 30003. Raises Refused; ValueError for other events."""
    default = api.ServiceCIDR(api.Metadata(name=DEFAULT_SERVICE_CIDR), api.ServiceCIDRSpec(("10.96.0.0/24",)))
    now = ClusterState(registry=Registry(service_cidrs=HashTrieMap({DEFAULT_SERVICE_CIDR: default})))
    for seed, one in enumerate(history):
        now = step(now, _event(one, seed))
    return now


def _event(one: Found, seed: int) -> events.Event:
    match one.kind:
        case "create":
            return events.CreateService(_service(one), seed=seed)
        case "update":
            return events.UpdateService(_service(one), seed=seed)
        case "delete":
            return events.DeleteService(ObjectName("shop", one.service))
        case _:
            raise ValueError(f"{one.kind} is not replayed")


def _service(one: Found) -> api.Service:
    ports = tuple(
        api.ServicePort(name, port=80 + at, node_port=30000 + int(name.rpartition("-")[2]))
        for at, name in enumerate(one.asked)
    )
    external_name = "db.example" if one.type == "ExternalName" else ""
    spec = api.ServiceSpec(
        ports or (api.ServicePort("http", port=80),), type=one.type, external_name=external_name
    )
    return api.Service(api.Metadata(name=one.service, namespace="shop"), spec)


def queries(steps: int = SHORTEST) -> Iterator[Query]:
    """Whether so many events keep every served number with one Service: they do not."""
    of = trace(steps)

    def words(witness: z3.ModelRef) -> str:
        return "; ".join(map(str, found(witness, of)))

    def confirm(witness: z3.ModelRef) -> bool:
        try:
            now = replayed(found(witness, of))
        except (Refused, ValueError):
            return False
        return node_ports_have_one_owner.check(now) is not None

    premises = (*of.premises(), *of.nothing_is_left_to_chance())
    goal = nobody_shares_a_served_number(of.moments[-1])
    yield Query(f"{steps} events", premises, goal, words, confirm)
