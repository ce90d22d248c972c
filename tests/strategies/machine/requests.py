"""A machine that asks the API server for Services in any order, and holds every claim to each step.

Whatever happens, the state before is as it was, and an event that is not carried out
raises one of the two typed errors. Every claim of the catalogue is tried by its kind: wherever
a case of a kind comes about, all claims of that kind are held to it.
"""

from collections import Counter
from typing import ClassVar, NoReturn

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from rpds import HashTrieMap

from invariants.catalogue import CATALOGUE
from invariants.invariant import Kind, Step
from model.api import objects as api
from model.api.refusal import Refused
from model.api.registry import DEFAULT_SERVICE_CIDR, ApiConfig, Registry
from model.cluster import events, transition
from model.cluster.events import Event, IllegalEvent
from model.cluster.state import ClusterState
from tests.strategies import api_services
from tests.strategies.machine import indexes
from tests.strategies.machine.fingerprint import fingerprint
from tests.strategies.weights import sometimes
from tests.wording import brief

AT = st.integers(0, 5)
"""Which of those that are there."""

CIDRS = (
    ("10.96.0.0/29",),
    ("10.96.0.0/27", "fd00:10:96::/125"),
    ("fd00:10:96::/125", "10.96.0.0/30"),
    ("fd00:10:96::/123",),
)
"""Two to thirty usable addresses a family; only /27 and /123 have a static band."""

RANGES = ((30000, 30003), (30000, 30016), (30000, 30031))
"""Node port ranges of 4, 17 and 32 numbers: without static band, with all but one in it, with half."""


CLAIMS = {kind: tuple(claim for claim in CATALOGUE if claim.kind is kind) for kind in Kind}


class BrokenClaim(AssertionError):
    """A claim that does not hold, with the history that led there."""

    def __init__(self, id: str, what: str, history: list[Event]) -> None:
        steps = "\n".join(f"{at}. {brief(event)}" for at, event in enumerate(history, 1))
        super().__init__(f"{id}: {what}\nafter\n{steps}")
        self.id, self.what, self.history = id, what, tuple(history)


