"""`rank` on arrays: invariants for any input, and that search and rank together are exact."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsvc.ranking import NOTHING, Ranking, among, rank, values_of
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, ScanIndex

score = st.one_of(st.floats(-5, 5, width=32), st.sampled_from([0.0, 1.0, float("nan"), float("inf"), -float("inf")]))


@st.composite
def rankings(draw: st.DrawFn) -> dict[str, object]:
    n = draw(st.integers(1, 30))
    rows = st.lists(st.integers(0, n - 1), max_size=40).map(lambda values: np.array(values, np.int32))
    bonus_rows = np.unique(draw(rows)).astype(np.int32)
    gains = draw(st.lists(st.floats(0, 3, width=32), min_size=len(bonus_rows), max_size=len(bonus_rows)))
    return {
        "item_vectors": np.array(draw(st.lists(score, min_size=n, max_size=n)), np.float32)[:, None],
        "candidates": draw(rows),
        "k": draw(st.integers(1, 50)),
        "excluded_rows": draw(rows),
        "bonus": Ranking(bonus_rows, np.array(gains, np.float32)),
    }


@given(rankings())
def test_ranking_equals_a_sort_of_all_allowed_scores(case: dict[str, object]) -> None:
    ranked = rank(np.ones(1, np.float32), **case)  # type: ignore[arg-type]

    rows, scores = ranked.rows.tolist(), ranked.scores
    vectors = np.asarray(case["item_vectors"]).ravel()
    bonus_rows, bonus_scores = (values.tolist() for values in case["bonus"])  # type: ignore[attr-defined]
    gains = dict(zip(bonus_rows, bonus_scores, strict=True))
    allowed = (set(case["candidates"].tolist()) | set(gains)) - set(case["excluded_rows"].tolist())  # type: ignore[attr-defined]
    expected = {row: np.float32(vectors[row] + np.float32(gains.get(row, 0))) for row in allowed}
    expected = {row: value for row, value in expected.items() if np.isfinite(value)}
    assert len(rows) == len(set(rows)) == min(int(case["k"]), len(expected))  # type: ignore[call-overload]
    assert rows == sorted(expected, key=lambda row: (-expected[row], row))[: len(rows)]
    assert np.array_equal(scores, np.array([expected[row] for row in rows], np.float32))


@given(rankings(), st.randoms(use_true_random=False))
def test_order_of_the_candidates_does_not_change_the_list(case: dict[str, object], shuffler: random.Random) -> None:
    first = rank(np.ones(1, np.float32), **case)  # type: ignore[arg-type]
    candidates = np.asarray(case["candidates"]).tolist()
    shuffler.shuffle(candidates)
    shuffled = case | {"candidates": np.array(candidates, np.int32)}
    second = rank(np.ones(1, np.float32), **shuffled)  # type: ignore[arg-type]
    assert np.array_equal(first.rows, second.rows)


def test_search_and_rank_together_return_the_exact_best() -> None:
    rng = np.random.default_rng(3)
    for n in (FULL_PRECISION_ITEMS // 4, 3 * FULL_PRECISION_ITEMS + 17):
        centres = rng.standard_normal((40, 64))
        items = (centres[rng.integers(0, 40, n)] + rng.standard_normal((n, 64))).astype(np.float32)
        queries = (centres[:16] + 0.5 * rng.standard_normal((16, 64))).astype(np.float32)
        candidates_of = ScanIndex(items).search(queries, 50)
        for query, candidates in zip(queries, candidates_of, strict=True):
            best = np.argsort(-(items @ query), kind="stable")[:50]
            assert np.array_equal(rank(query, items, candidates, 50).rows, best)


integers = st.integers(-3, 3).map(float)  # exact in float32, and often equal


@given(st.data())
def test_both_ways_to_find_candidates_give_the_exact_best(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 12))
    products = np.array(data.draw(st.lists(integers, min_size=n, max_size=n)), np.float32)
    rows = st.lists(st.integers(0, n - 1), max_size=20).map(lambda drawn: np.unique(drawn).astype(np.int32))
    excluded, bonus_rows = data.draw(rows), data.draw(rows)
    gains = data.draw(st.lists(integers, min_size=len(bonus_rows), max_size=len(bonus_rows)))
    bonus = Ranking(bonus_rows, np.array(gains, np.float32))
    scores = products.copy()
    scores[bonus_rows] += bonus.scores
    allowed = np.setdiff1d(np.arange(n), excluded)
    best = allowed[np.argsort(-scores[allowed], kind="stable")][:k]
    wanted = k + len(excluded)

    by_score = np.argsort(-scores, kind="stable")[:wanted].astype(np.int32)
    items, user = products[:, None], np.ones(1, np.float32)
    ranked = rank(user, items, by_score, k, excluded, among(bonus, by_score))
    assert ranked.rows.tolist() == best.tolist()
    assert ranked.scores.tolist() == scores[best].tolist()

    positive = Ranking(bonus.rows, np.abs(bonus.scores))
    scores = products.copy()
    scores[bonus_rows] += positive.scores
    best = allowed[np.argsort(-scores[allowed], kind="stable")][:k]
    by_product = np.argsort(-products, kind="stable")[:wanted].astype(np.int32)
    assert rank(user, items, by_product, k, excluded, positive).rows.tolist() == best.tolist()


def test_rows_with_a_bonus_are_searched_and_ranked_exactly() -> None:
    rng = np.random.default_rng(4)
    for n in (500, FULL_PRECISION_ITEMS + 500):
        items, query = rng.standard_normal((n, 8)).astype(np.float32), rng.standard_normal(8).astype(np.float32)
        bonus_rows = np.sort(rng.choice(n, 60, replace=False)).astype(np.int32)
        bonus = Ranking(bonus_rows, rng.uniform(0, 20, 60).astype(np.float32))
        excluded = rng.choice(n, 30, replace=False).astype(np.int32)
        scores = items @ query
        without = set(np.argsort(-scores)[:20].tolist())
        scores[bonus.rows] += bonus.scores
        scores[excluded] = -np.inf
        best = np.argsort(-scores, kind="stable")[:20]
        assert len(set(best.tolist()) - without) > 5
        index = ScanIndex(items)
        by_product = index.search(query[None], 20 + len(excluded))[0]
        assert rank(query, items, by_product, 20, excluded, bonus).rows.tolist() == best.tolist()
        by_score = index.search(query[None], 20 + len(excluded), bonuses=[bonus])[0]
        assert rank(query, items, by_score, 20, excluded, among(bonus, by_score)).rows.tolist() == best.tolist()


@given(st.lists(st.integers(0, 30), max_size=20), st.lists(st.integers(0, 30), max_size=20))
def test_the_part_of_a_bonus_among_rows_has_these_rows_once(rows: list[int], gaining: list[int]) -> None:
    bonus_rows = np.unique(gaining).astype(np.int32)
    bonus = Ranking(bonus_rows, (bonus_rows / 2).astype(np.float32))
    part = among(bonus, np.array(rows, np.int32))
    assert part.rows.tolist() == sorted(set(rows) & set(gaining))
    assert part.scores.tolist() == [row / 2 for row in part.rows.tolist()]


def test_no_candidates_and_no_bonus_give_nothing() -> None:
    ranked = rank(np.ones(1, np.float32), np.ones((3, 1), np.float32), NOTHING.rows, 5)
    assert ranked.rows.tolist() == []


def test_k_above_the_number_of_items_returns_all() -> None:
    items = np.eye(3, dtype=np.float32)
    index = ScanIndex(items)
    assert len(rank(items[0], items, index.search(items[:1], 100)[0], 100).rows) == 3


@given(st.data())
def test_values_and_scores_of_rows_are_those_of_a_dictionary(data: st.DataObject) -> None:
    known = np.unique(data.draw(st.lists(st.integers(0, 20)))).astype(np.int32)
    table = data.draw(st.lists(st.lists(integers, min_size=len(known), max_size=len(known)), min_size=2, max_size=2))
    rows = np.array(data.draw(st.lists(st.integers(-1, 25))), np.int32)
    values = values_of(rows, known, np.array(table, np.float32))
    assert values.shape == (2, len(rows))
    assert values.dtype == np.float32
    for line, scores in zip(values, table, strict=True):
        expected = dict(zip(known.tolist(), scores, strict=True))
        assert line.tolist() == [expected.get(row, 0.0) for row in rows.tolist()]
        ranking = Ranking(known, np.array(scores, np.float32))
        assert [ranking.score_of(row) for row in rows.tolist()] == line.tolist()
