"""`svcproof judge`: another implementation of Services, driven through drawn histories."""

import click

from oracle.commands.terminal import look, say, say_json

AGREES, DIFFERS = 0, 1


@click.command()
@click.argument("command", metavar="-- COMMAND [ARG...]", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--histories", type=click.IntRange(1), default=100, show_default=True, help="How many to play.")
@click.option("--events", type=click.IntRange(1), default=8, show_default=True, help="The most in a history.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed draws other histories.")
@click.option(
    "--mode",
    type=click.Choice(["iptables", "nftables", "ipvs"]),
    default="iptables",
    show_default=True,
    help="The mode of kube-proxy whose contract is promised.",
)
@click.option("--version", metavar="V", default="", help="Its version, as in 1.33  [default: the newest]")
@click.option(
    "--timeout", type=click.FloatRange(0.001), default=10.0, show_default=True, help="Seconds for an answer."
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.001,
    show_default=True,
    help="By how much a fate's odds may be off.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def judge(
    command: tuple[str, ...],
    histories: int,
    events: int,
    seed: int,
    mode: str,
    version: str,
    timeout: float,
    tolerance: float,
    form: str,
) -> int:
    """Drive an implementation of Services through drawn histories, and hold each answer to the contract.

    COMMAND reads questions from its standard input and answers them on its standard output, one JSON
    object a line (docs/judge.md): first a node and its objects, event by event, then packets. The
    smallest history that it gets wrong is shown.

    Exit status: 0 all answers are allowed, 1 one is not, 2 COMMAND broke the protocol.
    """
    from fractions import Fraction

    from model.errors import InputError
    from model.proxy_version import minor_version
    from oracle.judge.drawing import smallest_difference
    from oracle.judge.process import Process
    from oracle.judge.protocol import Session
    from oracle.judge.trial import Tally

    kube_proxy = f"v{version.removeprefix('v')}" if version else ""
    if version and minor_version(kube_proxy) is None:
        raise InputError("--version", 0, f"{version!r} is not a version of Kubernetes such as 1.33")
    tally = Tally()
    with Process(command, timeout) as process:
        found = smallest_difference(
            Session(process),
            mode=mode,
            version=kube_proxy,
            histories=histories,
            events=events,
            seed=seed,
            tolerance=Fraction(tolerance),
            tally=tally,
        )
    if form == "json":
        from oracle.report.judge_json import judged_json

        say_json(judged_json(found, tally))
    else:
        from oracle.report.judge_text import judged_lines

        say(judged_lines(found, tally, look(verbose=False)))
    return AGREES if found is None else DIFFERS
