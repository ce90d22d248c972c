"""One request's dealings with the pool of node ports.

Numbers are taken while the request is worked out and released only when it is written,
so the pool holds every stored owner at every moment (ALLOC-NP-12). Pure: an operation
that is not committed has changed nothing. Keyed by number alone, without protocol, and
shared with health check node ports (ALLOC-NP-03).
Source: `pkg/registry/core/service/portallocator`.
"""

from random import Random

import attrs
from rpds import HashTrieMap

from model.api.allocation.bands import Bands, node_port_bands
from model.api.allocation.draw import free_value
from model.api.registry import Registry
from model.objects import ObjectName

_PLACEHOLDER_BEFORE_FIRST = 32768


@attrs.frozen
class NoPort(Exception):
    """A node port that cannot be had; `why` says it for the answer."""

    why: str

    def __str__(self) -> str:
        return self.why


@attrs.frozen
class PortOperation:
    """The numbers one request has taken and will release."""

    pool: "HashTrieMap[int, ObjectName]"
    bands: Bands
    owner: ObjectName
    dry_run: bool
    taken: tuple[int, ...] = ()
    released: tuple[int, ...] = ()

    @classmethod
    def begin(cls, registry: Registry, owner: ObjectName, *, dry_run: bool) -> "PortOperation":
        bands = node_port_bands(registry.config.first_node_port, registry.config.last_node_port)
        return cls(registry.node_ports, bands, owner, dry_run)

    def take(self, port: int) -> "PortOperation":
        """With this very number taken.

        Raises NoPort when it is out of range or taken, by this request or another. A dry
        run does not look at the range (API-PIPE-06).
        """
        if not self.dry_run and port not in self.bands:
            raise NoPort(f"provided port is not in the valid range {self.bands.first}-{self.bands.last}")
        if port in self.pool or port in self.taken:
            raise NoPort("provided port is already allocated")
        return attrs.evolve(self, taken=(*self.taken, port))

    def take_next(self, draw: Random) -> tuple["PortOperation", int]:
        """With some free number taken, and that number (ALLOC-NP-02); a placeholder in a dry run.

        Raises NoPort when none is free.
        """
        port = self._placeholder() if self.dry_run else self._free_port(draw)
        return attrs.evolve(self, taken=(*self.taken, port)), port

    def release(self, *ports: int) -> "PortOperation":
        """With these numbers released once the request is written."""
        return attrs.evolve(self, released=(*self.released, *ports))

    def commit(self) -> "HashTrieMap[int, ObjectName]":
        """The pool after the write: what was taken added, then what was released removed.

        Nobody asks who owned a released number (API-TC-11, ALLOC-NP-09).
        """
        pool = self.pool
        if self.dry_run:
            return pool
        for port in self.taken:
            pool = pool.insert(port, self.owner)
        for port in self.released:
            pool = pool.discard(port)
        return pool

    def _free_port(self, draw: Random) -> int:
        port = free_value(self.bands, lambda port: port in self.pool or port in self.taken, draw)
        if port is None:
            raise NoPort("range is full")
        return port

    def _placeholder(self) -> int:
        """One above the highest number of the request, 32769 for the first.

        (The server looks for a free one only below 100, where no node port is; kept for a
        configuration that has such numbers.)
        """
        last = max(self.taken, default=_PLACEHOLDER_BEFORE_FIRST)
        free = (p for p in range(last + 1, 100) if p not in self.pool and p not in self.taken)
        return next(free, last + 1)
