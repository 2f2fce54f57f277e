"""Stages of a training run: each prints its time and size, and is not done twice for the same inputs."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from safetensors.numpy import load_file, save_file

Arrays = dict[str, NDArray[Any]]


class Stages:
    """Runs stages and keeps their results as safetensors in `folder`, by what they were computed from.

    A run that was stopped starts again where it was; one with a changed setting repeats only what depends on it. The
    source of `training`, and of what it shares with the service, is one of the inputs, so a result never outlives the
    code that made it.
    """

    def __init__(self, folder: Path, console: Console | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.console = console or Console(stderr=True)
        self.seconds: dict[str, float] = {}
        self._code = _code_fingerprint()

    def run(self, name: str, inputs: Any, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of a stage: read when it was finished before with these inputs (JSON-able), else computed."""
        text = json.dumps([self._code, inputs], sort_keys=True, default=str)
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


# What looks at results, or makes shops: to change it changes no stage.
_NO_PART_OF_A_STAGE = frozenset(
    {
        "backfill",
        "baselines",
        "benchmark",
        "cached_scores",
        "checkerboard",
        "content_rubric",
        "evaluate",
        "fusion",
        "gate",
        "list_quality",
    }
    | {"report", "report_plots", "sasrec", "synthetic", "tracking", "train", "tune", "write_content"}
)


def _code_fingerprint() -> str:
    """sha256 over the sources that decide what a stage computes."""
    training = Path(__file__).parent
    package = training.parent / "recsvc"
    used = (package / f"{name}.py" for name in ("lexical", "repeats", "text", "vectors"))
    sources: Iterable[Path] = (*training.glob("*.py"), *package.glob("towers/*.py"), *used)
    digest = hashlib.sha256()
    for source in sorted(sources):
        if source.stem not in _NO_PART_OF_A_STAGE:
            digest.update(source.read_bytes())
    return digest.hexdigest()
