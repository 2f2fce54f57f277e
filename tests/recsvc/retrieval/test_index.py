"""The 8-bit scan loses none of the best items, on vectors like a bundle's: text, collaborative and prior."""

import numpy as np
import pytest

from recsvc.model.vectors import encode_8_bits
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, ScanIndex


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("prior_weight", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("n", [FULL_PRECISION_ITEMS, 30_011])
@pytest.mark.parametrize("k", [10, 100])
def test_search_returns_the_exact_best(n: int, prior_weight: float, k: int) -> None:
    rng = np.random.default_rng(5)
    centres = unit(rng.standard_normal((200, 96)))
    text = unit(centres[rng.integers(0, 200, n)] + 0.06 * rng.standard_normal((n, 96)))
    factors = rng.standard_normal((n, 32)) * rng.gamma(1, 1, (n, 1)) / 8
    items = np.concatenate((text, factors, rng.beta(0.5, 3, (n, 1))), axis=1).astype(np.float32)
    tastes = unit(centres[rng.integers(0, 200, 32)] + 0.05 * rng.standard_normal((32, 96)))
    prior = np.full((32, 1), prior_weight)
    queries = np.concatenate((tastes, 0.5 * unit(rng.standard_normal((32, 32))), prior), axis=1).astype(np.float32)

    candidates = ScanIndex(items).search(queries, k)
    exact = np.argsort(-(queries @ items.T), axis=1)[:, :k]
    for rows, best in zip(candidates, exact, strict=True):
        assert len(rows) == len(set(rows.tolist())) >= k
        assert set(best.tolist()) <= set(rows.tolist())


@pytest.mark.parametrize("n", [FULL_PRECISION_ITEMS, 30_011])
@pytest.mark.parametrize("share", [0.3, 0.001])
def test_search_returns_the_exact_best_of_the_allowed(n: int, share: float) -> None:
    rng = np.random.default_rng(7)
    items = unit(rng.standard_normal((n, 64))).astype(np.float32)
    queries = unit(rng.standard_normal((8, 64))).astype(np.float32)
    allowed = [rng.random(n) < share if i % 2 else None for i in range(8)]
    for rows, query, mask in zip(ScanIndex(items).search(queries, 10, allowed), queries, allowed, strict=True):
        scores = items @ query
        if mask is not None:
            scores[~mask] = -np.inf
        best = [row for row in np.argsort(-scores)[:10].tolist() if np.isfinite(scores[row])]
        assert set(best) <= set(rows.tolist())


def test_search_for_more_than_all_items_returns_each_once() -> None:
    n = FULL_PRECISION_ITEMS + 5
    items = np.random.default_rng(6).standard_normal((n, 4)).astype(np.float32)
    (rows,) = ScanIndex(items).search(items[:1], 10 * n)
    assert sorted(rows.tolist()) == list(range(n))


@pytest.mark.parametrize("n", [FULL_PRECISION_ITEMS, 20_011])
def test_codes_are_searched_as_the_vectors_that_they_stand_for(n: int) -> None:
    rng = np.random.default_rng(8)
    items = unit(rng.standard_normal((n, 384)) + 2 * rng.standard_normal((50, 384))[rng.integers(0, 50, n)])
    codes = encode_8_bits(items.astype(np.float32))
    queries = unit(items[:16] + 0.03 * rng.standard_normal((16, 384))).astype(np.float32)
    exact = np.argsort(-(queries @ codes.T.astype(np.float32)), axis=1)[:, :50]
    for rows, best in zip(ScanIndex(codes).search(queries, 50), exact, strict=True):
        assert set(best.tolist()) <= set(rows.tolist())


def test_what_is_found_does_not_depend_on_the_other_searches_of_a_batch() -> None:
    rng = np.random.default_rng(9)
    items = rng.standard_normal((20_011, 200)).astype(np.float32) * rng.gamma(0.3, 1, 200).astype(np.float32)
    queries = rng.standard_normal((16, 200)).astype(np.float32)
    queries *= 10 ** np.linspace(-3, 1, 16, dtype=np.float32)[:, None]
    index = ScanIndex(items)
    together, alone = index.search(queries, 10), [index.search(query[None], 10)[0] for query in queries]
    for query, rows, own in zip(queries, together, alone, strict=True):
        assert set(rows.tolist()) == set(own.tolist())
        assert set(np.argsort(-(items @ query))[:10].tolist()) <= set(rows.tolist())
