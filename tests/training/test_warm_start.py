"""Training that starts from an earlier bundle: it knows what that knew, and says when it cannot."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from recsvc import bundle as bundles
from recsvc.catalogue import Catalogue
from recsvc.domain import Item
from training import train
from training.config import TrainConfig
from training.sequence_tower import SequenceModel
from training.text_tower import TextModel
from training.warm_start import WarmStart

QUICK = ["text_dim=16", "features_lexical_dim=32", "features=64", "sequence_dim=16", "factors=8", "als_iterations=2"]
QUICK += ["epoch_events=4000", "tuning_users=200", "drop_blocks=false", "batch_events=256"]


def run(data: Path, out: Path, epochs: int, *more: str) -> int:
    settings = [*QUICK, f"text_epochs={epochs}", f"sequence_epochs={epochs}"]
    chosen = [part for setting in settings for part in ("--set", setting)]
    return train.main(["--data", str(data), "--out", str(out), *chosen, *more])


@pytest.fixture(scope="module")
def earlier(small_shop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("earlier")
    run(small_shop_folder, out, 6)
    (folder,) = (path.parent for path in out.glob("*/manifest.json") if not path.parent.is_symlink())
    return folder


def curves(out: Path) -> dict[str, dict[str, list[float]]]:
    (file,) = (path for path in out.glob("*/evaluation.json") if not path.parent.is_symlink())
    return json.loads(file.read_text())["towers"]


def test_it_begins_where_the_earlier_one_ended(small_shop_folder: Path, tmp_path: Path, earlier: Path) -> None:
    run(small_shop_folder, tmp_path / "cold", 1)
    run(small_shop_folder, tmp_path / "warm", 1, "--warm-start", str(earlier))
    cold, warm = curves(tmp_path / "cold"), curves(tmp_path / "warm")
    for name in ("text", "sequence"):
        assert warm[name]["losses"][0] < cold[name]["losses"][0]
    (manifest,) = (path for path in (tmp_path / "warm").glob("*/manifest.json") if not path.parent.is_symlink())
    assert json.loads(manifest.read_text())["warm_start"] == bundles.read_manifest(earlier)["bundle_id"]


def test_items_keep_their_vectors_by_id_and_a_new_one_starts_among_its_company(earlier: Path) -> None:
    bundle = bundles.load(earlier)
    known = np.flatnonzero(bundle.item_vectors[:, bundle.layout.sequence].any(axis=1))[:3]
    items = [Item("new", "a new thing"), *(bundle.catalogue.items[row] for row in known)]
    assert bundle.sequence_tower is not None
    torch.manual_seed(0)
    model = SequenceModel(np.zeros((4, 16), np.float32), bundle.sequence_tower.config)
    # The new item is bought with the first known one, ever again.
    WarmStart(bundle).sequence(model, Catalogue(items), [np.array([1, 0], np.int32)] * 5)
    vectors = model.item_vectors(None).detach().numpy()
    before = bundle.item_vectors[known, bundle.layout.sequence]
    assert (np.einsum("nd,nd->n", vectors[1:], before) > 0.99).all()
    assert vectors[0] @ before[0] > 0.99


@pytest.mark.parametrize(("setting", "said"), [("text_dim=32", "text_dim was 16"), ("sequence_dim=8", "sequence_dim")])
def test_other_widths_are_refused(
    small_shop_folder: Path, tmp_path: Path, earlier: Path, capsys: pytest.CaptureFixture[str], setting: str, said: str
) -> None:
    assert run(small_shop_folder, tmp_path, 1, "--warm-start", str(earlier), "--set", setting) == 1
    assert said in capsys.readouterr().err
    assert run(small_shop_folder, tmp_path, 1, "--warm-start", str(tmp_path)) == 1
    assert "is not a bundle" in capsys.readouterr().err


def test_new_events_and_items_are_welcome(small_shop_folder: Path, tmp_path: Path, earlier: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("events", "users"):
        (data / f"{name}.parquet").write_bytes((small_shop_folder / f"{name}.parquet").read_bytes())
    items = pl.read_parquet(small_shop_folder / "items.parquet")
    more = items.head(1).with_columns(pl.lit("brand-new").alias("item_id"))
    pl.concat([more, items]).write_parquet(data / "items.parquet")
    assert WarmStart.of(earlier, TrainConfig(text_dim=16, sequence_dim=16)).bundle.bundle_id
    run(data, tmp_path / "out", 1, "--warm-start", str(earlier))
    (folder,) = (path.parent for path in (tmp_path / "out").glob("*/manifest.json") if not path.parent.is_symlink())
    assert bundles.load(folder).catalogue.row("brand-new") == 0


def test_offsets_put_items_where_they_were(earlier: Path) -> None:
    bundle = bundles.load(earlier)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(5, bundle.text_tower.features)).astype(np.float32)
    nobody = np.zeros((1, bundle.text_tower.features), np.float32), np.zeros(1, bool)
    model = TextModel(bundle.text_tower, features, *nobody, TrainConfig(text_dim=16))
    texts = model.block(features)
    wanted = texts + 0.1 * rng.normal(size=texts.shape).astype(np.float32) / 4
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    wanted[4] = 0  # a new item
    model.start_from(wanted, features)
    np.testing.assert_allclose(model.block(features)[:4], wanted[:4], atol=1e-4)
    np.testing.assert_allclose(model.block(features)[4], texts[4], atol=1e-6)
