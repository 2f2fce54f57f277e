"""The speed of Recommend. Run by hand, because it takes minutes and a quiet machine: python -m pytest -m benchmark."""

import pytest
from rich.console import Console

from tests.benchmarks.serving import benchmark

MIN_RATIO = 0.20


@pytest.mark.benchmark
def test_recommend_has_at_least_a_fifth_of_the_echos_rate() -> None:
    assert benchmark(rounds=3, seconds=3.0, console=Console())["ratio"] >= MIN_RATIO
