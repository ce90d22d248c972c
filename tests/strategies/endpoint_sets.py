"""Endpoints as kube-proxy has them, with all that decides which of them a node may use."""

import attrs
from hypothesis import strategies as st

from invariants.prove.witness import ELSEWHERE, HERE
from model.eligibility import EndpointSets, endpoint_sets
from model.proxy_endpoints import ProxyEndpoint
from model.proxy_version import Reading, ZoneHints

HINTS = st.sampled_from([(), (HERE,), (ELSEWHERE,), (ELSEWHERE, HERE)])
ONE = st.builds(
    ProxyEndpoint,
    st.just(0),
    st.just(8080),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    HINTS,
    HINTS,
)
READINGS = st.builds(
    Reading, st.booleans(), st.sampled_from([ZoneHints.ALWAYS, ZoneHints.NEVER]), st.booleans()
)


@attrs.frozen
class Case:
    """Endpoints, the policies that ask for them, whether the node knows its zone, and a reading."""

    endpoints: tuple[ProxyEndpoint, ...]
    uses_cluster: bool
    uses_local: bool
    zone_known: bool
    reading: Reading

    def sets(self) -> EndpointSets:
        """By the model."""
        return endpoint_sets(
            self.endpoints,
            uses_cluster=self.uses_cluster,
            uses_local=self.uses_local,
            node_name=HERE,
            zone=HERE if self.zone_known else None,
            reading=self.reading,
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to five endpoints; in many lists all have hints, so that topology has its say."""
    drawn = draw(st.lists(ONE, max_size=5))
    hinted = draw(st.sampled_from(("", "zone_hints", "node_hints")))
    if hinted == "zone_hints":
        drawn = [attrs.evolve(one, zone_hints=one.zone_hints or (ELSEWHERE,)) for one in drawn]
    if hinted == "node_hints":
        drawn = [attrs.evolve(one, node_hints=one.node_hints or (ELSEWHERE,)) for one in drawn]
    numbered = tuple(attrs.evolve(one, address=at) for at, one in enumerate(drawn))
    return Case(numbered, draw(st.booleans()), draw(st.booleans()), draw(st.booleans()), draw(READINGS))
