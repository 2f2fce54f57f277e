"""Everything that a training run measured, as evaluation.json holds it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation.evaluate import OURS
from training.fitting.experiment import Fitted
from training.metrics import interval

FILE_NAME = "evaluation.json"
HEADLINE_METRICS = ("ndcg@10", "recall@10")  # that the manifest repeats
NOTHING = interval(np.empty(0))  # the interval of a metric that was not measured

# For each value of the setting `refit`, the parts of the shop that the evaluated bundle was fitted on. With "all" the
# shipped bundle saw more than the evaluated one.
FIT_PARTS = {"none": "train", "validation": "train+validation", "all": "train+validation"}


@dataclass(frozen=True)
class RunCost:
    """What a training run used.

    Attributes:
        seconds: Of each stage, by its name.
        peak_memory_mib: The most memory that the process held.
    """

    seconds: Mapping[str, float]
    peak_memory_mib: int


@dataclass(frozen=True, kw_only=True)
class EvaluationReport:
    """The measurements of one training run.

    Attributes:
        fitted: The fit on the train part: its weights, gains and curves.
        results: The evaluation on the test part, as `evaluate` returns it.
        previous: The difference to the bundle before this one; None if they cannot be compared.
        failed_checks: Why the bundle is not ready, one sentence each; empty if it is.
        cost: Of the run.
        not_measured: Why nothing was learned and measured; None if it was.
    """

    fitted: Fitted
    results: Mapping[str, Any]
    previous: Mapping[str, Any] | None
    failed_checks: Sequence[str]
    cost: RunCost
    not_measured: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether `latest` may point at the bundle."""
        return not self.failed_checks

    @property
    def headline(self) -> dict[str, Any]:
        """The part that the manifest repeats."""
        if self.not_measured is not None:
            return {**dict.fromkeys(HEADLINE_METRICS, NOTHING), **self._protocol()}
        metrics = self.results["models"][OURS]["metrics"]
        return {**{name: metrics[name] for name in HEADLINE_METRICS}, **self._protocol()}

    def as_json(self) -> dict[str, Any]:
        """The content of evaluation.json."""
        return {
            **self._protocol(),
            "not_measured": self.not_measured,
            "validation": self._validation(),
            "towers": {name: asdict(curve) for name, curve in self.fitted.curves.items()},
            **self.results,
            "previous": self.previous,
            "objections": list(self.failed_checks),
            "cost": asdict(self.cost),
        }

    def write(self, folder: Path) -> None:
        """Writes evaluation.json into the folder of a bundle."""
        text = json.dumps(self.as_json(), indent=1, allow_nan=False)
        (folder / FILE_NAME).write_text(f"{text}\n", encoding="utf-8")

    def _protocol(self) -> dict[str, str]:
        if self.not_measured is not None:
            return {"protocol": "none", "fit": "everything"}
        return {"protocol": self.fitted.config.protocol, "fit": FIT_PARTS[self.fitted.config.refit]}

    def _validation(self) -> dict[str, Any]:
        tuned, neighbours = self.fitted.tuned, self.fitted.neighbours
        gains, dropped = dict(tuned.gains), list(tuned.dropped)
        if neighbours is not None:
            gains["neighbours"] = neighbours.gain
            if not neighbours.config.weight:
                dropped.append("neighbours")
        return {
            "ndcg@10": self.fitted.validation_ndcg if self.not_measured is None else None,
            "users": self.fitted.validation_users,
            "fusion": tuned.warm.as_json(),
            "cold": tuned.cold.as_json() if tuned.cold is not None else None,
            "neighbours": neighbours.as_json() if neighbours is not None else None,
            "gains": gains,
            "dropped": dropped,
        }
