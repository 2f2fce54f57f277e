"""Rules on rankings, checked item by item against their definitions."""

import numpy as np
import pytest

from recsvc.pipeline.business_rules import Caps, boost, cap_and_diversify, pin
from recsvc.ranking import NOTHING, Ranking

RNG = np.random.default_rng(3)


def random_ranking(n: int) -> Ranking:
    return Ranking(RNG.permutation(n).astype(np.int32), np.sort(RNG.standard_normal(n).astype(np.float32))[::-1])


def unit_vectors(n: int) -> np.ndarray:
    vectors = RNG.standard_normal((n, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_ranking_without_rules_keeps_its_order():
    before = random_ranking(50)
    picked = cap_and_diversify(before, 20, Caps([]), 0.0, unit_vectors(50))
    np.testing.assert_array_equal(picked.rows, before.rows[:20])
    np.testing.assert_array_equal(picked.scores, before.scores[:20])


def test_caps_limit_each_code_and_keep_the_best_of_it():
    codes = RNG.integers(-1, 5, 60).astype(np.int32)
    before, caps = random_ranking(60), Caps([(codes, 2)])
    picked = cap_and_diversify(before, 60, caps, 0.0, unit_vectors(60)).rows
    counts = np.bincount(codes[picked] + 1, minlength=6)
    assert counts[0] == np.count_nonzero(codes == -1)  # items without a code are not capped
    assert counts[1:].tolist() == [2] * 5
    # The best two of each, in the order of scores.
    same_code_before = [np.count_nonzero(codes[before.rows[:i]] == codes[row]) for i, row in enumerate(before.rows)]
    assert picked.tolist() == before.rows[(np.array(same_code_before) < 2) | (codes[before.rows] < 0)].tolist()


@pytest.mark.parametrize("diversity", [0.3, 1.0])
def test_diversity_picks_by_maximal_marginal_relevance(diversity):
    before, vectors = random_ranking(40), unit_vectors(40)
    picked = cap_and_diversify(before, 15, Caps([]), diversity, vectors).rows.tolist()
    relevance = dict(
        zip(before.rows.tolist(), (before.scores - before.scores.min()) / np.ptp(before.scores), strict=True)
    )
    expected: list[int] = []
    while len(expected) < 15:
        left = [row for row in before.rows.tolist() if row not in expected]
        expected.append(
            max(
                left,
                key=lambda row: (
                    (1 - diversity) * relevance[row]
                    - diversity * max((float(vectors[row] @ vectors[other]) for other in expected), default=-1.0)
                ),
            )
        )
    assert picked == expected
    assert picked[0] == before.rows[0]


def test_diversity_lowers_similarity_within_the_list():
    before, vectors = random_ranking(200), unit_vectors(200)

    def mean_similarity(rows):
        return (vectors[rows] @ vectors[rows].T)[np.triu_indices(len(rows), 1)].mean()

    similarity = [
        mean_similarity(cap_and_diversify(before, 20, Caps([]), strength, vectors).rows) for strength in (0.0, 0.3, 0.7)
    ]
    assert similarity == sorted(similarity, reverse=True)
    assert similarity[0] > similarity[-1] + 0.03


def test_boost_of_one_adds_the_score_range_of_the_list():
    before, mask = random_ranking(30), np.zeros(30, np.bool_)
    mask[before.rows[10]] = True  # just below a list of ten
    after = boost(before, [(mask, 1.0)], 10)
    assert after.rows[0] == before.rows[0] or after.rows[1] == before.rows[0]
    assert before.rows[10] in after.rows[:2]
    down = boost(before, [(~mask, -1.0)], 10)
    assert down.rows[0] == before.rows[10] or down.scores[0] > before.scores[10]
    assert boost(NOTHING, [(mask, 1.0)], 10) == NOTHING


def test_pins_are_inserted_at_their_positions():
    before = Ranking(np.arange(5, dtype=np.int32), -np.arange(5, dtype=np.float32))

    def alone(row):
        return Ranking(np.array([row], np.int32), np.zeros(1, np.float32))

    after = pin(before, [(1, alone(10)), (3, alone(11)), (50, alone(12))])
    assert after.rows.tolist() == [10, 0, 11, 1, 2, 3, 4, 12]
