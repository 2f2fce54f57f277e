"""The speed of the service. Run by hand: it takes minutes and a quiet machine. python -m pytest -m benchmark."""

import pytest
from rich.console import Console

from tests.benchmarks import reference
from tests.benchmarks.serving import benchmark


@pytest.mark.benchmark
def test_no_case_is_slower_than_the_reference() -> None:
    compared = reference.changes(benchmark(rounds=5, seconds=3.0, console=Console()))
    assert compared, "reference.json is of another shop: python -m tests.benchmarks.serving --keep"
    assert {name: change.median for name, change in compared.items() if change.fell} == {}
