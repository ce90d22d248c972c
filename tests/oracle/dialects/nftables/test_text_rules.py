"""The text of rules as a whole: small statements, what is not known, comments and handles."""

import pytest

from oracle.dialects.nftables.expressions import (
    Concat,
    Payload,
    Unknown,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.statements import (
    Counter,
    Match,
    MatchOp,
    Opaque,
    SetOp,
    SetUpdate,
    Xt,
)
from tests.oracle.dialects.nftables.listings import (
    addresses,
    statement,
    statements,
    text_chain,
    text_rule,
)

ACCEPT = Verdict(VerdictKind.ACCEPT)
DROP = Verdict(VerdictKind.DROP)
SADDR = Payload("ip", "saddr")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("update @clients { ip saddr }", SetUpdate(SetOp.UPDATE, "clients", SADDR)),
        (
            "add @clients { ip saddr . tcp dport timeout 30s }",
            SetUpdate(SetOp.ADD, "clients", Concat((SADDR, Payload("tcp", "dport"))), timeout=30),
        ),
        ("delete @clients { ip saddr }", SetUpdate(SetOp.DELETE, "clients", SADDR)),
        (
            "update @ports { ip saddr : tcp dport }",
            SetUpdate(SetOp.UPDATE, "ports", SADDR, Payload("tcp", "dport")),
        ),
        (
            "update @clients { ip saddr limit rate over 5/second burst 7 packets counter }",
            SetUpdate(
                SetOp.UPDATE,
                "clients",
                SADDR,
                statements=(Opaque("limit", "limit rate over 5/second burst 7 packets"), Counter()),
            ),
        ),
    ],
)
def test_a_rule_may_remember(rule: str, expected: SetUpdate) -> None:
    """AFF: a client enters the set of its endpoint."""
    assert expected == statement(rule)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("limit rate 10/second", "limit"),
        ("limit rate over 5 mbytes/second burst 10 kbytes", "limit"),
        ('limit name "l1"', "objref limit"),
        ('counter name "c1"', "objref counter"),
        ('quota name "q1"', "objref quota"),
        ("quota over 5 mbytes used 1 kbytes", "quota"),
        ('log prefix "he said" level debug flags tcp sequence,options flags ip options flags skuid', "log"),
        ("log group 5 snaplen 5 queue-threshold 3", "log"),
        ("log", "log"),
        ("last used 1h2m", "last"),
        ('dup to 1.2.3.4 device "eth0"', "dup"),
        ("flow add @f", "flow"),
        ("ct count over 5", "connlimit"),
        ('ct helper set "ftp"', "ct helper"),
    ],
)
def test_a_statement_known_by_its_kind_ends_where_it_ends(rule: str, kind: str) -> None:
    """What stands after it is read."""
    assert (Opaque(kind, rule), ACCEPT) == statements(f"{rule} accept")


@pytest.mark.parametrize(
    "rule", ["queue num 1-3 fanout,bypass", "queue flags bypass to numgen inc mod 2", 'fwd to "lo"']
)
def test_a_statement_that_takes_the_packet_away_is_last(rule: str) -> None:
    """Its options reach to the rule's end."""
    assert Opaque(rule.split()[0], rule) == statement(rule)


def test_counters_count() -> None:
    """A stateless listing leaves out the numbers."""
    assert (Counter(7, 420), Counter(), ACCEPT) == statements("counter packets 7 bytes 420 counter accept")


@pytest.mark.parametrize("rule", ['xt match "recent"', "xt match recent"])
def test_what_xtables_hides_keeps_its_name(rule: str) -> None:
    """With or without quotes, by version (rules-nftables 7)."""
    assert (Xt("match", "recent"), Counter(0, 0), Verdict(VerdictKind.RETURN)) == statements(
        f"{rule} counter packets 0 bytes 0 return"
    )


def test_what_xtables_translates_is_read_like_the_rest() -> None:
    """Two blanks stand where a comment of iptables was."""
    expected = (
        Match(MatchOp.EQ, SADDR, addresses("10.0.0.0", "10.255.255.255")),
        Counter(0, 0),
        Verdict(VerdictKind.JUMP, "KUBE-X"),
    )

    assert expected == statements("ip saddr 10.0.0.0/8  counter packets 0 bytes 0 jump KUBE-X")


def test_what_cannot_be_read_is_unknown_to_the_end_of_its_rule() -> None:
    """Nobody can say where it ends; what stands before it is kept."""
    rule = text_rule('tcp dport 80 teleport to { mars } accept comment "why" # handle 5')

    assert (
        Match(MatchOp.EQ, Payload("tcp", "dport"), 80),
        Unknown("teleport to { mars } accept"),
    ) == rule.statements
    assert ("why", 5) == (rule.comment, rule.handle)


def test_an_unknown_rule_leaves_the_next_one_whole() -> None:
    """The damage ends with the line."""
    chain = text_chain("teleport to { mars,\n\t\tvenus }\n\t\taccept")

    assert [(Unknown("teleport to { mars, venus }"),), (ACCEPT,)] == [rule.statements for rule in chain.rules]


@pytest.mark.parametrize(
    "comment", ["plain", 'he said "no"', 'a } b { "', "ends # handle", "back\\slash", 'comment "x"']
)
def test_a_comment_may_hold_anything(comment: str) -> None:
    """nft prints quotes in it as they are, and it is always last."""
    rule = text_rule(f'ip saddr 1.2.3.4 drop comment "{comment}"')

    assert ("ip saddr 1.2.3.4 drop", comment, DROP) == (rule.text, rule.comment, rule.statements[-1])


def test_the_text_of_a_rule_is_the_dump_s() -> None:
    """Without comment and handle, for the reader who looks for the guilty line."""
    rule = text_rule('meta mark set meta mark | 0x00004000 comment "masquerade" # handle 12')

    assert ("meta mark set meta mark | 0x00004000", "masquerade", 12, 3) == (
        rule.text,
        rule.comment,
        rule.handle,
        rule.line,
    )
