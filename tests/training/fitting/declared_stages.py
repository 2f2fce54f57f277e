"""Finds the stages of training in its code, so that no test keeps a list of them."""

import importlib
import pkgutil
from typing import Any

import training
from training.fitting.stage import Stage


def declared_stages() -> dict[str, Stage[Any]]:
    """Every stage that a module of training declares, by its name."""
    stages: dict[str, Stage[Any]] = {}
    for module in pkgutil.walk_packages(training.__path__, "training."):
        if not module.name.endswith("__main__"):
            values = vars(importlib.import_module(module.name)).values()
            stages |= {value.name: value for value in values if isinstance(value, Stage)}
    return stages
