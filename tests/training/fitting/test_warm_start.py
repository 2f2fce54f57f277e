"""Training that starts from an earlier bundle: it knows what that knew, and says when it cannot."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from recsvc.domain.shop import Item
from recsvc.model import bundle_files as bundles
from recsvc.model.catalogue import Catalogue
from training import train
from training.config import TrainConfig
from training.fitting.text_tower import TextModel
from training.fitting.warm_start import WarmStart


def test_a_warm_start_begins_with_a_lower_loss_and_takes_new_items(
    small_shop_folder: Path, trained_bundle: Path, small_config: TrainConfig, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("events", "users"):
        (data / f"{name}.parquet").write_bytes((small_shop_folder / f"{name}.parquet").read_bytes())
    items = pl.read_parquet(small_shop_folder / "items.parquet")
    more = items.head(1).with_columns(pl.lit("brand-new").alias("item_id"))
    pl.concat([more, items]).write_parquet(data / "items.parquet")
    config = replace(small_config, text_epochs=1, sequence_epochs=1, refit="none")
    warm = train.train(data, tmp_path / "out", config, earlier=trained_bundle)
    for name, curve in curves(trained_bundle).items():
        assert curves(warm)[name]["losses"][0] < curve["losses"][0]
    assert bundles.read_manifest(warm)["warm_start"] == trained_bundle.name
    assert bundles.load(warm).catalogue.row("brand-new") == 0


def curves(folder: Path) -> dict[str, dict[str, list[float]]]:
    return json.loads((folder / "evaluation.json").read_text())["towers"]


def test_items_keep_their_vectors_by_id_and_a_new_one_starts_beside_its_companions(trained_bundle: Path) -> None:
    bundle = bundles.load(trained_bundle)
    known = np.flatnonzero(bundle.item_vectors[:, bundle.layout.sequence].any(axis=1))[:3]
    items = [Item("new", "a new thing"), *(bundle.catalogue.items[row] for row in known)]
    assert bundle.sequence_tower is not None
    torch.manual_seed(0)
    # The new item is bought with the first earlier one, several times.
    histories = [np.array([1, 0], np.int32)] * 5
    model = WarmStart(bundle).sequence_model(Catalogue(items), histories, bundle.sequence_tower.config)
    assert model is not None
    vectors = model.item_vectors(None).detach().numpy()
    before = bundle.item_vectors[known, bundle.layout.sequence]
    assert (np.einsum("nd,nd->n", vectors[1:], before) > 0.99).all()
    assert vectors[0] @ before[0] > 0.99


@pytest.mark.parametrize(("setting", "said"), [("text_dim=16", "text_dim was 64"), ("sequence_dim=8", "sequence_dim")])
def test_a_bundle_of_other_widths_is_refused(
    small_shop_folder: Path,
    tmp_path: Path,
    trained_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    said: str,
) -> None:
    arguments = ["--data", str(small_shop_folder), "--out", str(tmp_path), "--set", setting, "--warm-start"]
    assert train.main([*arguments, str(trained_bundle)]) == 1
    assert said in capsys.readouterr().err
    assert train.main([*arguments, str(tmp_path)]) == 1
    assert "is not a bundle" in capsys.readouterr().err


def test_the_start_offsets_reproduce_the_earlier_vectors(trained_bundle: Path) -> None:
    bundle = bundles.load(trained_bundle)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(5, bundle.text_tower.features)).astype(np.float32)
    nobody = np.zeros((1, bundle.text_tower.features), np.float32), np.zeros(1, bool)
    model = TextModel(bundle.text_tower, features, *nobody, TrainConfig(text_dim=64))
    texts = model.block(features)
    wanted = (texts + 0.1 * rng.normal(size=texts.shape) / 4).astype(np.float32)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    wanted[4] = 0  # a new item
    model.start_from(wanted, features)
    np.testing.assert_allclose(model.block(features)[:4], wanted[:4], atol=1e-4)
    np.testing.assert_allclose(model.block(features)[4], texts[4], atol=1e-6)
