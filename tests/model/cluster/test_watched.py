"""The indexes of what proxies watch equal what a scan of the objects finds."""

from hypothesis import given
from hypothesis import strategies as st

from model.addresses import Family, parse_address
from model.cluster.watched import Change, Changes, Services, Slices
from model.objects import EndpointSlice, ObjectName, Service, ServicePort
from tests.strategies.watched import API, NAMES, SERVICES, SLICES, WEB


@given(st.lists(SERVICES, max_size=8), st.sets(NAMES))
def test_claimants_are_those_that_a_scan_finds(written: list[Service], removed: set[ObjectName]) -> None:
    watched = Services()
    for at, service in enumerate(written):
        watched = watched.put(service, at)
    for name in removed & set(watched.by_name):
        watched = watched.remove(name, 99)

    scanned: dict[object, set[ObjectName]] = {}
    for service in watched.by_name.values():
        texts = [*service.cluster_ips, *service.external_ips, *(item.ip for item in service.ingress)]
        claimed: list[object] = [parse_address(text) for text in texts if text[0] in "12f"]
        claimed += [port.node_port for port in service.ports if port.node_port]
        for claim in claimed:
            scanned.setdefault(claim, set()).add(service.name)
    assert scanned == {claim: set(names) for claim, names in watched.claimants.items()}


@given(st.lists(SLICES, max_size=8), st.integers(0, 3))
def test_slices_of_a_service_are_those_with_its_label(written: list[EndpointSlice], removed: int) -> None:
    watched = Slices()
    for at, one in enumerate(written):
        watched = watched.put(one, at)
    name = ObjectName("shop", f"slice-{removed}")
    if name in watched.by_name:
        watched = watched.remove(name, 99)

    for service in (WEB, API, ObjectName("shop", "db")):
        scanned = sorted(one.name for one in watched.by_name.values() if one.service == service)
        assert scanned == [one.name for one in watched.of(service)]


def test_a_services_claims_are_found_by_address_and_node_port() -> None:
    web = Service(WEB, cluster_ips=("10.96.0.1",), ports=(ServicePort("", "TCP", 80, 30080),))
    api = Service(API, cluster_ips=("10.96.0.2",), external_ips=("10.96.0.1",))
    watched = Services().put(web, 0).put(api, 0)

    assert {WEB, API} == watched.claiming([(Family.IPV4, 0x0A600001)])
    assert {WEB} == watched.claiming([30080])
    assert not watched.claiming([30081, (Family.IPV4, 0x0A600003)])


def test_what_was_written_since_is_told_newest_first() -> None:
    changes = Changes().add(5, WEB).add(6, API).add(7, WEB)

    assert [Change(3, 7, WEB), Change(2, 6, API)] == list(changes.since(1))
    assert not list(changes.since(3))


def test_a_slice_that_changes_its_service_concerns_both() -> None:
    one = EndpointSlice(ObjectName("shop", "x"), WEB, "IPv4")
    moved = EndpointSlice(ObjectName("shop", "x"), API, "IPv4")
    watched = Slices().put(one, 0)

    after = watched.put(moved, 3)

    assert {WEB, API} == {change.service for change in after.changes.since(watched.changes.last)}
    assert not after.of(WEB)


def test_a_write_that_changes_nothing_is_not_told() -> None:
    web = Service(WEB, cluster_ips=("10.96.0.1",))
    one = EndpointSlice(ObjectName("shop", "x"), WEB, "IPv4")

    assert Services().put(web, 0) == Services().put(web, 0).put(web, 1)
    assert Slices().put(one, 0) == Slices().put(one, 0).put(one, 1)
