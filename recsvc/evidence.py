"""Which facts support each item of a page for this user. Arrays in, facts out; names are filled in by the caller.

What moved a score is found by leaving things out: the user vector is computed again without one item of the history,
and the fall of the score is that item's effect (a deletion counterfactual, as in Tran et al., "Counterfactual
Explanations for Neural Recommenders", SIGIR 2021). It is exact for the tower that served, not an approximation of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain import EvidenceKind, Strength

# A history item that makes up less than this share of all that raises a score is not worth naming.
CONTRIBUTORY_SHARE = 0.10
# Below these a preference for a brand or category may be chance.
PREFERENCE_LIFT = 1.5
PREFERENCE_PURCHASES = 3
# Fewer buyers than this would be a statement about individuals.
COHORT = 30
# How many history items are worth carrying to the planner: the best, and another for a page that just named it.
ANCHORS = 2

# Scores closer than this are equal.
ROUNDING = 1e-5

Rows = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about an item of the page. Fields that a kind does not use keep their defaults.

    anchor_row: the history item meant. code: the brand or category. Others as in `recsvc.domain.Evidence`.
    """

    kind: EvidenceKind
    strength: Strength
    effect: float = 0.0
    share: float = 0.0
    anchor_row: int = -1
    code: int = -1
    count: int = 0
    lift: float = 0.0


@dataclass(frozen=True)
class ItemFacts:
    """What is known of every item, whoever asks. All arrays have n rows; codes are -1 where there is none.

    similarity: float32 (n, t), unit rows whose inner product says how alike two items' texts are, and from which
    `similar_from` upwards they count as similar. brand_shares, category_shares: share of all purchases, by code.
    buyers: int32, different people who bought the item in the window.
    """

    similarity: Floats
    similar_from: float
    brands: Rows
    categories: Rows
    brand_shares: Floats
    category_shares: Floats
    buyers: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Preferences:
    """The brands and the categories that a user buys more than others do: code to (purchases, lift)."""

    brands: dict[int, tuple[int, float]]
    categories: dict[int, tuple[int, float]]


@dataclass(frozen=True)
class UserFacts:
    """What is known of one user. Rows are distinct items of the history that were bought and kept.

    purchases: int32 (m,), how often each of `bought_rows` was bought. left_out_rows (l,), left_out_vectors (l, d): the
    user vector without each of these. without_profile: (d,), or None when there is no profile. repeat_rows,
    repeat_scores: what the score of each bought item gained. preferences: what `preferences_of` found.
    """

    user_vector: Floats
    bought_rows: Rows
    purchases: NDArray[np.int32]
    left_out_rows: Rows
    left_out_vectors: Floats
    without_profile: Floats | None
    repeat_rows: Rows
    repeat_scores: Floats
    preferences: Preferences


def preferences_of(items: ItemFacts, bought_rows: Rows, purchases: NDArray[np.int32]) -> Preferences:
    """Depends on the history alone: worked out once a version of it. Rows and purchases as in `UserFacts`."""
    return Preferences(
        _preferred(items.brands[bought_rows], items.brand_shares, purchases),
        _preferred(items.categories[bought_rows], items.category_shares, purchases),
    )


def page_facts(
    user: UserFacts, items: ItemFacts, item_vectors: Floats, page_rows: Rows, pool_rows: Rows
) -> list[list[Fact]]:
    """The facts for each item of a page, strongest first.

    page_rows: the items shown, best first. pool_rows: what competed for the page, the page included. An anchor is
    called causal only if, without it, at least as many items of the pool as the page is long score higher: since the
    pool is part of the catalogue, the item would then be off the page in the catalogue too.
    """
    page = item_vectors[page_rows]
    scores = page @ user.user_vector
    without = page @ user.left_out_vectors.T
    same = page_rows[:, None] == user.left_out_rows
    lowering = np.maximum(scores[:, None] - without, 0)
    profile_effects = np.zeros(len(page_rows), np.float32)
    if user.without_profile is not None:
        profile_effects = np.maximum(scores - page @ user.without_profile, 0)
    gains = _looked_up(page_rows, user.repeat_rows, user.repeat_scores)
    raising = np.maximum(lowering.sum(axis=1) + profile_effects + gains, 1e-12)
    own = gains + (lowering * same).sum(axis=1)
    off_page = _off_page(user, item_vectors, page_rows, pool_rows, without + gains[:, None])
    purchases = _looked_up(page_rows, user.bought_rows, user.purchases)

    anchors = _anchors(user, np.where(same, 0, lowering), raising, off_page)
    similar = _similar(user, items, page_rows)
    preferences = (
        (EvidenceKind.BRAND, items.brands[page_rows].tolist(), user.preferences.brands),
        (EvidenceKind.CATEGORY, items.categories[page_rows].tolist(), user.preferences.categories),
    )
    buyers = items.buyers[page_rows].tolist()
    facts: list[list[Fact]] = []
    for i, row in enumerate(page_rows.tolist()):
        found: list[Fact] = []
        if purchases[i]:
            share = min(float(own[i] / raising[i]), 1.0)
            strength = Strength.CONTRIBUTORY if share >= CONTRIBUTORY_SHARE else Strength.RELATIONAL
            count = int(purchases[i])
            found.append(Fact(EvidenceKind.REPEAT_PURCHASE, strength, float(own[i]), share, row, count=count))
        found += anchors[i]
        for kind, codes, preferred in preferences:
            if (preference := preferred.get(codes[i])) is not None:
                count, lift = preference
                found.append(Fact(kind, Strength.RELATIONAL, code=codes[i], count=count, lift=lift))
        found += similar[i]
        if (share := float(profile_effects[i] / raising[i])) >= CONTRIBUTORY_SHARE:
            found.append(Fact(EvidenceKind.PROFILE, Strength.CONTRIBUTORY, float(profile_effects[i]), share))
        if buyers[i] >= COHORT:
            found.append(Fact(EvidenceKind.POPULARITY, Strength.NEUTRAL, count=buyers[i]))
        facts.append(found)
    return facts


