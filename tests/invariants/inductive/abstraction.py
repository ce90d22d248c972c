"""A step of the model as steps of the allocation machine: which relations its states and event make.

Said by the definitions of the rules, beside the model and beside the formulas.
"""

from collections.abc import Iterator, Mapping
from typing import TypeGuard

import attrs
from rpds import HashTrieMap

from invariants.invariant import Step
from invariants.prove.machine_state import SORTS
from invariants.ranges import AddressRange, address_ranges, node_port_range
from invariants.stored import (
    LOAD_BALANCER,
    NODE_PORT,
    held_addresses,
    is_external_name,
    is_headless,
    needs_health_check,
    services,
)
from model.addresses import Family, parse_address
from model.api import objects as api
from model.api.registry import Registry
from model.api.service_cidrs import KUBERNETES_SERVICE
from model.cluster import events
from model.cluster.events import Pool
from model.cluster.state import ClusterState
from model.objects import ObjectName
from tests.invariants.inductive.finite import Interpretation, Thing

Relations = dict[str, set[tuple[Thing, ...]]]
Cidr = tuple[str, tuple[str, ...]]
"""A ServiceCIDR by its name and its ranges: under another set of ranges it is another one."""


@attrs.frozen
class AbstractStep:
    """One step of the machine: the class of its event, and all that the formulas speak of."""

    kind: str
    case: Interpretation


def relations(registry: Registry) -> Relations:
    """What is true of the moment."""
    found: Relations = {name: set() for name in SORTS}
    for service in services(ClusterState(registry=registry)):
        name, spec = service.object_name, service.spec
        facts = {
            "exists": True,
            "marked": service.metadata.deletion_timestamp is not None,
            "external": is_external_name(service),
            "node_type": spec.type in (NODE_PORT, LOAD_BALANCER),
            "balancer": spec.type == LOAD_BALANCER,
            "checks": needs_health_check(service),
            "headless": is_headless(service),
            "single": spec.ip_family_policy == "SingleStack",
            "first_is_v4": spec.ip_families[:1] == ("IPv4",),
        }
        for fact, is_so in facts.items():
            found[fact] |= {(name,)} if is_so else set()
        found["carries"] |= {(name, port.node_port) for port in spec.ports if port.node_port}
        found["health"] |= {(name, spec.health_check_node_port)} if spec.health_check_node_port else set()
        for place, address in zip(("primary", "secondary"), held_addresses(service), strict=False):
            found[place].add((name, address))
        found["classed"] |= {(name, spec.load_balancer_class)} if spec.load_balancer_class else set()
    found["pooled"] = set(registry.node_ports.items())
    found["seen"] = {(number,) for number, times in registry.leaked_node_ports.items() if times >= 1}
    found["seen_twice"] = {(number,) for number, times in registry.leaked_node_ports.items() if times >= 2}
    found["owned"] = {(parse_address(ip), owner) for ip, owner in registry.ip_owners.items()}
    for cidr, one in cidrs(registry).items():
        found["present"].add((cidr,))
        found["ready"] |= {(cidr,)} if _is_ready(one) else set()
    return found


def cidrs(registry: Registry) -> dict[Cidr, api.ServiceCIDR]:
    return {(name, one.spec.cidrs): one for name, one in registry.service_cidrs.items()}


def _is_ready(one: api.ServiceCIDR) -> bool:
    said = [condition.status for condition in one.status.conditions if condition.type == "Ready"]
    return said in ([], ["True"]) and one.metadata.deletion_timestamp is None


def abstract(step: Step) -> Iterator[AbstractStep]:
    """The steps of the machine that the step is."""
    before, after = step.before.registry, step.after.registry
    event = step.event
    if isinstance(event, events.DeleteServiceCIDR | events.FinalizeServiceCIDRs) and not step.is_refused:
        yield from _cidrs_go(step)
        return
    yield _one(_kind(step), step, relations(before), relations(after))


def _kind(step: Step) -> str:
    before, after = step.before.registry.services, step.after.registry.services
    match step.event:
        case events.CreateService():
            return "create"
        case events.UpdateService(service):
            is_gone = service.object_name in before and service.object_name not in after
            return "finish" if is_gone else "update" if service.object_name in before else "create"
        case events.UpdateServiceStatus(service):
            return "anything else" if service.object_name in after or step.is_refused else "finish"
        case events.DeleteService(name):
            return "delete" if name not in after or step.is_refused or step.event.dry_run else "mark"
        case events.EnsureKubernetesService():
            return "anything else" if KUBERNETES_SERVICE in before else "create"
        case events.AddServiceCIDR():
            return "add ServiceCIDR"
        case events.Repair(pool):
            return "repair node ports" if pool is Pool.NODE_PORTS else "repair cluster IPs"
        case _:
            return "anything else"


def _cidrs_go(step: Step) -> Iterator[AbstractStep]:
    """Marked, where the event says so, and then gone one by one in the order of names."""
    now, end = relations(step.before.registry), relations(step.after.registry)
    if isinstance(step.event, events.DeleteServiceCIDR):
        name = step.event.name
        named = (name, step.before.registry.service_cidrs[name].spec.cidrs)
        marked = {**now, "ready": now["ready"] - {(named,)}}
        yield _one("mark ServiceCIDR", step, now, marked, cidr=named)
        now = marked
    for (gone,) in sorted(now["present"] - end["present"]):
        rest = {**now, "present": now["present"] - {(gone,)}}
        yield _one("drop ServiceCIDR", step, now, rest, cidr=gone)
        now = rest
    yield _one("anything else", step, now, end)


