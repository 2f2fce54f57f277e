"""The chunked softmax equals the closed form, and histories are cut from their end."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from training.fitting import next_item
from training.fitting.next_item import ChunkedSoftmax, Competitors, Sequences


@pytest.mark.parametrize("biased", [False, True])
def test_the_chunked_softmax_equals_cross_entropy(biased: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_item, "CHUNK_LOGITS", 30 * 900)  # several chunks, the last one short
    torch.manual_seed(0)
    states = functional.normalize(torch.randn(200, 64), dim=-1).requires_grad_()
    items = functional.normalize(torch.randn(900, 64), dim=-1).requires_grad_()
    targets, bias = torch.randint(0, 900, (200,)), torch.randn(900) if biased else None
    ours = ChunkedSoftmax.apply(states, items, targets, bias, 0.1)
    logits = states @ items.T / 0.1
    exact = functional.cross_entropy(logits if bias is None else logits + bias, targets)
    assert float(ours.detach()) == pytest.approx(float(exact.detach()), rel=1e-3)
    for gradient, expected in zip(
        torch.autograd.grad(ours, (states, items)), torch.autograd.grad(exact, (states, items)), strict=True
    ):
        assert float((gradient - expected).norm() / expected.norm()) < 0.01  # bfloat16 inside


def test_a_long_history_is_cut_into_parts_from_its_end() -> None:
    sequences = Sequences.of([np.arange(7, dtype=np.int32), np.arange(2, dtype=np.int32)], 3)
    assert [rows.tolist() for rows in sequences.rows] == [[4, 5, 6], [1, 2, 3], [0], [0, 1]]
    assert sequences.users.tolist() == [0, 0, 0, 1]


def test_sampled_competitors_stand_for_all_of_them() -> None:
    rng = np.random.default_rng(0)
    popularity = 1 / np.arange(1.0, 301.0)
    popularity = np.asarray(popularity / popularity.sum(), np.float64)
    competitors = Competitors(np.arange(300, dtype=np.int32), (popularity + 1 / 300) / 2, popularity)
    values = np.exp(rng.normal(size=300))
    sums = []
    for _ in range(400):
        targets = rng.choice(300, 50, p=popularity).astype(np.int32)
        rows, log_chances = competitors.sampled(targets, 100, rng)
        assert np.isin(targets, rows).all()
        sums.append((values[rows] / np.exp(log_chances)).sum())
    assert np.mean(sums) == pytest.approx(values.sum(), rel=4 * np.std(sums) / np.mean(sums) / np.sqrt(400))
