"""The search begins where it ends best; the weight of new items is raised while it costs almost no NDCG."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.model.towers.blocks import BLOCKS, BlockWeights
from training.fitting import fusion
from training.fitting.block_scores import CachedScores
from training.fitting.fusion import Fusion, best_start, help_new_items
from training.fitting.new_items import DEFAULT_UNSEEN_SHARE, MAX_NDCG_LOSS, UNSEEN_SHARES

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
    is_target = np.zeros((USERS, BOUGHT + NEW), bool)
    is_target[:, 0] = True
    return CachedScores(
        blocks=blocks,
        repeats={},
        bought=np.zeros_like(is_target),
        is_target=is_target,
        users=np.arange(USERS),
        targets=np.ones(USERS, np.intp),
    )


def test_the_weight_of_new_items_rises_until_the_next_step_would_cost_too_much(scores: CachedScores) -> None:
    start = Fusion(BlockWeights(text=1.0))
    before = start.ndcg(scores)
    helped, after = help_new_items(scores, start, before, NEW * 10)
    weight = helped.blocks.unseen
    assert weight > 0
    assert (1 - MAX_NDCG_LOSS) * before.mean() <= after.mean() < before.mean()
    # The next step would have cost too much.
    further = min(share for share in UNSEEN_SHARES if share > weight)
    assert start.at("unseen", further).ndcg(scores).mean() < (1 - MAX_NDCG_LOSS) * before.mean()


def test_the_weight_of_new_items_is_the_default_where_too_few_can_be_measured(scores: CachedScores) -> None:
    helped, after = help_new_items(scores, Fusion(BlockWeights(text=3.0, prior=1.0)), np.array([0.5]), 2)
    assert helped.blocks.unseen == pytest.approx(4 * DEFAULT_UNSEEN_SHARE)
    assert after.tolist() == [0.5]


def test_new_items_get_no_weight_where_texts_have_none(scores: CachedScores) -> None:
    blind = Fusion(BlockWeights(collaborative=1.0))
    assert help_new_items(scores, blind, np.array([0.5]), 2)[0] == blind


def test_the_search_goes_on_from_the_start_that_ends_best(
    scores: CachedScores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion, "START_USERS", USERS // 4)
    # Without a weight that is tried, a search ends where it began.
    starts = [Fusion(BlockWeights(unseen=1.0)), Fusion(BlockWeights(text=1.0)), Fusion(BlockWeights(prior=1.0))]
    assert best_start(scores, starts, []) == starts[1]
    assert best_start(scores, starts[:1], ["text"]).blocks.text > 0


def test_a_part_of_the_users_has_the_scores_of_these_users(scores: CachedScores) -> None:
    point = Fusion(BlockWeights(text=1.0))
    part = scores.select(slice(3, None, 7))
    assert len(part) == len(range(3, USERS, 7))
    assert point.ndcg(part).tolist() == point.ndcg(scores)[3::7].tolist()


def test_users_without_a_target_among_their_candidates_count_as_zero(scores: CachedScores) -> None:
    point, held = Fusion(BlockWeights(text=1.0)), np.arange(0, USERS, 3)
    part = replace(
        scores,
        blocks=scores.blocks[held],
        bought=scores.bought[held],
        is_target=scores.is_target[held],
        users=held,
    )
    ndcg = point.ndcg(part)
    assert ndcg[held].tolist() == point.ndcg(scores)[held].tolist()
    assert not np.delete(ndcg, held).any()
    some = slice(1, None, 5)
    assert point.ndcg(part.select(some)).tolist() == ndcg[some].tolist()
