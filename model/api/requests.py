"""The API server's verbs on Services, each a pure function of the registry before.

Each returns what was accepted, or raises Refused and has changed nothing. Every random
choice comes from `seed`. A body is defaulted as it is decoded (`model.api.defaults`);
what then happens to it is `model.api.service_storage`'s to say.
"""

import attrs

from model.api.defaults import set_defaults
from model.api.objects import Service
from model.api.refusal import Reason, Refused
from model.api.registry import Registry
from model.api.service_storage import Accepted, remove, store_changed, store_new, store_status
from model.objects import ObjectName


def addressed(service: Service, namespace: str, name: str | None = None) -> Service:
    """The Service of a request's body with the namespace of its path.

    Raises Refused (400) when body and path disagree about namespace or name.
    """
    metadata = service.metadata
    if metadata.namespace not in ("", namespace):
        what = "the namespace of the provided object does not match the namespace sent on the request"
        raise Refused(Reason.BAD_REQUEST, what)
    if name is not None and metadata.name != name:
        what = f"the name of the object ({metadata.name}) does not match the name on the URL ({name})"
        raise Refused(Reason.BAD_REQUEST, what)
    return attrs.evolve(service, metadata=attrs.evolve(metadata, namespace=namespace))


def create(registry: Registry, service: Service, *, dry_run: bool = False, seed: int = 0) -> Accepted:
    """A POST: defaults, addresses and ports, validation, write (API-PIPE-01).

    Raises Refused. In a dry run nothing is written or allocated, and allocated values are
    placeholders (API-PIPE-06).
    """
    return store_new(registry, set_defaults(service), dry_run=dry_run, seed=seed)


def update(registry: Registry, service: Service, *, dry_run: bool = False, seed: int = 0) -> Accepted:
    """A PUT, or what a PATCH has made of the stored object: full replacement (API-PIPE-02).

    A Service that does not exist is created. Taking away the last finalizer of a Service
    marked for deletion deletes it. Raises Refused: 409 when the body's resource version
    or uid is not the stored one's; without them, the last writer wins.
    """
    return store_changed(registry, set_defaults(service), dry_run=dry_run, seed=seed)


def update_status(registry: Registry, service: Service, *, dry_run: bool = False) -> Accepted:
    """A PUT of /status: the status and metadata as given, the spec as stored (API-PIPE-03).

    The type that the body states decides whether ipMode gets its default. Raises Refused:
    404 when there is no such Service, 409 as for `update`.
    """
    return store_status(registry, set_defaults(service), dry_run=dry_run)


def delete(
    registry: Registry, name: ObjectName, *, dry_run: bool = False, now: str = "1970-01-01T00:00:00Z"
) -> Accepted:
    """A DELETE: the Service is gone and what it holds is free (API-TC-11).

    One with finalizers is only marked, at the time `now`, and keeps addresses and ports
    until they are taken away. Raises Refused (404) when there is no such Service.
    """
    return remove(registry, name, dry_run=dry_run, now=now)
