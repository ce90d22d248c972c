"""A solver's witness over relations in words: of what each relation holds, moment by moment."""

from collections.abc import Callable, Iterator, Sequence

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.machine_witness import holding, label


def show(*moments: tuple[str, Sequence[z3.FuncDeclRef]]) -> Callable[[z3.ModelRef], str]:
    """What tells a witness: of each moment its title and relations.

    A line a moment: `before: lists(slice-0, pod-0), says ready(slice-0, pod-0)`.
    """

    def words(witness: z3.ModelRef) -> str:
        lines = []
        for title, relations in moments:
            facts = [fact for relation in relations for fact in _facts(witness, relation)]
            lines.append(f"{title}: {', '.join(facts) or 'nothing'}")
        return "\n".join(lines)

    return words


def _facts(witness: z3.ModelRef, relation: z3.FuncDeclRef) -> Iterator[str]:
    name = relation.name().rpartition(".")[2]
    for places in holding(witness, relation):
        yield f"{name}({', '.join(label(witness, place) for place in places)})"
