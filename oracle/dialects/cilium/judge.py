"""Cilium's list has each frontend that Services ask for, with just the backends they may use.

Judged: which frontends there are, their backends, type and policies. An entry of external
scope serves outsiders, one of internal scope the node and its pods; both are there where
the two policies differ, else one stands for all. Where Cilium has a choice that the
contract has not (hints are heeded only if it is told to) either reading is right. What the
list cannot show is left open and said once.

Source: FWD-OBJ-03, FWD-EP-02, FWD-EP-03, section 6 of the contract; cilium pkg/loadbalancer.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import attrs

from model.frontends import FrontendKind, NodeView, Owner, ServicePortView
from model.intervals import contains
from model.objects import Cluster, ObjectName, TrafficPolicy
from model.outcome import Target, Verdict
from model.proxy_endpoints import ProxyEndpoint, endpoint_text
from oracle.dialects.cilium.listing import WILDCARD, Entry, Scope, ServiceList
from oracle.dialects.cilium.told import PASSED, difference, grouped, outcome
from oracle.findings import Difference, Kind, Line, NotJudged

_TYPES = {
    FrontendKind.CIP: "ClusterIP",
    FrontendKind.EXT: "ExternalIPs",
    FrontendKind.LBV: "LoadBalancer",
    FrontendKind.NP: "NodePort",
}
_OWN_ANNOTATIONS = ("service.cilium.io/", "io.cilium/")
_CANNOT_SHOW = "source translation, source ranges, odds and session affinity"


@attrs.frozen(eq=False)
class _Wanted:
    """A frontend that must be there in one scope, and who may own it."""

    address: int
    protocol: int
    port: int
    scope: Scope
    owners: tuple[Owner, ...]


@attrs.frozen
class CiliumFindings:
    """What was found of one family: `entries` are those that were held against Services."""

    differences: tuple[Difference, ...]
    not_judged: tuple[NotJudged, ...]
    entries: int


def judge_services(given: ServiceList, view: NodeView, cluster: Cluster) -> CiliumFindings:
    """The list of a node against what the Services ask of one family."""
    entries = [one for one in given.entries if one.family is view.family]
    own = [one for one in entries if not one.foreign]
    skipped = _with_own_annotations(cluster)
    only_cluster_ips = bool(own) and all(one.type == "ClusterIP" for one in own)
    listed = _places(own)
    found: list[Difference] = []
    passed_over = external = unsettled = 0
    for one in _wanted(view):
        if any(port.name.service in skipped for port, _ in one.owners):
            passed_over += 1
        elif only_cluster_ips and all(kind is not FrontendKind.CIP for _, kind in one.owners):
            external += 1
        elif (one.address, one.protocol, one.port, one.scope) not in listed:
            found.append(_missing(view, one, given.file))
        elif not _is_settled(one.scope, one.owners):
            unsettled += 1
    found += _of_entries(view, own, skipped)

    def open_question(why: str, *, matters: bool = False) -> NotJudged:
        return NotJudged(given.file, 0, "", why, matters)

    questions: list[NotJudged] = []
    if count := len(view.by_address) + len(view.by_node_port):
        of = f"of {count} {view.family.value} frontends"
        questions.append(open_question(f"{_CANNOT_SHOW} {of} are not in Cilium's list", matters=True))
    if external:
        why = "Cilium lists none but cluster IPs, so another proxy may serve them"
        questions.append(open_question(f"{external} frontends that are no cluster IPs: {why}", matters=True))
    if passed_over:
        why = "their Services have annotations of Cilium's own"
        questions.append(open_question(f"{passed_over} frontends: {why}", matters=True))
    if unsettled:
        why = "Cilium holds the cluster's own clients to internalTrafficPolicy here"
        questions.append(open_question(f"backends of {unsettled} frontends of internal scope: {why}"))
    for reason, number in sorted(Counter(one.foreign for one in entries if one.foreign).items()):
        questions.append(open_question(f"{number} entries: {reason}"))
    return CiliumFindings(tuple(grouped(found)), tuple(questions), len(own))


def _with_own_annotations(cluster: Cluster) -> frozenset[ObjectName]:
    """Services that Cilium is told to treat in a way of its own."""
    return frozenset(
        service.name
        for service in cluster.services
        if any(key.startswith(_OWN_ANNOTATIONS) for key, _ in service.annotations)
    )


def _places(entries: Iterable[Entry]) -> frozenset[tuple[int, int, int, Scope]]:
    return frozenset((one.address, proto, one.port, one.scope) for one in entries for proto in one.protocols)


def _wanted(view: NodeView) -> Iterator[_Wanted]:
    """Every frontend of the Services; node ports at the wildcard and the node's own address."""
    for (address, protocol, port), owners in view.by_address.items():
        for scope in _scopes(owners):
            yield _Wanted(address, protocol, port, scope, owners)
    primary = view.config.primary_address(view.family)
    for (protocol, port), owners in view.by_node_port.items():
        for scope in _scopes(owners):
            yield _Wanted(WILDCARD, protocol, port, scope, owners)
            if primary is not None and (primary, protocol, port) not in view.by_address:
                yield _Wanted(primary, protocol, port, scope, owners)


