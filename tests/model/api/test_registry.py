"""Which families a cluster has, and what a deleted Service gives back."""

from rpds import HashTrieMap

from model.addresses import Family
from model.api.objects import Metadata, ServiceCIDR, ServiceCIDRSpec
from model.api.registry import ApiConfig, Registry
from model.api.requests import create, delete
from tests.model.api.api_cases import WEB_NAME, pools, registry, service

V4, V6 = Family.IPV4, Family.IPV6


def families(**cidrs: tuple[str, ...]) -> tuple[Family, ...]:
    objects = {name: ServiceCIDR(Metadata(name), ServiceCIDRSpec(texts)) for name, texts in cidrs.items()}
    return Registry(ApiConfig(), service_cidrs=HashTrieMap(objects)).families


def test_the_default_service_cidr_names_the_families_the_primary_one_first() -> None:
    """API-DS-02"""
    assert families(kubernetes=("fd00::/112", "10.0.0.0/16")) == (V6, V4)
    assert families(kubernetes=("10.0.0.0/16",), more=("fd00::/112",)) == (V4,)


def test_without_a_default_range_there_is_ipv4_alone() -> None:
    assert families() == (V4,)
    assert families(kubernetes=()) == (V4,)


def test_a_deleted_service_gives_its_addresses_back() -> None:
    """ALLOC-IP-06; a headless one has none to give."""
    state = registry("10.0.0.0/16")
    with_address = create(state, service("web", cluster_ip="10.0.0.9", cluster_ips=("10.0.0.9",)), seed=1)
    headless = create(state, service("web", cluster_ip="None", cluster_ips=("None",)), seed=1)

    assert pools(with_address.registry)[0] == {"10.0.0.9": WEB_NAME}
    assert pools(delete(with_address.registry, WEB_NAME).registry)[0] == {}
    assert pools(delete(headless.registry, WEB_NAME).registry)[0] == {}
