"""Ranges, bands, chains of odds, memories and owners as formulas are those of the model."""

from fractions import Fraction
from itertools import pairwise

import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information
from hypothesis import given
from hypothesis import strategies as st

from invariants.prove.claims_endpoints import BEFORE, LIVE, remembering
from invariants.prove.claims_isolation import SERVICE, Services, owns
from invariants.prove.claims_numbers import chance, onward, static_size
from invariants.prove.claims_ranges import Ranges, allows
from invariants.prove.endpoints import Listed, members
from invariants.prove.world import any_world
from model.addresses import Family, parse_address, parse_cidr
from model.affinity import Client, remembered
from model.api.allocation.bands import static_band_size
from model.frontends import PROXY_NAME_LABEL, NodeView, ServicePortView, node_view
from model.intervals import Intervals
from model.objects import Cluster, ObjectName, Service, ServicePortName, ServiceType
from model.odds import ONE, left, share, taken
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from tests.strategies.clusters import clusters
from tests.strategies.packets import packets

# --- source ranges


def in_spans(spans: Intervals, source: z3.BitVecRef) -> z3.BoolRef:
    return z3.Or([z3.And(z3.ULE(low, source), z3.ULE(source, high)) for low, high in spans] or [False])


def ranges_of(service: Service, view: NodeView, one: ServicePortView) -> Ranges:
    """The service's ranges as the formula asks of them, read off its CIDRs one by one."""
    spans = map(parse_cidr, service.load_balancer_source_ranges)
    own = [span for of, span in spans if of is view.family]
    primary = view.config.primary_address(view.family)
    return Ranges(
        has=lambda source: z3.Or([in_spans(span, source) for span in own] or [False]),
        some=z3.BoolVal(bool(own)),
        all_in=z3.BoolVal(view.family.everything in own),
        is_vip=lambda source: z3.Or([source == vip for vip in one.vips] or [False]),
        primary=z3.BitVecVal(primary or 0, view.family.bits),
        has_primary=z3.BoolVal(primary is not None),
    )


@given(st.data())
def test_ranges_allow_whom_the_model_allows(data: st.DataObject) -> None:
    """FWD-LBSR-01, FWD-LBSR-02, FWD-LBSR-04: at drawn sources, edges of ranges and balancers included."""
    cluster, config = data.draw(clusters())
    by_name = {service.name: service for service in cluster.services}
    asked = data.draw(st.lists(packets(cluster, config), min_size=1, max_size=4))
    for packet in asked:
        view = node_view(cluster, config, packet.family)
        for one in view.service_ports:
            right = one.allowed_sources
            ranges = ranges_of(by_name[one.name.service], view, one)
            for source in (packet.source, *one.vips):
                wanted = right is None or any(low <= source <= high for low, high in right)

                found = z3.simplify(allows(ranges, z3.BitVecVal(source, packet.family.bits)))

                assert z3.is_true(found) is wanted


# --- bands


def static(size: int, step: int, most: int) -> int:
    return int(z3.simplify(static_size(z3.IntVal(size), step, most)).as_long())


@pytest.mark.parametrize(("step", "most"), [(16, 256), (32, 128)])
def test_bands_are_the_allocators_for_every_size(step: int, most: int) -> None:
    """ALLOC-IP-03, ALLOC-NP-02: one formula for all sizes up to 2^17, put to the solver at once."""
    size, answer = z3.Int("n"), z3.Int("static")
    changes = [1]
    previous = static_band_size(1, step=step, most=most)
    for number in range(2, 2**17 + 1):
        current = static_band_size(number, step=step, most=most)
        if current != previous:
            changes.append(number)
            previous = current
    # Between two changes the model's answer is the same, so one sentence says all of them.
    pieces = [
        z3.Implies(z3.And(size >= low, size < high), answer == static_band_size(low, step=step, most=most))
        for low, high in pairwise([*changes, 2**17 + 1])
    ]
    solver = z3.Solver()
    solver.add(size >= 1, size <= 2**17, *pieces, answer != static_size(size, step, most))

    assert solver.check() == z3.unsat


