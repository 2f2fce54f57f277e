"""The benchmark on a small shop, and its errors for data that does not fit a protocol."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from training.benchmark import COLD, main
from training.metrics import METRICS

QUICK = [
    "text_epochs=1",
    "text_dim=16",
    "features_lexical_dim=32",
    "features=64",
    "sequence_epochs=1",
    "sequence_dim=16",
    "lexical_dim=8",
    "factors=8",
    "als_iterations=2",
    "epoch_events=2000",
    "tuning_users=100",
]
SETTINGS = [part for setting in QUICK for part in ("--set", setting)]


def run(data: Path, protocol: str, out: Path, *more: str) -> int:
    return main(["--data", str(data), "--protocol", protocol, "--out", str(out), *SETTINGS, *more])


@pytest.mark.parametrize("protocol", ["leave-one-out", "time-split"])
def test_the_json_has_a_row_for_every_model_and_metric(
    small_shop_folder: Path, tmp_path: Path, embedded: Callable[[Path], None], protocol: str
) -> None:
    embedded(tmp_path / "out" / small_shop_folder.name)
    path = tmp_path / "rows.json"
    more = ("--seeds", "2", "--fits", "train", "--sasrec-epochs", "1")
    assert run(small_shop_folder, protocol, tmp_path / "out", "--json", str(path), *more) == 0
    rows = json.loads(path.read_text())
    models = {row["model"] for row in rows}
    expected = {"recsvc", "popularity", "personal frequency", "ALS", "item-kNN", "co-visitation + text", "SASRec-CE"}
    expected |= {"text neighbours"}
    assert models == (expected | {"TIFU-KNN"} if protocol == "time-split" else expected)
    metrics = {*METRICS, COLD}  # either split leaves items that nobody had bought before
    assert {(row["model"], row["metric"]) for row in rows} == {(m, metric) for m in models for metric in metrics}
    assert all(set(row) == {"model", "fit", "metric", "mean", "std", "seeds", "value"} for row in rows)
    assert all(row["fit"] == "train" and 0 <= row["mean"] <= 1 for row in rows)
    ours = next(row for row in rows if row["model"] == "recsvc" and row["metric"] == "ndcg@10")
    assert ours["seeds"] == 2
    assert ours["std"] > 0


def test_data_that_does_not_fit_the_protocol_is_refused_with_the_reason(
    small_shop_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = pl.read_parquet(small_shop_folder / "events.parquet")
    items = pl.read_parquet(small_shop_folder / "items.parquet")
    data = tmp_path / "shop"
    data.mkdir()
    items.write_parquet(data / "items.parquet")
    events.unique("user_id", keep="first", maintain_order=True).write_parquet(data / "events.parquet")
    assert run(data, "leave-one-out", tmp_path / "out") == 1
    assert "no user has 3 purchases" in capsys.readouterr().err
    events.drop("timestamp").write_parquet(data / "events.parquet")
    assert run(data, "time-split", tmp_path / "out") == 1
    assert "timestamp" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(data, "k-fold", tmp_path / "out")
