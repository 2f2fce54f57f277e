"""`python -m training.demo` shows everything and stops; --serve leaves the service running, --storefront a shop too."""

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
from training.demo import shop as demo
from training.demo.client import open_storefront
from training.demo.next_steps import print_commands, print_next_steps
from training.demo.service import RunningService, running_service
from training.demo.shoppers import choose_shoppers
from training.demo.steps import Steps
from training.demo.storefront_process import running_storefront
from training.demo.tables import quality_table
from training.demo.tour import BACKFILLED_USERS, Tour

# What the services of `make demo`, `make serve` and `make storefront` leave is apart: all can run at the same time.
TOUR_REDIS, TOUR_LOG = demo.FOLDER / "redis", demo.FOLDER / "tour.log"
SERVE_REDIS, SERVE_LOG = demo.FOLDER / "serve-redis", demo.FOLDER / "serve.log"
STOREFRONT_REDIS, STOREFRONT_LOG = demo.FOLDER / "storefront-redis", demo.FOLDER / "storefront.log"
SERVE_PORT, STOREFRONT_PORT = 50_051, 8_000


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.demo", description=__doc__)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--serve", action="store_true", help="leave the service running, with all of the shop's users")
    kind.add_argument("--storefront", action="store_true", help="the same, and a shop in a browser that calls it")
    parser.add_argument("--port", type=int, help="where --serve [50051] or the shop of --storefront [8000] listens")
    given = parser.parse_args(arguments)
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the service is stopped too
    started = time.perf_counter()
    try:
        steps = Steps(console)
        shop = _prepare(steps, console)
        if given.serve:
            _serve(shop, SERVE_PORT if given.port is None else given.port, steps, console)
        elif given.storefront:
            _open_shop(shop, STOREFRONT_PORT if given.port is None else given.port, steps, console)
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
        console.print("\nstopped")
        return 0 if given.serve or given.storefront else 128 + signal.SIGINT
    console.print(f"\nAll of it took {time.perf_counter() - started:.0f} s.", highlight=False)
    return 0


def _prepare(steps: Steps, console: Console) -> Shop:
    with steps.step("A made-up shop"):
        shop = demo.demo_shop(console)
        console.print(f"Three tables in {demo.DATA}: items, users, events.", highlight=False)
    with steps.step("Training"):
        console.print("Learns from who bought what, from what titles and profiles mean, and from what is popular.\n")
        if demo.demo_bundle(shop, console):
            console.print(
                "\nHow good is it? It was asked what people would buy in the last 30 days, which it had not seen."
            )
        else:
            console.print(
                f"Not needed: the bundle of an earlier run is up to date ({demo.BUNDLE.resolve().name}).",
                highlight=False,
            )
        console.print(quality_table(json.loads((demo.BUNDLE / "evaluation.json").read_text(encoding="utf-8"))))
    return shop


def _demo(shop: Shop, steps: Steps, console: Console) -> None:
    with contextlib.ExitStack() as stack:
        with steps.step("Serving"):
            service = stack.enter_context(running_service(demo.BUNDLE, TOUR_REDIS, TOUR_LOG))
            console.print(
                f"The service runs in a process of its own, on {service.target}, with a private Redis.\n"
                f"Its log: {TOUR_LOG}",
                highlight=False,
            )
        storefront = stack.enter_context(open_storefront(service.target, shop))
        Tour(storefront, shop, console).run(service.target, steps)
    print_next_steps(console)


def _serve(shop: Shop, port: int, steps: Steps, console: Console) -> None:
    with _told_service(shop, SERVE_REDIS, SERVE_LOG, port, steps, console) as service:
        print_commands(service.target, choose_shoppers(shop, BACKFILLED_USERS)[0].user_id, console)
        console.print(f"\nIts log: {SERVE_LOG}. Ctrl-C stops it.", highlight=False)
        service.wait()


def _open_shop(shop: Shop, port: int, steps: Steps, console: Console) -> None:
    with _told_service(shop, STOREFRONT_REDIS, STOREFRONT_LOG, 0, steps, console) as service:
        console.print(f"\nIts log: {STOREFRONT_LOG}. Ctrl-C stops it, and the shop.", highlight=False)
        shoppers = choose_shoppers(shop, BACKFILLED_USERS)
        with running_storefront(service.target, shop, shoppers, port) as storefront:
            storefront.wait()


@contextlib.contextmanager
def _told_service(
    shop: Shop, redis: Path, log: Path, port: int, steps: Steps, console: Console
) -> Iterator[RunningService]:
    """Running, and told all that the shop knows."""
    with contextlib.ExitStack() as stack:
        with steps.step("Serving"):
            service = stack.enter_context(running_service(demo.BUNDLE, redis, log, port))
            sent = asyncio.run(backfill(shop, service.target, console=console))
            console.print(
                f"On {service.target}, told of {sent.profiles:,} profiles and {sent.events:,} past events.",
                highlight=False,
            )
        yield service


if __name__ == "__main__":
    sys.exit(main())
