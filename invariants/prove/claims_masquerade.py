"""When the source address is replaced: the rules said once more beside the table, and what follows."""

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.claims_policies import FROM_OUTSIDE
from invariants.prove.claims_verdicts import ENDPOINTS, PACKETS
from invariants.prove.endpoints import CHOSEN
from invariants.prove.query import Method, Proof, Query
from invariants.prove.tables import Tables, possible, turns
from invariants.prove.world import World, over, query
from model.forwarding import (
    DETECTOR_PRESENT,
    ENDS_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_HOST,
    FROM_POD,
    HAIRPIN,
    IS_CIP,
    IS_EXT,
    IS_EXTERNAL,
    IS_LBV,
    IS_NP,
    MASQUERADE_ALL,
    SENT_BY_NODE,
)
from model.predicate import All, Not

IS_REMOTE_BY_ADDRESS = Not(ENDS_ON_NODE)


def the_table_says_what_the_rules_say(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-62, over frontend, policy, class of source, detector, masqueradeAll and hairpin."""
    f = world.facts
    to_external = z3.Or(f[IS_EXT], f[IS_LBV], f[IS_NP])
    to_cluster_ip, is_pod, is_host = f[IS_CIP], f[FROM_POD], f[FROM_HOST]
    local = f[EXTERNAL_LOCAL]
    yes = (
        z3.And(to_cluster_ip, f[MASQUERADE_ALL]),  # MASQ-01
        z3.And(to_cluster_ip, f[DETECTOR_PRESENT], z3.Not(is_pod)),  # MASQ-02
        z3.And(to_external, z3.Not(local)),  # MASQ-04
        z3.And(to_external, local, is_host, z3.Not(is_pod)),  # MASQ-06
    )
    no = (
        # MASQ-03, where MASQ-01 does not say always.
        z3.And(to_cluster_ip, z3.Or(z3.Not(f[DETECTOR_PRESENT]), is_pod), z3.Not(f[MASQUERADE_ALL])),
        z3.And(to_external, local, is_pod),  # MASQ-05
        z3.And(to_external, local, z3.Not(is_pod), z3.Not(is_host)),  # MASQ-07
    )
    # MASQ-09: what ends on the node itself never comes to postrouting.
    wanted = z3.And(z3.Not(f[ENDS_ON_NODE]), z3.Or(f[HAIRPIN], *yes))
    rows = zip(tables.masquerade, turns(tables.masquerade, f), strict=True)
    return (
        query("some rule speaks", tables, world, (), z3.Or(*yes, *no)),
        query("no two rules contradict", tables, world, (), z3.Not(z3.And(z3.Or(*yes), z3.Or(*no)))),
        query("the table is the rules", tables, world, (), world.rewrites(tables) == wanted),
        *(
            Query(f"{row.id} has its turn ({tables.name})", (*possible(f), turn), z3.BoolVal(True))
            for row, turn in rows
        ),
    )


def replies_of_remote_endpoints_come_back(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-63: the endpoint is of another node, by its name and by its address."""
    of = world.endpoints
    given = (
        world.is_(IS_EXTERNAL),
        world.goes(tables, CHOSEN),
        z3.Not(of.is_("local", CHOSEN)),
        world.is_(IS_REMOTE_BY_ADDRESS),
        z3.Or(world.is_(FROM_OUTSIDE), world.is_(Not(EXTERNAL_LOCAL))),
    )
    return (query("source replaced", tables, world, given, world.rewrites(tables)),)


def a_hairpin_passes_the_node(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-64. From the wire nobody comes with an address of this very node, spoofers apart."""
    spoofed = All((FROM_HOST, Not(SENT_BY_NODE)))
    given = (world.goes(tables, CHOSEN), world.is_(All((HAIRPIN, Not(spoofed)))))
    return (query("source replaced", tables, world, given, world.rewrites(tables)),)


def policy_local_shows_the_client_address(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-65. An endpoint that comes back to itself is MASQ-08."""
    given = (
        world.is_(All((IS_EXTERNAL, EXTERNAL_LOCAL, FROM_OUTSIDE, Not(HAIRPIN)))),
        world.goes(tables, CHOSEN),
    )
    return (query("source kept", tables, world, given, z3.Not(world.rewrites(tables))),)


PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-62",
        Method.EXHAUSTIVE,
        PACKETS,
        over(the_table_says_what_the_rules_say),
        sentence="The source is replaced exactly where MASQ-01, 02, 04, 06 or 08 says so, up to MASQ-09; the "
        "rules leave no case out and never contradict.",
    ),
    Proof(
        "INV-63",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(replies_of_remote_endpoints_come_back),
        sentence="At external frontends the source is replaced where replies would not come back here.",
    ),
    Proof(
        "INV-64",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(a_hairpin_passes_the_node),
        sentence="Who is sent back to their own address has their source replaced.",
    ),
    Proof(
        "INV-65",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(policy_local_shows_the_client_address),
        sentence="Under external policy Local the endpoint sees the address of a client from outside, up to "
        "MASQ-08.",
    ),
)
