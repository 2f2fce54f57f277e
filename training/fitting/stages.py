"""Stages of a training run: each prints its time and size, and is not done twice for the same inputs."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from safetensors.numpy import load_file, save_file

from training.fitting.stage_code import code_fingerprint

Arrays = dict[str, NDArray[Any]]


class Stages:
    """Runs stages and keeps their results as safetensors in `folder`, by what they were computed from.

    A run that was stopped starts again where it was. A run with a changed setting repeats only the stages that depend
    on it. The code that a stage runs is one of its inputs (`stage_code.py`), so a result never outlives it.
    """

    def __init__(self, folder: Path, console: Console | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.console = console or Console(stderr=True)
        self.seconds: dict[str, float] = {}

    def run(self, name: str, inputs: Any, compute: Callable[[], Arrays]) -> Arrays:
        """Returns the arrays of a stage, from the folder if it was finished before, else from `compute`.

        Args:
            name: Of the stage; part of the file's name.
            inputs: All that the result depends on beside code, as JSON values.
            compute: Its module, and the modules that this one imports, count as the code of the stage.
        """
        text = json.dumps([code_fingerprint(compute.__module__), inputs], sort_keys=True, default=str)
        path = self.folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"
        started = time.perf_counter()
        if path.is_file():
            arrays, note = load_file(path), "[dim]kept from an earlier run[/]"
        else:
            arrays, note = compute(), ""
            part = path.with_suffix(".part")
            save_file({key: np.array(value, order="C") for key, value in arrays.items()}, part)
            part.rename(path)
        self.report(name, time.perf_counter() - started, _described(arrays), note)
        return arrays

    def report(self, name: str, seconds: float, size: str, note: str = "") -> None:
        self.seconds[name] = round(seconds, 3)
        self.console.print(f"[bold]{name:<16}[/] {seconds:7.1f} s  {size} {note}", highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar; what it yields is told how many more are done."""
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


def _described(arrays: Arrays) -> str:
    """The shapes of what has a plain name, which a transformer's inner weights have not, and the size of all."""
    shapes = [
        f"{name} {' x '.join(f'{n:,}' for n in array.shape)}"
        for name, array in arrays.items()
        if array.ndim > 1 and "." not in name.removesuffix(".weight")
    ]
    megabytes = sum(array.nbytes for array in arrays.values()) / 1e6
    return f"{', '.join(shapes)} ({megabytes:.1f} MB)"
