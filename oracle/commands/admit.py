"""`svcproof admit`: what the API server would do with objects; nothing is ever written."""

import click

from oracle.commands.options import spread
from oracle.commands.terminal import look, note, say, say_json

ACCEPTED, REFUSED = 0, 1
_FORM = click.Choice(["text", "json"])


class _AdmitCommand(click.Command):
    """`--cluster F OBJECT...`, so one file a `--cluster`; with `--` before the objects, any number."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args) if "--" in args else args)


@click.command(cls=_AdmitCommand)
@click.argument("objects", metavar="OBJECT...", nargs=-1, required=True)
@click.option("--cluster", metavar="F", multiple=True, help="What the cluster holds; may be repeated.")
@click.option("--create", "verb", flag_value="create", help="Create each (POST), as `kubectl create`.")
@click.option("--update", "verb", flag_value="update", help="Replace each (PUT), as `kubectl replace`.")
@click.option(
    "--namespace", "-n", metavar="NS", default="default", show_default=True, help="Of objects that name none."
)
@click.option(
    "--service-cidr",
    metavar="CIDR",
    multiple=True,
    help="Of the cluster, one of each family, primary first  [default: ServiceCIDR kubernetes]",
)
@click.option("--node-port-range", metavar="FIRST-LAST", help="[default: 30000-32767]")
@click.option("--feature-gates", metavar="NAME=BOOL,...", help="The API server's.")
@click.option("--verbose", "-v", is_flag=True, help="Show each accepted object whole, as it is stored.")
@click.option("--format", "form", type=_FORM, default="text", show_default=True)
def admit(
    objects: tuple[str, ...],
    cluster: tuple[str, ...],
    verb: str | None,
    namespace: str,
    service_cidr: tuple[str, ...],
    node_port_range: str | None,
    feature_gates: str | None,
    verbose: bool,
    form: str,
) -> int:
    """Say what the API server would do with each OBJECT: defaults and allocations, or every field error.

    OBJECT is a file of Services, Endpoints and EndpointSlices in YAML or JSON, or - for
    standard input. Objects are judged in their order, each after those accepted before it: an
    object that exists is replaced as a whole (PUT), any other is created. Nothing is written.

    Exit status: 0 all accepted, 1 any refused, 2 unreadable.
    """
    if [*objects, *cluster].count("-") > 1:
        raise click.UsageError("only one input can be standard input")

    from oracle.admission.judge import Verb, Verdict, judge
    from oracle.admission.reading import given_objects
    from oracle.admission.settings import api_config
    from oracle.admission.store import open_store
    from oracle.bundle import read_text_source

    config = api_config(node_port_range, feature_gates)
    cidrs = tuple(cidr for item in service_cidr for cidr in item.split(","))
    opened = open_store(((file, read_text_source(file)) for file in cluster), config, cidrs)
    given = [one for file in objects for one in given_objects(read_text_source(file), file, namespace)]
    held, judgements = opened.store, []
    for seed, one in enumerate(given):
        judgement = judge(held, one, Verb(verb) if verb else None, seed)
        held = judgement.held
        judgements.append(judgement)
    if form == "json":
        from oracle.report.admit_json import admission_json

        say_json(admission_json(judgements, opened.assumptions), indent=2)
    else:
        from oracle.report.admit_text import judgement_lines, summary_line

        show = look(verbose)
        for judgement in judgements:
            say(judgement_lines(judgement, show))
        if len(judgements) > 1:
            say(["", summary_line(judgements, show)])
    for text in opened.assumptions:
        note(text)
    return REFUSED if any(one.verdict is Verdict.REFUSED for one in judgements) else ACCEPTED