class Requests(RuleBasedStateMachine):
    """Requests for Services alone; no ExternalName Service gets node ports, as INV-19 assumes."""

    external_names_have_node_ports: ClassVar[bool] = False
    unclaimed: ClassVar[frozenset[str]] = frozenset()
    seen: ClassVar[Counter[tuple[str, bool]]] = Counter()
    """How often each kind of event was attempted and carried out (True) or refused."""
    tried: ClassVar[Counter[str]] = Counter()
    """How many cases each claim was held to, of those that keep its assumption."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ClusterState()
        self.history: list[Event] = []
        self.seed = 0
        self.is_broken = False

    @initialize(cidrs=st.sampled_from(CIDRS), ports=st.sampled_from(RANGES))
    def begins(self, cidrs: tuple[str, ...], ports: tuple[int, int]) -> None:
        self.start(cidrs, ports)

    def start(self, cidrs: tuple[str, ...], ports: tuple[int, int]) -> None:
        ranges = api.ServiceCIDR(api.Metadata(name=DEFAULT_SERVICE_CIDR), api.ServiceCIDRSpec(cidrs))
        registry = Registry(ApiConfig(*ports), service_cidrs=HashTrieMap({DEFAULT_SERVICE_CIDR: ranges}))
        self.state = attrs.evolve(self.state, registry=registry)
        self.hold(Kind.NUMBER, ports[1] - ports[0] + 1)

    # --- What happens, and what is held to it

    def carried_out(self, state: ClusterState, event: Event) -> Step:
        """The step of an event; one that is not carried out raises its typed error and nothing else."""
        try:
            stepped = transition.carry_out(state, event)
        except (IllegalEvent, Refused) as fault:
            return Step(state, event, state, fault)
        return Step(state, event, stepped.state, stepped.answer)

    def happens(self, event: Event) -> Step:
        self.history.append(event)
        before = self.state
        was = fingerprint(before)
        step = self.carried_out(before, event)
        if fingerprint(before) != was:
            self.fail("steps are pure", f"{brief(event)} changed the state before it")
        self.seen[type(event).__name__, not step.is_refused] += 1
        self.hold(Kind.STEP, step)
        if step.after is not before:
            self.hold(Kind.STATE, step.after)
            for what in indexes.faults(before, step.after):
                self.fail("indexes are what a scan finds", what)
        self.state = step.after
        return step

    def hold(self, kind: Kind, *case: object) -> None:
        """Holds every claim of the kind to the case."""
        for claim in CLAIMS[kind]:
            if claim.id in self.unclaimed or not claim.assumes(*case):
                continue
            self.tried[claim.id] += 1
            violation = claim.check(*case)
            if violation is not None:
                self.fail(claim.id, violation.what)

    def fail(self, claim: str, what: str) -> NoReturn:
        self.is_broken = True
        raise BrokenClaim(claim, what, self.history)

    def next_seed(self) -> int:
        self.seed += 1
        return self.seed

    def as_submitted(self, service: api.Service) -> api.Service:
        if self.external_names_have_node_ports:
            return service
        return api_services.without_node_ports_on_external_name(service)

    # --- Requests

    @rule(service=api_services.services(), dry_run=sometimes(True, False))
    def creates(self, service: api.Service, *, dry_run: bool) -> None:
        self.happens(events.CreateService(self.as_submitted(service), dry_run, self.next_seed()))

    @rule(count=st.integers(1, 16), kind=st.sampled_from(("NodePort", "ClusterIP", "NodePort")))
    def fills(self, count: int, kind: str) -> None:
        """Many plain Services, so that pools run full."""
        taken = {name.name for name in self.state.registry.services}
        free = [name for number in range(40) if (name := f"fill-{number}") not in taken]
        for name in free[:count]:
            metadata = api.Metadata(name=name, namespace=api_services.NAMESPACE)
            spec = api.ServiceSpec((api.ServicePort(port=80),), type=kind)
            step = self.happens(events.CreateService(api.Service(metadata, spec), seed=self.next_seed()))
            if step.is_refused:
                return

    @precondition(lambda self: self.state.registry.services)
    @rule(
        at=AT,
        other=api_services.services(),
        how=st.sampled_from(("put back", "blanked", "other", *api_services.CHANGED_AT_ONCE)),
        version=sometimes("stored", "none"),
        dry_run=sometimes(True, False),
    )
    def updates(
        self, at: int, other: api.Service, how: str | tuple[str, ...], version: str, *, dry_run: bool
    ) -> None:
        stored = self.stored(at)
        if how == "put back":
            service = stored
        elif how == "blanked":
            service = api_services.blanked(stored)
        elif isinstance(how, str):
            service = attrs.evolve(stored, spec=other.spec)
        else:
            service = api_services.with_fields_of(stored, other.spec, how)
        if version == "none":
            metadata = attrs.evolve(service.metadata, resource_version="", uid="")
            service = attrs.evolve(service, metadata=metadata)
        self.happens(events.UpdateService(self.as_submitted(service), dry_run, self.next_seed()))

    @precondition(lambda self: self.state.registry.services)
    @rule(at=AT, status=api_services.statuses())
    def reports_status(self, at: int, status: api.ServiceStatus) -> None:
        """Of a load balancer where there is one."""
        there = self.state.registry.services
        balancers = sorted(name for name, one in there.items() if one.spec.type == "LoadBalancer")
        stored = there[balancers[at % len(balancers)]] if balancers else self.stored(at)
        self.happens(events.UpdateServiceStatus(attrs.evolve(stored, status=status)))

    @precondition(lambda self: self.state.registry.services)
    @rule(at=AT, dry_run=sometimes(True, False))
    def deletes(self, at: int, *, dry_run: bool) -> None:
        """INV-24's other half: all that a Service had may be requested again, and at once."""
        old = self.stored(at)
        step = self.happens(events.DeleteService(old.object_name, dry_run))
        if old.object_name in self.state.registry.services or self.external_names_have_node_ports:
            return
        again = events.CreateService(api_services.asked_again(old), seed=self.seed)
        told = self.carried_out(step.after, again).told
        why = [cause.detail for cause in told.causes] if isinstance(told, Refused) else []
        if any("allocated" in detail for detail in why) and "INV-24" not in self.unclaimed:
            self.fail("INV-24", f"{brief(old)} cannot be made again: {told}")

    @precondition(lambda self: self.state.registry.services)
    @rule(at=AT)
    def lets_go(self, at: int) -> None:
        """The finalizers of a Service are taken away, which ends one that is marked."""
        stored = self.stored(at)
        metadata = attrs.evolve(stored.metadata, finalizers=())
        self.happens(events.UpdateService(attrs.evolve(stored, metadata=metadata)))

    def stored(self, at: int) -> api.Service:
        there = sorted(self.state.registry.services)
        return self.state.registry.services[there[at % len(there)]]
