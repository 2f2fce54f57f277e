"""The time to encode a user. Run by hand, because it needs a quiet machine: python -m pytest -m benchmark."""

import time

import numpy as np
import pytest
import torch
from rich.console import Console

from recsvc.domain.shop import EventType, History
from recsvc.model import bundle_files as bundles
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from tests.benchmarks.serving import FOLDER
from tests.benchmarks.shop import prepared_shop

EVENTS = 50
MAX_SECONDS = 0.002


@pytest.mark.benchmark
def test_encoding_a_user_takes_under_two_milliseconds() -> None:
    torch.set_num_threads(1)
    bundle = bundles.load(prepared_shop(FOLDER, Console()).bundle)
    rng = np.random.default_rng(0)
    # Every block is used, whatever weights the short training found.
    tower = bundle.user_tower(FusionWeights.only(BlockWeights.all(1.0)))
    times = []
    for _ in range(300):
        rows = rng.integers(0, len(bundle.catalogue), EVENTS).astype(np.int32)
        stamps = np.sort(rng.integers(0, 10**15, EVENTS))
        history = History(rows, stamps, np.full(EVENTS, EventType.PURCHASE, np.int8), np.ones(EVENTS, np.float32))
        start = time.perf_counter()
        tower.user_vectors([history], [None])
        times.append(time.perf_counter() - start)
    assert float(np.median(times)) < MAX_SECONDS, f"{np.median(times) * 1e3:.2f} ms"
