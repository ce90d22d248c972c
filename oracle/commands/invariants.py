"""`svcproof invariants`: every claim, what it is about, and how it is tried."""

import click

from oracle.commands.terminal import say, say_json


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
def invariants(form: str) -> int:
    """List every claim about Services: what it says, what it takes for granted, how it is tried.

    Claims that are known to be false come last, with the method that refutes them.
    """
    from oracle.report.invariants_list import VERSION, claims, claims_json, claims_lines, claims_markdown

    found = claims()
    if form == "json":
        say_json({"version": VERSION, "invariants": claims_json(found)}, indent=2)
    else:
        say(claims_markdown(found) if form == "markdown" else claims_lines(found))
    return 0
