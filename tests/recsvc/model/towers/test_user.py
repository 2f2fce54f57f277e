"""The user tower: left-out vectors equal those of shorter histories; unknown users get popular items."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.shop import EventType, History
from recsvc.model import bundle_files as bundles
from recsvc.model import text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from recsvc.model.towers.user import ProfileText


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    return bundles.load(small_bundle)


@pytest.fixture(scope="module")
def profile() -> ProfileText:
    words = "Loves camping and long trail runs."
    return ProfileText(words, text_encoders.load("embedded").encode([words])[0])


def bought(*rows: int) -> History:
    """Purchases at the same time, so that leaving one out changes no age."""
    n = len(rows)
    types = np.full(n, EventType.PURCHASE, np.int8)
    return History(np.array(rows, np.int32), np.full(n, 10**15, np.int64), types, np.ones(n, np.float32))


WARM = FusionWeights(BlockWeights(1.0, 0.8, 0.4, 0.6, 0.3), BlockWeights(text=0.5, prior=0.7))


def test_left_out_equals_the_tower_on_the_shorter_history(bundle: Bundle, profile: ProfileText) -> None:
    tower = bundle.user_tower(WARM)
    rows = [5, 9, 30, 41, 77]
    left_out = tower.left_out(bought(*rows), profile, np.array(rows, np.int32))
    assert left_out.rows.tolist() == rows
    for i, row in enumerate(rows):
        rest = [other for other in rows if other != row]
        np.testing.assert_allclose(left_out.vectors[i], tower.user_vectors([bought(*rest)], [profile])[0], atol=1e-5)
    without = tower.user_vectors([bought(*rows)], [None])[0]
    assert left_out.without_profile is not None
    np.testing.assert_allclose(left_out.without_profile, without, atol=1e-5)


@pytest.mark.parametrize("n", [30, 50, 51, 80])
@pytest.mark.parametrize("has_profile", [True, False])
def test_vectors_of_a_long_history_equal_the_tower_on_each_shorter_one(
    bundle: Bundle, profile: ProfileText, n: int, has_profile: bool
) -> None:
    tower, rows = bundle.user_tower(WARM), np.random.default_rng(n).permutation(len(bundle.catalogue))[:n]
    own = profile if has_profile else None
    history = bought(*rows.tolist())
    left_out = tower.left_out(history, own, np.sort(rows[-20:]).astype(np.int32))
    shorter = [history.select(history.rows != row) for row in left_out.rows]
    np.testing.assert_allclose(left_out.vectors, tower.user_vectors(shorter, [own] * len(shorter)), atol=1e-5)
    np.testing.assert_allclose(left_out.complete, tower.user_vectors([history], [own])[0], atol=1e-5)


def test_equal_neighbours_of_a_left_out_item_become_one(bundle: Bundle) -> None:
    tower = bundle.user_tower()
    left_out = tower.left_out(bought(3, 5, 3), None, np.array([5], np.int32))
    without = bought(3, 5, 3).select(np.array([True, False, True]))
    np.testing.assert_allclose(left_out.vectors[0], tower.user_vectors([without], [None])[0], atol=1e-4)


def test_only_item_left_out_gives_the_cold_vector(bundle: Bundle, profile: ProfileText) -> None:
    tower = bundle.user_tower(WARM)
    left_out = tower.left_out(bought(5), profile, np.array([5], np.int32))
    np.testing.assert_allclose(left_out.vectors, tower.user_vectors([History.empty()], [profile]), atol=1e-5)


def test_unknown_user_ranks_items_by_popularity(bundle: Bundle) -> None:
    vector = bundle.user_tower().user_vectors([History.empty()], [None])[0]
    scores = bundle.item_vectors @ vector
    prior = bundle.item_vectors[:, bundle.layout.prior].ravel()
    assert np.array_equal(np.argsort(-scores, kind="stable"), np.argsort(-prior, kind="stable"))


def test_returned_item_has_no_effect(bundle: Bundle) -> None:
    tower = bundle.user_tower()
    returned = History(
        np.array([5, 9, 9], np.int32),
        np.full(3, 10**15, np.int64),
        np.array([EventType.PURCHASE, EventType.PURCHASE, EventType.RETURN], np.int8),
        np.ones(3, np.float32),
    )
    vectors = tower.user_vectors([returned, bought(5)], [None, None])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert tower.left_out(returned, None, np.array([5, 9], np.int32)).rows.tolist() == [5]


def test_vector_of_a_user_does_not_depend_on_the_batch(bundle: Bundle, profile: ProfileText) -> None:
    tower = bundle.user_tower()
    histories = [bought(*range(n)) for n in (0, 1, 3, 80)]
    profiles = [profile, None, profile, None]
    together = tower.user_vectors(histories, profiles)
    alone = [tower.user_vectors([h], [p])[0] for h, p in zip(histories, profiles, strict=True)]
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-5)


def test_profiles_read_before_give_the_vectors_of_profiles_read_when_they_are_needed(
    bundle: Bundle, profile: ProfileText
) -> None:
    rest = [ProfileText(f"age: {age}", profile.embedding[::-1].copy()) for age in (20, 30)]
    histories = [bought(5, 9), History.empty(), bought(7)]
    expected = bundle.user_tower(WARM).user_vectors(histories, [profile, *rest])
    tower = bundle.user_tower(WARM)
    tower.read_profiles([rest[1], None, profile, rest[1]])
    np.testing.assert_allclose(tower.user_vectors(histories, [profile, *rest]), expected, atol=1e-6)


def test_lexical_block_is_the_decayed_sum_of_the_newest_items(bundle: Bundle) -> None:
    tower, columns = bundle.user_tower(FusionWeights.only(BlockWeights(lexical=1.0))), bundle.layout.lexical
    assert columns.stop > columns.start
    vector = tower.user_vectors([bought(5, 9, 30)], [None])[0]
    decay = bundle.model.lexical_decay
    expected = sum(decay**age * bundle.item_vectors[row, columns] for age, row in enumerate((30, 9, 5)))
    np.testing.assert_allclose(vector[columns], expected / np.linalg.norm(expected), atol=1e-6)
    assert not np.delete(vector, np.arange(columns.start, columns.stop)).any()


def test_sequence_block_ignores_items_without_a_vector_there(bundle: Bundle) -> None:
    unsold, columns = int(np.flatnonzero(bundle.purchases == 0)[0]), bundle.layout.sequence
    item_vectors = bundle.item_vectors.copy()
    item_vectors[unsold, columns] = 0
    tower = replace(bundle, item_vectors=item_vectors).user_tower(FusionWeights.only(BlockWeights(sequence=1.0)))
    vectors = tower.user_vectors([bought(5, unsold, 9), bought(5, 9), bought(unsold)], [None] * 3)[:, columns]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert not vectors[2].any()
