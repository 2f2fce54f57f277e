"""Measures two workers against one: throughput, processor time, memory, and how soon one sees a change of the other.

Both services run at the same time on the same Redis, and are measured in turn. The generator takes a part of a core: on
a machine with two, two workers get less than two cores. So processor time for each call stands beside the throughput.

python -m tests.benchmarks.workers
"""

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from tests.benchmarks import cases, freshness
from tests.benchmarks.load import Load, Task, run
from tests.benchmarks.servers import fill, lists
from tests.benchmarks.serving import FOLDER
from tests.benchmarks.shop import prepared_shop
from tests.conftest import RedisServer
from tests.integration.clients import Storefront
from tests.service_process import ServiceProcess
from tests.service_workers import channel_to, workers_of

# For each worker. Of few connections, most can be with one worker.
CONNECTIONS, IN_FLIGHT = 16, 32
USERS, WARM_UP_SECONDS = 300, 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    console = Console(width=140)
    shop = prepared_shop(FOLDER, console)
    with tempfile.TemporaryDirectory(prefix="recsvc-bench-") as folder, ExitStack() as stack:
        redis = RedisServer(Path(folder))
        redis.start()
        stack.callback(redis.kill)
        services = {}
        for count in (1, 2):
            service = ServiceProcess(
                shop.bundle,
                Path(folder) / str(count),
                redis.url,
                warm=False,
                start_seconds=300,
                workers=count,
                store_timeout=10.0,
            )
            stack.callback(service.stop)
            services[count] = service
        users = random.Random(0).sample(sorted(set(shop.events["user_id"])), USERS)
        fill(services[1], *shop.of_users(users))
        for service in services.values():
            lists(service, users)
        console.print(_throughput(services, cases.recommend(users), arguments.rounds, arguments.seconds))
        console.print(_memory(services))
        console.print(_freshness(services[2]))


def _processes(service: ServiceProcess) -> list[psutil.Process]:
    return list(workers_of(service).values()) or [psutil.Process(service.process.pid)]


def _throughput(services: dict[int, ServiceProcess], tasks: list[Task], rounds: int, seconds: float) -> Table:
    measured: list[dict[int, tuple[float, ...]]] = []
    for number in range(-1, rounds):  # in the first one each worker gets to know all users
        one_round: dict[int, tuple[float, ...]] = {}
        for count, service in services.items():
            pids = {str(process.pid): process.pid for process in _processes(service)}
            load = Load(
                service.port,
                tasks,
                seconds,
                WARM_UP_SECONDS,
                in_flight=count * IN_FLIGHT,
                pids=pids,
                connections=count * CONNECTIONS,
            )
            result = run(load)
            assert not result.failed, result.failed
            cpu = sum(result.cpu_seconds.values())
            one_round[count] = (
                result.completed / result.seconds,
                1e6 * cpu / result.completed,
                cpu / result.seconds,
                result.generator_share,
            )
        if number >= 0:
            measured.append(one_round)
    table = Table("workers", "calls/s", "CPU us a call", "cores used", "generator's share of a core", "calls/s to one")
    for count in services:
        figures = [median(one_round[count][place] for one_round in measured) for place in range(4)]
        ratios = sorted(one_round[count][0] / one_round[1][0] for one_round in measured)
        spread = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        table.add_row(str(count), *(f"{figure:,.2f}" for figure in figures), spread)
    return table


def _memory(services: dict[int, ServiceProcess]) -> Table:
    table = Table("process", "USS MB", "PSS MB", "threads")
    for count, service in services.items():
        processes = {f"worker {number} of {count}": process for number, process in workers_of(service).items()}
        name = "supervisor" if processes else "single process"
        for label, process in {**processes, name: psutil.Process(service.process.pid)}.items():
            memory = process.memory_full_info()
            table.add_row(label, f"{memory.uss / 2**20:.0f}", f"{memory.pss / 2**20:.0f}", str(process.num_threads()))
    return table


def _freshness(service: ServiceProcess) -> Table:
    table = Table("sent to one worker, visible on the other", "p50 ms", "p99 ms", "max ms", "changes")
    one, two = (channel_to(worker, service.address) for worker in workers_of(service).values())
    with one, two:
        shops = Storefront(one), Storefront(two)
        for shop in shops:
            shop.recommend("somebody")
        time.sleep(1.0)
        for change, seconds in freshness.measure(*shops).items():
            figures = [f"{1e3 * value:.0f}" for value in (*np.percentile(seconds, (50, 99)), max(seconds))]
            table.add_row(change, *figures, str(len(seconds)))
    return table


if __name__ == "__main__":
    main()
