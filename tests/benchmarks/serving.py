"""Compares the speed of Recommend with a minimal grpc.aio server, in one run on one machine.

    python -m tests.benchmarks.serving [--rounds N] [--seconds S] [--items N] [--keep]

The server has one core, the load generator another. Between machines, compare the ratios, never the figures.
Writes var/bench/serving.json, and says what became slower than the reference and than the last run.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from recsvc.v1 import recommendation_pb2 as pb
from tests.benchmarks import cases, reference, servers
from tests.benchmarks.shop import ITEMS, BenchShop, prepared_shop
from tests.benchmarks.side_by_side import IN_FLIGHT, Case, Figures, measure, medians
from tests.integration import clients

FOLDER = Path(__file__).parents[2] / "var" / "bench"
# Numbers of users. Writers buy while it is measured, so their histories grow; readers and uncached users do not.
READERS, WRITERS, UNCACHED = 2_000, 500, 300
TABLE_WIDTH = 120  # also if the output goes into a file

# Users come back to their page, as they do in a shop, and a page that has not changed may keep its reasons for an hour.
# NEVER_SHOWN is the harder case: every page is new.
ECHO, RECOMMEND, NEVER_SHOWN = "bare grpc.aio echo", "Recommend, everything on", "the same, pages never shown before"


def benchmark(
    rounds: int, seconds: float, console: Console, folder: Path = FOLDER, items: int = ITEMS
) -> dict[str, Any]:
    """Measures every case, prints a table, and returns the figures."""
    shop = prepared_shop(folder, console, items)
    core, generator_core = servers.cores()
    with ExitStack() as stack:
        generator = stack.enter_context(load_generator(generator_core))
        all_cases, answer_bytes = started_cases(shop, core, stack, console)
        measured = measure(all_cases, rounds, seconds, generator, partial(console.print, style="dim"))
    setup = {
        "items": len(shop.item_ids),
        "users": READERS,
        "k": cases.K,
        "answer_bytes": answer_bytes,
        "in_flight": IN_FLIGHT,
        "rounds": rounds,
        "seconds": seconds,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("grpcio", "torch")},
        "bundle_id": shop.bundle.name,
    }
    rows = {name: asdict(medians(found)) | {"rounds": list(map(asdict, found))} for name, found in measured.items()}
    console.print(_table({name: medians(found) for name, found in measured.items()}, setup))
    ratios = {"ratio": rows[RECOMMEND]["ratio"], "ratio_never_shown": rows[NEVER_SHOWN]["ratio"]}
    return {**ratios, "rows": rows, "setup": setup}


def load_generator(core: int | None) -> ProcessPoolExecutor:
    """A process of its own on a core, which makes the load."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), servers.bind, (core,))


def started_cases(shop: BenchShop, core: int | None, stack: ExitStack, console: Console) -> tuple[list[Case], int]:
    """Starts the servers. Returns the cases, the echo first, and the bytes of a typical answer."""
    rng = random.Random(0)
    user_ids = rng.sample(sorted(set(shop.events["user_id"])), READERS + WRITERS)
    readers, writers, uncached = user_ids[:READERS], user_ids[READERS:], user_ids[:UNCACHED]
    item_ids = rng.sample(shop.item_ids, READERS)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recsvc-bench-")))

    console.print(f"writing the histories and profiles of {len(user_ids):,} users", style="dim")
    process, service = stack.enter_context(servers.service(shop.bundle, folder / "service", core))
    servers.fill(process, *shop.of_users(user_ids))
    answers = servers.lists(process, readers)
    pages = {user: clients.item_ids(answer) for user, answer in zip(readers, answers, strict=True)}
    # A service caches the state of its users. This one caches nothing.
    process, without_cache = stack.enter_context(
        servers.service(shop.bundle, folder / "without-cache", core, cache_size=0)
    )
    servers.fill(process, *shop.of_users(uncached))
    servers.lists(process, uncached)
    answer = sorted(answers, key=pb.RecommendResponse.ByteSize)[len(answers) // 2]
    echo = stack.enter_context(servers.echo(answer, folder, core))

    reading = partial(cases.recommend, readers)
    return [
        Case(ECHO, echo, reading),
        Case(RECOMMEND, service, reading),
        Case(NEVER_SHOWN, service, partial(cases.recommend_new_pages, pages)),
        Case("the same, users not in the process", without_cache, partial(cases.recommend, uncached)),
        Case("WriteEvents, one purchase", service, partial(cases.write_event, writers, item_ids)),
        Case("a purchase, then Recommend", service, partial(cases.write_then_recommend, writers, item_ids)),
        Case("Recommend without reasons", service, partial(cases.recommend_without_reasons, readers)),
        Case("SimilarItems", service, partial(cases.similar_items, item_ids)),
    ], answer.ByteSize()


def _table(rows: dict[str, Figures], setup: dict[str, Any]) -> Table:
    table = Table(
        title=f"{setup['items']:,} items, {setup['users']:,} users, k = {setup['k']}, "
        f"answers of {setup['answer_bytes']:,} bytes, medians of {setup['rounds']} rounds",
        caption=f"Requests/s: closed loop, {setup['in_flight']} in flight, one core for server and Redis. "
        "p50, p99: Poisson arrivals at half of that rate. * means that the generator was busy and may have been the "
        "bottleneck; the processor times are right all the same.",
    )
    table.add_column(no_wrap=True)
    for heading in ("requests/s", "of the echo's", "CPU us", "Redis us", "p50 ms", "p99 ms", "generator"):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        redis = row.cpu_us.get("redis")
        busy = row.busy_mark
        table.add_row(
            name,
            f"{row.per_second:,.0f}{busy}",
            f"{row.ratio:.3f}",
            f"{row.cpu_us['server']:,.0f}",
            "" if redis is None else f"{redis:,.0f}",
            f"{row.p50_ms:,.2f}",
            f"{row.p99_ms:,.2f}",
            f"{row.generator_share:.0%}{busy}",
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often all cases are measured [3]")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement [4]")
    parser.add_argument("--items", type=int, default=ITEMS, help=f"with more, the bundle is tiled [{ITEMS}]")
    parser.add_argument("--keep", action="store_true", help="keep the ratios as the project's reference")
    arguments = parser.parse_args()
    console = Console(width=max(Console().width, TABLE_WIDTH))
    result = benchmark(arguments.rounds, arguments.seconds, console, items=arguments.items)
    last = FOLDER / f"last-{arguments.items}.json"
    for name, earlier in (("the reference", reference.REFERENCE), ("the last run", last)):
        console.print(_comparison(name, reference.changes(result, earlier)))
    reference.write(result, last)
    if arguments.keep:
        reference.write(result)
    out = FOLDER / "serving.json"
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    console.print(
        f"Recommend answers {result['ratio']:.3f} times as many requests/s as the echo; all figures are in {out}"
    )


def _comparison(name: str, changes: dict[str, reference.Change]) -> str:
    """Returns how the cases compare with an earlier measurement, in words."""
    if not changes:
        return f"{name} has no figures of this many items: nothing to compare with"
    fell = [f"{case} {change.median:.2f} x" for case, change in changes.items() if change.fell]
    if fell:
        return f"[bold red]slower than {name}: {'; '.join(fell)}[/]"
    return f"no case is slower than {name} by more than the noise: " + "; ".join(
        f"{case} {change.median:.2f} x" for case, change in changes.items()
    )


if __name__ == "__main__":
    main()
