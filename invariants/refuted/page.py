"""The page about refuted claims, docs/refuted.md, made of the claims: `python -m invariants.refuted.page`."""

from collections.abc import Iterator

from invariants.refuted import REFUTED

_HEAD = """\
# What is tempting and false

Claims about Services that people build on and that do not hold. [07-invariants.md](rules/07-invariants.md) \
lists them as NEG-*; each is written in code like the [invariants](invariants.md), in `invariants/refuted/`, \
as a function of a case. A test draws short histories of a cluster until one breaks the claim in the way \
that a row says, shrinks it, plays it through the model again, and checks that it is as short as it \
looks here. `pytest tests/invariants/test_refuted_claims.py -s` prints the histories that were found.

This page is made by `python -m invariants.refuted.page`, and a test holds it equal. What is shown is of \
kube-proxy in iptables mode.

| id | claim | broken by | counterexample |
|---|---|---|---|
"""


def page() -> str:
    """The whole page as Markdown: a row for each way in which a claim fails."""
    waiting = "".join(f"* {one.id}: {one.awaits}\n" for one in REFUTED if one.awaits)
    return f"{_HEAD}{''.join(_rows())}\nNot shown yet:\n\n{waiting}"


def _rows() -> Iterator[str]:
    for one in REFUTED:
        for at, each in enumerate(one.breaks):
            claim = one.sentence if at == 0 else "the same"
            yield f"| {one.id} | {claim} | {', '.join(each.rules)} | {each.counterexample} |\n"


if __name__ == "__main__":
    print(page(), end="")
