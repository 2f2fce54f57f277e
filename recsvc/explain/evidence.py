"""Which facts support each item of a page for this user. Arrays in, facts out; names are filled in by the caller.

What moved a score is found by leaving things out: the user vector is computed again without one item of the history,
and the fall of the score is that item's effect (a deletion counterfactual, as in Tran et al., "Counterfactual
Explanations for Neural Recommenders", SIGIR 2021). It is exact for the tower that served, not an approximation of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.explain.facts import Fact, ItemFacts, UserFacts, looked_up
from recsvc.explain.relations import ANCHORS, COHORT, copurchase_facts, preferred_facts, similar_facts

# A history item that makes up less than this share of all that raises a score is not worth naming.
CONTRIBUTORY_SHARE = 0.10
# Scores closer than this are equal: what an old event of a long history adds may be no more than a last bit.
ROUNDING = 1e-5


def page_facts(
    user: UserFacts,
    items: ItemFacts,
    item_vectors: Floats,
    page_rows: Rows,
    competitor_rows: Rows,
    page_words: Sequence[Sequence[tuple[EvidenceKind, int]]] = (),
    page_mentions: Sequence[int] = (),
) -> list[list[Fact]]:
    """The facts for each item of a page, strongest first.

    page_rows: the items shown, best first; page_words: their categories and attributes, none known if empty;
    page_mentions: the word of each that the profile has too, -1 for none.
    competitor_rows: what competed for the page, the page included. An anchor is called causal only if, without it, at
    least as many of these as the page is long score higher: since these are part of the catalogue, the item would
    then be off the page in the catalogue too.
    """
    page = item_vectors[page_rows]
    scores = page @ user.user_vector
    without = page @ user.left_out_vectors.T
    same = page_rows[:, None] == user.left_out_rows
    lowering = _falls(scores[:, None], without)
    profile_effects = np.zeros(len(page_rows), np.float32)
    if user.without_profile is not None:
        profile_effects = _falls(scores, page @ user.without_profile)
    gains = looked_up(page_rows, user.repeat_rows, user.repeat_scores)
    raising = np.maximum(lowering.sum(axis=1) + profile_effects + gains, 1e-12)
    own = gains + (lowering * same).sum(axis=1)
    off_page = _off_page(user, item_vectors, page_rows, competitor_rows, without)
    purchases = looked_up(page_rows, user.bought_rows, user.purchases)

    anchors = _anchors(user, np.where(same, 0, lowering), raising, off_page)
    named = np.union1d(user.bought_rows, np.array([*user.visit], np.int32)).astype(np.int32)
    similar = similar_facts(user, items, page_rows, named)
    together = copurchase_facts(user, items, page_rows, named)
    brands = items.brands[page_rows].tolist()
    buyers = items.buyers[page_rows].tolist()
    facts: list[list[Fact]] = []
    for i, row in enumerate(page_rows.tolist()):
        found: list[Fact] = []
        if purchases[i]:
            share = min(float(own[i] / raising[i]), 1.0)
            strength = Strength.CONTRIBUTORY if share >= CONTRIBUTORY_SHARE else Strength.RELATIONAL
            count = int(purchases[i])
            ago = max(user.elapsed.get(row, 0), 0)
            amount = (float(own[i]), share)
            found.append(Fact(EvidenceKind.REPEAT_PURCHASE, strength, *amount, row, count=count, elapsed=ago))
        if (interval := user.intervals.get(row)) is not None:
            often, every, ago = interval
            relational = (EvidenceKind.REPEAT_INTERVAL, Strength.RELATIONAL)
            found.append(Fact(*relational, anchor_row=row, count=often, days=every, elapsed=ago))
        found += anchors[i]
        found += together[i]
        found += preferred_facts(user.preferences, brands[i], page_words[i] if page_words else ())
        found += similar[i]
        if (share := float(profile_effects[i] / raising[i])) >= CONTRIBUTORY_SHARE:
            word = page_mentions[i] if page_mentions else -1
            found.append(Fact(EvidenceKind.PROFILE, Strength.CONTRIBUTORY, float(profile_effects[i]), share, code=word))
        if buyers[i] >= COHORT:
            found.append(Fact(EvidenceKind.POPULARITY, Strength.NEUTRAL, count=buyers[i]))
        facts.append(found)
    return facts


def _falls(scores: Floats, without: Floats) -> Floats:
    """By how much scores fall without something, 0 where they do not."""
    falls = scores - without
    return np.where(falls > ROUNDING, falls, np.float32(0))


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
        amount = (float(effect[i, j]), float(share[i, j]))
        anchors[i].append(Fact(EvidenceKind.HISTORY_ITEM, strength, *amount, anchor, user.event(anchor)))
    return anchors


def _off_page(
    user: UserFacts, item_vectors: Floats, page_rows: Rows, competitor_rows: Rows, without: Floats
) -> NDArray[np.bool_]:
    """bool (page, left out): whether the item of the page would be off it without the item left out.

    without: float32 (page, left out), what the item of the page scores then, less what it gains.
    """
    products = user.left_out_vectors @ item_vectors[competitor_rows].T
    gains = looked_up(competitor_rows, user.repeat_rows, user.repeat_scores)
    # Without an item in the history, that item gains nothing from having been bought.
    competing = products + gains - (user.left_out_rows[:, None] == competitor_rows) * gains
    own = without + looked_up(page_rows, user.repeat_rows, user.repeat_scores)[:, None]
    off_page = _displaced(competing, own, page_rows, competitor_rows)
    if user.bonus_without is None:
        return off_page
    # How somebody shops says how they buy again, so any item less changes all gains a little: what is called causal
    # must hold with those worked out anew too.
    for j in np.flatnonzero(off_page.any(axis=0)).tolist():
        anew = user.bonus_without(int(user.left_out_rows[j]))
        competing = products[j : j + 1] + looked_up(competitor_rows, *anew)
        own = without[:, j : j + 1] + looked_up(page_rows, *anew)[:, None]
        off_page[:, j] &= _displaced(competing, own, page_rows, competitor_rows)[:, 0]
    return off_page


def _displaced(competing: Floats, own: Floats, page_rows: Rows, competitor_rows: Rows) -> NDArray[np.bool_]:
    """bool (page, left out): whether as many of the pool as the page is long are above an item of the page.

    competing: (left out, pool), own: (page, left out), scores.
    """
    # An item never competes with itself: its two scores come from products of different shapes, and may differ in the
    # last bit. Others count only when they are above by more than such a difference.
    others = competitor_rows != page_rows[:, None, None]
    above = np.count_nonzero((competing > own[:, :, None] + ROUNDING) & others, axis=2)
    return np.asarray(above >= len(page_rows))
