"""Measures other ways to serve lists beside the service, in one run on one machine with the same shop and users.

    python -m tests.benchmarks.peers [--rounds N] [--seconds S]

All answer K items of the bench shop to the same users, each on one core; the load generator has another core. Peers
give no reasons, and read no events, stock or filters: docs/performance.md says how far they compare. The packages of
the peers are in var/peers (`make bench-plots` installs them). Writes var/bench/peers.json and
docs/performance/peers.svg.
"""

import argparse
import json
import os
import platform
import random
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from recsvc.model import bundle_files
from recsvc.v1 import recommendation_pb2 as pb
from tests.benchmarks import cases, http1_calls, peer_files, plots, servers
from tests.benchmarks.servers import Server
from tests.benchmarks.serving import ECHO, FOLDER, RECOMMEND, TABLE_WIDTH, load_generator
from tests.benchmarks.shop import BenchShop, prepared_shop
from tests.benchmarks.side_by_side import IN_FLIGHT, Case, Figures, measure, medians
from tests.integration import clients

K = 20
USERS = 2_000
PYTHON = Path(__file__).parents[2] / "var" / "peers" / "bin" / "python"
RESULT = FOLDER / "peers.json"


def benchmark(rounds: int, seconds: float, console: Console) -> dict[str, Any]:
    """Measures the service and its peers, prints a table, and returns the figures."""
    shop = prepared_shop(FOLDER, console)
    core, generator_core = servers.cores()
    load_averages = [os.getloadavg()[0]]
    with ExitStack() as stack:
        generator = stack.enter_context(load_generator(generator_core))
        measured = measure(
            _started_cases(shop, core, stack, console), rounds, seconds, generator, partial(console.print, style="dim")
        )
    setup = {
        "items": len(shop.item_ids),
        "users": USERS,
        "k": K,
        "in_flight": IN_FLIGHT,
        "rounds": rounds,
        "seconds": seconds,
        "cores": os.cpu_count(),
        "load_averages": [*load_averages, os.getloadavg()[0]],
        "python": platform.python_version(),
        "bundle_id": shop.bundle.name,
    }
    console.print(_table(measured, setup))
    rows = {name: {"rounds": [asdict(figures) for figures in of_case]} for name, of_case in measured.items()}
    return {"rows": rows, "setup": setup}


def _started_cases(shop: BenchShop, core: int | None, stack: ExitStack, console: Console) -> list[Case]:
    """Starts the service, the echo and the peers. Returns the cases, the echo first."""
    user_ids = random.Random(0).sample(sorted(set(shop.events["user_id"])), USERS)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recsvc-peers-")))
    console.print(f"writing the histories and profiles of {USERS:,} users", style="dim")
    process, service = stack.enter_context(servers.service(shop.bundle, folder / "service", core))
    servers.fill(process, *shop.of_users(user_ids))
    answers = servers.lists(process, user_ids, K)
    pages = {user: clients.item_ids(answer) for user, answer in zip(user_ids, answers, strict=True)}
    answer = sorted(answers, key=pb.RecommendResponse.ByteSize)[len(answers) // 2]

    console.print("making the models and lists of the peers", style="dim")
    vectors = np.asarray(bundle_files.load(shop.bundle).item_vectors)
    peer_files.write(vectors, shop.item_ids, shop.events, user_ids, folder)
    started = partial(_started, stack, core)
    redis_folder = folder / "redis"
    redis_folder.mkdir()
    redis_socket, redis_pid = stack.enter_context(servers.redis_server(redis_folder, core))
    over_grpc, over_http = partial(cases.recommend, user_ids, K), partial(cases.lists_over_http, user_ids, K)
    return [
        Case(ECHO, stack.enter_context(servers.echo(answer, folder, core)), over_grpc),
        Case(RECOMMEND, service, over_grpc),
        Case("Recommend, pages never shown before", service, partial(cases.recommend_new_pages, pages, K)),
        Case("Recommend without reasons", service, partial(cases.recommend_without_reasons, user_ids, K)),
        Case("numpy behind grpc.aio", started("numpy_grpc", str(folder)), over_grpc),
        Case("implicit behind FastAPI", started("implicit_http", str(folder)), over_http),
        Case(
            "lists in Redis behind FastAPI",
            started("redis_http", str(folder), redis_socket, redis=redis_pid),
            over_http,
        ),
    ]


def _started(stack: ExitStack, core: int | None, module: str, *arguments: str, **pids: int) -> Server:
    """Starts a peer of `tests.benchmarks.peer_servers`. pids: of other processes that work for it."""
    http = module.endswith("_http")
    python = PYTHON if http else sys.executable
    port, pid = stack.enter_context(
        servers.program(python, f"tests.benchmarks.peer_servers.{module}", *arguments, core=core)
    )
    pids = {"server": pid, **pids}
    return Server(port, pids, http1_calls.Connection) if http else Server(port, pids)


def _table(measured: dict[str, list[Figures]], setup: dict[str, Any]) -> Table:
    start, end = setup["load_averages"]
    table = Table(
        box=box.MARKDOWN,
        caption=f"{setup['items']:,} items, {setup['users']:,} users, k = {setup['k']}, {setup['rounds']} rounds of "
        f"{setup['seconds']:g} s, load of the machine {start:.1f} before and {end:.1f} after. Medians. Processor time "
        "of the server and of its Redis. p50, p99: Poisson arrivals at half of calls/s. * the generator was busy.",
    )
    table.add_column("server", no_wrap=True)
    for heading in ("calls/s on one core", "of the echo's", "processor us a call", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="right")
    for name, of_case in measured.items():
        row = medians(of_case)
        cpu_us = median(sum(figures.cpu_us.values()) for figures in of_case)
        table.add_row(
            name,
            f"{row.per_second:,.0f}{row.busy_mark}",
            f"{row.ratio:.3f}",
            f"{cpu_us:,.0f}",
            f"{row.p50_ms:,.1f}",
            f"{row.p99_ms:,.1f}",
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often all are measured [3]")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement [4]")
    parser.add_argument("--out", type=Path, default=plots.FOLDER, help="where the picture goes [docs/performance]")
    arguments = parser.parse_args()
    if not PYTHON.exists():
        parser.error(f"{PYTHON} is missing: make var/peers/.installed")
    console = Console(width=max(Console().width, TABLE_WIDTH))
    result = benchmark(arguments.rounds, arguments.seconds, console)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    picture = plots.write("peers", plots.cost_plot(result["rows"], RECOMMEND), arguments.out)
    console.print(f"all figures are in {RESULT}; wrote {picture}")


if __name__ == "__main__":
    main()