def _anchors(user: UserFacts, effects: Floats, raising: Floats, off_page: NDArray[np.bool_]) -> list[list[Fact]]:
    """For each item of the page the history items worth naming, the strongest effect first."""
    strongest = np.argsort(-effects, axis=1, kind="stable")[:, :ANCHORS]
    each = np.arange(len(effects))[:, None]
    effect, causal = effects[each, strongest], off_page[each, strongest]
    share = effect / raising[:, None]
    worth_naming = (effect > 0) & (causal | (share >= CONTRIBUTORY_SHARE))
    anchors: list[list[Fact]] = [[] for _ in effects]
    for i, j in zip(*(places.tolist() for places in np.nonzero(worth_naming)), strict=True):
        strength = Strength.CAUSAL if causal[i, j] else Strength.CONTRIBUTORY
        anchor = int(user.left_out_rows[strongest[i, j]])
        anchors[i].append(Fact(EvidenceKind.HISTORY_ITEM, strength, float(effect[i, j]), float(share[i, j]), anchor))
    return anchors


def _similar(user: UserFacts, items: ItemFacts, page_rows: Rows) -> list[list[Fact]]:
    """For each item of the page the bought items alike in text, the most alike first."""
    likeness = items.similarity[page_rows] @ items.similarity[user.bought_rows].T
    likeness[page_rows[:, None] == user.bought_rows] = -1.0
    alike = np.argsort(-likeness, axis=1, kind="stable")[:, :ANCHORS]
    enough = likeness[np.arange(len(alike))[:, None], alike] >= items.similar_from
    similar: list[list[Fact]] = [[] for _ in page_rows]
    for i, j in zip(*(places.tolist() for places in np.nonzero(enough)), strict=True):
        anchor = int(user.bought_rows[alike[i, j]])
        similar[i].append(Fact(EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, anchor_row=anchor))
    return similar


def _off_page(
    user: UserFacts, item_vectors: Floats, page_rows: Rows, pool_rows: Rows, without: Floats
) -> NDArray[np.bool_]:
    """bool (page, left out): whether the item of the page would be off it without the item left out.

    without: float32 (page, left out), what the item of the page scores then.
    """
    gains = _looked_up(pool_rows, user.repeat_rows, user.repeat_scores)
    competing = user.left_out_vectors @ item_vectors[pool_rows].T + gains
    # Without an item in the history, that item gains nothing from having been bought.
    competing -= (user.left_out_rows[:, None] == pool_rows) * gains
    # An item never competes with itself: its two scores come from products of different shapes, and may differ in the
    # last bit. Others count only when they are above by more than such a difference.
    others = pool_rows != page_rows[:, None, None]
    above = np.count_nonzero((competing > without[:, :, None] + ROUNDING) & others, axis=2)
    return np.asarray(above >= len(page_rows))


def _preferred(held: Rows, base_shares: Floats, purchases: NDArray[np.int32]) -> dict[int, tuple[int, float]]:
    coded = held >= 0
    if not coded.any():
        return {}
    counts = np.bincount(held[coded], weights=purchases[coded])
    lifts = counts / purchases.sum() / np.maximum(base_shares[: len(counts)], 1e-12)
    chosen = np.flatnonzero((counts >= PREFERENCE_PURCHASES) & (lifts >= PREFERENCE_LIFT))
    return {int(code): (int(counts[code]), float(lifts[code])) for code in chosen}


def _looked_up(rows: Rows, known_rows: Rows, values: Floats | NDArray[np.int32]) -> Floats:
    """The value of each row, 0 where it is not known. `known_rows` ascend."""
    if not len(known_rows):
        return np.zeros(len(rows), np.float32)
    places = np.minimum(np.searchsorted(known_rows, rows), len(known_rows) - 1)
    return np.where(known_rows[places] == rows, values[places], 0).astype(np.float32)
