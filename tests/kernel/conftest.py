"""A machine that cannot stand a node up is said so: a skip on a desk, a failure where everything must run."""

from functools import cache

import pytest

from tests.conftest import give_up, must_run_everything
from tests.kernel.node import Device, standing


@pytest.fixture(autouse=True)
def _a_node_can_stand(request: pytest.FixtureRequest) -> None:
    """Asked only of tests that ask the kernel, after those that lack root or tools were ended."""
    if request.node.get_closest_marker("kernel") and (reason := _obstacle()):
        give_up(reason, failing=must_run_everything())


@cache
def _obstacle() -> str:
    """Why no node can stand here, empty when one can."""
    try:
        with standing((Device("eth0"),)):
            return ""
    except OSError as error:
        return f"needs network namespaces, TUN devices, raw sockets and nfnetlink_log: {error}"
