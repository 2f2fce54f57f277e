"""A stage runs once for the same code, settings and inputs, and again when one of them is another."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from training.config import TrainConfig
from training.fitting.stage import Arrays, Stage
from training.fitting.stages import Stages, content_hash


class Counted:
    """A stage that counts how often it was computed."""

    def __init__(self) -> None:
        self.runs = 0

        def compute(config: TrainConfig, n: int) -> Arrays:
            self.runs += 1
            return {"values": np.arange(n) * config.factors}

        compute.__module__ = "training.fitting.stages"  # code of a stage is code of this project
        self.stage = Stage("counted", ("factors",), compute)


@pytest.fixture
def counted() -> Counted:
    return Counted()


def run(folder: Path, counted: Counted, inputs: object = "a", label: str = "", **settings: int) -> list[int]:
    config = TrainConfig().with_values(settings)
    arrays = Stages(folder, Console(quiet=True)).run(counted.stage, label, inputs, config, 3)
    values: list[int] = arrays["values"].tolist()
    return values


def test_the_same_inputs_give_the_kept_arrays(tmp_path: Path, counted: Counted) -> None:
    assert run(tmp_path, counted) == run(tmp_path, counted) == [0, 64, 128]
    assert counted.runs == 1


def test_other_inputs_run_it_again(tmp_path: Path, counted: Counted) -> None:
    run(tmp_path, counted, "a")
    run(tmp_path, counted, "b")
    assert counted.runs == 2


def test_a_setting_that_it_depends_on_runs_it_again(tmp_path: Path, counted: Counted) -> None:
    run(tmp_path, counted)
    assert run(tmp_path, counted, factors=2) == [0, 2, 4]
    assert counted.runs == 2


def test_a_setting_of_another_stage_does_not_run_it_again(tmp_path: Path, counted: Counted) -> None:
    run(tmp_path, counted)
    run(tmp_path, counted, text_dim=32)
    assert counted.runs == 1


def test_each_label_has_its_own_arrays(tmp_path: Path, counted: Counted) -> None:
    run(tmp_path, counted, label="train")
    run(tmp_path, counted, label="refit")
    assert counted.runs == 2
    assert {path.name.rsplit("-", 1)[0] for path in tmp_path.iterdir()} == {"counted-train", "counted-refit"}


@pytest.mark.parametrize(
    "other",
    [
        np.array([[1, 2, 4]], np.int32),
        np.array([[1, 2, 3]], np.int64),
        np.array([[1], [2], [3]], np.int32),
        np.array([[1, 2]], np.int32),
    ],
    ids=["value", "type", "shape", "length"],
)
def test_arrays_that_differ_have_different_hashes(other: np.ndarray) -> None:
    array = np.array([[1, 2, 3]], np.int32)
    assert content_hash([array]) == content_hash([array.copy()]) != content_hash([other])


def test_the_order_of_memory_is_no_part_of_a_hash() -> None:
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert content_hash([np.asfortranarray(array)]) == content_hash([array])
