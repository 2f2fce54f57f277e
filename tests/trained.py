"""Fixtures that need training: a synthetic shop, and a bundle that the real recipe trained on it."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from training.config import TrainConfig
from training.fitting import experiment
from training.synthetic.shop import SyntheticShop, make_shop, write_shop
from training.train import train


@pytest.fixture(scope="session")
def small_shop() -> SyntheticShop:
    """400 items, 1,200 users."""
    return make_shop(400, 1_200, seed=1)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run that its workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """Gives the first worker a folder to fill, which then gets its name. The others wait, and are given None."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            yield None
        else:
            part = folder.with_suffix(".part")
            yield part
            part.rename(folder)


@pytest.fixture(scope="session")
def small_shop_folder(small_shop: SyntheticShop, shared_folder: Path) -> Path:
    folder = shared_folder / "small-shop"
    with made_once(folder) as part:
        if part is not None:
            write_shop(small_shop, part)
    return folder


@pytest.fixture(scope="session")
def small_config() -> TrainConfig:
    """Quick, and every part of the recipe still runs."""
    return TrainConfig(
        sequence_dim=32,
        sequence_epochs=2,
        text_dim=64,
        text_epochs=2,
        features_lexical_dim=256,
        features=512,
        lexical_dim=32,
        factors=32,
        als_iterations=8,
        epoch_events=8_000,
        tuning_users=200,
        evaluation_users=200,
        drop_blocks=False,
    )


@pytest.fixture(scope="session")
def trained_bundle(
    small_shop_folder: Path, small_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a bundle that the real recipe trained on `small_shop`."""
    return train(small_shop_folder, tmp_path_factory.mktemp("bundles"), small_config)


@pytest.fixture
def embedded(trained_bundle: Path) -> Callable[[Path], None]:
    """Makes a folder of stages that knows the embeddings of `small_shop`'s texts."""

    def make(folder: Path) -> None:
        folder.mkdir(parents=True)
        shutil.copy(trained_bundle.parent / ".work" / experiment.EMBEDDINGS, folder)

    return make