@given(st.integers(1, 2**128), st.sampled_from([(16, 256), (32, 128)]))
def test_bands_are_the_allocators_for_larger_sizes(size: int, how: tuple[int, int]) -> None:
    step, most = how

    assert static(size, step, most) == static_band_size(size, step=step, most=most)


# --- odds


@given(st.integers(1, 200))
def test_the_chain_is_the_one_that_rules_are_walked_with(count: int) -> None:
    """FWD-LB-01: the model's own products of odds, rule by rule."""
    reached = ONE
    for at in range(1, count + 1):
        part = z3.simplify(chance(z3.RealVal(count), z3.RealVal(at)))
        assert Fraction(str(part)) == share(count - at + 1)
        assert taken(reached, share(count - at + 1)) == share(count)
        goes_on = z3.simplify(onward(z3.RealVal(str(reached)), part))
        reached = left(reached, share(count - at + 1))
        assert Fraction(str(goes_on)) == reached


# --- affinity


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_memories_are_asked_as_the_model_asks_them(known: list[tuple[bool, bool]]) -> None:
    """AFF-03, AFF-06: each endpoint is in the set or not, and has a live memory or not."""
    eligible = [at for at, (goes, _) in enumerate(known) if goes]
    if not eligible:
        return
    asked = tuple(Remembered(Target(at, 80), 60) for at in eligible)
    leaves = tuple(Leaf(Verdict.DNAT, share(len(eligible)), Target(at, 80)) for at in eligible)
    client = Client(1, ServicePortName(ObjectName("shop", "web"), "", "TCP"))
    memory = {(client, Target(at, 80)): 0 for at, (_, live) in enumerate(known) if live}
    first = remembered(Outcome(leaves, asked), memory, client, 10)
    wanted = [at for at in eligible if first is None or first.address == at]

    names = tuple(members(len(known)))
    world = any_world(Listed(names))
    goes = {name: z3.BoolVal(known[at][0]) for at, name in enumerate(names)}
    chosen, definitions = remembering(world, lambda one: goes[one])
    truths = [(LIVE(name), z3.BoolVal(known[at][1])) for at, name in enumerate(names)]
    truths += [
        (BEFORE(one, other), z3.BoolVal(i < j))
        for i, one in enumerate(names)
        for j, other in enumerate(names)
    ]
    (definition,) = definitions
    symbol, meaning = definition.children()
    truths.append((symbol, z3.simplify(z3.substitute(meaning, *truths))))
    found = [
        at for at, name in enumerate(names) if z3.is_true(z3.simplify(z3.substitute(chosen(name), *truths)))
    ]

    assert found == wanted


# --- owners


@given(st.data())
def test_owners_are_the_models(data: st.DataObject) -> None:
    """FWD-OBJ-02: which Services own the frontend that a packet goes to."""
    cluster, config = data.draw(clusters(clashes=True))
    packet = data.draw(packets(cluster, config))
    view = node_view(cluster, config, packet.family)
    owners = {one.name.service for one, _ in view.owners(packet.destination, packet.protocol, packet.port)}
    for service in cluster.services:
        one = z3.Const(service.name.name, SERVICE)
        found = z3.simplify(owns(facts_of(service, view.family, z3.BoolVal(True)), one))

        assert service.name not in owners or z3.is_true(found)
        assert z3.is_true(found) is is_served(service, cluster, view)


def facts_of(service: Service, family: Family, frontend: z3.BoolRef) -> Services:
    """What is known of this one Service, which has the packet's frontend if any has."""
    ips = [ip for ip in service.cluster_ips if ip not in ("", "None")]
    return Services(
        exists=lambda _: z3.BoolVal(True),
        external_name=lambda _: z3.BoolVal(service.type is ServiceType.EXTERNAL_NAME),
        has_cluster_ip=lambda _: z3.BoolVal(any(parse_address(ip)[0] is family for ip in ips)),
        other_proxy=lambda _: z3.BoolVal(PROXY_NAME_LABEL in service.label_map),
        frontend=lambda _: frontend,
    )


def is_served(service: Service, cluster: Cluster, view: NodeView) -> bool:
    """Whether the model makes service ports of the Service, were it alone in the cluster."""
    return bool(node_view(Cluster((service,), cluster.slices), view.config, view.family).service_ports)
