"""What kube-proxy sets of the kernel's connection tracking when it starts.

Law: a setting that is unset or zero leaves the kernel's value alone; any other is written,
also where it makes the table smaller (1.36). Times are seconds; fractions are cut off.
"""

from collections.abc import Iterator
from fractions import Fraction

import attrs

ENTRIES_PER_BUCKET = 4


@attrs.frozen
class ConntrackSettings:
    """The section `conntrack` of kube-proxy's configuration; None is unset.

    The defaults are those that kube-proxy fills in (CT-01).
    """

    max_per_core: int | None = 32_768
    min: int | None = 131_072
    tcp_established_timeout: Fraction | int | None = 86_400
    tcp_close_wait_timeout: Fraction | int | None = 3_600
    tcp_be_liberal: bool = False
    udp_timeout: Fraction | int = 0
    udp_stream_timeout: Fraction | int = 0


@attrs.frozen
class Kernel:
    """What kube-proxy finds on the node: its cores, and how many buckets the table has."""

    cores: int
    hash_size: int = 0


@attrs.frozen
class Setting:
    """One value to write; `name` is a sysctl under net/netfilter, or the module's `hashsize`."""

    name: str
    value: int


def settings_at_start(wanted: ConntrackSettings, kernel: Kernel) -> tuple[Setting, ...]:
    """The values that must hold once kube-proxy has started, in the order in which it sets them.

    It does not start when the kernel refuses one, and sets none of those after it.
    """
    return tuple(_settings(wanted, kernel))


def _settings(wanted: ConntrackSettings, kernel: Kernel) -> Iterator[Setting]:
    most = _most_entries(wanted, kernel)
    if most > 0:
        yield Setting("nf_conntrack_max", most)
        if kernel.hash_size < most // ENTRIES_PER_BUCKET:
            yield Setting("hashsize", most // ENTRIES_PER_BUCKET)
    if wanted.tcp_established_timeout:
        yield Setting("nf_conntrack_tcp_timeout_established", int(wanted.tcp_established_timeout))
    if wanted.tcp_close_wait_timeout:
        yield Setting("nf_conntrack_tcp_timeout_close_wait", int(wanted.tcp_close_wait_timeout))
    if wanted.tcp_be_liberal:
        yield Setting("nf_conntrack_tcp_be_liberal", 1)
    if wanted.udp_timeout:
        yield Setting("nf_conntrack_udp_timeout", int(wanted.udp_timeout))
    if wanted.udp_stream_timeout:
        yield Setting("nf_conntrack_udp_timeout_stream", int(wanted.udp_stream_timeout))


def _most_entries(wanted: ConntrackSettings, kernel: Kernel) -> int:
    """The size of the table, 0 to leave it alone."""
    if not wanted.max_per_core:
        return 0
    return max(wanted.max_per_core * kernel.cores, wanted.min or 0)
