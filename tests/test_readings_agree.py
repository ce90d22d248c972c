"""What is read in two ways is read alike: contract and regions, plain walk and cells, `holds` and solver."""

import random
from fractions import Fraction
from pathlib import Path

import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.kube_proxy_rules import write_iptables
from model.addresses import Family
from model.errors import InputError
from model.expectation import expect
from model.expected import Contract
from model.fate import outcome_at
from model.frontends import NodeView, node_view
from model.intervals import contains
from model.outcome import Leaf, Outcome, Verdict
from model.packet import Origin, Packet
from model.predicate import Field, Predicate, holds
from model.source_regions import sources_where
from model.symbolic import Symbols, formula
from oracle.bundle import read_bundle
from oracle.dialects.iptables import parse_iptables
from oracle.node_rules import read_node
from oracle.space.compare import Tally, compare, prepare
from tests.asking import assert_walks_agree, of_the_node, plainly
from tests.edits import edits_of
from tests.strategies.clusters import clusters
from tests.strategies.nodes import MODELLED_MODES
from tests.strategies.packets import packets
from tests.strategies.predicates import FACTS, TOP, Case, predicates, spans

DUMPS = Path(__file__).parent / "dumps"

# --- the contract, packet by packet and for all sources at once


@given(st.data())
def test_expect_and_the_contract_for_all_sources_agree(data: st.DataObject) -> None:
    """At every packet, in every mode, the allowed outcomes are those of the treatments of its place.

    Only loopback traffic from elsewhere may besides be dropped by a guard, which the
    treatments allow for and `expect` need not.
    """
    cluster, config = data.draw(clusters(clashes=True, modes=MODELLED_MODES))
    views = {family: node_view(cluster, config, family) for family in Family}
    contracts = {family: Contract(view) for family, view in views.items()}

    for packet in data.draw(st.lists(packets(cluster, config), min_size=1, max_size=8)):
        view = views[packet.family]
        packet = of_the_node(view, packet)
        _, treatments = contracts[packet.family].allowed(
            packet.destination,
            packet.protocol,
            packet.port,
            packet.origin,
            from_pod_interface=view.pod_sources is None and view.is_pod_interface(packet.in_interface),
        )
        found = {plainly(one) for fates in treatments if (one := outcome_at(fates, packet.source))}
        expected = {plainly(one) for one in expect(view, packet).allowed}
        loopback = view.family.loopback
        if contains(loopback, packet.destination) and not contains(loopback, packet.source):
            found -= {plainly(Outcome((Leaf(Verdict.DROP, Fraction(1)),)))} - expected
        assert found == expected, packet


# --- the rules, packet by packet and cell by cell


@given(st.data())
def test_the_plain_walk_and_the_cells_agree_on_written_rules(data: st.DataObject) -> None:
    """Rules as kube-proxy writes them for drawn clusters."""
    cluster, config = data.draw(clusters(clashes=True))
    asked = data.draw(st.lists(packets(cluster, config), min_size=1, max_size=8))
    for family in {packet.family for packet in asked}:
        text = write_iptables(cluster, config, family, data.draw(st.integers(0, 3)))

        here = [packet for packet in asked if packet.family is family]

        assert_walks_agree(node_view(cluster, config, family), parse_iptables(text.encode(), "dump"), here)


@given(st.data())
def test_the_plain_walk_and_the_cells_agree_on_damaged_rules(data: st.DataObject) -> None:
    """Written rules with up to four lines deleted, doubled, swapped or changed in some field."""
    cluster, config = data.draw(clusters())
    asked = data.draw(st.lists(packets(cluster, config), min_size=1, max_size=8))
    random_ = random.Random(data.draw(st.integers(0, 1 << 30)))
    for family in {packet.family for packet in asked}:
        text = damaged(write_iptables(cluster, config, family), random_)
        try:
            rulesets = parse_iptables(text.encode(), "dump")
        except InputError:
            continue

        here = [packet for packet in asked if packet.family is family]

        assert_walks_agree(node_view(cluster, config, family), rulesets, here)


def damaged(text: str, random_: random.Random) -> str:
    for _ in range(random_.randint(1, 4)):
        text = random_.choice(list(edits_of(text))).text
    return text


