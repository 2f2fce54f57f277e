"""A finished training run in MLflow, where a server's address is given: settings, metrics and the files people read.

Wants the `tracking` extra and MLFLOW_TRACKING_URI; without the address nothing happens. MLFLOW_EXPERIMENT_NAME and
MLflow's other variables are read by MLflow itself.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.errors import TrackingError
from training.evaluation.report import flat

URI = "MLFLOW_TRACKING_URI"
FILES = ("report.html", "evaluation.json", "manifest.json")
EXPERIMENT = "recsvc"


def track(folder: Path, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str | None:
    """Sends the run of a bundle's folder to MLflow and returns the run's id; None where no address is given.

    Raises TrackingError when MLflow is not installed or does not take it; the bundle is finished all the same.
    """
    uri = os.environ.get(URI)
    if not uri:
        return None
    try:
        import mlflow  # noqa: PLC0415 - an extra
    except ImportError:
        raise TrackingError(f"{URI} is set and MLflow is not installed: pip install 'recsvc[tracking]'") from None
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
    except Exception as error:  # MLflow's clients raise their own, requests' and the operating system's
        raise TrackingError(f"the run was not tracked at {URI}: {type(error).__name__}: {error}") from error


def _name(text: str) -> str:
    """As MLflow takes names: it knows no @ and no +."""
    return re.sub(r"[^\w\-. :/]", "_", text.replace("@", " at "))


def _metrics(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Means by model, and what the run cost."""
    for model, found in evaluation["models"].items():
        for metric, interval in found["metrics"].items():
            if interval["mean"] is not None:
                yield _name(f"{model} {metric}"), interval["mean"]
    yield "validation ndcg at 10", evaluation["validation"]["ndcg@10"]
    yield "seconds", sum(evaluation["cost"]["seconds"].values())
    yield "peak memory MiB", evaluation["cost"]["peak_memory_mib"]
