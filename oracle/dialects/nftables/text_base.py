"""The head of a base chain in the text of nft: type, hook, devices, priority and policy."""

import re
from typing import Final, NamedTuple, TypeVar

from oracle.dialects.nftables.expressions import VerdictKind
from oracle.dialects.nftables.families import priorities
from oracle.dialects.nftables.syntax import ChainType, Hook, TableFamily
from oracle.dialects.nftables.tokens import Cursor, NotReadError, is_word, shown

_PRIORITY: Final = re.compile(r"([a-z]*)([+-]?\d{1,9})?", re.ASCII)
_Word = TypeVar("_Word", ChainType, Hook)


class Base(NamedTuple):
    """What a base chain has more than another; members as in `Chain`."""

    hook: Hook
    type: ChainType
    priority: int
    policy: VerdictKind = VerdictKind.ACCEPT
    devices: tuple[str, ...] = ()


def base_head(cursor: Cursor, family: TableFamily) -> Base:
    """`type T hook H [device D] priority P`. Raises NotReadError for anything else."""
    cursor.expect("type")
    kind = _of(ChainType, cursor.name())
    cursor.expect("hook")
    hook = _of(Hook, cursor.name())
    devices: list[str] = []
    while not cursor.takes("priority"):
        word = cursor.name()
        if word == "device":
            devices.append(cursor.name())
        elif word == "devices":
            cursor.expect("=")
            cursor.expect("{")
            while not cursor.takes("}"):
                devices.append(cursor.name())
                cursor.takes(",")
        else:
            raise NotReadError(f"{shown(word)} where a priority should be")
    words = []
    while is_word(cursor.token):
        words.append(cursor.take())
    return Base(hook, kind, _priority("".join(words), family), devices=tuple(sorted(devices)))


def with_policy(cursor: Cursor, base: Base) -> Base:
    """The base chain with the policy that comes next."""
    cursor.expect("policy")
    word = cursor.name()
    if word not in ("accept", "drop"):
        raise NotReadError(f"{shown(word)} is no policy")
    return base._replace(policy=VerdictKind(word))


def _priority(text: str, family: TableFamily) -> int:
    """The number of `dstnat - 10`, `filter` or `-110`."""
    found = _PRIORITY.fullmatch(text)
    names = priorities(family)
    if not text or found is None or (found[1] and found[1] not in names):
        raise NotReadError(f"{shown(text)} is no priority")
    return (names[found[1]] if found[1] else 0) + int(found[2] or 0)


def _of(kind: type[_Word], word: str) -> _Word:
    try:
        return kind(word)
    except ValueError:
        raise NotReadError(f"{shown(word)} in the head of a base chain") from None
