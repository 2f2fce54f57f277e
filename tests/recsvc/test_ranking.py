"""`rank` on arrays: what must hold for any input, and that search and rank together are exact."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsvc.ranking import rank
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, ScanIndex

score = st.one_of(st.floats(-5, 5, width=32), st.sampled_from([0.0, 1.0, float("nan"), float("inf"), -float("inf")]))


@st.composite
def rankings(draw: st.DrawFn) -> dict[str, object]:
    n = draw(st.integers(1, 30))
    rows = st.lists(st.integers(0, n - 1), max_size=40).map(lambda values: np.array(values, np.int32))
    repeat_rows = np.unique(draw(rows))
    return {
        "item_vectors": np.array(draw(st.lists(score, min_size=n, max_size=n)), np.float32)[:, None],
        "candidates": draw(rows),
        "k": draw(st.integers(1, 50)),
        "excluded_rows": draw(rows),
        "repeat_rows": repeat_rows.astype(np.int32),
        "repeat_scores": np.array(
            draw(st.lists(st.floats(0, 3, width=32), min_size=len(repeat_rows), max_size=len(repeat_rows))), np.float32
        ),
    }


@given(rankings())
def test_what_always_holds(case: dict[str, object]) -> None:
    ranked = rank(np.ones(1, np.float32), **case)  # type: ignore[arg-type]

    rows, scores = ranked.rows.tolist(), ranked.scores
    vectors = np.asarray(case["item_vectors"]).ravel()
    gains = dict(zip(case["repeat_rows"].tolist(), case["repeat_scores"].tolist(), strict=True))  # type: ignore[attr-defined]
    may = (set(case["candidates"].tolist()) | set(gains)) - set(case["excluded_rows"].tolist())  # type: ignore[attr-defined]
    expected = {row: np.float32(vectors[row] + np.float32(gains.get(row, 0))) for row in may}
    expected = {row: value for row, value in expected.items() if np.isfinite(value)}
    assert len(rows) == len(set(rows)) == min(int(case["k"]), len(expected))  # type: ignore[call-overload]
    assert rows == sorted(expected, key=lambda row: (-expected[row], row))[: len(rows)]
    assert np.array_equal(scores, np.array([expected[row] for row in rows], np.float32))


@given(rankings())
def test_the_same_input_gives_the_same_list(case: dict[str, object]) -> None:
    first, second = (rank(np.ones(1, np.float32), **case) for _ in range(2))  # type: ignore[arg-type]
    assert np.array_equal(first.rows, second.rows)


def test_search_and_rank_find_the_exact_best() -> None:
    rng = np.random.default_rng(3)
    for n in (FULL_PRECISION_ITEMS // 4, 3 * FULL_PRECISION_ITEMS + 17):
        centres = rng.standard_normal((40, 64))
        items = (centres[rng.integers(0, 40, n)] + rng.standard_normal((n, 64))).astype(np.float32)
        queries = (centres[:16] + 0.5 * rng.standard_normal((16, 64))).astype(np.float32)
        found = ScanIndex(items).search(queries, 50)
        for query, candidates in zip(queries, found, strict=True):
            best = np.argsort(-(items @ query), kind="stable")[:50]
            assert np.array_equal(rank(query, items, candidates, 50).rows, best)


def test_repeats_outside_the_candidates_still_give_the_exact_best() -> None:
    rng = np.random.default_rng(4)
    items, query = rng.standard_normal((500, 8)).astype(np.float32), rng.standard_normal(8).astype(np.float32)
    repeat_rows = np.sort(rng.choice(500, 60, replace=False)).astype(np.int32)
    gains = (3 * rng.random(60)).astype(np.float32)
    excluded = rng.choice(500, 30, replace=False).astype(np.int32)
    candidates = ScanIndex(items).search(query[None], 20 + len(excluded))[0]

    scores = items @ query
    scores[repeat_rows] += gains
    scores[excluded] = -np.inf
    best = np.argsort(-scores, kind="stable")[:20]
    assert np.array_equal(rank(query, items, candidates, 20, excluded, repeat_rows, gains).rows, best)


def test_more_asked_for_than_there_is() -> None:
    items = np.eye(3, dtype=np.float32)
    index = ScanIndex(items)
    assert len(rank(items[0], items, index.search(items[:1], 100)[0], 100).rows) == 3
