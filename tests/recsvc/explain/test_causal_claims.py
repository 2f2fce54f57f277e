"""Causal claims on a real bundle: ranked again without the anchor, the item is off the page."""

from pathlib import Path

import numpy as np

from recsvc.domain.reason import Strength
from recsvc.domain.shop import EventType, History
from recsvc.explain.bundle_facts import item_facts
from recsvc.explain.evidence import page_facts
from recsvc.explain.facts import Page, UserFacts
from recsvc.explain.relations import preferences_of
from recsvc.model import bundle_files as bundles
from recsvc.model.history_bonus import gains_without, neighbour_gains, newest_items_of
from recsvc.ranking import among, rank
from recsvc.retrieval.index import ScanIndex

K = 10


def bought(*rows: int) -> History:
    n = len(rows)
    times = 1_740_000_000_000_000 + 10**10 * np.arange(n)
    types = np.full(n, EventType.PURCHASE, np.int8)
    return History(np.array(rows, np.int32), times, types, np.ones(n, np.float32))


def test_causal_item_is_off_the_page_without_its_anchor(small_bundle: Path) -> None:
    bundle = bundles.load(small_bundle)
    tower, items, index = bundle.user_tower(), item_facts(bundle), ScanIndex(bundle.item_vectors)
    rng, claims = np.random.default_rng(0), 0
    for _ in range(200):
        rows = np.sort(rng.choice(len(bundle.catalogue), 2, replace=False)).astype(np.int32)
        history = bought(*rows.tolist())
        vector = tower.user_vectors([history], [None])[0]
        left_out = tower.left_out(history, None, rows)
        newest = newest_items_of(bundle, history)
        assert newest is not None
        gains = neighbour_gains(bundle, newest)
        ranking = rank(vector, bundle.item_vectors, index.search(vector[None], K + 2)[0], K + 32, rows, gains)
        listed, once = np.sort(ranking.rows), np.ones(2, np.int32)
        user = UserFacts(
            user_vector=vector,
            bought_rows=rows,
            purchases=once,
            left_out_rows=left_out.rows,
            left_out_vectors=left_out.vectors,
            without_profile=None,
            neighbour_rows=gains.rows,
            neighbour_gains=gains.scores,
            rows_without=listed,
            gains_without=gains_without(bundle, newest, rows, listed),
            preferences=preferences_of(items, rows, once),
        )
        page = Page(rows=ranking.rows[:K], competitor_rows=ranking.rows)
        facts = page_facts(user, items, page)
        for kept, cause in (rows, rows[::-1]):
            shorter = bought(int(kept))
            alone, gains_alone = (
                tower.user_vectors([shorter], [None])[0],
                neighbour_gains(bundle, newest_items_of(bundle, shorter)),
            )
            candidates = index.search(alone[None], K + 1)[0]
            shown = rank(alone, bundle.item_vectors, candidates, K, np.array([kept], np.int32), gains_alone).rows
            scores_without = user.scores_without(ranking.rows, bundle.item_vectors[ranking.rows])[:, rows == cause]
            gains_alone = among(gains_alone, ranking.rows)
            again = rank(alone, bundle.item_vectors, ranking.rows, len(ranking.rows), bonus=gains_alone)
            of_ranking, of_again = np.argsort(ranking.rows), np.argsort(again.rows)
            np.testing.assert_allclose(scores_without[of_ranking, 0], again.scores[of_again], atol=1e-5)
            for row, facts_of_item in zip(page.rows, facts, strict=True):
                if any(f.strength is Strength.CAUSAL and f.anchor_row == cause for f in facts_of_item):
                    claims += 1
                    assert row not in shown
    assert claims > 500
