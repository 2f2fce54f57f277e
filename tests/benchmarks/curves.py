"""Measures latency against load, memory against items, and the cost of a million recommendations, and draws them.

    python -m tests.benchmarks.curves [--rounds N] [--seconds S] [--core-hour-price P] [--redraw]

Memory is measured for the bench shop and for every shop that is tiled from it: `make bench ITEMS=1000000` makes one.
Writes var/bench/curves.json, and the pictures of docs/performance.md.
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from tests.benchmarks import bundle_memory, plots, servers
from tests.benchmarks.serving import ECHO, FOLDER, RECOMMEND, load_generator, started_cases
from tests.benchmarks.shop import prepared_shop
from tests.benchmarks.side_by_side import CallsFailed, Case, run_case

LOADS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # shares of a server's peak
RESULT = FOLDER / "curves.json"


def benchmark(rounds: int, seconds: float, console: Console) -> dict[str, Any]:
    """Measures everything that is drawn. In each round all servers run, one after the other."""
    shop = prepared_shop(FOLDER, console)
    show = partial(console.print, style="dim")
    load_before = os.getloadavg()[0]
    memory = [bundle_memory.measure(shop, bundle, show) for bundle in bundle_memory.bundles(shop.bundle, FOLDER)]
    core, generator_core = servers.cores()
    costs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    points: dict[str, list[list[dict[str, float] | None]]] = defaultdict(list)
    with ExitStack() as stack:
        generator = stack.enter_context(load_generator(generator_core))
        all_cases, _ = started_cases(shop, core, stack, console)
        for number in range(rounds):
            for case in all_cases:
                show(f"round {number + 1} of {rounds}: {case.name}")
                costs[case.name].append(_cost(case, generator, seconds))
            curves = _curves([case for case in all_cases if case.name in (ECHO, RECOMMEND)], costs, generator, seconds)
            for name, curve in curves.items():
                points[name].append(curve)
    return {
        "setup": {
            "items": len(shop.item_ids),
            "rounds": rounds,
            "seconds": seconds,
            "cores": os.cpu_count(),
            "load_averages": [load_before, os.getloadavg()[0]],
            "bundle_id": shop.bundle.name,
        },
        "costs": {name: {"rounds": rounds_of_case} for name, rounds_of_case in costs.items()},
        "latency": {name: _middle(curves_of_rounds) for name, curves_of_rounds in points.items()},
        "memory": sorted(memory, key=lambda point: point["items"]),
    }


def _cost(case: Case, generator: Executor, seconds: float) -> dict[str, Any]:
    """Calls a second in a closed loop, and microseconds of processor time a call by process."""
    measured = run_case(case, generator, seconds)
    cpu_us = {name: spent / measured.completed * 1e6 for name, spent in measured.cpu_seconds.items()}
    return {"per_second": measured.completed / measured.seconds, "cpu_us": cpu_us}


def _curves(
    cases: list[Case], costs: Mapping[str, list[dict[str, Any]]], generator: Executor, seconds: float
) -> dict[str, list[dict[str, float] | None]]:
    """The latencies of each case at each of LOADS, relative to its peak in this round. None: calls were refused."""
    curves: dict[str, list[dict[str, float] | None]] = {case.name: [] for case in cases}
    for load in LOADS:
        for case in cases:
            try:
                measured = run_case(case, generator, seconds, rate=load * costs[case.name][-1]["per_second"])
            except CallsFailed:  # the service refuses calls rather than answer them late
                curves[case.name].append(None)
                continue
            p50, p99 = 1_000 * np.percentile(measured.latencies, (50, 99))
            curves[case.name].append({"load": load, "p50_ms": float(p50), "p99_ms": float(p99)})
    return curves


def _middle(curves: list[list[dict[str, float] | None]]) -> list[dict[str, float]]:
    """The medians of all rounds at each load. A load at which calls were refused in any round has no point."""
    points = []
    for of_load in zip(*curves, strict=True):
        measured = [point for point in of_load if point is not None]
        if len(measured) == len(of_load):
            points.append({name: median(point[name] for point in measured) for name in measured[0]})
    return points


def draw(result: Mapping[str, Any], price: float | None = None, folder: Path = plots.FOLDER) -> list[Path]:
    """Draws a result of `benchmark`. Returns the files."""
    peaks = {name: median(one["per_second"] for one in row["rounds"]) for name, row in result["costs"].items()}
    pictures = {
        "latency": plots.latency_plot(result["latency"], peaks, RECOMMEND),
        "memory": plots.memory_plot(result["memory"]),
        "cost": plots.cost_plot(result["costs"], RECOMMEND, price),
    }
    return [plots.write(name, svg, folder) for name, svg in pictures.items()]


def _cost_table(result: Mapping[str, Any], price: float | None) -> Table:
    table = Table("case", "processor seconds of a million", "lowest and highest round", box=box.MARKDOWN)
    if price is not None:
        table.add_column(f"money at {price:g} a core-hour")
    for name, row in result["costs"].items():
        seconds = sorted(sum(one["cpu_us"].values()) for one in row["rounds"])
        money = [] if price is None else [f"{median(seconds) / 3600 * price:.3g}"]
        table.add_row(name, f"{median(seconds):,.0f}", f"{seconds[0]:,.0f} to {seconds[-1]:,.0f}", *money)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.curves", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each load is measured [3]")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement [4]")
    parser.add_argument("--core-hour-price", type=float, help="of one core for an hour, in any currency")
    parser.add_argument("--redraw", action="store_true", help="draw the last result again, and measure nothing")
    parser.add_argument("--out", type=Path, default=plots.FOLDER, help="where the pictures go [docs/performance]")
    arguments = parser.parse_args()
    if arguments.core_hour_price is not None and not arguments.core_hour_price > 0:
        parser.error("--core-hour-price must be above 0")
    console = Console(width=120)
    if not arguments.redraw:
        result = benchmark(arguments.rounds, arguments.seconds, console)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    elif not RESULT.is_file():
        parser.error(f"{RESULT} is missing: run this command without --redraw first")
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    console.print(_cost_table(result, arguments.core_hour_price))
    for path in draw(result, arguments.core_hour_price, arguments.out):
        console.print(f"wrote {path}")


if __name__ == "__main__":
    main()
