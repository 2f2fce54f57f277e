"""Evidence on arrays that are small enough to check by hand."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.shop import EventType
from recsvc.explain.evidence import page_facts
from recsvc.explain.facts import Fact, ItemFacts, Page, UserFacts
from recsvc.explain.relations import interval_of, largest_places, preferences_of

# Four items in two dimensions. The user bought 2 and 3: vector (1, 1). Without 2 it is (0, 1), without 3 it is (1, 0).
VECTORS = np.array([[1.0, 0.2], [0.3, 1.0], [1.0, 0.0], [0.0, 1.0]], np.float32)
NOTHING = np.empty(0, np.int32)


def likeness_of(texts: Floats) -> Callable[[Rows, Rows], Floats]:
    return lambda rows, others: texts[rows] @ texts[others].T


def items(**changes: object) -> ItemFacts:
    """Four items of one leaf category, so that each has a visible link with the others."""
    fields: dict[str, object] = {
        "vectors": VECTORS,
        "likeness": likeness_of(np.eye(4, dtype=np.float32)),
        "similar_from": 0.9,
        "serve_one_need": lambda rows, others: np.ones(len(rows), np.bool_),
        "leaves": np.zeros(4, np.int32),
        "parents": np.full(4, -1, np.int32),
        "brands": np.full(4, -1, np.int32),
        "brand_shares": np.empty(0, np.float32),
        "buyers": np.zeros(4, np.int32),
        "cohorts": np.zeros(4, np.int32),
        "companions": np.full((4, 2), -1, np.int32),
        "companion_buyers": np.zeros((4, 2), np.int32),
    }
    return ItemFacts(**(fields | changes))  # type: ignore[arg-type]


def user(shop: ItemFacts | None = None, **changes: object) -> UserFacts:
    fields: dict[str, object] = {
        "user_vector": np.array([1.0, 1.0], np.float32),
        "bought_rows": np.array([2, 3], np.int32),
        "purchases": np.array([1, 4], np.int32),
        "left_out_rows": np.array([2, 3], np.int32),
        "left_out_vectors": np.array([[0.0, 1.0], [1.0, 0.0]], np.float32),
        "without_profile": None,
        "repeat_rows": NOTHING,
        "repeat_scores": np.empty(0, np.float32),
    }
    fields |= changes
    preferences = preferences_of(shop or items(), fields["bought_rows"], fields["purchases"])  # type: ignore[arg-type]
    return UserFacts(**fields, preferences=preferences)  # type: ignore[arg-type]


def page_of(
    rows: list[int],
    competitors: list[int],
    terms: Sequence[Sequence[tuple[EvidenceKind, int]]] = (),
    phrases: Sequence[int] = (),
) -> Page:
    competitor_rows = np.array(competitors, np.int32)
    return Page(rows=np.array(rows, np.int32), competitor_rows=competitor_rows, terms=terms, profile_phrases=phrases)


def of_kind(facts: list[Fact], kind: EvidenceKind) -> list[Fact]:
    return [fact for fact in facts if fact.kind is kind]


def test_effect_of_a_history_item_is_the_fall_of_the_score() -> None:
    (facts,) = page_facts(user(), items(), page_of([0], [0, 1]))
    strongest, other = of_kind(facts, EvidenceKind.HISTORY_ITEM)
    assert (strongest.anchor_row, other.anchor_row) == (2, 3)
    np.testing.assert_allclose([strongest.effect, other.effect], [1.0, 0.2], rtol=1e-6)
    np.testing.assert_allclose([strongest.share, other.share], [1.0 / 1.2, 0.2 / 1.2], rtol=1e-6)


def test_history_item_is_causal_only_if_the_item_leaves_the_page_without_it() -> None:
    (facts,) = page_facts(user(), items(), page_of([1], [0, 1]))
    strengths = {fact.anchor_row: fact.strength for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM)}
    # Without 3 the user is (1, 0): item 0 scores 1, item 1 only .3. Without 2 item 1 still beats item 0.
    assert strengths == {3: Strength.CAUSAL, 2: Strength.CONTRIBUTORY}
    # A page long enough for both keeps item 1 whatever is left out.
    both = page_facts(user(), items(), page_of([1, 0], [0, 1]))
    assert all(fact.strength is not Strength.CAUSAL for facts in both for fact in facts)


def test_history_item_without_a_visible_link_gives_way_to_a_weaker_one_with_a_link() -> None:
    leaves = np.array([0, 1, 2, 0], np.int32)  # item 0 shares its category with 3; 2 raised its score most
    (facts,) = page_facts(user(), items(leaves=leaves), page_of([0], [0, 1]))
    assert [fact.anchor_row for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM)] == [3]
    (facts,) = page_facts(user(), items(leaves=np.full(4, -1, np.int32)), page_of([0], [0, 1]))
    assert not of_kind(facts, EvidenceKind.HISTORY_ITEM)


def test_history_item_that_lowers_the_score_is_not_named() -> None:
    against = user(left_out_vectors=np.array([[2.0, 1.0], [1.0, 0.0]], np.float32))
    (facts,) = page_facts(against, items(), page_of([0], [0, 1]))
    assert [fact.anchor_row for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM)] == [3]


def test_difference_of_one_bit_is_no_effect() -> None:
    unmoved = user(
        left_out_vectors=np.array([[1.0 - 1e-7, 1.0], [1.0, 1.0]], np.float32),
        without_profile=np.array([1.0, 1.0 - 1e-7], np.float32),
    )
    assert unmoved.left_out_vectors[0, 0] < 1  # less by one bit
    (facts,) = page_facts(unmoved, items(), page_of([0], [0, 1]))
    assert not [fact for fact in facts if fact.kind in (EvidenceKind.HISTORY_ITEM, EvidenceKind.PROFILE)]


def test_item_bought_before_is_a_repeat_purchase_and_not_its_own_anchor() -> None:
    again = user(repeat_rows=np.array([2, 3], np.int32), repeat_scores=np.array([0.1, 0.7], np.float32))
    (facts,) = page_facts(again, items(), page_of([3], [0, 1, 2, 3]))
    (repeat,) = of_kind(facts, EvidenceKind.REPEAT_PURCHASE)
    assert repeat.count == 4
    np.testing.assert_allclose(repeat.effect, 0.7 + 1.0, rtol=1e-6)
    assert all(fact.anchor_row != 3 for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM))


def test_preference_needs_enough_purchases_and_lift() -> None:
    page = page_of([1], [0, 1])
    brands = np.array([0, 1, 0, 1], np.int32)
    common = items(brands=brands, brand_shares=np.array([0.2, 0.8], np.float32))
    (facts,) = page_facts(user(common), common, page)
    assert not of_kind(facts, EvidenceKind.BRAND)  # 4 of 5 purchases, as for everybody
    rare = items(brands=brands, brand_shares=np.array([0.6, 0.4], np.float32))
    (facts,) = page_facts(user(rare), rare, page)
    (fact,) = of_kind(facts, EvidenceKind.BRAND)
    assert (fact.code, fact.count) == (1, 4)
    np.testing.assert_allclose(fact.lift, 2.0, rtol=1e-6)
    (facts,) = page_facts(user(rare, purchases=np.array([1, 2], np.int32)), rare, page)
    assert not of_kind(facts, EvidenceKind.BRAND)  # two purchases may be chance


def test_profile_similarity_and_popularity_are_found() -> None:
    texts = np.eye(4, dtype=np.float32)
    texts[0] = texts[2]
    shop = items(likeness=likeness_of(texts), buyers=np.array([29, 30, 0, 0], np.int32))
    profiled = user(without_profile=np.array([0.5, 1.0], np.float32))
    first, second = page_facts(profiled, shop, page_of([0, 1], [0, 1], phrases=[7, -1]))
    (similar,) = of_kind(first, EvidenceKind.SIMILAR_ITEM)
    assert similar.anchor_row == 2
    (profile,) = of_kind(first, EvidenceKind.PROFILE)
    np.testing.assert_allclose(profile.effect, 0.5, rtol=1e-6)
    assert profile.code == 7
    assert not of_kind(second, EvidenceKind.PROFILE)  # no phrase of it is linked with this item
    assert not of_kind(first, EvidenceKind.POPULARITY)  # too few people to be anonymous
    assert [fact.count for fact in of_kind(second, EvidenceKind.POPULARITY)] == [30]


def test_unknown_user_gets_popularity_alone() -> None:
    unknown = user(
        bought_rows=NOTHING,
        purchases=NOTHING,
        left_out_rows=NOTHING,
        left_out_vectors=np.empty((0, 2), np.float32),
    )
    shop = items(buyers=np.full(4, 50, np.int32))
    facts_by_item = page_facts(unknown, shop, page_of([0, 1], [0, 1]))
    assert all([fact.kind for fact in facts] == [EvidenceKind.POPULARITY] for facts in facts_by_item)


def test_co_purchases_are_ordered_by_share_of_buyers() -> None:
    together = items(
        cohorts=np.array([0, 0, 40, 90], np.int32),
        companions=np.array([[-1, -1], [-1, -1], [1, 0], [1, -1]], np.int32),
        companion_buyers=np.array([[0, 0], [0, 0], [12, 10], [45, 0]], np.int32),
    )
    looking = user(visit={3: EventType.VIEW}, bought_rows=np.array([2], np.int32), purchases=np.array([1], np.int32))
    first, second = page_facts(looking, together, page_of([0, 1], [0, 1]))
    (fact,) = of_kind(first, EvidenceKind.CO_PURCHASE)
    assert (fact.anchor_row, fact.count, fact.people, fact.event) == (2, 10, 40, EventType.PURCHASE)
    # Half of 90 says more than 12 of 40.
    facts = [(f.anchor_row, f.count, f.people, f.event) for f in of_kind(second, EvidenceKind.CO_PURCHASE)]
    assert facts == [(3, 45, 90, EventType.VIEW), (2, 12, 40, EventType.PURCHASE)]


def test_item_of_the_visit_is_named_with_its_event() -> None:
    visiting = user(
        visit={3: EventType.ADD_TO_CART}, bought_rows=np.array([2], np.int32), purchases=np.ones(1, np.int32)
    )
    (facts,) = page_facts(visiting, items(), page_of([0], [0, 1]))
    done = {fact.anchor_row: fact.event for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM)}
    assert done == {2: EventType.PURCHASE, 3: EventType.ADD_TO_CART}


def test_attribute_preference_needs_purchases_and_lift() -> None:
    shares = {5: 0.4, 6: 0.9}
    preferred = preferences_of(items(), NOTHING, np.array([2, 3], np.int32), {5: 4, 6: 5, 7: 2}, shares.__getitem__)
    assert preferred.terms == {5: (4, pytest.approx(2.0))}  # everybody buys 6, and 7 was bought only twice
    liking = replace(user(), preferences=preferred)
    terms = [[(EvidenceKind.ATTRIBUTE, 6), (EvidenceKind.ATTRIBUTE, 5)], [(EvidenceKind.CATEGORY, 7)]]
    first, second = page_facts(liking, items(), page_of([0, 1], [0, 1], terms))
    assert [fact.code for fact in of_kind(first, EvidenceKind.ATTRIBUTE)] == [5]
    assert not of_kind(second, EvidenceKind.ATTRIBUTE)


@pytest.mark.parametrize(
    ("days", "now", "interval"),
    [
        ((0, 30, 60), 90, (3, 30, 30)),
        ((0, 28, 60, 91), 115, (4, 30, 24)),
        ((0, 30, 60), 70, None),  # not yet
        ((0, 30, 60), 125, None),  # overdue for too long
        ((0, 30), 60, None),  # two purchases are too few
        ((0, 1, 60), 90, None),  # uneven gaps
        ((0, 1, 2), 3, None),  # gaps too short
    ],
)
def test_interval_needs_a_regular_rhythm_that_is_due(
    days: tuple[int, ...], now: int, interval: tuple[int, int, int] | None
) -> None:
    assert interval_of([24 * day for day in days], 24 * now, 24) == interval


def test_causal_item_is_outscored_by_enough_competitors() -> None:
    rng = np.random.default_rng(7)
    causal = 0
    for _ in range(200):
        vectors = rng.standard_normal((40, 33)).astype(np.float32)
        left_out = rng.standard_normal((6, 33)).astype(np.float32)
        bought = np.arange(34, 40, dtype=np.int32)
        shopper = user(
            shop=(shop := items_with(vectors)),
            user_vector=left_out.mean(axis=0),
            bought_rows=bought,
            purchases=np.ones(6, np.int32),
            left_out_rows=bought,
            left_out_vectors=left_out,
        )
        pool = np.argsort(-(vectors[:34] @ shopper.user_vector))[:20].astype(np.int32)
        page = Page(rows=pool[:5], competitor_rows=pool)
        for row, facts in zip(page.rows, page_facts(shopper, shop, page), strict=True):
            for fact in of_kind(facts, EvidenceKind.HISTORY_ITEM):
                without = vectors.astype(np.float64) @ left_out[fact.anchor_row - 34].astype(np.float64)
                if fact.strength is Strength.CAUSAL:
                    causal += 1
                    assert (np.delete(without, row) > without[row]).sum() >= len(page.rows)
    assert causal > 100


def items_with(vectors: np.ndarray) -> ItemFacts:
    n = len(vectors)
    none = np.full(n, -1, np.int32)
    nothing = np.zeros(n, np.int32)
    return items(
        vectors=vectors,
        likeness=likeness_of(np.eye(n, dtype=np.float32)),
        leaves=nothing,
        parents=none,
        brands=none,
        buyers=nothing,
        cohorts=nothing,
        companions=none[:, None],
        companion_buyers=nothing[:, None],
    )


def test_empty_page_has_no_facts() -> None:
    assert page_facts(user(), items(), page_of([], [])) == []


def test_largest_places_equal_a_stable_sort() -> None:
    rng = np.random.default_rng(11)
    for columns in (0, 1, 2, 9):
        values = rng.integers(0, 4, (50, columns)).astype(np.float32)  # with many ties
        expected = np.argsort(-values, axis=1, kind="stable")[:, :2]
        np.testing.assert_array_equal(largest_places(values, 2), expected)
