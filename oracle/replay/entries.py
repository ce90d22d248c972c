"""What a history consists of: attempts that change the cluster, and questions that do not.

An entry is read whole before anything runs; what it does depends on the state that it
meets, so it holds functions of that state.
"""

from collections.abc import Callable, Mapping

import attrs

from model.api.registry import ApiConfig
from model.cluster.events import Event
from model.cluster.state import ClusterState
from model.dns import DnsConfig

Fact = str | int | bool | None | tuple[str, ...] | Mapping[str, str]
Facts = Mapping[str, Fact]
"""What an expectation may speak of, by name."""

Maker = Callable[[ClusterState, int], Event]
"""The event that is attempted in a state; the number seeds what the API server draws. Raises
Refused where the request cannot even be read, and Unanswerable."""


@attrs.frozen
class Unanswerable(Exception):
    """Something that cannot be asked or tried in this state, because what it names is not there."""

    what: str

    def __str__(self) -> str:
        return self.what


@attrs.frozen
class Said:
    """An answer to a question: in lines for a reader, in facts for an expectation."""

    lines: tuple[str, ...]
    facts: Facts


@attrs.frozen
class Attempt:
    """Events that happen together or not at all."""

    makers: tuple[Maker, ...]


@attrs.frozen
class Question:
    answer: Callable[[ClusterState], Said]


@attrs.frozen
class Settle:
    """Controllers and running proxies do all that they have to do."""


@attrs.frozen
class Expected:
    """What the author of the history expects of an entry; names and values as written.

    `line` is where it stands. An entry that is to be refused or impossible has the key
    `refused` or `illegal`.
    """

    line: int
    values: Mapping[str, object]


@attrs.frozen
class Entry:
    """One line of the history. `name` is its event's, `subject` says whom it is about."""

    line: int
    name: str
    subject: str
    action: Attempt | Question | Settle
    expected: Expected | None = None
    note: str = ""


@attrs.frozen
class Settings:
    """How the cluster runs. `late` are nodes whose proxies sync only when they are told to."""

    config: ApiConfig = ApiConfig()
    service_cidrs: tuple[str, ...] = ()
    keeps_up: str = "after-each"  # or controllers, manual
    late: frozenset[str] = frozenset()
    proxy: Mapping[str, object] = attrs.field(factory=dict)
    proxies: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
    dns: DnsConfig = attrs.field(factory=DnsConfig)
    seed: int = 0


@attrs.frozen
class Script:
    """A history that has been read: where it starts, and what happens."""

    file: str
    settings: Settings
    cluster: tuple[tuple[str, bytes], ...]
    entries: tuple[Entry, ...]
