"""What a rule does, statement by statement: guards, actions and choices, in order.

What leaves every packet's fate alone is left out, if that is certain: counters, logs, marks
of connections, priorities. What may stop the rule but cannot be judged (limits) is a guard
in doubt; what may do anything ends the rule as `Unsupported`.

Sources: nft(8) STATEMENTS; rules-nftables 1, 5 and 7; MODE-19 for what remembers.
"""

from collections.abc import Container, Iterator, Sequence
from typing import Final, assert_never

import attrs

from oracle.dialects.nftables.expressions import (
    Ct,
    Expression,
    MapLookup,
    Meta,
    Payload,
    Unknown,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.lower_keys import is_of_other_family
from oracle.dialects.nftables.lower_maps import Choose, choice
from oracle.dialects.nftables.lower_match import Chance, Guard, guard_of
from oracle.dialects.nftables.lower_nat import mark_action, nat_effect, redirect_effect, reject_action
from oracle.dialects.nftables.lower_scope import ALWAYS_TRUE, NEVER, NotJudgedError, Scope
from oracle.dialects.nftables.lower_text import shown_statement
from oracle.dialects.nftables.statements import (
    Counter,
    Mangle,
    Masquerade,
    Match,
    Nat,
    Notrack,
    Opaque,
    Redirect,
    Reject,
    SetUpdate,
    Statement,
    Tproxy,
    VerdictMap,
    Xt,
)
from oracle.ruleset import (
    Accept,
    Action,
    Continue,
    Drop,
    Goto,
    Jump,
    Return,
    SetMark,
    Unsupported,
    Untrack,
)
from oracle.ruleset import Masquerade as MasqueradeAction


@attrs.frozen
class Do:
    """One action; `remember` names the memory that the source enters."""

    action: Action
    remember: str = ""


Step = Guard | Chance | Do | Choose

_CONTINUE: Final = Continue()
_VERDICTS: Final[dict[VerdictKind, Action]] = {
    VerdictKind.ACCEPT: Accept(),
    VerdictKind.DROP: Drop(),
    VerdictKind.RETURN: Return(),
    VerdictKind.CONTINUE: _CONTINUE,
}
_MAY_STOP: Final = frozenset({"limit", "quota", "connlimit", "objref limit", "objref quota"})
_DOES_MORE: Final = frozenset({"queue", "synproxy", "objref synproxy", "dup", "fwd"})
_HARMLESS_XT: Final = frozenset({"comment", "nfacct"})
_HARMLESS_TARGETS: Final = frozenset(
    {"LOG", "NFLOG", "ULOG", "AUDIT", "TRACE", "CHECKSUM", "TCPMSS", "SET", "CLASSIFY", "DSCP", "TOS"}
)
_HARMLESS_META: Final = frozenset({"priority", "nftrace", "secmark"})
_HARMLESS_PAYLOAD: Final = frozenset({"dscp", "ecn", "flowlabel", "id", "checksum"})
_ASK_IPTABLES: Final = "nft does not show it: give iptables-save of this node"


def steps(statements: Sequence[Statement], scope: Scope, chains: Container[str]) -> list[Step]:
    """What the statements do, up to the first that ends the rule."""
    found: list[Step] = []
    for statement in statements:
        try:
            for step in _steps(statement, scope, chains):
                found.append(step)
                if _ends(step):
                    return found
        except NotJudgedError as fault:
            if isinstance(statement, Match):
                found.append(Guard(scope.doubt(_doubt(statement, str(fault)))))
            else:
                found.append(Do(Unsupported(str(fault))))
                return found
    return found


def _doubt(statement: Match, why: str) -> str:
    """What is in doubt; a reason that only repeats the match is left out."""
    text = shown_statement(statement)
    return text if why in text else f"{text} ({why})"


def _ends(step: Step) -> bool:
    """Whether nothing that follows in the rule is ever done."""
    if isinstance(step, Guard):
        return step.alternatives == NEVER and not step.is_negated
    return isinstance(step, Do) and not isinstance(step.action, SetMark | Untrack | Continue)


def verdict_action(value: Expression, chains: Container[str]) -> Action:
    """What a verdict does. Raises NotJudgedError for a value that is none."""
    if not isinstance(value, Verdict):
        raise NotJudgedError(f"a verdict {getattr(value, 'text', value)}")
    if value.kind in _VERDICTS:
        return _VERDICTS[value.kind]
    if value.chain not in chains:
        return Unsupported(f"jump to missing chain {value.chain}")
    return Jump(value.chain) if value.kind is VerdictKind.JUMP else Goto(value.chain)


def _steps(statement: Statement, scope: Scope, chains: Container[str]) -> Iterator[Step]:
    match statement:
        case Match():
            guard = guard_of(statement, scope)
            if guard != Guard(ALWAYS_TRUE):
                yield guard
        case Verdict():
            yield Do(verdict_action(statement, chains))
        case VerdictMap(key, data):
            yield choice(key, data, lambda value: verdict_action(value, chains), scope)
        case Reject():
            yield from _reject(statement, scope)
        case Nat():
            yield from _nat(statement, scope)
        case Redirect():
            effect = redirect_effect(statement, scope)
            yield effect if isinstance(effect, Choose) else Do(effect)
        case Masquerade():
            yield Do(MasqueradeAction())
        case Notrack():
            yield Do(Untrack())
        case Mangle(key, value):
            yield from _mangle(key, value, scope)
        case SetUpdate():
            yield from _update(statement, scope)
        case Counter():
            return
        case Opaque(kind, text):
            yield from _opaque(kind, text, scope)
        case Xt(kind, name):
            yield from _xt(kind, name, scope)
        case Tproxy():
            raise NotJudgedError("tproxy")
        case Unknown(text):
            raise NotJudgedError(f"cannot be read: {text}")
        case _:
            assert_never(statement)


def _reject(statement: Reject, scope: Scope) -> Iterator[Step]:
    """A refusal; one by TCP reset or by one family's error is of such packets alone."""
    action, guard = reject_action(statement, scope)
    if guard != ALWAYS_TRUE:
        yield Guard(guard)
    yield Do(action)


def _nat(statement: Nat, scope: Scope) -> Iterator[Step]:
    effect = nat_effect(statement, scope)
    if effect is not None:
        yield effect if isinstance(effect, Choose) else Do(effect)


def _mangle(key: Expression, value: Expression, scope: Scope) -> Iterator[Step]:
    match key:
        case Meta("mark") if isinstance(value, MapLookup):
            yield choice(value.key, value.data, mark_action, scope)
        case Meta("mark"):
            yield Do(mark_action(value))
        case Meta(name) if name in _HARMLESS_META:
            return
        case Ct():  # of a connection whose first packet is on its way
            return
        case Payload(_, field) if field in _HARMLESS_PAYLOAD:
            return
        case Unknown(text) if text.startswith("tcp option"):
            return
        case Payload(protocol, field):
            raise NotJudgedError(f"{protocol} {field} is rewritten")
        case _:
            raise NotJudgedError(f"a change of {getattr(key, 'key', '') or getattr(key, 'text', key)}")


def _update(statement: SetUpdate, scope: Scope) -> Iterator[Step]:
    """An element is entered; a limit that is bound to it may stop the rule."""
    if is_of_other_family(statement.key, scope):
        yield Guard(NEVER)
    memory = None if statement.name in scope.learnt else scope.memories.get(statement.name)
    if memory is not None:
        yield Do(_CONTINUE, memory.name)
    for bound in statement.statements:
        yield from _steps(bound, scope, frozenset())


def _opaque(kind: str, text: str, scope: Scope) -> Iterator[Step]:
    if kind in _MAY_STOP:
        yield Guard(scope.doubt(text or kind))
    elif kind == "flow":  # only for connections that conntrack has confirmed: it ends the rule
        yield Guard(NEVER)
    elif kind in _DOES_MORE:
        raise NotJudgedError(text or kind)


def _xt(kind: str, name: str, scope: Scope) -> Iterator[Step]:
    if kind == "match":
        if name not in _HARMLESS_XT:
            yield Guard(scope.doubt(f"match {name}; {_ASK_IPTABLES}"))
    elif kind == "watcher" or name in _HARMLESS_TARGETS:
        return
    else:
        what = f"target {name}" if name else "a match or target of iptables"
        raise NotJudgedError(f"{what}; {_ASK_IPTABLES}")
