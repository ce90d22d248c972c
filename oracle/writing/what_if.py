"""What a manifest would change in the rules of a node: the objects as the API server would store them.

Every object is judged as by `svcproof admit`, so defaults and allocations are in what is rendered,
and an object that the server refuses is an error here.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

import attrs

from model.api.json_form import to_tree
from model.errors import InputError
from model.load import cluster_of, read_objects
from model.load.cluster import Located
from model.objects import Cluster
from oracle.admission.judge import Verdict, judge
from oracle.admission.reading import KINDS, given_objects
from oracle.admission.store import open_store
from oracle.writing.files import Line

Source = tuple[str, bytes]


@attrs.frozen
class After:
    """The cluster with a manifest applied, and what was passed over or assumed."""

    cluster: Cluster
    notes: tuple[str, ...] = ()


@attrs.frozen
class Change:
    """The lines of a Service's rules that go and that come; `service` is None for those of none."""

    service: str | None
    gone: tuple[str, ...]
    come: tuple[str, ...]


def applied(objects: Sequence[Source], manifest: Sequence[Source]) -> After:
    """The objects once the manifest's are created or replaced, in their order.

    Raises InputError for what cannot be read, or what the API server would refuse.
    """
    opened = open_store(objects)
    located = {_key(one): one for file, data in objects for one in read_objects(data, file)}
    notes = list(opened.assumptions)
    held = opened.store
    for file, data in manifest:
        for seed, given in enumerate(given_objects(data, file, "default")):
            judgement = judge(held, given, seed=seed)
            held = judgement.held
            if judgement.verdict is Verdict.REFUSED:
                raise InputError(file, 0, f"{given.kind} {given.name} is refused: {judgement.refusal}")
            if judgement.stored is None:
                notes.append(f"{file}: {given.passed_over}")
                continue
            tree = {"apiVersion": KINDS[given.kind][0], "kind": given.kind, **to_tree(judgement.stored)}
            for one in read_objects(json.dumps(tree).encode(), file):
                located[_key(one)] = one
    return After(cluster_of(located.values()), tuple(notes))


def _key(one: Located) -> tuple[type, object]:
    return type(one.object), one.object.name


def changes(before: Iterable[Line], after: Iterable[Line]) -> Iterator[Change]:
    """The lines of two renderings that differ, Service by Service, in the order of the first.

    Lines that only frame others are left out.
    """
    old, new = ([line for line in lines if line.comment is not None] for lines in (before, after))
    gone: dict[str | None, list[str]] = {}
    come: dict[str | None, list[str]] = {}
    texts = [line.text for line in old], [line.text for line in new]
    for kind, a, b, c, d in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind != "equal":
            _add(gone, old[a:b])
            _add(come, new[c:d])
    for service in dict.fromkeys((*gone, *come)):
        yield Change(service, tuple(gone.get(service, ())), tuple(come.get(service, ())))


def _add(to: dict[str | None, list[str]], lines: Iterable[Line]) -> None:
    """Adds lines to those of their Services."""
    for line in lines:
        to.setdefault(line.service, []).append(line.text.strip())
