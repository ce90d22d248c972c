"""What the controllers publish as a table a Service, and first of all whether the cluster holds it."""

from collections.abc import Iterable, Iterator, Sequence

from model.controllers.discrepancy import Change, Discrepancy, Entry, Publication
from model.controllers.publish import Published
from model.objects import (
    Endpoint,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    ObjectName,
    Service,
)
from oracle.report.wording import Look, count, printable

_ENDPOINTS_SHOWN = 20
_DIFFERENCES_SHOWN = 20
_MARKS = {Change.MISSING: "-", Change.STALE: "+", Change.CHANGED: "~"}


def published_lines(
    services: Sequence[Service],
    published: Published,
    compared: Sequence[Publication],
    differences: Sequence[Discrepancy],
    look: Look,
) -> Iterator[str]:
    """The verdict, the differences, then each Service's slices and Endpoints."""
    yield _verdict(services, compared, differences, look)
    shown = differences if look.verbose else differences[:_DIFFERENCES_SHOWN]
    for difference in shown:
        yield ""
        yield from difference_lines(difference, look)
    if left := len(differences) - len(shown):
        yield ""
        yield f"  ... and {count(left, 'more difference')} (--verbose shows all)"
    slices: dict[ObjectName, list[EndpointSlice]] = {}
    for one in published.slices:
        if one.service is not None:
            slices.setdefault(one.service, []).append(one)
    endpoints = {each.name: each for each in published.endpoints}
    for service in services:
        yield ""
        yield from _service_lines(service, slices.get(service.name, []), endpoints.get(service.name), look)


def difference_lines(difference: Discrepancy, look: Look) -> Iterator[str]:
    """What the controllers publish and what the cluster holds, of one endpoint."""
    what = f"{difference.publication.value} of {printable(str(difference.service))}"
    yield look.paint(f"  {_MARKS[difference.change]} {difference.change.value}: {what}", "bold")
    for head, entry in (("expected", difference.expected), ("found", difference.found)):
        text = "nothing" if entry is None else _entry_text(entry)
        yield look.cut(f"    {head:<9} {text}")


def _verdict(
    services: Sequence[Service],
    compared: Sequence[Publication],
    differences: Sequence[Discrepancy],
    look: Look,
) -> str:
    of = count(len(services), "Service")
    if not compared:
        return f"{look.paint('NOT COMPARED', 'yellow')}  {of}; the objects hold no slices or Endpoints"
    names = {Publication.SLICES: "slices", Publication.ENDPOINTS: "Endpoints"}
    what = " and ".join(names[each] for each in compared)
    if not differences:
        return f"{look.paint('AGREES', 'green')}  {what} of {of} are as the controllers publish them"
    wrong = len({difference.service for difference in differences})
    text = f"{what} of {wrong} of {of} are not as the controllers publish them"
    return f"{look.paint('DIFFERS', 'red')}  {text}"


def _service_lines(
    service: Service, slices: Sequence[EndpointSlice], endpoints: Endpoints | None, look: Look
) -> Iterator[str]:
    selector = ",".join(f"{key}={value}" for key, value in service.selector or ())
    chosen = f"selects {selector}" if service.selector is not None else "no selector"
    name = look.paint(printable(str(service.name)), "bold")
    yield f"{name}  {service.type.value}  {printable(chosen)}"
    if not slices and endpoints is None:
        yield "  no slices, no Endpoints"
    for one in slices:
        by = one.managed_by.removesuffix(".k8s.io") or "nobody: made by hand"
        headless = "  headless" if one.headless else ""
        yield look.cut(
            f"  EndpointSlice {one.name.name}  {one.address_type}  {_ports_text(one.ports)}"
            f"{headless}  by {by}"
        )
        yield from _table([_row(endpoint) for endpoint in one.endpoints], look)
    if endpoints is not None:
        subsets = endpoints.subsets
        over = "  over capacity: truncated" if _is_truncated(endpoints) else ""
        yield f"  Endpoints{'' if subsets else '  none'}{over}"
        for subset in subsets:
            yield look.cut(f"    {_ports_text(subset.ports)}")
            yield from _table(_subset_rows(subset), look, indent="      ")


def _is_truncated(endpoints: Endpoints) -> bool:
    return dict(endpoints.annotations).get("endpoints.kubernetes.io/over-capacity") == "truncated"


def _subset_rows(subset: EndpointSubset) -> list[tuple[str, ...]]:
    return [
        (each.ip, state, f"on {each.node_name}" if each.node_name else "", _pod_text(each.target))
        for addresses, state in ((subset.addresses, "ready"), (subset.not_ready_addresses, "not ready"))
        for each in addresses
    ]


def _table(rows: Sequence[tuple[str, ...]], look: Look, indent: str = "    ") -> Iterator[str]:
    shown = rows if look.verbose else rows[:_ENDPOINTS_SHOWN]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
        yield look.cut((indent + "  ".join(cells)).rstrip())
    if left := len(rows) - len(shown):
        yield f"{indent}... and {left} more (--verbose shows all)"


def _row(endpoint: Endpoint) -> tuple[str, ...]:
    return (
        ", ".join(endpoint.addresses),
        conditions_text(endpoint),
        f"on {endpoint.node_name}" if endpoint.node_name else "",
        f"in {endpoint.zone}" if endpoint.zone else "",
        f"hostname {endpoint.hostname}" if endpoint.hostname else "",
        _pod_text(endpoint.target),
        _hints_text(endpoint),
    )


def conditions_text(endpoint: Endpoint) -> str:
    """The conditions that are set, in words; `ready` unset is said, since consumers take it for true."""
    words = [{True: "ready", False: "not ready", None: "ready unset"}[endpoint.ready]]
    if endpoint.serving is not None and endpoint.serving != endpoint.ready:
        words.append("serving" if endpoint.serving else "not serving")
    if endpoint.terminating:
        words.append("terminating")
    return ", ".join(words)


def _hints_text(endpoint: Endpoint) -> str:
    hints = [f"zone {zone}" for zone in endpoint.zone_hints]
    hints += [f"node {node}" for node in endpoint.node_hints]
    return f"for {', '.join(hints)}" if hints else ""


def _pod_text(target: ObjectName | None) -> str:
    return f"pod {target}" if target else ""


def _ports_text(ports: Iterable[EndpointPort]) -> str:
    texts = []
    for port in ports:
        number = "all ports" if port.port is None else str(port.port)
        application = f" ({port.app_protocol})" if port.app_protocol else ""
        texts.append(f"{port.name} {number}/{port.protocol}{application}".strip())
    return ", ".join(texts) or "no ports"


def _entry_text(entry: Entry) -> str:
    if entry.endpoint is None:
        family = f"{entry.address_type} " if entry.address_type else ""
        return f"{family}without endpoints, {_ports_text(entry.ports)}"
    cells = [cell for cell in _row(entry.endpoint) if cell]
    headless = ["headless"] if entry.headless else []
    return "  ".join([*cells, _ports_text(entry.ports), *headless])
