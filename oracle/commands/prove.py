"""`svcproof prove`: the claims put to a solver, for all packets and all states."""

import os
from typing import TYPE_CHECKING

import click

from model.errors import InputError
from oracle.commands.terminal import Progress, say, say_json

if TYPE_CHECKING:
    from invariants.prove.query import Proof

PROVED, NOT_PROVED = 0, 1


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--smt2", "folder", metavar="DIR", help="Also write each query there, in SMT-LIB 2.")
@click.option("--list", "only_list", is_flag=True, help="A Markdown table of the proofs; nothing is proved.")
@click.option(
    "--timeout", type=click.IntRange(1), default=60, show_default=True, help="Seconds for each query."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def prove(ids: tuple[str, ...], folder: str | None, only_list: bool, timeout: int, form: str) -> int:
    """Prove claims about the model, or refute those that are known to be false.

    ID is that of a claim, INV-42 or NEG-02; without any, all that have a proof. Nothing of a
    cluster is read: what is proved is proved of every packet, and as far as SCOPE says.

    Exit status: 0 every proof came out as it should, 1 one failed or a false claim has no
    witness, 2 there is no such proof.
    """
    from invariants.prove.catalogue import PROOFS
    from invariants.prove.solver import run
    from oracle.report.prove_json import result_json
    from oracle.report.prove_text import VERSION, proofs_table, result_lines, summary

    chosen = _chosen(PROOFS, ids)
    if folder is not None:
        _write(chosen, folder)
    if only_list:
        say(proofs_table(chosen))
        return PROVED
    progress, results = Progress(), []
    for proof in chosen:
        progress.turn_to(proof.name)
        progress.tell(proof.scope)
        result = run(proof, timeout)
        results.append(result)
        progress.clear()
        if form == "text":
            say(result_lines(result))
    if form == "json":
        say_json({"version": VERSION, "proofs": [result_json(one) for one in results]}, indent=2)
    else:
        say([summary(results)])
    return PROVED if all(one.is_as_expected for one in results) else NOT_PROVED


def _chosen(proofs: "tuple[Proof, ...]", ids: tuple[str, ...]) -> "tuple[Proof, ...]":
    """The proofs of these claims. Raises InputError for an id without any."""
    wanted = tuple(id.upper() for id in ids)
    known = {proof.id for proof in proofs}
    unknown = [id for id in wanted if id not in known]
    if unknown:
        raise InputError("ID", 0, f"no proof of {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    return tuple(proof for proof in proofs if not wanted or proof.id in wanted)


def _write(proofs: "tuple[Proof, ...]", folder: str) -> None:
    """Every query as a file. Raises InputError where the folder cannot be written."""
    from invariants.prove.solver import scripts

    try:
        os.makedirs(folder, exist_ok=True)
        for script in scripts(proofs):
            with open(os.path.join(folder, f"{script.name}.smt2"), "w", encoding="utf-8") as file:
                file.write(script.text)
    except OSError as error:
        raise InputError(folder, 0, error.strerror or str(error)) from None
