"""`svcproof endpoints`: what the controllers publish as endpoints of Services."""

import os
from typing import TYPE_CHECKING

import click

from model.errors import InputError
from oracle.commands.options import KUBECTL, Sources, SpreadCommand, answer_options
from oracle.commands.terminal import look, say, say_json

if TYPE_CHECKING:
    from model.objects import Cluster, Service

AGREES, DIFFERS = 0, 1


@click.command(cls=SpreadCommand)
@click.argument("words", metavar="[PATH] [SERVICE]", nargs=-1)
@click.option("--cluster", metavar="F...", multiple=True, help=f"Objects, from `{KUBECTL}`.")
@answer_options
def endpoints(words: tuple[str, ...], cluster: tuple[str, ...], form: str, verbose: bool) -> int:
    """Say what EndpointSlices and Endpoints the controllers publish, from pods, Services and nodes.

    PATH is a bundle as for `check`, of which only the objects are needed. SERVICE is
    NAMESPACE/NAME, or a name that only one Service has; without it all are shown. Where the
    objects hold slices or Endpoints already, these are compared.

    Exit status: 0 what the objects hold is what is published, or they hold neither, 1 it
    differs, 2 unreadable or not enough to tell.
    """
    path, files, wanted = _sources(words, cluster)

    from model.controllers.discrepancy import compared, discrepancies
    from model.controllers.publish import publish

    bundle = Sources(path, files).read()
    place = bundle.path or "--cluster"
    if bundle.cluster is None:
        raise InputError(place, 0, f"no cluster objects; add the output of: {KUBECTL}")
    objects = bundle.cluster
    services = _chosen(objects, wanted, place)
    _insist_on_evidence(objects, services, place)
    published = publish(objects)
    names = {service.name for service in services}
    differences = [each for each in discrepancies(objects, published) if each.service in names]
    if form == "json":
        from oracle.report.endpoints_json import published_json

        say_json(published_json(services, published, compared(objects), differences), indent=2)
    else:
        from oracle.report.endpoints_text import published_lines

        say(published_lines(services, published, compared(objects), differences, look(verbose)))
    return DIFFERS if differences else AGREES


def _sources(
    words: tuple[str, ...], cluster: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...], str | None]:
    """PATH, the files of --cluster, and SERVICE, which may come right after those files."""
    if len(words) > (1 if cluster else 2):
        raise click.UsageError(f"one SERVICE at most, and --cluster or PATH: {' '.join(words)}")
    if not cluster:
        if not words:
            raise click.UsageError("give --cluster, or a bundle PATH")
        return words[0], (), words[1] if len(words) == 2 else None
    *files, last = cluster
    if files and not words and last != "-" and not os.path.exists(last):
        return None, tuple(files), last
    return None, cluster, words[0] if words else None


def _chosen(objects: "Cluster", wanted: str | None, place: str) -> "list[Service]":
    """The Services asked for, by name. Raises InputError when there are none, or several of a name."""
    services = sorted(objects.services, key=lambda service: service.name)
    if wanted is None:
        return services
    found = [service for service in services if wanted in (str(service.name), service.name.name)]
    if not found:
        raise InputError(place, 0, f"no Service {wanted!r} among the objects")
    if len(found) > 1:
        names = ", ".join(str(service.name) for service in found)
        raise InputError(place, 0, f"which Service {wanted!r}? there are: {names}")
    return found


def _insist_on_evidence(objects: "Cluster", services: "list[Service]", place: str) -> None:
    """Raises InputError where pods or nodes are missing that the controllers must have seen."""
    from model.controllers.pod_endpoints import is_eligible, is_managed, selects

    managed = {service.name: service for service in services if is_managed(service)}
    if not managed:
        return
    if not objects.pods and any(
        one.service in managed and endpoint.target for one in objects.slices for endpoint in one.endpoints
    ):
        raise InputError(
            place, 0, f"slices name pods, and the objects hold none; add the output of: {KUBECTL}"
        )
    if objects.nodes:
        return
    for service in managed.values():
        for pod in objects.pods:
            if selects(service, pod) and is_eligible(pod, include_terminating=True):
                what = f"pods are published with their Node, and there is none; add the output of: {KUBECTL}"
                raise InputError(place, 0, what)