def _one(kind: str, step: Step, before: Relations, after: Relations, cidr: Thing = None) -> AbstractStep:
    told = _requested(step, before, after)
    if isinstance(step.event, events.AddServiceCIDR):
        cidr = (step.event.name, step.event.cidrs)
    found: Mapping[str, set[tuple[Thing, ...]]] = {
        **{f"before.{name}": tuples for name, tuples in before.items()},
        **{f"after.{name}": tuples for name, tuples in after.items()},
        **told,
        **_ranges(step, before, after, told),
    }
    constants = {"event.target": _target(step), "event.cidr": cidr}
    return AbstractStep(kind, Interpretation(_things(found, constants), found, constants))


def _target(step: Step) -> ObjectName | None:
    match step.event:
        case events.CreateService(service):
            added = set(step.after.registry.services) - set(step.before.registry.services)
            return next(iter(added), service.object_name)  # its name may be made up by the server
        case events.UpdateService(service) | events.UpdateServiceStatus(service):
            return service.object_name
        case events.DeleteService(name):
            return name
        case events.EnsureKubernetesService():
            return KUBERNETES_SERVICE
        case _:
            return None


def _requested(step: Step, before: Relations, after: Relations) -> Relations:
    """What the request asks for, and which node ports it got that were nobody's."""
    event, target = step.event, _target(step)
    spec = event.service.spec if isinstance(event, events.CreateService | events.UpdateService) else None
    asked: set[tuple[Thing, ...]] = set()
    addresses: set[tuple[Thing, ...]] = set()
    if spec is not None:
        asked = {(port.node_port,) for port in spec.ports if port.node_port}
        texts = {text for text in (spec.cluster_ip, *spec.cluster_ips) if text not in ("", "None")}
        addresses = {(address,) for text in texts if (address := _read(text)) is not None}
    if isinstance(event, events.EnsureKubernetesService):
        addresses = {(address,) for name, address in after["primary"] if name == target}
    pooled = {number for number, _ in before["pooled"]}
    held = {number for name, number in before["carries"] if name == target}
    has = {number for name, number in after["carries"] if name == target}
    own = {number for number, owner in after["pooled"] if owner == target}
    gained = {number for number in has - pooled if number not in held or number in own}
    if (target,) not in after["node_type"]:
        gained = set()
    return {
        "event.refused": {()} if step.is_refused else set(),
        "event.dry": {()} if getattr(event, "dry_run", False) else set(),
        "event.asked": asked,
        "event.asked_health": {(spec.health_check_node_port,)} if spec is not None else set(),
        "event.asked_address": addresses,
        "event.gained": {(number,) for number in gained},
    }


def _read(text: str) -> tuple[Family, int] | None:
    try:
        return parse_address(text)
    except ValueError:
        return None


def _ranges(step: Step, before: Relations, after: Relations, told: Relations) -> Relations:
    """The relations that no event changes, over every number of the range and every address that matters."""
    registry = step.before.registry
    band = node_port_range(registry.config)
    by_cidr = {**cidrs(step.before.registry), **cidrs(step.after.registry)}
    spans = {
        cidr: address_ranges(Registry(service_cidrs=HashTrieMap({cidr[0]: one})))
        for cidr, one in by_cidr.items()
    }
    found: Relations = {name: set() for name in ("is_v4", "spans", "edge", "static_of")}
    found["in_range"] = {(number,) for number in range(band.first, band.last + 1)}
    found["static"] = {(number,) for number in range(band.first, band.last + 1) if band.is_static(number)}
    named = {place for name in ("owned", "primary", "secondary") for place in (*before[name], *after[name])}
    given = {thing for place in named for thing in place}
    given |= {address for (address,) in told["event.asked_address"]}
    addresses = {thing for thing in given if _is_address(thing)}
    addresses |= {(each.family, at) for ranges in spans.values() for each in ranges for at in _all(each)}
    for address in addresses:
        family, number = address
        found["is_v4"] |= {(address,)} if family is Family.IPV4 else set()
        for cidr, ranges in spans.items():
            for each in ranges:
                if each.family is family and each.low <= number <= each.high:
                    found["spans"].add((cidr, address))
                    found["edge"] |= {(cidr, address)} if number in each.edges else set()
                    found["static_of"] |= {(cidr, address)} if each.is_static(number) else set()
    return found


def _is_address(thing: Thing) -> TypeGuard[tuple[Family, int]]:
    return isinstance(thing, tuple) and isinstance(thing[0], Family)


def _all(each: AddressRange) -> range:
    return range(each.low, each.high + 1)


def _things(
    found: Mapping[str, set[tuple[Thing, ...]]], constants: Mapping[str, Thing]
) -> dict[str, frozenset[Thing]]:
    """Everything that some relation or constant speaks of, by its sort."""
    things: dict[str, set[Thing]] = {
        sort: set() for sort in ("Service", "Number", "Address", "Cidr", "Class")
    }
    places = {name: [sort.name() for sort in sorts] for name, sorts in SORTS.items()}
    places |= {"asked": ["Number"], "asked_health": ["Number"], "asked_address": ["Address"]}
    places |= {"gained": ["Number"], "in_range": ["Number"], "spans": ["Cidr", "Address"]}
    for name, tuples in found.items():
        for each in tuples:
            for sort, thing in zip(places.get(name.rpartition(".")[2], ()), each, strict=False):
                things[sort].add(thing)
    if constants["event.target"] is not None:
        things["Service"].add(constants["event.target"])
    if constants["event.cidr"] is not None:
        things["Cidr"].add(constants["event.cidr"])
    return {sort: frozenset(each) for sort, each in things.items()}
