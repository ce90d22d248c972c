"""The API server's flags as the command line gives them."""

import attrs

from model.addresses import parse_cidr
from model.api import objects as api
from model.api.allocation.bands import address_range
from model.api.gates import FeatureGates
from model.api.registry import DEFAULT_SERVICE_CIDR, ApiConfig
from model.errors import InputError

ASSUMED_CIDR = "10.96.0.0/12"  # kubeadm's default; the flag itself has 10.0.0.0/24
_GATES = {
    "PreferSameTrafficDistribution": "prefer_same_traffic_distribution",
    "RelaxedServiceNameValidation": "relaxed_service_name_validation",
    "StrictIPCIDRValidation": "strict_ip_cidr_validation",
}
_BOOLS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


def api_config(node_port_range: str | None, feature_gates: str | None, place: str = "") -> ApiConfig:
    """The configuration of `30000-32767` (inclusive) and `NAME=true,NAME=false`.

    Raises InputError naming the flag, within `place` (a file) where one is given.
    """
    config = ApiConfig()
    if node_port_range is not None:
        first, last = _port_range(node_port_range, _label(place, "--node-port-range"))
        config = attrs.evolve(config, first_node_port=first, last_node_port=last)
    if feature_gates is not None:
        gates = _gates(feature_gates, _label(place, "--feature-gates"))
        config = attrs.evolve(config, gates=gates)
    return config


def default_service_cidr(cidrs: tuple[str, ...], place: str = "") -> api.ServiceCIDR:
    """The ServiceCIDR `kubernetes` that the server makes of its flag: one or two CIDRs, the primary first.

    Raises InputError for what the server would not start with.
    """
    label = _label(place, "--service-cidr")
    families = []
    for text in cidrs:
        try:
            families.append(parse_cidr(text)[0])
        except ValueError:
            raise InputError(label, 0, f"{text!r} is not a CIDR such as 10.96.0.0/12") from None
        if not len(address_range(text).usable):
            raise InputError(label, 0, f"{text} holds no usable address (IPv6 needs /64 or longer)")
    if len(families) > 2 or len(set(families)) < len(families):
        raise InputError(label, 0, "give one CIDR, or one of IPv4 and one of IPv6, the primary first")
    return api.ServiceCIDR(
        api.Metadata(name=DEFAULT_SERVICE_CIDR),
        api.ServiceCIDRSpec(cidrs),
        api.ServiceCIDRStatus((api.Condition("Ready", "True"),)),
    )


def _port_range(text: str, label: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (dash and _is_number(first) and _is_number(last)):
        raise InputError(label, 0, f"{text!r} is not FIRST-LAST, such as 30000-32767")
    low, high = int(first), int(last)
    if not 0 < low <= high <= 65535:
        raise InputError(label, 0, f"{text} is not a range of ports")
    return low, high


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _gates(text: str, label: str) -> FeatureGates:
    chosen: dict[str, bool] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = item.partition("=")
        if not equals or value.lower() not in _BOOLS:
            raise InputError(label, 0, f"{item!r} is not NAME=true or NAME=false")
        if name not in _GATES:
            raise InputError(
                label, 0, f"no gate {name!r} changes what is judged; there are: {', '.join(_GATES)}"
            )
        chosen[_GATES[name]] = _BOOLS[value.lower()]
    return FeatureGates(**chosen)


def _label(place: str, flag: str) -> str:
    return f"{place}: {flag}" if place else flag
