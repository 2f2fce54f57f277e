"""Runs the stages of a training: each prints its time and size, and is not computed twice from the same inputs."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from safetensors.numpy import load_file, save_file

from training.config import TrainConfig
from training.fitting.stage import Advance, Arguments, Arrays, Stage
from training.fitting.stage_code import code_fingerprint


class Stages:
    """Runs stages and keeps their arrays as safetensors files in `folder`.

    A run that was stopped continues where it was. A run with a changed setting repeats only the stages that depend on
    it. The code of a stage is one of its inputs (`stage_code.py`), so no result outlives the code that computed it.

    Attributes:
        folder: Where the arrays are kept.
        console: Where the stages are printed.
        seconds: How long each stage took in this run, by its name.
    """

    def __init__(self, folder: Path, console: Console | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.console = console or Console(stderr=True)
        self.seconds: dict[str, float] = {}

    def run(
        self,
        stage: Stage[Arguments],
        label: str,
        inputs: object,
        config: TrainConfig,
        *arguments: Arguments.args,
        **keywords: Arguments.kwargs,
    ) -> Arrays:
        """Returns the arrays of a stage, from the folder if it was finished before.

        Args:
            stage: The stage to run.
            label: Tells runs of one stage in one training apart; "" for a stage that runs once.
            inputs: The data that the arrays depend on, named by JSON values. The stage's settings and code are added.
            config: The settings.
            arguments: The other arguments of `stage.compute`.
            keywords: The same.
        """
        name = f"{stage.name}-{label}" if label else stage.name
        key = [code_fingerprint(stage.compute.__module__), stage.settings(config), inputs]
        text = json.dumps(key, sort_keys=True, default=str)
        path = self.folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"
        started = time.perf_counter()
        if path.is_file():
            arrays, note = load_file(path), "[dim]kept from an earlier run[/]"
        else:
            arrays, note = stage.compute(config, *arguments, **keywords), ""
            part = path.with_suffix(".part")
            save_file({key: np.array(value, order="C") for key, value in arrays.items()}, part)
            part.rename(path)
        self.report(name, time.perf_counter() - started, _described(arrays), note)
        return arrays

    def report(self, name: str, seconds: float, size: str, note: str = "") -> None:
        """Prints a stage's time and size, and remembers the time."""
        self.seconds[name] = round(seconds, 3)
        self.console.print(f"[bold]{name:<16}[/] {seconds:7.1f} s  {size} {note}", highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, name: str, total: int) -> Iterator[Advance]:
        """Shows a progress bar. Yields the function to call with how many more of `total` are done."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(name, total=total)
            yield lambda done: bar.advance(task, done)


def content_hash(arrays: Iterable[NDArray[Any]]) -> str:
    """sha256 in hexadecimal over the types, shapes and values of arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _described(arrays: Arrays) -> str:
    """The shapes of the arrays with plain names, which a transformer's inner weights have not, and the size of all."""
    shapes = [
        f"{name} {' x '.join(f'{n:,}' for n in array.shape)}"
        for name, array in arrays.items()
        if array.ndim > 1 and "." not in name.removesuffix(".weight")
    ]
    megabytes = sum(array.nbytes for array in arrays.values()) / 1e6
    return f"{', '.join(shapes)} ({megabytes:.1f} MB)"