def _scopes(owners: Iterable[Owner]) -> tuple[Scope, ...]:
    """Both where the policies of a frontend that is no cluster IP differ."""
    differ = any(
        kind is not FrontendKind.CIP and one.external_policy is not one.internal_policy
        for one, kind in owners
    )
    return (Scope.EXTERNAL, Scope.INTERNAL) if differ else (Scope.EXTERNAL,)


def _is_settled(scope: Scope, owners: Iterable[Owner]) -> bool:
    """Cilium holds its own clients to internalTrafficPolicy at every frontend; Kubernetes does not."""
    return scope is Scope.EXTERNAL or all(port.internal_policy is TrafficPolicy.CLUSTER for port, _ in owners)


def _allowed(one: ServicePortView, kind: FrontendKind, scope: Scope) -> Iterator[frozenset[Target]]:
    """The sets of backends that are right, one for each choice the contract leaves."""
    is_local = _is_local(one, kind, scope)
    for endpoints, sets in zip(one.endpoint_choices, one.choices, strict=True):
        if is_local:
            yield _targets(sets.local or ())
            continue
        yield _targets(sets.cluster or ())
        yield _targets([e for e in endpoints if e.ready] or [e for e in endpoints if e.still_serving])


def _is_local(one: ServicePortView, kind: FrontendKind, scope: Scope) -> bool:
    if kind is FrontendKind.CIP:
        return one.internal_policy is TrafficPolicy.LOCAL
    return scope is Scope.EXTERNAL and one.external_policy is TrafficPolicy.LOCAL


def _targets(endpoints: Iterable[ProxyEndpoint]) -> frozenset[Target]:
    return frozenset(Target(one.address, one.port) for one in endpoints)


def _owners_of(view: NodeView, entry: Entry, protocol: int) -> tuple[Owner, ...]:
    """Whose frontend an entry is; the wildcard and the node's addresses have node ports."""
    found = view.by_address.get((entry.address, protocol, entry.port), ())
    if found or entry.type != "NodePort":
        return found
    config = view.config
    is_nodes = entry.address == WILDCARD or contains(config.local_addresses(view.family), entry.address)
    if is_nodes or not config.addresses_are_complete:
        return view.by_node_port.get((protocol, entry.port), ())
    return ()


def _of_entries(
    view: NodeView, entries: Iterable[Entry], skipped: frozenset[ObjectName]
) -> Iterator[Difference]:
    """What is wrong with each entry that is there."""
    for entry in entries:
        owners = tuple(owner for protocol in entry.protocols for owner in _owners_of(view, entry, protocol))
        if not owners:
            what = f"Cilium serves it as {entry.type}, and no Service asks for it"
            found = outcome(entry.targets, Verdict.DROP)
            protocol = entry.protocols[0]
            yield difference(
                view,
                Kind.UNEXPECTED_FRONTEND,
                None,
                entry,
                protocol,
                (PASSED,),
                found,
                ("FWD-OBJ-03",),
                what,
            )
            continue
        if any(one.name.service in skipped for one, _ in owners):
            continue
        yield from _of_backends(view, entry, owners)
        yield from _of_flags(view, entry, owners)


