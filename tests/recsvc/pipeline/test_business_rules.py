"""Rules on rankings, checked against what they say, one item at a time."""

import numpy as np
import pytest

from recsvc.pipeline.business_rules import Caps, boosted, pick, pinned
from recsvc.ranking import NOTHING, Ranking

RNG = np.random.default_rng(3)


def ranking(n: int) -> Ranking:
    return Ranking(RNG.permutation(n).astype(np.int32), np.sort(RNG.standard_normal(n).astype(np.float32))[::-1])


def unit_vectors(n: int) -> np.ndarray:
    vectors = RNG.standard_normal((n, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_without_rules_the_order_stays():
    before = ranking(50)
    picked = pick(before, 20, Caps([]), 0.0, unit_vectors(50))
    np.testing.assert_array_equal(picked.rows, before.rows[:20])
    np.testing.assert_array_equal(picked.scores, before.scores[:20])


def test_no_cap_is_exceeded_and_none_keeps_out_what_has_room():
    codes = RNG.integers(-1, 5, 60).astype(np.int32)
    before, caps = ranking(60), Caps([(codes, 2)])
    picked = pick(before, 60, caps, 0.0, unit_vectors(60)).rows
    counts = np.bincount(codes[picked] + 1, minlength=6)
    assert counts[0] == np.count_nonzero(codes == -1)  # what has no brand is not capped
    assert counts[1:].tolist() == [2] * 5
    # The best two of each, in the order of scores.
    better = [np.count_nonzero(codes[before.rows[:i]] == codes[row]) for i, row in enumerate(before.rows)]
    assert picked.tolist() == before.rows[(np.array(better) < 2) | (codes[before.rows] < 0)].tolist()


@pytest.mark.parametrize("diversity", [0.3, 1.0])
def test_diversity_is_maximal_marginal_relevance(diversity):
    before, vectors = ranking(40), unit_vectors(40)
    picked = pick(before, 15, Caps([]), diversity, vectors).rows.tolist()
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


def test_diversity_makes_lists_more_diverse():
    before, vectors = ranking(200), unit_vectors(200)

    def alike(rows):
        return (vectors[rows] @ vectors[rows].T)[np.triu_indices(len(rows), 1)].mean()

    likeness = [alike(pick(before, 20, Caps([]), strength, vectors).rows) for strength in (0.0, 0.3, 0.7)]
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[0] > likeness[-1] + 0.03


def test_a_boost_of_one_is_as_much_as_the_list_is_wide():
    before, chosen = ranking(30), np.zeros(30, np.bool_)
    chosen[before.rows[10]] = True  # just below a list of ten
    after = boosted(before, [(chosen, 1.0)], 10)
    assert after.rows[0] == before.rows[0] or after.rows[1] == before.rows[0]
    assert before.rows[10] in after.rows[:2]
    down = boosted(before, [(~chosen, -1.0)], 10)
    assert down.rows[0] == before.rows[10] or down.scores[0] > before.scores[10]
    assert boosted(NOTHING, [(chosen, 1.0)], 10) == NOTHING


def test_pins_stand_in_their_places():
    before = Ranking(np.arange(5, dtype=np.int32), -np.arange(5, dtype=np.float32))

    def alone(row):
        return Ranking(np.array([row], np.int32), np.zeros(1, np.float32))

    after = pinned(before, [(1, alone(10)), (3, alone(11)), (50, alone(12))])
    assert after.rows.tolist() == [10, 0, 11, 1, 2, 3, 4, 12]
