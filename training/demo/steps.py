"""Prints numbered headings, and the time that each step took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Steps:
    """Prints the steps to a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Prints a heading, and the time when the block ends."""
        self._number += 1
        self._console.print()
        self._console.rule(f"[bold]{self._number}. {title}", align="left")
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        took = f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
        self._console.print(f"[dim]this step took {took}[/]", justify="right", highlight=False)
