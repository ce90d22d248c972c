"""Replays of field checks and of warnings: the same errors at the same paths, wording aside."""

from collections.abc import Callable, Mapping

from model.api.gates import FeatureGates
from model.api.json_form import from_tree
from model.api.objects import (
    Endpoints,
    EndpointSlice,
    IPAddress,
    LoadBalancerStatus,
    Service,
    ServiceCIDR,
    ServiceSpec,
)
from model.api.refusal import FieldError, Refused
from model.api.validation.endpoint_slice import (
    validate_endpoint_slice_create,
    validate_endpoint_slice_update,
)
from model.api.validation.endpoints import validate_endpoints_create, validate_endpoints_update
from model.api.validation.ip_address import validate_ip_address_create, validate_ip_address_update
from model.api.validation.ip_text import endpoint_ip_errors
from model.api.validation.load_balancer import load_balancer_status_errors
from model.api.validation.service import (
    validate_external_traffic_policy,
    validate_service_create,
    validate_service_update,
    validate_status_update,
)
from model.api.validation.service_cidr import (
    validate_service_cidr_create,
    validate_service_cidr_status_update,
    validate_service_cidr_update,
)
from model.api.warnings import service_warnings
from tests.recorded_tables.case import Case, Inexpressible, Mismatch, Replay, same

Errors = tuple[FieldError, ...]
Trees = Mapping[str, object]


def replay_validation(case: Case) -> None:
    """The validator that the case names returns the recorded multiset of (field, type)."""
    validator = _VALIDATORS.get(case["validator"])
    if validator is None:
        raise Inexpressible(f"no validator is called {case['validator']}")
    try:
        errors = validator(case["objects"], _gates(case))
    except Refused as refusal:
        raise Mismatch(f"the model cannot read the object: {refusal}") from None
    actual = sorted((one.field, one.type.value) for one in errors)
    same(sorted((one["field"], one["type"]) for one in case["errors"]), actual, "errors")
    same(case["numErrors"], len(actual), "number of errors")


def replay_warnings(case: Case) -> None:
    """As many warnings as the API server sent."""
    warnings = service_warnings(from_tree(Service, case["service"]))
    same(case["expectedNumWarnings"], len(warnings), "number of warnings")


def _gates(case: Case) -> FeatureGates:
    defaults, gates = FeatureGates(), case.get("featureGates") or {}
    return FeatureGates(
        prefer_same_traffic_distribution=gates.get(
            "PreferSameTrafficDistribution", defaults.prefer_same_traffic_distribution
        ),
        relaxed_service_name_validation=gates.get(
            "RelaxedServiceNameValidation", defaults.relaxed_service_name_validation
        ),
        strict_ip_cidr_validation=gates.get("StrictIPCIDRValidation", defaults.strict_ip_cidr_validation),
    )


def _service(trees: Trees) -> Service:
    return from_tree(Service, trees["service"])


def _old_service(trees: Trees) -> Service:
    return from_tree(Service, trees["oldService"])


def _endpoints(trees: Trees) -> Endpoints:
    return from_tree(Endpoints, trees["endpoints"])


def _endpoint_slice(trees: Trees) -> EndpointSlice:
    return from_tree(EndpointSlice, trees["endpointSlice"])


def _service_cidr(trees: Trees) -> ServiceCIDR:
    return from_tree(ServiceCIDR, trees["serviceCIDR"])


def _old_service_cidr(trees: Trees) -> ServiceCIDR:
    return from_tree(ServiceCIDR, trees["oldServiceCIDR"])


def _ip_address(trees: Trees) -> IPAddress:
    return from_tree(IPAddress, trees["ipAddress"])


def _load_balancer_status(trees: Trees, gates: FeatureGates) -> Errors:
    return load_balancer_status_errors(
        from_tree(LoadBalancerStatus, trees["status"]),
        from_tree(LoadBalancerStatus, trees.get("oldStatus") or {}),
        from_tree(ServiceSpec, trees["spec"]),
        "status",
        gates,
    )


_VALIDATORS: Mapping[str, Callable[[Trees, FeatureGates], Errors]] = {
    "ValidateServiceCreate": lambda trees, gates: validate_service_create(_service(trees), gates),
    "ValidateServiceUpdate": lambda trees, gates: validate_service_update(
        _service(trees), _old_service(trees), gates
    ),
    "ValidateServiceStatusUpdate": lambda trees, gates: validate_status_update(
        _service(trees), _old_service(trees), gates
    ),
    "validateServiceExternalTrafficPolicy": lambda trees, _: validate_external_traffic_policy(
        _service(trees)
    ),
    "ValidateLoadBalancerStatus": _load_balancer_status,
    "ValidateEndpointIP": lambda trees, _: endpoint_ip_errors("ip", str(trees["ip"])),
    "ValidateEndpointsCreate": lambda trees, gates: validate_endpoints_create(_endpoints(trees), gates),
    "ValidateEndpointsUpdate": lambda trees, gates: validate_endpoints_update(
        _endpoints(trees), from_tree(Endpoints, trees["oldEndpoints"]), gates
    ),
    "ValidateEndpointSlice": lambda trees, gates: validate_endpoint_slice_create(
        _endpoint_slice(trees), gates
    ),
    "ValidateEndpointSliceCreate": lambda trees, gates: validate_endpoint_slice_create(
        _endpoint_slice(trees), gates
    ),
    "ValidateEndpointSliceUpdate": lambda trees, gates: validate_endpoint_slice_update(
        _endpoint_slice(trees), from_tree(EndpointSlice, trees["oldEndpointSlice"]), gates
    ),
    "ValidateServiceCIDR": lambda trees, _: validate_service_cidr_create(_service_cidr(trees)),
    "ValidateServiceCIDRUpdate": lambda trees, _: validate_service_cidr_update(
        _service_cidr(trees), _old_service_cidr(trees)
    ),
    "ValidateServiceCIDRStatusUpdate": lambda trees, _: validate_service_cidr_status_update(
        _service_cidr(trees), _old_service_cidr(trees)
    ),
    "ValidateIPAddress": lambda trees, _: validate_ip_address_create(_ip_address(trees)),
    "ValidateIPAddressUpdate": lambda trees, _: validate_ip_address_update(
        _ip_address(trees), from_tree(IPAddress, trees["oldIPAddress"])
    ),
}

REPLAYS: Mapping[str, Replay] = {
    "validation/": replay_validation,
    "tables/TestGetWarningsForService": replay_warnings,
}
