"""Differences that are a known bug of the version that wrote the rules: one finding a bug, and still a fault.

The cause is one, kube-proxy's version, however many Services meet it.
"""

from collections.abc import Iterable, Iterator

import attrs

from model.addresses import Family
from model.expectation import expect
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig
from model.objects import Cluster
from model.proxy_version import KNOWN_BUGS
from oracle.findings import Difference


def with_known_bugs(
    cluster: Cluster, config: NodeConfig, family: Family, differences: Iterable[Difference]
) -> Iterator[Difference]:
    """The differences of one family; those whose packet's fate is a known bug's are told together.

    `config` has the quirks of the rules' layout, the bugs among them. What is told
    together cites the bug, and names the further service ports in `also`.
    """
    promised = config.promised()
    views = {
        bug: node_view(cluster, attrs.evolve(promised, quirks=promised.quirks | {quirk}), family)
        for quirk, bug in KNOWN_BUGS.items()
        if quirk in config.quirks
    }
    by_bug: dict[str, list[Difference]] = {bug: [] for bug in views}
    for one in differences:
        bug = _bug_of(one, views)
        if bug is None:
            yield one
        else:
            by_bug[bug].append(one)
    yield from (_together(bug, alike) for bug, alike in by_bug.items() if alike)


def _bug_of(one: Difference, views: dict[str, NodeView]) -> str | None:
    return next((bug for bug, view in views.items() if one.found in expect(view, one.packet).allowed), None)


def _together(bug: str, alike: list[Difference]) -> Difference:
    first = alike[0]
    further = (port for one in alike for port in (one.service_port, *one.also) if port is not None)
    return attrs.evolve(
        first,
        cites=(*first.cites, bug),
        explanation=f"{first.explanation}: a known bug of the kube-proxy that wrote these rules ({bug})",
        frontends=sum(one.frontends for one in alike),
        also=tuple(port for port in dict.fromkeys(further) if port != first.service_port),
    )
