"""Evidence on arrays small enough to check by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.shop import EventType
from recsvc.explain.evidence import page_facts
from recsvc.explain.facts import Fact, ItemFacts, UserFacts
from recsvc.explain.relations import interval_of, preferences_of

# Four items in two dimensions. The user bought 2 and 3: vector (1, 1). Without 2 it is (0, 1), without 3 it is (1, 0).
VECTORS = np.array([[1.0, 0.2], [0.3, 1.0], [1.0, 0.0], [0.0, 1.0]], np.float32)
NOTHING = np.empty(0, np.int32)


def items(**changes: object) -> ItemFacts:
    known: dict[str, object] = {
        "similarity": np.eye(4, dtype=np.float32),
        "similar_from": 0.9,
        "brands": np.full(4, -1, np.int32),
        "brand_shares": np.empty(0, np.float32),
        "buyers": np.zeros(4, np.int32),
        "cohorts": np.zeros(4, np.int32),
        "companions": np.full((4, 2), -1, np.int32),
        "companion_buyers": np.zeros((4, 2), np.int32),
    }
    return ItemFacts(**(known | changes))  # type: ignore[arg-type]


def user(shop: ItemFacts | None = None, **changes: object) -> UserFacts:
    known: dict[str, object] = {
        "user_vector": np.array([1.0, 1.0], np.float32),
        "bought_rows": np.array([2, 3], np.int32),
        "purchases": np.array([1, 4], np.int32),
        "left_out_rows": np.array([2, 3], np.int32),
        "left_out_vectors": np.array([[0.0, 1.0], [1.0, 0.0]], np.float32),
        "without_profile": None,
        "repeat_rows": NOTHING,
        "repeat_scores": np.empty(0, np.float32),
    }
    known |= changes
    preferences = preferences_of(shop or items(), known["bought_rows"], known["purchases"])  # type: ignore[arg-type]
    return UserFacts(**known, preferences=preferences)  # type: ignore[arg-type]


def of_kind(facts: list[Fact], kind: EvidenceKind) -> list[Fact]:
    return [fact for fact in facts if fact.kind is kind]


def test_the_effect_is_what_the_score_loses() -> None:
    (facts,) = page_facts(user(), items(), VECTORS, np.array([0], np.int32), np.array([0, 1], np.int32))
    strongest, other = of_kind(facts, EvidenceKind.HISTORY_ITEM)
    assert (strongest.anchor_row, other.anchor_row) == (2, 3)
    np.testing.assert_allclose([strongest.effect, other.effect], [1.0, 0.2], rtol=1e-6)
    np.testing.assert_allclose([strongest.share, other.share], [1.0 / 1.2, 0.2 / 1.2], rtol=1e-6)


def test_causal_only_if_the_item_leaves_the_page_without_it() -> None:
    page, pool = np.array([1], np.int32), np.array([0, 1], np.int32)
    (facts,) = page_facts(user(), items(), VECTORS, page, pool)
    strengths = {fact.anchor_row: fact.strength for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM)}
    # Without 3 the user is (1, 0): item 0 scores 1, item 1 only .3. Without 2 item 1 still beats item 0.
    assert strengths == {3: Strength.CAUSAL, 2: Strength.CONTRIBUTORY}
    # A page long enough for both keeps item 1 whatever is left out.
    both = page_facts(user(), items(), VECTORS, np.array([1, 0], np.int32), pool)
    assert all(fact.strength is not Strength.CAUSAL for facts in both for fact in facts)


def test_what_does_not_lower_the_score_is_never_cited() -> None:
    against = user(left_out_vectors=np.array([[2.0, 1.0], [1.0, 0.0]], np.float32))
    (facts,) = page_facts(against, items(), VECTORS, np.array([0], np.int32), np.array([0, 1], np.int32))
    assert [fact.anchor_row for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM)] == [3]


def test_a_last_bit_is_no_effect_even_where_nothing_else_has_any() -> None:
    hardly = user(
        left_out_vectors=np.array([[1.0 - 1e-7, 1.0], [1.0, 1.0]], np.float32),
        without_profile=np.array([1.0, 1.0 - 1e-7], np.float32),
    )
    assert hardly.left_out_vectors[0, 0] < 1  # it is a bit less
    (facts,) = page_facts(hardly, items(), VECTORS, np.array([0], np.int32), np.array([0, 1], np.int32))
    assert not [fact for fact in facts if fact.kind in (EvidenceKind.HISTORY_ITEM, EvidenceKind.PROFILE)]


def test_an_item_bought_before_is_a_repeat_and_never_its_own_anchor() -> None:
    again = user(repeat_rows=np.array([2, 3], np.int32), repeat_scores=np.array([0.1, 0.7], np.float32))
    (facts,) = page_facts(again, items(), VECTORS, np.array([3], np.int32), np.array([0, 1, 2, 3], np.int32))
    (repeat,) = of_kind(facts, EvidenceKind.REPEAT_PURCHASE)
    assert repeat.count == 4
    np.testing.assert_allclose(repeat.effect, 0.7 + 1.0, rtol=1e-6)
    assert all(fact.anchor_row != 3 for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM))


def test_a_preference_needs_enough_purchases_and_lift() -> None:
    page, pool = np.array([1], np.int32), np.array([0, 1], np.int32)
    brands = np.array([0, 1, 0, 1], np.int32)
    common = items(brands=brands, brand_shares=np.array([0.2, 0.8], np.float32))
    (facts,) = page_facts(user(common), common, VECTORS, page, pool)
    assert not of_kind(facts, EvidenceKind.BRAND)  # 4 of 5 purchases, as everybody
    rare = items(brands=brands, brand_shares=np.array([0.6, 0.4], np.float32))
    (facts,) = page_facts(user(rare), rare, VECTORS, page, pool)
    (fact,) = of_kind(facts, EvidenceKind.BRAND)
    assert (fact.code, fact.count) == (1, 4)
    np.testing.assert_allclose(fact.lift, 2.0, rtol=1e-6)
    (facts,) = page_facts(user(rare, purchases=np.array([1, 2], np.int32)), rare, VECTORS, page, pool)
    assert not of_kind(facts, EvidenceKind.BRAND)  # twice may be chance


def test_profile_similarity_and_popularity() -> None:
    alike = np.eye(4, dtype=np.float32)
    alike[0] = alike[2]
    known = items(similarity=alike, buyers=np.array([29, 30, 0, 0], np.int32))
    profiled = user(without_profile=np.array([0.5, 1.0], np.float32))
    first, second = page_facts(profiled, known, VECTORS, np.array([0, 1], np.int32), np.array([0, 1], np.int32))
    (similar,) = of_kind(first, EvidenceKind.SIMILAR_ITEM)
    assert similar.anchor_row == 2
    (profile,) = of_kind(first, EvidenceKind.PROFILE)
    np.testing.assert_allclose(profile.effect, 0.5, rtol=1e-6)
    assert not of_kind(first, EvidenceKind.POPULARITY)  # 29 people could be guessed at
    assert [fact.count for fact in of_kind(second, EvidenceKind.POPULARITY)] == [30]


def test_a_stranger_has_only_what_is_true_for_everybody() -> None:
    stranger = user(
        bought_rows=NOTHING,
        purchases=NOTHING,
        left_out_rows=NOTHING,
        left_out_vectors=np.empty((0, 2), np.float32),
    )
    known = items(buyers=np.full(4, 50, np.int32))
    page = page_facts(stranger, known, VECTORS, np.array([0, 1], np.int32), np.array([0, 1], np.int32))
    assert all([fact.kind for fact in facts] == [EvidenceKind.POPULARITY] for facts in page)


def test_what_people_who_bought_an_anchor_bought_too() -> None:
    together = items(
        cohorts=np.array([0, 0, 40, 90], np.int32),
        companions=np.array([[-1, -1], [-1, -1], [1, 0], [1, -1]], np.int32),
        companion_buyers=np.array([[0, 0], [0, 0], [12, 10], [45, 0]], np.int32),
    )
    page = np.array([0, 1], np.int32)
    looking = user(visit={3: EventType.VIEW}, bought_rows=np.array([2], np.int32), purchases=np.array([1], np.int32))
    first, second = page_facts(looking, together, VECTORS, page, page)
    (fact,) = of_kind(first, EvidenceKind.CO_PURCHASE)
    assert (fact.anchor_row, fact.count, fact.people, fact.event) == (2, 10, 40, EventType.PURCHASE)
    # Half of 90 says more than 12 of 40.
    facts = [(f.anchor_row, f.count, f.people, f.event) for f in of_kind(second, EvidenceKind.CO_PURCHASE)]
    assert facts == [(3, 45, 90, EventType.VIEW), (2, 12, 40, EventType.PURCHASE)]


def test_what_is_looked_at_moves_a_score_as_what_was_bought_does() -> None:
    visiting = user(
        visit={3: EventType.ADD_TO_CART}, bought_rows=np.array([2], np.int32), purchases=np.ones(1, np.int32)
    )
    (facts,) = page_facts(visiting, items(), VECTORS, np.array([0], np.int32), np.array([0, 1], np.int32))
    done = {fact.anchor_row: fact.event for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM)}
    assert done == {2: EventType.PURCHASE, 3: EventType.ADD_TO_CART}


def test_an_attribute_is_preferred_as_a_brand_is() -> None:
    shares = {5: 0.4, 6: 0.9}
    preferred = preferences_of(items(), NOTHING, np.array([2, 3], np.int32), {5: 4, 6: 5, 7: 2}, shares.__getitem__)
    assert preferred.words == {5: (4, pytest.approx(2.0))}  # 6 is everybody's, 7 was bought but twice
    page = np.array([0, 1], np.int32)
    liking = replace(user(), preferences=preferred)
    words = [[(EvidenceKind.ATTRIBUTE, 6), (EvidenceKind.ATTRIBUTE, 5)], [(EvidenceKind.CATEGORY, 7)]]
    first, second = page_facts(liking, items(), VECTORS, page, page, words)
    assert [fact.code for fact in of_kind(first, EvidenceKind.ATTRIBUTE)] == [5]
    assert not of_kind(second, EvidenceKind.ATTRIBUTE)


@pytest.mark.parametrize(
    ("days", "now", "interval"),
    [
        ((0, 30, 60), 90, (3, 30, 30)),
        ((0, 28, 60, 91), 115, (4, 30, 24)),
        ((0, 30, 60), 70, None),  # not yet
        ((0, 30, 60), 125, None),  # given up
        ((0, 30), 60, None),  # twice is no rhythm
        ((0, 1, 60), 90, None),  # nor is this
        ((0, 1, 2), 3, None),  # nor a busy week
    ],
)
def test_an_interval_is_one_that_the_user_keeps(
    days: tuple[int, ...], now: int, interval: tuple[int, int, int] | None
) -> None:
    assert interval_of([24 * day for day in days], 24 * now, 24) == interval


def test_causal_means_that_enough_others_are_above() -> None:
    rng = np.random.default_rng(7)
    causal = 0
    for _ in range(200):
        vectors = rng.standard_normal((40, 33)).astype(np.float32)
        left_out = rng.standard_normal((6, 33)).astype(np.float32)
        bought = np.arange(34, 40, dtype=np.int32)
        shopper = user(
            shop=(shop := items_of(40)),
            user_vector=left_out.mean(axis=0),
            bought_rows=bought,
            purchases=np.ones(6, np.int32),
            left_out_rows=bought,
            left_out_vectors=left_out,
        )
        pool = np.argsort(-(vectors[:34] @ shopper.user_vector))[:20].astype(np.int32)
        page = pool[:5]
        for row, facts in zip(page, page_facts(shopper, shop, vectors, page, pool), strict=True):
            for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM):
                without = vectors.astype(np.float64) @ left_out[fact.anchor_row - 34].astype(np.float64)
                if fact.strength is Strength.CAUSAL:
                    causal += 1
                    assert (np.delete(without, row) > without[row]).sum() >= len(page)
    assert causal > 100


def items_of(n: int) -> ItemFacts:
    none = np.full(n, -1, np.int32)
    nothing = np.zeros(n, np.int32)
    return items(
        similarity=np.eye(n, dtype=np.float32),
        brands=none,
        buyers=nothing,
        cohorts=nothing,
        companions=none[:, None],
        companion_buyers=nothing[:, None],
    )
