"""The speed that is promised, measured in one run beside the kernel's own tool.

`python -m benchmarks.promises` needs root and iptables. It prints each figure with its
promise, and exits 1 when one is not kept:

* `svcproof check` of 5,000 services with 10 endpoints takes at most twice the time of
  `iptables-restore --test` of the same file;
* in nftables mode the same cluster takes at most one and a half times as long as in iptables mode;
* ten times the services cost at most twelve times the time of the comparison;
* at least 30,000 look-ups a second at 5,000 services, and no less than the rate at 100
  services divided by 1.5.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.generate import generate_cluster, in_mode, write_bundle
from model.addresses import Family
from model.frontends import node_view
from model.node_config import ProxyMode
from oracle.bundle import read_bundle
from oracle.node_rules import read_node
from oracle.space.lookup import Lookup

ROUNDS = 5


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least seconds of several runs: what is left when nothing else was in the way."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def bundle(folder: Path, services: int, mode: ProxyMode = ProxyMode.IPTABLES) -> Path:
    """A generated bundle of so many services with 10 endpoints."""
    out = folder / f"{services}.{mode.value}"
    cluster, config = generate_cluster(services, 10)
    write_bundle(out, cluster, in_mode(config, mode))
    return out


def check(path: Path) -> None:
    """The whole command, from start to exit, as a user runs it."""
    command = [sys.executable, "-m", "oracle.cli", "check", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def start_up() -> None:
    """The command doing nothing."""
    subprocess.run([sys.executable, "-m", "oracle.cli", "--help"], check=True, stdout=subprocess.DEVNULL)


def restore(path: Path) -> None:
    """The kernel's tool reading the same rules, in a network namespace of its own."""
    (dump,) = path.glob("nodes/*/iptables-save")
    with dump.open("rb") as rules:
        subprocess.run(["unshare", "-n", "iptables-restore", "--test"], stdin=rules, check=True)


def lookups(path: Path) -> float:
    """Look-ups a second, from the index, of packets asked before."""
    from benchmarks.test_benchmarks import questions

    given = read_bundle(str(path))
    assert given.cluster is not None
    node = read_node(given.nodes[0], given.cluster)
    view = node_view(given.cluster, node.config, Family.IPV4)
    lookup = Lookup(view, node.by_family[Family.IPV4])
    packets = questions(view) * 50
    for packet in packets:
        lookup.outcome(packet)

    def ask() -> None:
        for packet in packets:
            lookup.outcome(packet)

    return len(packets) / best(ask)


def main() -> int:
    """Measures, prints, and says by its status whether every promise is kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large, tiny = (bundle(folder, size) for size in (500, 5_000, 100))
        other = bundle(folder, 5_000, ProxyMode.NFTABLES)
        kernel = best(lambda: restore(large))
        nftables = best(lambda: check(other))
        whole, tenth = best(lambda: check(large)), best(lambda: check(small))
        start = best(start_up)
        few, many = lookups(tiny), lookups(large)
    rows = [
        ("check of 5,000 services / iptables-restore --test", whole / kernel, "<=", 2.0),
        ("check of 5,000 services, nftables / iptables", nftables / whole, "<=", 1.5),
        ("check of 5,000 / check of 500, less start-up", (whole - start) / (tenth - start), "<=", 12.0),
        ("look-ups a second at 5,000 services", many, ">=", 30_000.0),
        ("look-ups at 100 / look-ups at 5,000", few / many, "<=", 1.5),
    ]
    print(
        f"iptables-restore --test {kernel:.2f} s, check {whole:.2f} s, of nftables {nftables:.2f} s,"
        f" of 500 services {tenth:.2f} s"
    )
    kept = True
    for what, figure, relation, promise in rows:
        holds = figure <= promise if relation == "<=" else figure >= promise
        kept = kept and holds
        print(f"{what}: {figure:,.2f} ({relation} {promise:,.1f}: {'kept' if holds else 'NOT KEPT'})")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
