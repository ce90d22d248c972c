"""Reading a history: its settings, the objects it starts from, and its entries, before any of it runs.

Every fault is an InputError with the file and the line.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from model.api.registry import ApiConfig
from model.dns import DnsConfig
from model.errors import InputError
from oracle.admission.settings import api_config, default_service_cidr
from oracle.bundle import read_text_source
from oracle.replay.entries import Entry, Expected, Script, Settings
from oracle.replay.things import proxy_settings
from oracle.replay.tree import Item, read_item
from oracle.replay.vocabulary import DRY_RUN, MAY_BE_EMPTY, READERS, Context

KEEPS_UP = ("after-each", "controllers", "manual")
_BESIDE = ("expect", "note", "dry-run")


def read_script(data: bytes, file: str) -> Script:
    """The history of a YAML text; other files are named from the folder of `file`.

    Raises InputError naming the line of whatever is not understood.
    """
    top = read_item(data, file)
    fields = top.fields("cluster", "settings", needed=("events",))
    settings = _settings(fields["settings"]) if "settings" in fields else Settings()
    folder = Path(file).parent
    given = fields["cluster"].one_or_more() if "cluster" in fields else ()
    cluster = tuple((str(folder / item.text()), _content(item, folder)) for item in given)
    entries = tuple(_entry(item, folder, settings) for item in fields["events"].items())
    return Script(file, settings, cluster, entries)


def _content(item: Item, folder: Path) -> bytes:
    try:
        return read_text_source(folder / item.text())
    except InputError as error:
        raise item.fault(f"{error.file}: {error.what}") from None


def _settings(item: Item) -> Settings:
    fields = item.fields(
        "service-cidrs",
        "node-port-range",
        "feature-gates",
        "settle",
        "late",
        "proxy",
        "proxies",
        "cluster-domain",
        "seed",
    )
    cidrs = fields["service-cidrs"].texts() if "service-cidrs" in fields else ()
    if cidrs:
        _told_of(fields["service-cidrs"], lambda: default_service_cidr(cidrs))
    dns = DnsConfig()
    if "cluster-domain" in fields:
        try:
            dns = DnsConfig(fields["cluster-domain"].text())
        except ValueError as error:
            raise fields["cluster-domain"].fault(str(error)) from None
    proxies = fields["proxies"].entries() if "proxies" in fields else {}
    return Settings(
        config=_api_config(fields),
        service_cidrs=cidrs,
        keeps_up=fields["settle"].choice(*KEEPS_UP) if "settle" in fields else KEEPS_UP[0],
        late=frozenset(fields["late"].texts()) if "late" in fields else frozenset(),
        proxy=proxy_settings(fields["proxy"]) if "proxy" in fields else {},
        proxies={name: proxy_settings(one) for name, one in proxies.items()},
        dns=dns,
        seed=fields["seed"].number() if "seed" in fields else 0,
    )


def _api_config(fields: Mapping[str, Item]) -> ApiConfig:
    ports = gates = None
    if "node-port-range" in fields:
        ports = fields["node-port-range"].text()
        _told_of(fields["node-port-range"], lambda: api_config(ports, None))
    if "feature-gates" in fields:
        given = fields["feature-gates"].entries()
        gates = ",".join(f"{name}={json.dumps(one.boolean())}" for name, one in given.items())
        _told_of(fields["feature-gates"], lambda: api_config(None, gates))
    return api_config(ports, gates)


def _told_of(item: Item, read: Callable[[], object]) -> None:
    """A fault of a flag's reader as a fault of the line that holds the value."""
    try:
        read()
    except InputError as error:
        raise item.fault(error.what) from None


def _entry(item: Item, folder: Path, settings: Settings) -> Entry:
    if isinstance(item.value, str) and item.value in MAY_BE_EMPTY:
        subject, action = READERS[item.value](item, Context(folder, settings))
        return Entry(item.line, item.value, subject, action)
    if not isinstance(item.value, dict):
        raise item.fault("an event is a mapping such as {delete: {service: shop/web}}")
    empty = [name for name, value in item.value.items() if value is None and name in MAY_BE_EMPTY]
    found = item.entries()
    names = [*empty, *(name for name in found if name not in _BESIDE)]
    if len(names) != 1:
        said = f"; here are {', '.join(names)}" if names else ""
        raise item.fault(f"an entry has one event, beside {', '.join(_BESIDE)}{said}")
    name = names[0]
    if name not in READERS:
        raise found[name].fault(f"there is no such event; there are: {', '.join(READERS)}")
    dry_run = found["dry-run"].boolean() if "dry-run" in found else False
    if dry_run and name not in DRY_RUN:
        raise found["dry-run"].fault(f"only {', '.join(sorted(DRY_RUN))} can be tried out")
    subject, action = READERS[name](found.get(name, item), Context(folder, settings, dry_run))
    return Entry(
        item.line,
        name,
        subject + (" (dry run)" if dry_run else ""),
        action,
        _expected(found["expect"]) if "expect" in found else None,
        found["note"].text() if "note" in found else "",
    )


def _expected(item: Item) -> Expected:
    """`expect: refused` is short for `expect: {refused: true}`, and so for illegal and accepted."""
    if isinstance(item.value, str):
        return Expected(item.line, {item.choice("accepted", "refused", "illegal"): True})
    values = item.entries()
    if not item.value:
        raise item.fault("expects nothing")
    for name in ("refused", "illegal"):
        if name in values:
            if len(values) > 1:
                raise item.fault(f"what is {name} has no other results")
            if values[name].value is not True:
                values[name].texts()
    # A null is an expectation too: that there is no such value.
    return Expected(item.line, item.value)
