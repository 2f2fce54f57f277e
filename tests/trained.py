"""Fixtures that need training: a synthetic shop, and a bundle that the real recipe trained on it."""

import shutil
from collections.abc import Callable
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
def small_shop_folder(small_shop: SyntheticShop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small-shop")
    write_shop(small_shop, folder)
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
        epoch_events=20_000,
        tuning_users=300,
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
