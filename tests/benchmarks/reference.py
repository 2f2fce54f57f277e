"""Says which cases became slower than the project's reference, by more than the noise of both measurements.

`reference.json` has the ratios to the echo of every round, so it holds on any machine with the same shop. Write it
again, on a quiet machine, with a change that is meant to change the speed: `python -m tests.benchmarks.serving --keep`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

REFERENCE = Path(__file__).with_name("reference.json")
# A quotient of this share of all pairs of rounds, one of each measurement, is taken as the best case.
BEST_CASE = 0.9
# Ratios move so much from one run to the next, whatever the rounds of one run say.
NOISE = 0.03


@dataclass(frozen=True)
class Change:
    """How the speed of a case compares with an earlier measurement.

    Attributes:
        median: Of the quotients of all pairs of rounds; 1 for the same speed, below 1 for a slower case.
        best: The quotient that 90 % of the pairs do not exceed.
    """

    median: float
    best: float

    @staticmethod
    def of(before: Sequence[float], now: Sequence[float]) -> "Change":
        """Compares the ratios to the echo of two measurements, one ratio for each round."""
        quotients = np.divide.outer(now, before).ravel()
        return Change(float(np.median(quotients)), float(np.quantile(quotients, BEST_CASE)))

    @property
    def fell(self) -> bool:
        """Whether the case is slower by more than the noise."""
        return self.best < 1 - NOISE


def changes(result: Mapping[str, Any], earlier: Path = REFERENCE) -> dict[str, Change]:
    """Compares the result of `tests.benchmarks.serving` with an earlier one, case by case.

    Returns:
        The cases that both have; none if there is no earlier result, or if it is of another number of items.
    """
    if not earlier.is_file():
        return {}
    before = json.loads(earlier.read_text(encoding="utf-8"))
    if before["items"] != result["setup"]["items"]:
        return {}
    rows = result["rows"]
    return {name: Change.of(before["ratios"][name], _ratios(rows[name])) for name in rows if name in before["ratios"]}


def write(result: Mapping[str, Any], path: Path = REFERENCE) -> None:
    """Keeps the ratios of a result for later comparisons."""
    ratios = {name: _ratios(row) for name, row in result["rows"].items()}
    kept = {"items": result["setup"]["items"], "ratios": ratios}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _ratios(row: Mapping[str, Any]) -> list[float]:
    return [round(found["ratio"], 4) for found in row["rounds"]]
