"""The product's images, built by podman from the Dockerfiles as they stand, and compose.yaml run by podman-compose."""

import functools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs

from tests.containers import stand_ins
from tests.containers.engine import Engine
from tests.recsvc.store.free_ports import free_ports

ROOT = Path(__file__).parents[2]
STORE = ROOT / "var/containers"
COMPOSE = ROOT / "compose.yaml"
PROJECT = "recsvc-test"
COMPOSE_SECONDS = 900  # the demo's bundle is trained in it
IMAGES = {
    "recsvc": ("deploy/Dockerfile", "serving"),
    "recsvc-storefront": ("deploy/Dockerfile", "storefront"),
    "recsvc-train": ("deploy/Dockerfile.train", ""),
}


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    missing = [name for name in ("podman", "podman-compose") if shutil.which(name) is None]
    assert not missing, f"not on PATH: {missing}; `make container-test` says what to install"
    engine = Engine(STORE)
    names = stand_ins.bring(engine, tmp_path_factory.mktemp("stand-ins"))
    print(f"stand-ins, since these could not be pulled: {names}")  # noqa: T201
    return engine


@pytest.fixture(scope="session")
def images(engine: Engine) -> dict[str, str]:
    """The built images: their full names by the names of compose.yaml."""
    for name, (file, target) in IMAGES.items():
        engine.build(ROOT, ROOT / file, f"localhost/{name}:latest", *(("--target", target) if target else ()))
    return {name: f"localhost/{name}:latest" for name in IMAGES}


class Shop:
    """compose.yaml, up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.grpc_port, self.shop_port, self.prometheus_port = free_ports(3)
        self._environment = os.environ | {
            "RECSVC_GRPC_PORT": str(self.grpc_port),
            "RECSVC_SHOP_PORT": str(self.shop_port),
            "RECSVC_PROMETHEUS_PORT": str(self.prometheus_port),
        }
        self.address = f"127.0.0.1:{self.grpc_port}"

    def compose(self, *arguments: str) -> str:
        done = subprocess.run(
            ["podman-compose", "--podman-path", self._engine.program, "--project-name", PROJECT, *arguments],
            capture_output=True,
            text=True,
            timeout=COMPOSE_SECONDS,
            cwd=ROOT,
            env=self._environment,
            check=False,
        )
        assert done.returncode == 0, f"podman-compose {arguments}: {done.stdout[-3000:]}{done.stderr[-6000:]}"
        return done.stdout

    def containers(self, service: str) -> list[str]:
        """The names of the containers of a service."""
        label = f"label=io.podman.compose.service={service}"
        names = self._engine.run("ps", "--all", "--filter", label, "--format", "{{.Names}}")
        return sorted(names.splitlines())

    def up(self) -> None:
        """Starts the services in the order of their conditions in compose.yaml.

        podman 4 runs no health checks by itself where there is no systemd: they are run here.
        """
        waiting = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
        waiting = {name: service for name, service in waiting.items() if "profiles" not in service}
        started: list[str] = []
        while waiting:
            ready = [name for name, service in waiting.items() if set(service.get("depends_on", ())) <= set(started)]
            for name in ready:
                for other, needed in waiting.pop(name).get("depends_on", {}).items():
                    self._wait_for(other, needed["condition"])
                self.compose("up", "--detach", "--no-build", "--no-deps", name)
                started.append(name)

    def _wait_for(self, service: str, condition: str) -> None:
        for container in self.containers(service):
            if condition == "service_completed_successfully":
                code = self._engine.run("wait", container, seconds=COMPOSE_SECONDS)
                assert code == "0", self._engine.run("logs", container)[-3000:]
            elif condition == "service_healthy":
                wait_until(functools.partial(self._engine.is_healthy, container), f"{container} is healthy", 180)


@pytest.fixture(scope="session")
def shop(engine: Engine, images: dict[str, str]) -> Iterator[Shop]:
    """The shop of compose.yaml, which is taken down with its volumes at the end."""
    shop = Shop(engine)
    shop.compose("down", "--volumes")
    try:
        shop.up()
        yield shop
    finally:
        shop.compose("down", "--volumes")


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(0.2)