@pytest.mark.parametrize(
    "case", ["busy-1", "etp-local-lb", "session-affinity", "terminating", "kp130-nodeport"]
)
def test_the_plain_walk_and_the_cells_agree_on_recorded_rules(case: str) -> None:
    """Frontends and the ports beside them, from inside, outside and the node itself."""
    bundle = read_bundle(DUMPS / f"{case}.iptables")
    assert bundle.cluster is not None
    random_ = random.Random(case)
    for evidence in bundle.nodes[:1]:
        node = read_node(evidence, bundle.cluster)
        for family, rulesets in node.by_family.items():
            view = node_view(bundle.cluster, node.config, family)
            asked = [
                aimed(view, place, random_)
                for place in random_.sample(sorted(places(view)), min(60, len(places(view))))
            ]

            assert_walks_agree(view, rulesets, asked)


def places(view: NodeView) -> set[tuple[int, int, int]]:
    """Frontends, node ports on every address, and one port beside each of them."""
    primary = view.config.primary_address(view.family)
    own = [view.family.loopback[0][0] | 1, *([] if primary is None else [primary])]
    found = set(view.by_address)
    found |= {(address, *key) for key in view.by_node_port for address in own}
    return found | {(address, protocol, port + 1) for address, protocol, port in found}


def aimed(view: NodeView, place: tuple[int, int, int], random_: random.Random) -> Packet:
    address, protocol, port = place
    origin = random_.choice(list(Origin))
    outside = view.family.top >> 1
    sources = [
        outside,
        address,
        *(low for low, _ in view.local_addresses),
        *(s for s, _ in view.pod_sources or ()),
    ]
    return Packet(view.family, origin, random_.choice(sources), address, protocol, port)


@given(st.data(), st.booleans())
def test_rules_as_written_conform(data: st.DataObject, clashes: bool) -> None:
    """What kube-proxy writes for any drawn cluster gives no suspicion, over all packets."""
    cluster, config = data.draw(clusters(clashes=clashes))
    order = data.draw(st.integers(0, 3))
    for family in Family:
        view = node_view(cluster, config, family)
        rulesets = parse_iptables(write_iptables(cluster, config, family, order).encode(), "dump")
        tally = Tally()

        found = list(compare(prepare(view, rulesets), tally))

        assert found == []
        assert tally.covered == 2 ** (family.bits + 8 + 16)


# --- predicates, case by case, for all sources at once, and to a solver


@given(predicates([Field.SOURCE]), st.data())
def test_sources_where_a_predicate_holds_are_those_at_which_it_holds(
    predicate: Predicate, data: st.DataObject
) -> None:
    """Facts given as truths or as regions of sources."""
    known = data.draw(st.fixed_dictionaries({fact: st.booleans() | spans() for fact in FACTS}))

    region = sources_where(predicate, known, ((0, TOP),))

    for source in range(TOP + 1):
        facts = {
            fact: value if isinstance(value, bool) else contains(value, source)
            for fact, value in known.items()
        }
        assert contains(region, source) == holds(predicate, Case({Field.SOURCE: source}, facts))


@given(predicates(list(Field)), st.data())
def test_the_solver_reads_a_predicate_as_holds_does(predicate: Predicate, data: st.DataObject) -> None:
    """At any case, over whole numbers and over bit vectors alike."""
    case = Case(
        data.draw(st.fixed_dictionaries({field: st.integers(0, TOP) for field in Field})),
        data.draw(st.fixed_dictionaries({fact: st.booleans() for fact in FACTS})),
    )
    expected = holds(predicate, case)
    facts = {fact: z3.Bool(fact.name) for fact in FACTS}
    truths = [(facts[fact], z3.BoolVal(value)) for fact, value in case.facts.items()]
    for number_of, value_of in ((z3.Int, z3.IntVal), (bit_vector, bits)):
        symbols = Symbols({field: number_of(field.value) for field in Field}, facts)
        numbers = [(symbols.fields[field], value_of(number)) for field, number in case.fields.items()]

        term = z3.simplify(z3.substitute(formula(predicate, symbols), *numbers, *truths))

        assert z3.is_true(term) == expected
        assert z3.is_false(term) == (not expected)


def bit_vector(name: str) -> z3.BitVecRef:
    return z3.BitVec(name, 128)


def bits(number: int) -> z3.BitVecRef:
    """Numbers with the top bit set in a bit vector must not be taken for negative."""
    return z3.BitVecVal(number, 128)
