"""Runs the storefront of deploy/storefront as a child process, with the items table of the demo's shop."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from training.data.shop import Shop
from training.demo import shop as demo
from training.demo.service import STOP_SECONDS, ServiceFailed
from training.demo.shoppers import Shopper


@dataclass(frozen=True)
class RunningStorefront:
    """A running storefront. It prints its address itself."""

    process: "subprocess.Popen[bytes]"

    def wait(self) -> NoReturn:
        """Waits until the process ends, and then raises ServiceFailed."""
        self.process.wait()
        raise ServiceFailed("the shop stopped by itself; its output is above")


@contextmanager
def running_storefront(target: str, shop: Shop, shoppers: list[Shopper], port: int) -> Iterator[RunningStorefront]:
    """Runs the storefront while the block runs. Its clock starts an hour after the last event of the synthetic shop.

    By today's time, all purchases would be too long ago.
    """
    clock = shop.events["timestamp"][-1] + dt.timedelta(hours=1)
    command = [sys.executable, "-m", "deploy.storefront", "--service", target, "--port", str(port)]
    command += ["--items", str(demo.DATA / "items.parquet"), "--clock", clock.isoformat()]
    for shopper in shoppers:
        command += ["--shopper", f"{shopper.user_id}={shopper.kind}"]
    # The operator's own key and CA are of another service.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECSVC_")}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
    try:
        yield RunningStorefront(process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
