"""From pods, Services and nodes alone, the controllers publish what the real ones had published.

Played on the dumps in tests/dumps, and on every bundle below `real` of `--recorded DIR`.
"""

import json
from collections import Counter
from pathlib import Path

import attrs
import pytest

from model.controllers.endpoints import ENDPOINTS_CONTROLLER, MANAGED_BY_LABEL, canonical
from model.controllers.mirroring import MIRRORING_CONTROLLER
from model.controllers.publish import Published, publish
from model.controllers.slice_packing import SLICE_CONTROLLER, port_key
from model.objects import Cluster, Endpoint, Endpoints, EndpointSlice
from oracle.bundle import read_bundle

DUMPS = Path(__file__).parents[2] / "dumps"
BUNDLES = sorted(path.parent for path in DUMPS.glob("*/cluster.*"))


def published_by_users(cluster: Cluster) -> Cluster:
    """The cluster without what controllers made."""
    made_here = (SLICE_CONTROLLER, MIRRORING_CONTROLLER)
    return attrs.evolve(
        cluster,
        slices=tuple(one for one in cluster.slices if one.managed_by not in made_here),
        endpoints=tuple(
            one for one in cluster.endpoints if dict(one.labels).get(MANAGED_BY_LABEL) != ENDPOINTS_CONTROLLER
        ),
    )


def slice_contents(slices: tuple[EndpointSlice, ...]) -> Counter[tuple[object, ...]]:
    """Each endpoint, and each empty slice, with what its slice says; names and spread are free."""
    nothing = (Endpoint(()),)
    return Counter(
        (one.service, one.address_type, port_key(one.ports), one.headless, one.managed_by, one.labels, each)
        for one in slices
        for each in one.endpoints or nothing
    )


def endpoints_contents(endpoints: tuple[Endpoints, ...]) -> dict[str, tuple[object, ...]]:
    return {str(one.name): (canonical(one), dict(one.labels)) for one in endpoints}


def is_same(cluster: Cluster) -> None:
    """Asserts that the controllers publish from what users made what the cluster held."""
    recorded = Published(cluster.slices, cluster.endpoints)

    found = publish(published_by_users(cluster))

    assert slice_contents(found.slices) == slice_contents(recorded.slices)
    assert endpoints_contents(found.endpoints) == endpoints_contents(recorded.endpoints)


def cluster_in(folder: Path) -> Cluster:
    cluster = read_bundle(str(folder)).cluster
    assert cluster is not None
    return cluster


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_controllers_publish_what_the_recorded_cluster_held(folder: Path) -> None:
    """Stale and broken nodes too: there the rules are wrong, and the objects right."""
    is_same(cluster_in(folder))


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_publishing_a_quiet_cluster_changes_nothing(folder: Path) -> None:
    cluster = cluster_in(folder)

    found = publish(cluster)

    assert {one.name: one for one in cluster.slices} == {one.name: one for one in found.slices}
    assert {one.name: one for one in cluster.endpoints} == {one.name: one for one in found.endpoints}


def test_controllers_publish_what_every_recorded_bundle_held(recorded: Path) -> None:
    folders = sorted({path.parent for path in (recorded / "real").glob("**/cluster.*")})
    assert folders, f"{recorded} holds no bundles"
    for folder in folders:
        is_same(cluster_in(folder))


def test_a_pod_that_turned_unready_shows_in_what_is_published(tmp_path: Path) -> None:
    """The comparison above can fail: with one condition changed it does."""
    folder = DUMPS / "clusterip-basic.iptables"
    objects = json.loads((folder / "cluster.json").read_text())
    pod = next(item for item in objects["items"] if item["kind"] == "Pod")
    next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")["status"] = "False"
    (tmp_path / "cluster.json").write_text(json.dumps(objects))

    with pytest.raises(AssertionError):
        is_same(cluster_in(tmp_path))
