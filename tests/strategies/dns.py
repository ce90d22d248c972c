"""Drawn clusters with what DNS looks at besides: hostnames, and any graph of ExternalNames."""

import attrs
from hypothesis import strategies as st

from model.objects import Cluster, Endpoint, EndpointSlice, ObjectName, Service, ServiceType
from tests.strategies.clusters import clusters

_ZONE = "svc.cluster.local"
_MOST_ALIASES = 13  # a chain may be longer than is followed (DNS-EXT-04)


@st.composite
def dns_clusters(draw: st.DrawFn) -> Cluster:
    """A drawn cluster; some endpoints have hostnames, which two may share.

    ExternalNames `alias-N` in namespace `names` point at each other, at services, at what is
    missing or outside, at an address, or below themselves; final dot and letter case vary.
    """
    cluster, _ = draw(clusters())
    slices = tuple(_with_hostnames(draw, piece) for piece in cluster.slices)
    count = draw(st.integers(0, _MOST_ALIASES))
    in_a_row = draw(st.booleans())
    targets = [
        *(f"alias-{at}.names.{_ZONE}" for at in range(count + 1)),  # the last is missing
        *(f"{service.name.name}.{service.name.namespace}.{_ZONE}" for service in cluster.services),
        "db.example.com",
        "192.0.2.1",
        f"x.alias-0.names.{_ZONE}",
    ]
    aliases = []
    for at in range(count):
        target = f"alias-{at + 1}.names.{_ZONE}"
        if not in_a_row or at == count - 1:
            target = draw(st.sampled_from(targets))
        written = draw(st.sampled_from((target, f"{target}.", target.upper())))
        aliases.append(
            Service(ObjectName("names", f"alias-{at}"), ServiceType.EXTERNAL_NAME, external_name=written)
        )
    return attrs.evolve(cluster, services=(*cluster.services, *aliases), slices=slices)


def _with_hostnames(draw: st.DrawFn, piece: EndpointSlice) -> EndpointSlice:
    def named(endpoint: Endpoint) -> Endpoint:
        return attrs.evolve(endpoint, hostname=draw(st.sampled_from((None, None, "db-0", "db-1"))))

    return attrs.evolve(piece, endpoints=tuple(named(endpoint) for endpoint in piece.endpoints))
