"""Finds the facts that support each item of a page for one user. Arrays and codes in, facts out.

Each kind of evidence has one function, here if it is about scores, else in `recsvc.explain.relations`.
"""

from itertools import chain

import numpy as np

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.explain.effects import PageEffects, causal_pairs, page_effects
from recsvc.explain.facts import Fact, ItemFacts, Page, UserFacts
from recsvc.explain.relations import (
    MAX_ANCHORS,
    anchor_rows,
    copurchase_facts,
    largest_places,
    popularity_facts,
    preference_facts,
    repeat_interval_facts,
    similar_facts,
)
from recsvc.explain.visible_links import VisibleLinks, visible_links
from recsvc.ranking import values_of

# An item of the history, or the profile, that makes up less than this share of all effects is not worth naming.
CONTRIBUTORY_SHARE = 0.10


def page_facts(user: UserFacts, items: ItemFacts, page: Page) -> list[list[Fact]]:
    """Returns the facts for each item of a page, kind by kind in the order below."""
    effects = page_effects(user, items.vectors, page)
    links = visible_links(items, page.rows, anchor_rows(user))
    facts_by_kind = (
        repeat_purchase_facts(user, page, effects),
        repeat_interval_facts(user, page),
        history_facts(user, items, page, effects, links),
        copurchase_facts(user, items, page, links),
        preference_facts(user, items, page),
        similar_facts(user, links),
        profile_facts(page, effects),
        popularity_facts(items, page),
    )
    return [list(chain.from_iterable(facts_of_item)) for facts_of_item in zip(*facts_by_kind, strict=True)]


def repeat_purchase_facts(user: UserFacts, page: Page, effects: PageEffects) -> list[list[Fact]]:
    """For each item of the page: how often the user bought this very item, and its effect on the score."""
    purchases = values_of(page.rows, user.bought_rows, user.purchases)
    facts: list[list[Fact]] = [[] for _ in purchases]
    for i in np.flatnonzero(purchases).tolist():
        share = min(float(effects.itself[i] / effects.total[i]), 1.0)
        fact = Fact(
            EvidenceKind.REPEAT_PURCHASE,
            Strength.CONTRIBUTORY if share >= CONTRIBUTORY_SHARE else Strength.RELATIONAL,
            effect=float(effects.itself[i]),
            share=share,
            anchor_row=(row := int(page.rows[i])),
            count=int(purchases[i]),
            elapsed=max(user.elapsed.get(row, 0), 0),
        )
        facts[i].append(fact)
    return facts


def history_facts(
    user: UserFacts, items: ItemFacts, page: Page, effects: PageEffects, links: VisibleLinks
) -> list[list[Fact]]:
    """For each item of the page: the items of the history that raised its score, the strongest effect first.

    Only items with a visible link count. A fact is causal if the item would be off the page without that item.
    """
    visible = links.of_rows(user.left_out_rows)
    citable = np.where(visible, effects.history, np.float32(0))
    strongest = largest_places(citable, MAX_ANCHORS)
    raising, columns = np.nonzero(np.take_along_axis(citable, strongest, axis=1) > 0)
    anchors = strongest[raising, columns]
    effect = citable[raising, anchors]
    share = effect / effects.total[raising]
    causal = causal_pairs(user, items.vectors, page, effects, raising, anchors)
    facts: list[list[Fact]] = [[] for _ in page.rows]
    found = zip(
        raising.tolist(),
        user.left_out_rows[anchors].tolist(),
        effect.tolist(),
        share.tolist(),
        causal.tolist(),
        strict=True,
    )
    for place, anchor, effect_of, share_of, is_causal in found:
        if is_causal or share_of >= CONTRIBUTORY_SHARE:
            fact = Fact(
                EvidenceKind.HISTORY_ITEM,
                Strength.CAUSAL if is_causal else Strength.CONTRIBUTORY,
                effect=effect_of,
                share=share_of,
                anchor_row=anchor,
                event=user.event(anchor),
            )
            facts[place].append(fact)
    return facts


def profile_facts(page: Page, effects: PageEffects) -> list[list[Fact]]:
    """For each item of the page: the profile, if it raised the score and has a phrase that is linked with the item."""
    shares = effects.profile / effects.total
    facts: list[list[Fact]] = [[] for _ in shares]
    if not page.profile_phrases:
        return facts
    linked = np.array(page.profile_phrases) >= 0
    for i in np.flatnonzero(linked & (shares >= CONTRIBUTORY_SHARE)).tolist():
        fact = Fact(
            EvidenceKind.PROFILE,
            Strength.CONTRIBUTORY,
            effect=float(effects.profile[i]),
            share=float(shares[i]),
            code=page.profile_phrases[i],
        )
        facts[i].append(fact)
    return facts
