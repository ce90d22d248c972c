"""What the fields of a stored Service allow of each other, as far as two tempting claims ask.

The axioms are INV-05 and INV-07, which drawn histories are held against. A witness is a
Service that the API server of the model is then asked to create, and must store as said.
"""

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information
from rpds import HashTrieMap

from invariants.prove.tables import exactly_one
from invariants.prove.witness import is_true
from model.api.objects import Metadata, Service, ServiceCIDR, ServiceCIDRSpec, ServicePort, ServiceSpec
from model.api.refusal import Refused
from model.api.registry import DEFAULT_SERVICE_CIDR, Registry
from model.api.requests import create

TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")


@attrs.frozen
class Fields:
    """A Service of one port. `allocates` is false where allocateLoadBalancerNodePorts is."""

    types: dict[str, z3.BoolRef]
    allocates: z3.BoolRef
    external_ips: z3.BoolRef
    node_port: z3.BoolRef
    external_policy: z3.BoolRef  # is set

    @property
    def axioms(self) -> tuple[z3.BoolRef, ...]:
        """One type, INV-05 and INV-07; the field and external IPs where they may be (API-F-09, API-F-14)."""
        is_ = self.types
        accessible = z3.Or(is_["NodePort"], is_["LoadBalancer"], z3.And(is_["ClusterIP"], self.external_ips))
        needs = z3.Or(is_["NodePort"], z3.And(is_["LoadBalancer"], self.allocates))
        return (
            exactly_one(is_.values()),
            self.external_policy == accessible,
            z3.Implies(needs, self.node_port),
            z3.Implies(z3.Or(is_["ClusterIP"], is_["ExternalName"]), z3.Not(self.node_port)),
            z3.Implies(z3.Not(self.allocates), is_["LoadBalancer"]),
        )


def any_fields() -> Fields:
    """A Service of which nothing is known."""
    return Fields(
        {name: z3.Bool(f"type {name}") for name in TYPES},
        z3.Bool("allocates node ports"),
        z3.Bool("has external IPs"),
        z3.Bool("has a node port"),
        z3.Bool("has an external policy"),
    )


def service_of(found: z3.ModelRef, fields: Fields) -> Service:
    """The witness as somebody would write it: no node port and no policy, which the server gives."""
    kind = next(name for name, is_type in fields.types.items() if is_true(found, is_type))
    spec = ServiceSpec(
        type=kind,
        ports=(ServicePort(port=80),),
        external_name="db.example" if kind == "ExternalName" else "",
        external_ips=("203.0.113.7",) if is_true(found, fields.external_ips) else (),
        allocate_load_balancer_node_ports=None if is_true(found, fields.allocates) else False,
    )
    return Service(Metadata("web", namespace="shop"), spec)


def stored_as_said(found: z3.ModelRef, fields: Fields) -> bool:
    """Whether the model's API server stores the Service with the fields that the solver gave it."""
    try:
        spec = create(empty_registry(), service_of(found, fields)).service.spec
    except Refused:
        return False
    has = {
        fields.node_port: bool(spec.ports[0].node_port),
        fields.external_policy: bool(spec.external_traffic_policy),
    }
    return all(is_true(found, term) is value for term, value in has.items())


def fields_in_words(found: z3.ModelRef, fields: Fields) -> str:
    """The fields that are set."""
    terms = (*fields.types.values(), fields.external_ips, fields.node_port, fields.external_policy)
    words = [str(term) for term in terms if is_true(found, term)]
    if not is_true(found, fields.allocates):
        words.append("allocateLoadBalancerNodePorts is false")
    return ", ".join(words)


def empty_registry() -> Registry:
    """An API server without Services."""
    default = ServiceCIDR(Metadata(DEFAULT_SERVICE_CIDR), ServiceCIDRSpec(("10.96.0.0/16",)))
    return Registry(service_cidrs=HashTrieMap({DEFAULT_SERVICE_CIDR: default}))
