"""What helps new items costs the rest next to nothing, and is there even where nothing says how much it may be."""

import numpy as np
import pytest

from recsvc.model.towers.user import BLOCKS, BlockWeights
from training.fitting.block_scores import CachedScores
from training.fitting.fusion import COST, UNSEEN, USUAL, Fusion, help_new_items

USERS, BOUGHT, NEW = 4_000, 30, 4


@pytest.fixture
def scores() -> CachedScores:
    """Users whose next item stands among 30 that were bought and 4 new ones; the new ones score lower throughout."""
    rng = np.random.default_rng(0)
    blocks = np.zeros((USERS, BOUGHT + NEW, len(BLOCKS)), np.float32)
    text, unseen = BLOCKS.index("text"), BLOCKS.index("unseen")
    blocks[:, :BOUGHT, text] = rng.normal(size=(USERS, BOUGHT))
    blocks[:, 0, text] += 2.0
    blocks[:, BOUGHT:, text] = rng.normal(0.5, 0.5, size=(USERS, NEW))
    blocks[:, BOUGHT:, unseen] = 1.0
    wanted = np.zeros((USERS, BOUGHT + NEW), bool)
    wanted[:, 0] = True
    return CachedScores(blocks, {}, np.zeros_like(wanted), wanted, np.ones(USERS, np.intp))


def test_new_items_are_helped_as_far_as_it_costs_next_to_nothing(scores: CachedScores) -> None:
    start = Fusion(BlockWeights(text=1.0))
    before = start.ndcg(scores)
    helped, after = help_new_items(scores, start, before, NEW * 10)
    weight = helped.blocks.unseen
    assert weight > 0
    assert (1 - COST) * before.mean() <= after.mean() < before.mean()
    # The next step would have cost too much.
    further = min(share for share in UNSEEN if share > weight)
    assert start.at("unseen", further).ndcg(scores).mean() < (1 - COST) * before.mean()


def test_with_too_few_new_items_to_judge_by_they_are_helped_as_is_usual(scores: CachedScores) -> None:
    helped, after = help_new_items(scores, Fusion(BlockWeights(text=3.0, prior=1.0)), np.array([0.5]), 2)
    assert helped.blocks.unseen == pytest.approx(4 * USUAL)
    assert after.tolist() == [0.5]


def test_where_texts_count_nothing_new_items_are_not_pushed_on_everybody(scores: CachedScores) -> None:
    blind = Fusion(BlockWeights(collaborative=1.0))
    assert help_new_items(scores, blind, np.array([0.5]), 2)[0] == blind
