"""Which other objects a recorded refusal shows to have been there.

A recording shows the object that a request is about and no other; that a name, a number
or an address was taken is seen by the answer alone. Who held it is looked up in what
earlier recordings created; nothing is made up.
"""

from collections.abc import Iterable, Mapping

from model.api.needs import node_ports
from model.api.objects import HEADLESS, Service
from model.api.refusal import Reason
from model.objects import ObjectName
from tests.recorded_tables.case import Case, Inexpressible
from tests.recorded_tables.services import Causes

_INVALID = "FieldValueInvalid"


def rivals_of(
    case: Case, asked: Service, causes: Causes, created: Mapping[ObjectName, Service]
) -> list[Service] | None:
    """The earlier objects that hold what the refusal says is taken; None when it says no such thing.

    Raises Inexpressible when it says so and no recording shows the holder.
    """
    if case.get("reason") == Reason.ALREADY_EXISTS.value:
        return _found([one for name, one in created.items() if name == asked.object_name], "the name")
    others = [one for name, one in created.items() if name != asked.object_name]
    if causes and all(field.endswith(".nodePort") and why == _INVALID for field, why in causes):
        wanted = _numbers_that_only_others_can_hold(node_ports(asked.spec))
        return _found(_carrying_numbers(others, wanted), "the node port") if wanted else None
    if case["status"] == 500 and asked.spec.health_check_node_port:
        wanted = _numbers_that_only_others_can_hold(
            (asked.spec.health_check_node_port, *node_ports(asked.spec))
        )
        return _found(_carrying_numbers(others, wanted), "the health check node port") if wanted else None
    if causes == {("spec.clusterIPs", _INVALID)}:
        addresses = {asked.spec.cluster_ip, *asked.spec.cluster_ips} - {"", HEADLESS}
        return _found([one for one in others if addresses & {*one.spec.cluster_ips}], "the address")
    return None


def _found(rivals: list[Service], what: str) -> list[Service]:
    if not rivals:
        raise Inexpressible(f"what has {what} already is not recorded")
    return rivals


def _carrying_numbers(services: Iterable[Service], numbers: frozenset[int]) -> list[Service]:
    return [
        one
        for one in services
        if numbers & {*node_ports(one.spec), one.spec.health_check_node_port}
        and one.spec.type in ("NodePort", "LoadBalancer")
    ]


def _numbers_that_only_others_can_hold(numbers: tuple[int, ...]) -> frozenset[int] | None:
    """The numbers asked for, unless one is out of range or repeated: that is its own fault."""
    if not numbers or len({*numbers}) < len(numbers):
        return None
    return frozenset(numbers) if all(30000 <= number <= 32767 for number in numbers) else None
