"""One object after the other, each judged by what the API server holds by then.

Law: a refused object leaves the store as it was; an accepted one is stored before the
next is judged. Services go the way of `model.api.requests`, the others that of
`model.api.endpoint_requests`; this file says neither again.
"""

import enum
from typing import Any, assert_never

import attrs

from model.api import endpoint_requests, requests
from model.api import objects as api
from model.api.json_form import to_tree
from model.api.refusal import Reason, Refused
from model.api.warnings import ip_warnings
from oracle.admission.reading import KINDS, Given, Written
from oracle.admission.store import Store


class Verb(enum.Enum):
    """How an object reaches the server."""

    CREATE = "create"  # a POST
    UPDATE = "update"  # a PUT of the whole object


class Verdict(enum.Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_JUDGED = "not-judged"


@attrs.frozen
class Judgement:
    """What became of one object.

    `stored` is set when it was accepted, `before` when there was one of the name,
    `refusal` when it was refused. `warnings` are those the server sends along, and one for
    each field that it does not know and drops. `held` is what the server holds afterwards.
    """

    given: Given
    verdict: Verdict
    held: Store
    verb: Verb | None = None
    before: Written | None = None
    stored: Written | None = None
    refusal: Refused | None = None
    warnings: tuple[str, ...] = ()

    @property
    def status(self) -> int | None:
        """The HTTP status of the server's answer."""
        if self.refusal is not None:
            return self.refusal.reason.status
        return {Verb.CREATE: 201, Verb.UPDATE: 200}[self.verb] if self.verb else None


def judge(held: Store, given: Given, verb: Verb | None = None, seed: int = 0) -> Judgement:
    """What the server does with the object: the verb given, else a create or update as it exists or not.

    `seed` draws what the server chooses itself.
    """
    if given.passed_over:
        return Judgement(given, Verdict.NOT_JUDGED, held)
    if given.written is None:
        return Judgement(given, Verdict.REFUSED, held, verb, refusal=given.fault)
    before = stored_of(held, given.written)
    chosen = verb or (Verb.CREATE if before is None else Verb.UPDATE)
    try:
        after, stored, warnings = _carried_out(held, given.written, before, chosen, seed)
    except Refused as refusal:
        return Judgement(given, Verdict.REFUSED, held, chosen, before, refusal=refusal)
    unknown = (f"{path}: unknown field, dropped; kubectl refuses it by default" for path in given.unknown)
    return Judgement(given, Verdict.ACCEPTED, after, chosen, before, stored, warnings=(*warnings, *unknown))


def stored_of(held: Store, written: Written) -> Written | None:
    """The stored object of that kind and name."""
    name = written.metadata.object_name
    match written:
        case api.Service():
            return held.registry.services.get(name)
        case api.Endpoints():
            return held.endpoints.get(name)
        case api.EndpointSlice():
            return held.slices.get(name)
        case _:
            assert_never(written)


def full_tree(written: Written) -> dict[str, Any]:
    """The object's JSON with its kind and version first, as `kubectl get -o json` shows it."""
    kind = type(written).__name__
    return {"apiVersion": KINDS[kind][0], "kind": kind, **to_tree(written)}


def _carried_out(
    held: Store, written: Written, before: Written | None, verb: Verb, seed: int
) -> tuple[Store, Written, tuple[str, ...]]:
    gates = held.registry.config.gates
    is_new = verb is Verb.CREATE or before is None
    match written:
        case api.Service():
            carry = requests.create if verb is Verb.CREATE else requests.update
            accepted = carry(held.registry, written, seed=seed)
            return attrs.evolve(held, registry=accepted.registry), accepted.service, accepted.warnings
        case api.Endpoints():
            if is_new:
                _refuse_taken(written, before)
                endpoints = endpoint_requests.create_endpoints(written, gates)
            else:
                assert isinstance(before, api.Endpoints)
                endpoints = endpoint_requests.update_endpoints(written, before, gates)
            name = endpoints.metadata.object_name
            after = attrs.evolve(held, endpoints=held.endpoints.insert(name, endpoints))
            return after, endpoints, _endpoints_warnings(endpoints)
        case api.EndpointSlice():
            if is_new:
                _refuse_taken(written, before)
                if verb is Verb.UPDATE:
                    # Unlike the other two kinds, a slice is never created by an update.
                    what = f"endpointslices.discovery.k8s.io {written.metadata.name!r} not found"
                    raise Refused(Reason.NOT_FOUND, what)
                one = endpoint_requests.create_endpoint_slice(written, gates)
            else:
                assert isinstance(before, api.EndpointSlice)
                one = endpoint_requests.update_endpoint_slice(written, before, gates)
            after = attrs.evolve(held, slices=held.slices.insert(one.metadata.object_name, one))
            return after, one, _slice_warnings(one)
        case _:
            assert_never(written)


def _refuse_taken(written: api.Endpoints | api.EndpointSlice, before: Written | None) -> None:
    if before is not None:
        kind = "endpoints" if isinstance(written, api.Endpoints) else "endpointslices.discovery.k8s.io"
        raise Refused(Reason.ALREADY_EXISTS, f"{kind} {written.metadata.name!r} already exists")
    if written.metadata.resource_version:
        raise Refused(Reason.UNKNOWN, "resourceVersion should not be set on objects to be created")


def _endpoints_warnings(endpoints: api.Endpoints) -> tuple[str, ...]:
    """Source: pkg/registry/core/endpoint strategy endpointsWarnings; deprecated by KEP-4974."""
    return (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
        *(
            warning
            for index, subset in enumerate(endpoints.subsets)
            for field, addresses in (
                ("addresses", subset.addresses),
                ("notReadyAddresses", subset.not_ready_addresses),
            )
            for at, address in enumerate(addresses)
            for warning in ip_warnings(f"subsets[{index}].{field}[{at}].ip", address.ip)
        ),
    )


def _slice_warnings(one: api.EndpointSlice) -> tuple[str, ...]:
    """Source: pkg/registry/discovery/endpointslice strategy warnOnDeprecatedAddressType, warnOnBadIPs."""
    if one.address_type == "FQDN":
        return ("addressType: FQDN endpoints are deprecated",)
    return tuple(
        warning
        for index, endpoint in enumerate(one.endpoints)
        for at, address in enumerate(endpoint.addresses)
        for warning in ip_warnings(f"endpoints[{index}].addresses[{at}]", address)
    )
