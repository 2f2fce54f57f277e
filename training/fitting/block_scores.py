"""What every block scores the candidates of each validation user, kept, so that weights can be tried by the hundred."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import RepeatConfig, repeat_probabilities
from recsvc.model.towers.user import BlockWeights, FusionWeights, ProfileText
from training.data.split import Holdout

TYPICAL = (0.003, 0.01, 0.03, 0.1, 0.3)  # see `recsvc.model.repeat_purchase.RepeatConfig`
CANDIDATES = 100
BATCH = 512
CUT = 10
NEVER = -1e6  # the score of what can never be ranked


@dataclass(frozen=True)
class CachedScores:
    """What the candidates of each validation user score by each part, so that trying weights is one small product.

    blocks: (u, p, 7), in the order of `BLOCKS`, at weight 1. repeats: typical chance to (u, p), at weight 1.
    bought: bool (u, p), by this user before. wanted: bool (u, p), which are targets. targets: (u,), how many there are,
    in the pool or not.
    """

    blocks: Floats
    repeats: dict[float, Floats]
    bought: NDArray[np.bool_]
    wanted: NDArray[np.bool_]
    targets: NDArray[np.intp]

    def ndcg(self, weights: BlockWeights, config: RepeatConfig) -> NDArray[np.float64]:
        """(u,) NDCG@10 of ranking every pool by these weights. config: the coefficients are not looked at."""
        scores = self.blocks @ np.array(tuple(weights), np.float32)
        if config.weight:
            scores += config.weight * self.repeats[config.baseline_probability]
        if config.exclude_bought:
            scores[self.bought] = NEVER
        found = np.take_along_axis(self.wanted, _best(scores, CUT), axis=1)
        discounts = 1 / np.log2(np.arange(2, CUT + 2))
        ideal = np.cumsum(discounts)[np.minimum(self.targets, CUT) - 1]
        return np.asarray(found @ discounts / ideal, np.float64)


def cached_scores(bundle: Bundle, holdout: Holdout, profiles: list[ProfileText | None]) -> CachedScores:
    """The pools of all users, padded to one length with candidates that can never be ranked."""
    tower = bundle.user_tower(FusionWeights.only(BlockWeights.all(1.0)))
    vectors = np.concatenate(
        [
            tower.user_vectors(holdout.histories[start : start + BATCH], profiles[start : start + BATCH])
            for start in range(0, len(holdout), BATCH)
        ]
    )
    parts, item_repeats = list(bundle.layout), bundle.item_repeats
    pools = []
    for i, rows in enumerate(_best_by_part(bundle, vectors, parts)):
        pools.append(np.setdiff1d(np.union1d(rows, holdout.histories[i].rows), holdout.excluded(i)))
    shape = (len(pools), max(CUT + 1, *map(len, pools)))
    blocks = np.full((*shape, len(parts)), NEVER, np.float32)
    repeats = {typical: np.zeros(shape, np.float32) for typical in TYPICAL}
    bought, wanted = np.zeros(shape, bool), np.zeros(shape, bool)
    for i, pool in enumerate(pools):
        items = bundle.item_vectors[pool]
        for j, part in enumerate(parts):
            blocks[i, : len(pool), j] = items[:, part] @ vectors[i, part]
        wanted[i, : len(pool)] = np.isin(pool, holdout.targets[i])
        if not holdout.exclude_history:
            history = holdout.histories[i]
            bought[i, : len(pool)] = np.isin(pool, history.rows[history.purchases])
            rows, chances = repeat_probabilities(history, holdout.time, item_repeats, bundle.model.repeats)
            places = np.searchsorted(pool, rows)
            for typical, gains in repeats.items():
                gains[i, places] = np.log1p(chances / typical)
    return CachedScores(blocks, repeats, bought, wanted, np.array([len(rows) for rows in holdout.targets]))


def _best_by_part(bundle: Bundle, vectors: Floats, parts: list[slice]) -> list[NDArray[np.int32]]:
    everything, cold = np.arange(len(bundle.catalogue)), np.flatnonzero(bundle.purchases == 0)
    searched = [(part, everything) for part in parts if part.stop > part.start and part != bundle.layout.unseen]
    if len(cold):
        # All cold items are equally unseen: the best of them by their texts.
        searched.append((bundle.layout.text, cold))
    found: list[list[NDArray[np.intp]]] = [[] for _ in vectors]
    for part, rows in searched:
        items, size = np.ascontiguousarray(bundle.item_vectors[rows, part].T), min(CANDIDATES, len(rows))
        for start in range(0, len(vectors), 128):
            scores = vectors[start : start + 128, part] @ items
            for i, places in enumerate(_best(scores, size)):
                found[start + i].append(rows[places])
    return [np.unique(np.concatenate(rows)).astype(np.int32) for rows in found]


def _best(scores: Floats, k: int) -> NDArray[np.intp]:
    """The places of the k best of each row, best first; torch does it in a third of numpy's time."""
    return torch.from_numpy(scores).topk(k, dim=1).indices.numpy()