def _of_backends(view: NodeView, entry: Entry, owners: tuple[Owner, ...]) -> Iterator[Difference]:
    if not _is_settled(entry.scope, owners):
        return
    allowed = list(dict.fromkeys(s for one, kind in owners for s in _allowed(one, kind, entry.scope)))
    targets = entry.targets
    if targets in allowed:
        return
    one, kind = owners[0]
    best = min(allowed, key=lambda right: len(right ^ targets))
    lacking, surplus = best - targets, targets - best
    cites = ("FWD-EP-03" if _is_local(one, kind, entry.scope) else "FWD-EP-02",)
    expected = tuple(outcome(right, _refusal(one)) for right in allowed)
    found = outcome(targets, Verdict.DROP)
    known = {(e.address, e.port) for endpoints in one.endpoint_choices for e in endpoints}
    hosts = {address for address, _ in known}

    def told(kind_: Kind, of: Iterable[Target], what: str) -> Iterator[Difference]:
        listed = ", ".join(endpoint_text(view.family, t.address, t.port) for t in sorted(of))
        if listed:
            why = f"{what}: {listed}"
            yield difference(view, kind_, one, entry, one.protocol, expected, found, cites, why)

    ports = {t for t in surplus if t.address in hosts and (t.address, t.port) not in known}
    ineligible = {t for t in surplus if (t.address, t.port) in known}
    wrong = {t.address for t in ports}
    lacking = frozenset(t for t in lacking if t.address not in wrong)
    yield from told(Kind.MISSING_TARGET, lacking, "backends are not used that the frontend has")
    yield from told(Kind.WRONG_PORT, ports, "backends are used at a port that is not theirs")
    yield from told(Kind.INELIGIBLE_TARGET, ineligible, "backends are used that this frontend must not use")
    yield from told(
        Kind.STALE_TARGET, surplus - ports - ineligible, "backends are no endpoints of the Service"
    )


def _of_flags(view: NodeView, entry: Entry, owners: tuple[Owner, ...]) -> Iterator[Difference]:
    """Type and policy, where the list says them."""
    one, _ = owners[0]
    types = sorted({_TYPES[kind] for _, kind in owners})
    cites, wrong = ("FWD-OBJ-03",), ""
    if entry.type not in types:
        wrong = f"is listed as {entry.type} and is {' or '.join(types)}"
    elif entry.type == "ClusterIP":
        policies = {port.internal_policy.value for port, _ in owners}
        if entry.internal_policy and entry.internal_policy not in policies:
            cites = ("FWD-ITP-02",)
            wrong = f"is listed with intTrafficPolicy {entry.internal_policy}, the Service has another"
    else:
        policies = {port.external_policy.value for port, _ in owners}
        if entry.external_policy and entry.external_policy not in policies:
            cites = ("FWD-ETP-06",)
            wrong = f"is listed with extTrafficPolicy {entry.external_policy}, the Service has another"
    if wrong:
        right = [s for port, kind in owners for s in _allowed(port, kind, entry.scope)]
        expected = tuple(dict.fromkeys(outcome(s, _refusal(one)) for s in right))
        found = outcome(entry.targets, Verdict.DROP)
        yield difference(view, Kind.WRONG_VERDICT, one, entry, one.protocol, expected, found, cites, wrong)


def _refusal(one: ServicePortView) -> Verdict:
    """FWD-REJ-02: refused where no endpoint is usable anywhere, dropped where none is here."""
    return Verdict.DROP if any(choice.has for choice in one.choices) else Verdict.REJECT


def _missing(view: NodeView, one: _Wanted, file: str) -> Difference:
    port, kind = one.owners[0]
    right = [s for of, as_kind in one.owners for s in _allowed(of, as_kind, one.scope)]
    expected = tuple(dict.fromkeys(outcome(s, _refusal(port)) for s in right))
    what = f"Cilium's list has no {_TYPES[kind]} frontend of scope {one.scope.value} for it"
    place = Entry(Line(file, 0, ""), view.family, one.address, one.port, one.protocol, one.scope, "", ())
    return difference(
        view, Kind.MISSING_FRONTEND, port, place, one.protocol, expected, PASSED, ("FWD-OBJ-03",), what
    )
