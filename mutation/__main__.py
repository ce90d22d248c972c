"""`python -m mutation [MODULE...]`: puts faults into the modules and writes docs/mutation.md.

Without a module, all of `model/`. Every fault of the contract is tried, of other modules
a sample. Survivors that are not known to be equivalent are printed, and the exit status
is 1 where the contract has one.
"""

import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import click

from mutation.equivalent import reviewed, why_left
from mutation.mutants import Mutant, mutants_of
from mutation.processes import import_libraries, settle_hypothesis
from mutation.reach import ROOT, Reach, measured
from mutation.report import CONTRACT, Equivalent, Score, Survivor, written
from mutation.run import Fate, fate
from mutation.warm import Trial, Warm, warm

SAMPLE = 12
SEED = "3"  # tests were written for what survived of the samples of seeds 1 and 2


@click.command()
@click.argument("modules", nargs=-1)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=SAMPLE,
    show_default=True,
    help="At most so many mutants of a module outside the contract.",
)
@click.option("--seed", default=SEED, show_default=True, help="Another seed draws another sample.")
def main(modules: Sequence[str], sample: int, seed: str) -> None:
    """Puts small faults into MODULES (model/forwarding.py ...) and counts those that no test notices."""
    os.chdir(ROOT)
    import_libraries()
    settle_hypothesis()
    reach = measured()
    tests = warm()
    _sure_without_a_fault(tests, reach)
    survivors_of_contract = 0
    for path in modules or tuple(_modules()):
        mutants = mutants_of(Path(path).read_text())
        tried = mutants if path in CONTRACT else _drawn(mutants, sample, f"{seed} {path}")
        if tried:
            score, survivors, equivalent = _judged(path, tried, reach, tests)
            written(attrs.evolve(score, mutants=len(mutants)), survivors, equivalent)
            survivors_of_contract += len(survivors) if path in CONTRACT else 0
    tests.end()
    sys.exit(1 if survivors_of_contract else 0)


def _sure_without_a_fault(tests: Warm, reach: Reach) -> None:
    """A test that failed by itself, in the order in which faults meet them, would kill them for nothing."""
    quickest = tuple(sorted(reach.seconds, key=lambda test: (reach.seconds[test], test)))
    if tests.status(Trial("", None, quickest, seconds=3600)) != 0:
        raise SystemExit("the tests fail without any fault when the quickest go first")


def _modules() -> Iterator[str]:
    for path in sorted((ROOT / "model").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix()


def _judged(
    path: str, tried: Sequence[Mutant], reach: Reach, tests: Warm
) -> tuple[Score, tuple[Survivor, ...], tuple[Equivalent, ...]]:
    began = time.monotonic()
    survived = []
    for mutant in tried:
        # Of what a reader found to be equivalent, the module's own tests are asked all the same.
        _, unknown = reviewed(path, [mutant])
        if fate(path, mutant, reach, tests, own_alone=not unknown) is Fate.SURVIVED:
            survived.append(mutant)
    equivalent, others = reviewed(path, survived)
    survivors = tuple(
        Survivor(path, mutant.line, mutant.before, mutant.after, why_left(path, mutant)) for mutant in others
    )
    killed, same = len(tried) - len(survived), len(survived) - len(survivors)
    print(f"{path}: {killed} of {len(tried)} killed, {same} equivalent,", end=" ")
    print(f"{len(survivors)} survived, {time.monotonic() - began:.0f} s")
    for one in survivors:
        print(f"    {path}:{one.line}\n      - {one.before}\n      + {one.after}", flush=True)
    return Score(path, len(tried), len(tried), killed, len(survivors), same), survivors, equivalent


def _drawn(mutants: tuple[Mutant, ...], sample: int, seed: str) -> tuple[Mutant, ...]:
    if sample >= len(mutants):
        return mutants
    chosen = sorted(random.Random(seed).sample(range(len(mutants)), sample))
    return tuple(mutants[i] for i in chosen)


if __name__ == "__main__":
    main()
