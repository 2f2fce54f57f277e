"""What is called causal on a real bundle: without the anchor everything is ranked anew, and the item is gone."""

from pathlib import Path

import numpy as np

from recsvc.domain.reason import Strength
from recsvc.domain.shop import EventType, History
from recsvc.explain.evidence import page_facts
from recsvc.explain.explainer import _item_facts
from recsvc.explain.facts import UserFacts
from recsvc.explain.relations import preferences_of
from recsvc.model import bundle_files as bundles
from recsvc.ranking import rank
from recsvc.retrieval.index import ScanIndex

K = 10


def bought(*rows: int) -> History:
    n = len(rows)
    times = 1_740_000_000_000_000 + 10**10 * np.arange(n)
    types = np.full(n, EventType.PURCHASE, np.int8)
    return History(np.array(rows, np.int32), times, types, np.ones(n, np.float32))


def test_without_its_cause_an_item_is_off_the_page(small_bundle: Path) -> None:
    bundle = bundles.load(small_bundle)
    tower, items, index = bundle.user_tower(), _item_facts(bundle), ScanIndex(bundle.item_vectors)
    rng, claims = np.random.default_rng(0), 0
    for _ in range(200):
        rows = np.sort(rng.choice(len(bundle.catalogue), 2, replace=False)).astype(np.int32)
        history = bought(*rows.tolist())
        vector = tower.user_vectors([history], [None])[0]
        left_out = tower.left_out(history, None, rows)
        ranking = rank(vector, bundle.item_vectors, index.search(vector[None], K + 2)[0], K + 32, rows)
        once = np.ones(2, np.int32)
        preferences = preferences_of(items, rows, once)
        user = UserFacts(vector, rows, once, left_out.rows, left_out.vectors, None, preferences)
        page = ranking.rows[:K]
        facts = page_facts(user, items, bundle.item_vectors, page, ranking.rows)
        for kept, cause in (rows, rows[::-1]):
            alone = tower.user_vectors([bought(int(kept))], [None])[0]
            found = index.search(alone[None], K + 1)[0]
            shown = rank(alone, bundle.item_vectors, found, K, np.array([kept], np.int32)).rows
            for row, about in zip(page, facts, strict=True):
                if any(f.strength is Strength.CAUSAL and f.anchor_row == cause for f in about):
                    claims += 1
                    assert row not in shown
    assert claims > 500
