"""`svcproof replay`: a scripted history of a cluster, with questions asked in between."""

import click

from oracle.commands.terminal import look, note, say, say_json

HELD, DIFFERS = 0, 1
_FORM = click.Choice(["text", "json"])


@click.command()
@click.argument("events", metavar="EVENTS.yaml")
@click.option("--format", "form", type=_FORM, default="text", show_default=True)
def replay(events: str, form: str) -> int:
    """Let a cluster live through a history, and say what comes of each event.

    EVENTS.yaml (or -) says where the cluster starts, what happens, and what is asked in between:
    requests, pods, nodes, controllers and proxies that lag, packets, time. An expectation beside
    an event makes the history a test.

    Exit status: 0 all as expected, 1 an expectation does not hold or an event is refused
    unexpectedly, 2 the file cannot be read.
    """
    from oracle.bundle import read_text_source
    from oracle.replay.run import beginning, run
    from oracle.replay.script import read_script

    script = read_script(read_text_source(events), events)
    start = beginning(script)
    show, history = look(verbose=False), []
    for happened in run(script, start.state):
        history.append(happened)
        if form == "json":
            from oracle.report.replay_json import happened_json

            say_json(happened_json(happened))
        else:
            from oracle.report.replay_text import happened_lines

            say(happened_lines(happened, show))
    if form == "text":
        from oracle.report.replay_text import summary_line

        say(["", summary_line(history, show)])
    for text in start.assumptions:
        note(text)
    return DIFFERS if any(one.unmet for one in history) else HELD
