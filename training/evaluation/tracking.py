"""Sends a finished training run to MLflow: settings, metrics, and the files that people read.

Needs the `tracking` extra and the server's address in MLFLOW_TRACKING_URI. Does nothing without the address. The
experiment's name is in MLFLOW_EXPERIMENT_NAME; MLflow reads its other variables itself.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.errors import TrackingError
from training.evaluation.html_page import flat

URI = "MLFLOW_TRACKING_URI"
FILES = ("report.html", "evaluation.json", "manifest.json")
EXPERIMENT = "recsvc"


def track(folder: Path, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str | None:
    """Sends the training run that made a bundle to MLflow.

    Args:
        folder: The bundle's folder, which holds `FILES`.
        manifest: The content of manifest.json.
        evaluation: The content of evaluation.json.

    Returns:
        The id of the run in MLflow. None if MLFLOW_TRACKING_URI is not set.

    Raises:
        TrackingError: MLflow is not installed, or did not accept the run. The bundle is finished all the same.
    """
    uri = os.environ.get(URI)
    if not uri:
        return None
    try:
        import mlflow  # noqa: PLC0415 - an extra
    except ImportError:
        raise TrackingError(f"{URI} is set but MLflow is not installed: pip install 'recsvc[tracking]'") from None
    try:
        mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT))
        with mlflow.start_run(run_name=manifest["bundle_id"]) as run:
            settings = flat({"training": manifest["training"], "validation": evaluation["validation"]})
            mlflow.log_params({_name(name): value for name, value in settings})
            mlflow.log_metrics(dict(_metrics(evaluation)))
            for name, curve in evaluation["towers"].items():
                for epoch, loss in enumerate(curve["losses"], 1):
                    mlflow.log_metric(f"{name} loss", loss, step=epoch)
                for epoch, ndcg in enumerate(curve["ndcg"], 1):
                    mlflow.log_metric(f"{name} validation ndcg at 10", ndcg, step=epoch)
            tags = {name: str(manifest[name]) for name in ("bundle_id", "created", "git_commit", "ready")}
            mlflow.set_tags({**tags, "data": manifest["data"]["fingerprint"]})
            for file in FILES:
                mlflow.log_artifact(str(folder / file))
            return str(run.info.run_id)
    except Exception as error:  # MLflow raises its own errors, those of requests, and those of the system
        raise TrackingError(f"the run was not tracked at {URI}: {type(error).__name__}: {error}") from error


def _name(text: str) -> str:
    """The text as MLflow accepts it in names: @ and + are not allowed."""
    return re.sub(r"[^\w\-. :/]", "_", text.replace("@", " at "))


def _metrics(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The mean of every metric by model, and the cost of the run."""
    for model, measured in evaluation["models"].items():
        for metric, interval in measured["metrics"].items():
            if interval["mean"] is not None:
                yield _name(f"{model} {metric}"), interval["mean"]
    if evaluation["validation"]["ndcg@10"] is not None:
        yield "validation ndcg at 10", evaluation["validation"]["ndcg@10"]
    yield "seconds", sum(evaluation["cost"]["seconds"].values())
    yield "peak memory MiB", evaluation["cost"]["peak_memory_mib"]
