"""One row of the table of faults: it measures figures, and has their bounds.

Each module of a row runs alone: `python -m tests.faults.NAME --bundle FOLDER`, with a flag for each argument that has a
default. It prints one JSON line of figures.
"""

import argparse
import inspect
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Figures = dict[str, object]


@dataclass(frozen=True)
class Row:
    """A fault.

    Attributes:
        measure: Injects the fault under load, and returns the figures. Its first argument is the folder of a bundle;
            the others have defaults, which are the lengths of `make fault-test`.
        at_most: The largest allowed value of figures, by name.
        at_least: The smallest allowed value: without it, a load that never ran would pass.
    """

    measure: Callable[..., Figures]
    at_most: Mapping[str, float]
    at_least: Mapping[str, float] = field(default_factory=dict)

    def misses(self, figures: Figures) -> list[str]:
        """The figures that are outside their bounds, one sentence each."""
        over = [
            f"{name} is {figures[name]}, at most {most}"
            for name, most in self.at_most.items()
            if not _number(figures[name]) <= most
        ]
        under = [
            f"{name} is {figures[name]}, at least {least}"
            for name, least in self.at_least.items()
            if not _number(figures[name]) >= least
        ]
        return over + under

    def main(self) -> None:
        """Measures with the arguments of the command line, and exits with 1 if a bound does not hold."""
        parser = argparse.ArgumentParser(description=inspect.getdoc(self.measure))
        parser.add_argument("--bundle", type=Path, help="folder of a bundle; default: one of 400 items is made")
        lengths = {
            n: p.default for n, p in inspect.signature(self.measure).parameters.items() if p.default is not p.empty
        }
        for name, default in lengths.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
        arguments = vars(parser.parse_args())
        bundle, began = arguments.pop("bundle"), time.monotonic()
        with tempfile.TemporaryDirectory(prefix="recsvc-bundle-") as folder:
            if bundle is None:
                from tests.serving_bundle import make_serving_bundle  # noqa: PLC0415 - it loads torch

                bundle = make_serving_bundle(Path(folder))
            figures = self.measure(bundle.resolve(), **arguments)
        took = round(time.monotonic() - began)
        misses = self.misses(figures)
        sys.stdout.write(json.dumps({**arguments, **figures, "took_seconds": took, "misses": misses}) + "\n")
        sys.exit(1 if misses else 0)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
