"""`python -m mutation [MODULE...]`: puts faults into the modules and writes docs/mutation.md.

Without a module, all of `model/`. Survivors that are not known to be equivalent are
printed, and the exit status is 1 where the contract has one.
"""

import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from mutation.equivalent import reviewed
from mutation.mutants import Mutant, mutants_of
from mutation.processes import import_libraries, settle_hypothesis
from mutation.reach import ROOT, Reach, measured
from mutation.report import CONTRACT, Equivalent, Score, written
from mutation.run import Fate, fate
from mutation.warm import Warm, warm


@click.command()
@click.argument("modules", nargs=-1)
@click.option("--sample", type=click.IntRange(min=1), help="At most so many mutants of a module.")
@click.option("--seed", default="1", show_default=True, help="Another seed draws another sample.")
def main(modules: Sequence[str], sample: int | None, seed: str) -> None:
    """Puts small faults into MODULES (model/forwarding.py ...) and counts those that no test notices."""
    os.chdir(ROOT)
    import_libraries()
    settle_hypothesis()
    reach = measured()
    tests = warm()
    survivors_of_contract = 0
    for path in modules or tuple(_modules_with_code()):
        score, equivalent, survivors = _judged(path, reach, tests, sample, seed)
        written(score, equivalent)
        survivors_of_contract += len(survivors) if path in CONTRACT else 0
    tests.end()
    sys.exit(1 if survivors_of_contract else 0)


def _modules_with_code() -> Iterator[str]:
    for path in sorted((ROOT / "model").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix()


def _judged(
    path: str, reach: Reach, tests: Warm, sample: int | None, seed: str
) -> tuple[Score, tuple[Equivalent, ...], tuple[Mutant, ...]]:
    began = time.monotonic()
    mutants = mutants_of(Path(path).read_text())
    tried = _drawn(mutants, sample, f"{seed} {path}")
    # What the tests computed while they were collected came from the real module: for the contract,
    # every fault is there from the first import.
    used = None if path in CONTRACT else tests
    survived = [mutant for mutant in tried if fate(path, mutant, reach, used) is Fate.SURVIVED]
    equivalent, survivors = reviewed(path, survived)
    killed, same = len(tried) - len(survived), len(survived) - len(survivors)
    score = Score(path, len(mutants), len(tried), killed, len(survivors), same)
    print(f"{path}: {killed}/{len(tried)} of {len(mutants)} killed, {same} equivalent,", end=" ")
    print(f"{len(survivors)} survived, {time.monotonic() - began:.0f} s")
    for mutant in survivors:
        print(f"    {path}:{mutant.line}\n      - {mutant.before}\n      + {mutant.after}", flush=True)
    return score, equivalent, survivors


def _drawn(mutants: tuple[Mutant, ...], sample: int | None, seed: str) -> tuple[Mutant, ...]:
    if sample is None or sample >= len(mutants):
        return mutants
    chosen = sorted(random.Random(seed).sample(range(len(mutants)), sample))
    return tuple(mutants[i] for i in chosen)


if __name__ == "__main__":
    main()
