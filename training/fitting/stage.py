"""A stage: one step of training with a name, the settings that it depends on, and the code that computes its arrays.

The modules of the blocks import this one to declare their stages. How a stage is run and kept is in `stages.py`, which
no stage imports: a change to a printed line fits nothing again.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec

from numpy.typing import NDArray

from training.config import TrainConfig

Arguments = ParamSpec("Arguments")

Arrays = dict[str, NDArray[Any]]
# Is called with how many more units of work are done.
Advance = Callable[[int], None]
# Opens a progress bar with this name and this total.
OpenProgress = Callable[[str, int], AbstractContextManager[Advance]]


def no_progress(_done: int) -> None:
    """Shows nothing: for callers without a progress bar."""


@dataclass(frozen=True)
class Stage(Generic[Arguments]):
    """A computation whose arrays are kept on disk.

    Attributes:
        name: Is printed, and begins the names of its files.
        hyperparameters: Names of the settings in `TrainConfig` that the arrays depend on. `compute` reads no others.
        compute: Returns the arrays. The code of its module, and of every module that this one imports, is part of the
            cache key, so it is defined in the module of its block.
    """

    name: str
    hyperparameters: tuple[str, ...]
    compute: Callable[Concatenate[TrainConfig, Arguments], Arrays]

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """The hyperparameters with their values."""
        return {name: getattr(config, name) for name in self.hyperparameters}
