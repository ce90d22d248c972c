"""What kube-proxy answers to health checks: on a Service's health check node port, and about itself.

Law: a node is fit for a Service while it has a ready endpoint of it and its rules do not lag
(HC-02, HC-04). No policy, source range or endpoint filter of the Service applies to the
port itself (HC-05). Bodies are those of kube-proxy 1.36, to the letter. Times are seconds
since 1970 in UTC; the body shows nanoseconds of them.
"""

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from time import gmtime, strftime
from typing import Any

import attrs
from rpds import HashTrieMap

from model.addresses import Family, parse_cidr
from model.frontends import NodeView, ServicePortView
from model.intervals import Intervals
from model.node_config import ProxyMode
from model.objects import ObjectName
from model.proxy_changes import local_ready_addresses

TO_BE_DELETED_TAINT = "ToBeDeletedByClusterAutoscaler"
SYNC_PERIOD = 30  # seconds, by default
HEALTH_TIMEOUT = 2 * SYNC_PERIOD

Seconds = Fraction | int

_OK, _UNAVAILABLE = 200, 503
_HEADERS = (("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff"))
_NANOSECONDS = 10**9


@attrs.frozen
class Answer:
    """An HTTP answer; `headers` are those that the handler itself sets."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


def service_health(service: ObjectName, local_endpoints: int, *, proxy_healthy: bool) -> Answer:
    """The answer on the health check node port of a Service (HC-02).

    `local_endpoints` is the count of `local_ready_endpoints`.
    """
    body = {
        "service": {"namespace": service.namespace, "name": service.name},
        "localEndpoints": local_endpoints,
        "serviceProxyHealthy": proxy_healthy,
    }
    status = _OK if local_endpoints and proxy_healthy else _UNAVAILABLE
    headers = (*_HEADERS, ("X-Load-Balancing-Endpoint-Weight", str(local_endpoints)))
    return Answer(status, headers, json.dumps(body, indent="\t"))


def health_check_ports(view: NodeView) -> Mapping[ObjectName, int]:
    """The health check node port of each Service that has one (HC-01)."""
    return {
        one.name.service: one.health_check_node_port
        for one in view.service_ports
        if one.health_check_node_port
    }


def health_check_addresses(view: NodeView) -> Intervals:
    """Where the node listens on health check node ports (HC-01).

    On every local address, loopback too, unless node ports are held to some addresses (NP-01).
    """
    texts = view.config.node_port_addresses
    if not texts and view.config.mode is not ProxyMode.NFTABLES:
        return view.local_addresses
    cidrs = [parse_cidr(text) for text in texts if text != "primary"]
    own = [values for of, values in cidrs if of is view.family]
    if view.family.everything in own or (cidrs and not own):
        return view.local_addresses
    return view.node_port_addresses


def local_ready_endpoints(
    service_ports: Iterable[ServicePortView], *, choice: int = 0
) -> Mapping[ObjectName, int]:
    """How many addresses of ready endpoints each Service has on the node, if any (HC-03).

    An address counts once, on however many ports; endpoints that only serve while they
    terminate do not count. `choice` says which endpoint list the proxy holds where slices tie.
    """
    held = {one.name: one.endpoint_choices[choice % len(one.endpoint_choices)] for one in service_ports}
    return {service: len(addresses) for service, addresses in local_ready_addresses(held).items()}


def is_eligible(*, exists: bool = True, deleting: bool = False, taints: Iterable[str] = ()) -> bool:
    """Whether the Node may be sent new traffic (HC-04); `taints` are the keys of its taints."""
    return exists and not deleting and TO_BE_DELETED_TAINT not in taints


@attrs.frozen
class ProxyHealth:
    """Whether the rules of each family keep up with what kube-proxy was told (HC-04).

    `updated_at` is when a family's rules were last written, `waiting_since` when the oldest
    change came that is not in them. A family counts from its first sync on.
    """

    timeout: Seconds = HEALTH_TIMEOUT
    updated_at: "HashTrieMap[Family, Seconds]" = HashTrieMap()
    waiting_since: "HashTrieMap[Family, Seconds]" = HashTrieMap()

    def queued(self, family: Family, now: Seconds) -> "ProxyHealth":
        """A change for the family has come and waits for a sync; the oldest one counts."""
        if family in self.waiting_since:
            return self
        return attrs.evolve(self, waiting_since=self.waiting_since.insert(family, now))

    def updated(self, family: Family, now: Seconds) -> "ProxyHealth":
        """A sync of the family has succeeded."""
        return attrs.evolve(
            self,
            updated_at=self.updated_at.insert(family, now),
            waiting_since=self.waiting_since.discard(family),
        )

    def is_healthy(self, now: Seconds) -> bool:
        """No family has a change waiting for as long as the timeout."""
        return all(self._keeps_up(family, now) for family in self.updated_at)

    def healthz(self, now: Seconds, *, node_eligible: bool = True) -> Answer:
        """The answer on /healthz, which also asks whether the Node may be used."""
        return self._answer(now, {"nodeEligible": node_eligible}, is_fit=node_eligible)

    def livez(self, now: Seconds) -> Answer:
        """The answer on /livez, which goes by the proxy alone."""
        return self._answer(now, {}, is_fit=True)

    def _keeps_up(self, family: Family, now: Seconds) -> bool:
        since = self.waiting_since.get(family)
        return since is None or now - since < self.timeout

    def _answer(self, now: Seconds, of_the_node: dict[str, bool], *, is_fit: bool) -> Answer:
        healthy = self.is_healthy(now)
        passes = healthy and is_fit
        # What passes is said to be up to date, as it was when syncs ran all the time.
        last = now if passes else max(self.updated_at.values(), default=None)
        body: dict[str, Any] = {"lastUpdated": time_text(last), "currentTime": time_text(now)}
        body |= of_the_node
        body["healthy"] = healthy
        families = sorted(self.updated_at, key=lambda family: family.value)
        status = {
            family.value: {
                "lastUpdated": time_text(self.updated_at[family]),
                "healthy": self._keeps_up(family, now),
            }
            for family in families
        }
        if status:
            body["status"] = status
        text = json.dumps(body, separators=(",", ":"))
        return Answer(_OK if passes else _UNAVAILABLE, _HEADERS, text)


def time_text(seconds: Seconds | None) -> str:
    """A time as Go writes it in JSON: RFC 3339, nanoseconds without trailing zeros.

    >>> time_text(Fraction(3, 2)), time_text(60), time_text(None)
    ('1970-01-01T00:00:01.5Z', '1970-01-01T00:01:00Z', '0001-01-01T00:00:00Z')
    """
    if seconds is None:
        return "0001-01-01T00:00:00Z"
    whole, part = divmod(int(seconds * _NANOSECONDS), _NANOSECONDS)
    fraction = f".{part:09}".rstrip("0") if part else ""
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(whole)) + fraction + "Z"
