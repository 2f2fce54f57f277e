"""The storefront of deploy/storefront as a child process, over the demo's shop: it is told where the service is, and of
the shop no more than its items table.
"""

import datetime as dt
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
    """Prints its address itself."""

    process: "subprocess.Popen[bytes]"

    def wait(self) -> NoReturn:
        """Raises ServiceFailed when the process ends."""
        self.process.wait()
        raise ServiceFailed("the shop ended by itself; what it said stands above")


@contextmanager
def running_storefront(target: str, shop: Shop, shoppers: list[Shopper], port: int) -> Iterator[RunningStorefront]:
    """Its clock goes on an hour after the made-up shop's last event: to today all that was bought would be long ago."""
    clock = shop.events["timestamp"][-1] + dt.timedelta(hours=1)
    command = [sys.executable, "-m", "deploy.storefront", "--service", target, "--port", str(port)]
    command += ["--items", str(demo.DATA / "items.parquet"), "--clock", clock.isoformat()]
    for shopper in shoppers:
        command += ["--shopper", f"{shopper.user_id}={shopper.kind}"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield RunningStorefront(process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
