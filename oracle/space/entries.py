"""The ways for packets to meet a node's rules: from the node itself, and from the wire by
each interface that a rule or the local detector tells apart."""

from collections.abc import Iterator

import attrs

from model.frontends import NodeView
from model.node_config import DetectLocalMode
from model.packet import Origin
from oracle.hooks import interface_matches


@attrs.frozen(eq=False)
class Entry:
    """One way for packets to meet the rules: origin and, where it matters, interface."""

    origin: Origin
    in_interface: str | None
    from_pod_interface: bool


def entries(view: NodeView, patterns: set[str]) -> Iterator[Entry]:
    """One entry from the node, and one from the wire for each interface told apart."""
    config = view.config
    if config.detect_local is DetectLocalMode.BRIDGE_INTERFACE:
        patterns = patterns | {config.bridge_interface}
    elif config.detect_local is DetectLocalMode.INTERFACE_NAME_PREFIX:
        patterns = patterns | {config.interface_name_prefix + "+"}
    patterns = {pattern for pattern in patterns if pattern and pattern != "lo"}
    if not patterns:
        yield Entry(Origin.WIRE, None, from_pod_interface=False)
    else:
        names = {pattern[:-1] + "0" if pattern.endswith("+") else pattern for pattern in patterns}
        names |= {_other_interface(patterns)}
        for name in sorted(names):
            yield Entry(Origin.WIRE, name, from_pod_interface=_is_pod_interface(view, name))
    yield Entry(Origin.NODE, None, from_pod_interface=False)


def _is_pod_interface(view: NodeView, name: str) -> bool:
    return view.pod_sources is None and view.is_pod_interface(name)


def _other_interface(patterns: set[str]) -> str:
    """The name of an interface that no rule means."""
    return next(
        name
        for name in ("eth0", "ens3", *(f"other{n}" for n in range(1, 1000)))
        if not any(interface_matches(pattern, name) for pattern in patterns)
    )
