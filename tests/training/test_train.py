"""Training from tables to a finished bundle, by the command."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recsvc.model import bundle_files as bundles
from training import train
from training.evaluation.evaluate import OURS

QUICK = (
    "text_epochs=1",
    "text_dim=16",
    "features_lexical_dim=32",
    "features=64",
    "sequence_epochs=1",
    "sequence_dim=16",
    "factors=8",
    "als_iterations=2",
    "epoch_events=2000",
    "tuning_users=50",
)
# In their order: people read the file, and tools that were written for it look these up.
EVALUATION_KEYS = [
    "protocol",
    "fit",
    "not_measured",
    "validation",
    "towers",
    "users",
    "items",
    "exclude_history",
    "models",
    "comparisons",
    "profiles",
    "examples",
    "previous",
    "objections",
    "cost",
]


def run(data: Path, out: Path, *settings: str) -> int:
    chosen = [part for setting in (*QUICK, *settings) for part in ("--set", setting)]
    return train.main(["--data", str(data), "--out", str(out), *chosen])


def test_a_run_writes_a_bundle_with_evaluation_and_report_and_keeps_its_stages(
    small_shop_folder: Path, tmp_path: Path, embedded: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    embedded(tmp_path / ".work")
    assert run(small_shop_folder, tmp_path) == 0
    first = capsys.readouterr()
    folder = (tmp_path / "latest").resolve()
    bundle = bundles.load(folder)
    assert folder.name == bundle.bundle_id
    assert len(bundle.catalogue) == 400
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert list(evaluation) == EVALUATION_KEYS
    assert list(evaluation["validation"]) == [
        "ndcg@10",
        "users",
        "fusion",
        "cold",
        "neighbours",
        "gains",
        "dropped",
    ]
    assert {"repeat_weight", "repeat_typical", "masked"} <= set(evaluation["validation"]["fusion"])
    assert set(evaluation["models"]) >= {
        OURS,
        "popularity",
        "personal frequency",
        "item-kNN",
        "ALS",
        "co-visitation + text",
        "text neighbours",
        "text alone",
    }
    headline = json.loads((folder / bundles.MANIFEST).read_text())["evaluation"]
    assert headline["ndcg@10"] == evaluation["models"][OURS]["metrics"]["ndcg@10"]
    assert (folder / "report.html").read_text().startswith("<!")
    assert "kept from an earlier run" not in first.err

    # Again with the same settings: every stage is kept, and the bundle is the same one.
    assert run(small_shop_folder, tmp_path) == 0
    second = capsys.readouterr()
    assert second.err.count("kept from an earlier run") >= 5
    assert (tmp_path / "latest").resolve() == folder
    # With another setting only what depends on it runs again.
    (tmp_path / "latest").unlink()  # the release gate is tested elsewhere
    assert run(small_shop_folder, tmp_path, "alpha=5.0") == 0
    third = capsys.readouterr()
    assert "kept from an earlier run" in third.err
    assert (tmp_path / "latest").resolve() != folder


@pytest.mark.parametrize("setting", ["protocol=leave-one-out", "refit=all", "refit=none"])
def test_the_evaluation_names_the_split_and_the_parts_that_were_fitted(
    small_shop_folder: Path, tmp_path: Path, embedded: Callable[[Path], None], setting: str
) -> None:
    embedded(tmp_path / ".work")
    assert run(small_shop_folder, tmp_path, setting) == 0
    evaluation = json.loads((tmp_path / "latest" / "evaluation.json").read_text())
    leave_one_out = setting == "protocol=leave-one-out"
    assert evaluation["protocol"] == ("leave-one-out" if leave_one_out else "time-split")
    assert evaluation["exclude_history"] is leave_one_out
    assert evaluation["fit"] == ("train" if setting == "refit=none" else "train+validation")


def test_bad_tables_stop_the_run_before_anything_is_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n1,Kettle\n1,Pot\n")
    (tmp_path / "events.csv").write_text("user_id,item_id,timestamp,event_type\nu,1,yesterday,purchase\n")
    assert run(tmp_path, tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "items.csv" in said
    assert "events.csv" in said
    assert "Traceback" not in said
    assert not list((tmp_path / "out").glob("[0-9a-f]*"))


def test_too_few_days_of_events_are_refused_with_the_setting(
    small_shop_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_shop_folder, tmp_path, "test_days=4000") == 1
    assert "test_days=4000" in capsys.readouterr().err
