"""Shows a tour of recsvc on a synthetic shop, then stops.

--serve and --storefront keep the service running instead, and --prepare starts no service.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
from rich.console import Console

from recsvc.errors import RecsvcError
from training.backfill import backfill
from training.data.shop import Shop
from training.demo import chinese_shop as chinese
from training.demo import shop as demo
from training.demo.client import open_client
from training.demo.next_steps import print_commands, print_next_steps
from training.demo.searches import CHINESE, show_searches
from training.demo.service import RunningService, running_service
from training.demo.shoppers import choose_shoppers
from training.demo.steps import Steps
from training.demo.storefront_process import running_storefront
from training.demo.tables import quality_table
from training.demo.tour import BACKFILLED_USERS, Tour

# `make demo`, `make serve` and `make storefront` can run at the same time, because each has its own files.
TOUR_REDIS, TOUR_LOG = demo.FOLDER / "redis", demo.FOLDER / "tour.log"
SERVE_REDIS, SERVE_LOG = demo.FOLDER / "serve-redis", demo.FOLDER / "serve.log"
STOREFRONT_REDIS, STOREFRONT_LOG = demo.FOLDER / "storefront-redis", demo.FOLDER / "storefront.log"
SERVE_PORT, STOREFRONT_PORT = 50_051, 8_000


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.demo", description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--prepare", action="store_true", help="only make the shop and train its bundle")
    mode.add_argument("--serve", action="store_true", help="keep the service running, with all users of the shop")
    mode.add_argument("--storefront", action="store_true", help="also open a shop for the browser, which calls it")
    parser.add_argument(
        "--port", type=int, help="the port of the service [50051], or of the shop with --storefront [8000]"
    )
    options = parser.parse_args(arguments)
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # stops the service as well
    started = time.perf_counter()
    try:
        steps = Steps(console)
        shop = _prepare(steps, console)
        if options.prepare:
            console.print(f"\nThe bundle is {demo.BUNDLE}.", highlight=False)
        elif options.serve:
            _serve(shop, SERVE_PORT if options.port is None else options.port, steps, console)
        elif options.storefront:
            _open_shop(shop, STOREFRONT_PORT if options.port is None else options.port, steps, console)
        else:
            _demo(shop, steps, console)
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except grpc.RpcError as error:
        print(
            f"error: the service answered {error.code().name}: {error.details()}; see the logs in {demo.FOLDER}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 0 if options.serve or options.storefront else 128 + signal.SIGINT
    console.print(f"\nThe demo took {time.perf_counter() - started:.0f} s.", highlight=False)
    return 0


def _prepare(steps: Steps, console: Console) -> Shop:
    with steps.step("Make a shop"):
        shop = demo.demo_shop(console)
        console.print(f"The shop is three tables in {demo.DATA}: items, users and events.", highlight=False)
    with steps.step("Train a model"):
        console.print("It learns from purchases, from the meaning of titles and profiles, and from popularity.\n")
        if demo.demo_bundle(shop, console):
            console.print(
                "\nHow good is it? It predicted the purchases of the last 30 days, which it had not seen.\n"
                "Higher is better; the other rows are parts of the model, and simpler models."
            )
        else:
            console.print(
                f"Skipped: the bundle of an earlier run is up to date ({demo.BUNDLE.resolve().name}).",
                highlight=False,
            )
        console.print(quality_table(json.loads((demo.BUNDLE / "evaluation.json").read_text(encoding="utf-8"))))
    return shop


def _demo(shop: Shop, steps: Steps, console: Console) -> None:
    with contextlib.ExitStack() as stack:
        with steps.step("Start the service"):
            service = stack.enter_context(running_service(demo.BUNDLE, TOUR_REDIS, TOUR_LOG))
            console.print(
                f"The service runs in its own process at {service.target}, with a private Redis.\n"
                f"Its log is {TOUR_LOG}.",
                highlight=False,
            )
        client = stack.enter_context(open_client(service.target, shop))
        Tour(client, shop, console).run(service.target, steps)
    with steps.step("The same search in a Chinese shop"):
        _search_in_chinese(console)
    print_next_steps(console)


def _search_in_chinese(console: Console) -> None:
    shop = chinese.chinese_shop(console)
    with (
        running_service(chinese.BUNDLE, chinese.REDIS, chinese.LOG) as service,
        open_client(service.target, shop) as client,
    ):
        console.print("Another shop with another bundle, served by a process of its own.\n")
        show_searches(client, CHINESE, console)


def _serve(shop: Shop, port: int, steps: Steps, console: Console) -> None:
    with _filled_service(shop, SERVE_REDIS, SERVE_LOG, port, steps, console) as service:
        print_commands(service.target, choose_shoppers(shop, BACKFILLED_USERS)[0].user_id, console)
        console.print(f"\nIts log is {SERVE_LOG}. Ctrl-C stops it.", highlight=False)
        service.wait()


def _open_shop(shop: Shop, port: int, steps: Steps, console: Console) -> None:
    with _filled_service(shop, STOREFRONT_REDIS, STOREFRONT_LOG, 0, steps, console) as service:
        console.print(f"\nIts log is {STOREFRONT_LOG}. Ctrl-C stops the service and the shop.", highlight=False)
        shoppers = choose_shoppers(shop, BACKFILLED_USERS)
        with running_storefront(service.target, shop, shoppers, port) as storefront:
            storefront.wait()


@contextlib.contextmanager
def _filled_service(
    shop: Shop, redis: Path, log: Path, port: int, steps: Steps, console: Console
) -> Iterator[RunningService]:
    """The running service, after all profiles and past events of the shop were sent to it."""
    with contextlib.ExitStack() as stack:
        with steps.step("Start the service"):
            service = stack.enter_context(running_service(demo.BUNDLE, redis, log, port))
            sent = asyncio.run(backfill(shop, service.target, console=console))
            console.print(
                f"It runs at {service.target}. It received {sent.profiles:,} profiles and {sent.events:,} past events.",
                highlight=False,
            )
        yield service


if __name__ == "__main__":
    sys.exit(main())
