"""A bundle that is not ahead of the training-free model, or worse than another, is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recsvc.model import bundle_files as bundles
from training import train
from training.config import TrainConfig
from training.evaluation import release_gate as gate
from training.evaluation.release_gate import FLOORS, TRAINING_FREE, failed_checks, lead_in_words


def evaluation(floor: float = 0.02, previous: float | None = None, lead: float = 0.001) -> dict[str, Any]:
    def difference(mean: float) -> dict[str, dict[str, float]]:
        return {"ndcg@10": {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}}

    return {
        "comparisons": {TRAINING_FREE: difference(lead), **{name: difference(floor) for name in FLOORS}},
        "previous": None if previous is None else {"bundle_id": "older", **difference(previous)},
    }


def test_bundle_that_is_not_clearly_worse_passes() -> None:
    assert failed_checks(evaluation()) == []
    assert failed_checks(evaluation(floor=-0.005, previous=-0.005)) == []


def test_bundle_that_is_clearly_worse_fails() -> None:
    failed = failed_checks(evaluation(floor=-0.02, previous=-0.03))
    assert [sentence.split(" by ")[0] for sentence in failed] == [
        *(f"recsvc is worse than {name}" for name in FLOORS),
        "recsvc is worse than the previous bundle, older,",
    ]


def test_bundle_that_is_not_ahead_of_the_training_free_model_fails() -> None:
    assert failed_checks(evaluation(lead=0.0))
    (sentence,) = failed_checks(evaluation(lead=-0.002))
    assert sentence == (
        "recsvc is not ahead of the training-free model (co-visitation + text): -0.0020 ndcg@10 (-0.0120 to +0.0080)"
    )


def test_the_lead_is_worded_for_a_bundle_that_is_ahead_and_for_one_that_nobody_tested() -> None:
    ahead = "ahead of the training-free model (co-visitation + text): +0.0010 ndcg@10 (-0.0090 to +0.0110)"
    assert lead_in_words(evaluation(lead=0.001)) == ahead
    untested = evaluation()
    untested["comparisons"][TRAINING_FREE]["ndcg@10"] = dict.fromkeys(("mean", "low", "high"))
    assert lead_in_words(untested) == "not compared with the training-free model (co-visitation + text): no test user"
    assert failed_checks(untested) == []


def test_latest_is_not_moved_to_a_refused_bundle(
    trained_bundle: Path,
    small_shop_folder: Path,
    small_config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(trained_bundle.parent / ".work", tmp_path / ".work")  # so that nothing is trained again
    first = train.train(small_shop_folder, tmp_path, small_config)
    assert (tmp_path / "latest").resolve() == first.resolve()
    assert bundles.read_manifest(first)["ready"]
    # Another weight makes another bundle. The gate compares it with the first one, and is made to refuse it.

    def refuse(evaluation: dict[str, Any]) -> list[str]:
        return ["it is worse"] if evaluation["previous"] else ["no comparison"]

    monkeypatch.setattr(train, "failed_checks", refuse)
    settings = ["--set", "popularity_half_life_days=3"]
    for name, value in vars(small_config).items():
        if value != getattr(TrainConfig(), name):
            settings += ["--set", f"{name}={json.dumps(value)}"]
    arguments = ["--data", str(small_shop_folder), "--out", str(tmp_path), *settings]
    assert train.main(arguments) == train.NOT_READY
    assert "not ready: it is worse" in capsys.readouterr().err
    assert (tmp_path / "latest").resolve() == first.resolve()
    (second,) = {path.parent for path in tmp_path.glob("*/manifest.json")} - {first, tmp_path / "latest"}
    assert not bundles.read_manifest(second)["ready"]
    compared = json.loads((second / "evaluation.json").read_text())["previous"]
    assert compared["bundle_id"] == first.name
    assert gate.METRIC in compared
