"""Writing the status of Services."""

import attrs

from model.api.objects import Ingress, LoadBalancerStatus, ServiceStatus
from model.api.requests import delete, update_status
from tests.model.api.api_cases import (
    WEB_NAME as WEB,
)
from tests.model.api.api_cases import (
    holding,
    invalid,
    pools,
    refused,
    registry,
    service,
    stored,
    with_metadata,
    with_spec,
)


def test_a_status_write_keeps_the_spec_and_fills_in_the_mode() -> None:
    """API-PIPE-03, API-F-29."""
    state = holding(registry(), service(type="LoadBalancer"))
    sent = with_spec(stored(state), selector=(("app", "other"),))
    sent = attrs.evolve(sent, status=ServiceStatus(LoadBalancerStatus((Ingress("192.0.2.1"),))))

    found = update_status(state, sent).service

    assert found.spec == stored(state).spec
    assert found.status == ServiceStatus(LoadBalancerStatus((Ingress("192.0.2.1", ip_mode="VIP"),)))


def test_a_status_write_warns_of_an_address_in_an_unusual_form() -> None:
    """API-F-31."""
    state = holding(registry(), service(type="LoadBalancer"))
    status = ServiceStatus(LoadBalancerStatus((Ingress("192.0.2.1"), Ingress("2001:DB8::1"))))

    (warning,) = update_status(state, attrs.evolve(stored(state), status=status)).warnings

    assert warning.startswith("status.loadBalancer.ingress[1]:")


def test_a_status_write_changes_labels_and_finalizers() -> None:
    state = holding(registry(), with_metadata(service(), finalizers=("example.com/lb",)))
    sent = with_metadata(stored(state), finalizers=(), labels=(("a", "b"),))

    accepted = update_status(state, sent)

    metadata = stored(accepted.registry).metadata
    assert (metadata.finalizers, metadata.labels) == ((), (("a", "b"),))


def test_a_status_write_that_takes_the_last_finalizer_of_a_marked_service_removes_it() -> None:
    """API-TC-11: statusStore shares the AfterDelete hook, so everything is released."""
    state = holding(registry(), with_metadata(service(type="NodePort"), finalizers=("example.com/lb",)))
    state = delete(state, WEB).registry

    gone = update_status(state, with_metadata(stored(state), finalizers=()))

    assert (pools(gone.registry), WEB in gone.registry.services) == (({}, {}), False)


def test_a_dry_status_write_shows_the_status_and_stores_nothing() -> None:
    """API-PIPE-06."""
    state = holding(registry(), service(type="LoadBalancer"))
    status = ServiceStatus(LoadBalancerStatus((Ingress(hostname="lb.example"),)))

    accepted = update_status(state, attrs.evolve(stored(state), status=status), dry_run=True)

    assert (accepted.registry, accepted.service.status) == (state, status)


def test_only_a_load_balancer_has_an_ingress() -> None:
    """API-F-29."""
    state = holding(registry(), service())
    sent = attrs.evolve(
        stored(state), status=ServiceStatus(LoadBalancerStatus((Ingress(hostname="lb.example"),)))
    )

    assert refused(update_status, state, sent) == invalid("status.loadBalancer.ingress", type="FORBIDDEN")
