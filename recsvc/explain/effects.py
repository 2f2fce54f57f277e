"""Computes how much each thing that is known of a user raised the scores of a page. Arrays only.

An effect is found by leaving one thing out: the user vector is computed again without one item of the history, and the
fall of the score is that item's effect (a deletion counterfactual, as in Tran et al., "Counterfactual Explanations for
Neural Recommenders", SIGIR 2021). It is exact for the tower that served, not an approximation of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.explain.facts import Page, UserFacts
from recsvc.ranking import SCORE_TOLERANCE, values_of


@dataclass(frozen=True, kw_only=True)
class PageEffects:
    """The parts of each score on a page, by source, in score units, 0 or more.

    Attributes:
        itself: Because the user bought this very item, float32 (page,).
        history: Because of each other item that was left out, float32 (page, left out).
        profile: Because of the profile, float32 (page,).
        total: The sum of all of these, at least 1e-12, float32 (page,).
        gains: What each item gains because it was bought; a part of `itself`, float32 (page,).
        scores_without: Scores without each item left out, and without the repeat bonus, float32 (page, left out).
    """

    itself: Floats
    history: Floats
    profile: Floats
    total: Floats
    gains: Floats
    scores_without: Floats


def page_effects(user: UserFacts, item_vectors: Floats, page: Page) -> PageEffects:
    """Leaves out each item of the history, and the profile.

    Args:
        user: Gives the user vector, and the vectors with one thing left out.
        item_vectors: float32 (n, d).
        page: The items.
    """
    vectors = item_vectors[page.rows]
    scores_without = user.scores_without(page.rows, vectors)
    falls = _falls(user.scores(page.rows, vectors)[:, None], scores_without)
    profile = np.zeros(len(page.rows), np.float32)
    if user.without_profile is not None:
        profile = _falls(vectors @ user.user_vector, vectors @ user.without_profile)
    gains = values_of(page.rows, user.repeat_rows, user.repeat_scores)
    same_item = page.rows[:, None] == user.left_out_rows
    return PageEffects(
        itself=gains + (falls * same_item).sum(axis=1),
        history=np.where(same_item, 0, falls),
        profile=profile,
        total=np.maximum(falls.sum(axis=1) + profile + gains, 1e-12),
        gains=gains,
        scores_without=scores_without,
    )


def causal_pairs(
    user: UserFacts,
    item_vectors: Floats,
    page: Page,
    effects: PageEffects,
    places: NDArray[np.intp],
    anchors: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Returns for some pairs whether an item would be off the page without an item left out, bool (pairs,).

    It is off the page if at least as many competitors as the page is long score higher. The competitors are a part of
    the catalogue, so the item would then be off the page in the complete catalogue too.

    Args:
        user: Gives the vectors with one item left out.
        item_vectors: float32 (n, d).
        page: The items, and those that competed with them.
        effects: Of the page.
        places: Of each pair, the place of its item on the page.
        anchors: Of each pair, the place in `user.left_out_rows`.
    """
    causal = np.zeros(len(places), np.bool_)
    if not len(places) or len(page.competitor_rows) < len(page.rows):
        return causal
    products = user.scores_without(page.competitor_rows, item_vectors[page.competitor_rows]).T
    own_products = effects.scores_without[places, anchors]
    competitor_gains = values_of(page.competitor_rows, user.repeat_rows, user.repeat_scores)
    # An item that is left out gains nothing from having been bought.
    same_item = user.left_out_rows[anchors, None] == page.competitor_rows
    competing = products[anchors] + competitor_gains - same_item * competitor_gains
    causal = _outscored(page, places, own_products + effects.gains[places], competing)
    if user.bonus_without is None or not causal.any() or not competitor_gains.any():
        return causal
    # The repeat bonus depends on how the user shops, so one item less changes all gains a little. A causal claim must
    # hold with the gains computed again too.
    gains = user.bonus_without(np.append(page.rows, page.competitor_rows))
    own_gains, competitor_gains = gains[:, : len(page.rows)], gains[:, len(page.rows) :]
    own = own_products + own_gains[anchors, places]
    return causal & _outscored(page, places, own, products[anchors] + competitor_gains[anchors])


def _falls(scores: Floats, scores_without: Floats) -> Floats:
    """Returns by how much scores fall without something, 0 if they do not fall."""
    falls = scores - scores_without
    return np.where(falls > SCORE_TOLERANCE, falls, np.float32(0))


def _outscored(page: Page, places: NDArray[np.intp], own: Floats, competing: Floats) -> NDArray[np.bool_]:
    """Returns whether at least as many competitors as the page is long score higher, bool (pairs,).

    Args:
        page: The items, and those that competed with them.
        places: Of each pair, the place of its item on the page.
        own: The score of that item, float32 (pairs,).
        competing: Scores of the competitors, float32 (pairs, competitors).
    """
    # An item does not compete with itself: its two scores come from products of different shapes, and may differ in
    # the last bit. Another item counts only if it is higher by more than such a difference.
    others = page.competitor_rows != page.rows[places, None]
    higher = np.count_nonzero((competing > own[:, None] + SCORE_TOLERANCE) & others, axis=1)
    return np.asarray(higher >= len(page.rows))
