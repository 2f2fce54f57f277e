"""A finished run in a real MLflow store, and the errors without one."""

import json
from pathlib import Path

import mlflow
import pytest

from training.errors import TrackingError
from training.evaluation import tracking

INTERVAL = {"mean": 0.25, "low": 0.2, "high": 0.3}
NONE = {"mean": None, "low": None, "high": None}
MANIFEST = {
    "bundle_id": "abc", "created": "2026-11-22", "git_commit": None, "ready": True, "data": {"fingerprint": "f"},
    "training": {"alpha": 20.0, "event_weights": {"view": 0.1}},
}  # fmt: skip
EVALUATION = {
    "models": {"recsvc": {"metrics": {"ndcg@10": INTERVAL}}, "co-visitation + text": {"metrics": {"ndcg@10": NONE}}},
    "validation": {"ndcg@10": 0.3, "users": 9, "fusion": {"text": 1.0}},
    "towers": {"text": {"losses": [2.0, 1.0], "ndcg": [0.1, 0.2], "best_epoch": 2}},
    "cost": {"seconds": {"data": 1.0, "text": 2.0}, "peak_memory_mib": 100},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in tracking.FILES:
        (tmp_path / name).write_text(json.dumps({}))
    return tmp_path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MLflow puts artifacts beside the process
    monkeypatch.delenv(tracking.URI, raising=False)


def test_run_in_mlflow_has_settings_metrics_curves_and_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"sqlite:///{folder / 'runs.sqlite'}"
    monkeypatch.setenv(tracking.URI, uri)
    mlflow.set_tracking_uri(uri)
    run_id = tracking.track(folder, MANIFEST, EVALUATION)
    assert run_id is not None
    client = mlflow.MlflowClient(uri)
    run = client.get_run(run_id)
    assert run.data.params["training.event_weights.view"] == "0.1"
    assert run.data.metrics["recsvc ndcg at 10"] == 0.25
    assert not any(name.startswith("co-visitation") for name in run.data.metrics)  # there was nothing to measure
    assert [point.value for point in client.get_metric_history(run_id, "text loss")] == [2.0, 1.0]
    assert run.data.tags["bundle_id"] == "abc"
    assert {file.path for file in client.list_artifacts(run_id)} == set(tracking.FILES)


def test_without_an_address_nothing_happens(folder: Path) -> None:
    assert tracking.track(folder, MANIFEST, EVALUATION) is None


def test_unreachable_store_raises_tracking_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "gibberish://nowhere"
    monkeypatch.setenv(tracking.URI, uri)
    mlflow.set_tracking_uri(uri)
    with pytest.raises(TrackingError, match="not tracked"):
        tracking.track(folder, MANIFEST, EVALUATION)
