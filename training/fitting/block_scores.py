"""Scores the candidates of each validation user by every block once, so that hundreds of weights can be tried."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import RepeatConfig, repeat_probabilities
from recsvc.model.towers.blocks import BLOCKS, BlockWeights, FusionWeights
from recsvc.model.towers.user import ProfileText
from training.data.split import Holdout
from training.fitting.target_ranks import CUT, ndcg_along, ndcg_of

# The probabilities of a repeat that `RepeatConfig.baseline_probability` is chosen from.
BASELINE_PROBABILITIES = (0.003, 0.01, 0.03, 0.1, 0.3)
CANDIDATES = 100  # the best items of each block, for each user
BATCH_USERS = 512
SEARCHED_USERS = 128  # whose scores of all items are in memory at a time
NEVER = -1e6  # the score of an item that can never be ranked


@dataclass(frozen=True, kw_only=True)
class CachedScores:
    """The scores of validation users' p candidates by each part: trying weights is one small product.

    It holds the h users with a target among their candidates. The NDCG of the others is 0 with any weights.

    Attributes:
        blocks: float32 (h, p, 7), in the order of `BLOCKS`, at weight 1.
        repeats: float32 (h, p) for each baseline probability, at weight 1.
        bought: bool (h, p), bought by this user before, or bought and sent back.
        is_target: bool (h, p), bought by this user in the validation part.
        users: int (h,), ascending places of these users among the validation users.
        targets: int (u,), how many targets each of the u validation users has, among the candidates or not.
    """

    blocks: Floats
    repeats: dict[float, Floats]
    bought: NDArray[np.bool_]
    is_target: NDArray[np.bool_]
    users: NDArray[np.intp]
    targets: NDArray[np.intp]

    def __len__(self) -> int:
        """How many validation users there are."""
        return len(self.targets)

    def select(self, users: slice) -> "CachedScores":
        """The scores of some of the users."""
        chosen = np.arange(len(self))[users]
        held = np.isin(self.users, chosen)
        return CachedScores(
            blocks=self.blocks[held],
            repeats={probability: bonus[held] for probability, bonus in self.repeats.items()},
            bought=self.bought[held],
            is_target=self.is_target[held],
            users=np.searchsorted(chosen, self.users[held]),
            targets=self.targets[users],
        )

    def ndcg(self, weights: BlockWeights, config: RepeatConfig) -> NDArray[np.float64]:
        """The NDCG@10 of each user, (u,), when these weights rank the candidates. Coefficients are not looked at."""
        return ndcg_of(self._scores(weights, config), self.is_target, self.users, self.targets)

    def ndcg_along(
        self, weights: BlockWeights, config: RepeatConfig, name: str, values: Sequence[float]
    ) -> list[NDArray[np.float64]]:
        """The same for each of some values of one weight: of a block, or "repeat_weight"."""
        if name in BLOCKS:
            others = self._scores(replace(weights, **{name: 0.0}), config)
            column = np.ascontiguousarray(self.blocks[:, :, BLOCKS.index(name)])
        else:
            others = self._scores(weights, replace(config, weight=0.0))
            column = self.repeats[config.baseline_probability]
        if config.exclude_bought:
            column = np.where(self.bought, np.float32(0), column)
        return ndcg_along(others, column, values, self.is_target, self.users, self.targets)

    def _scores(self, weights: BlockWeights, config: RepeatConfig) -> Floats:
        """float32 (h, p), the scores of the candidates."""
        scores: Floats = self.blocks @ np.array(tuple(weights), np.float32)
        if config.weight:
            scores += config.weight * self.repeats[config.baseline_probability]
        if config.exclude_bought:
            scores[self.bought] = NEVER
        return scores


def vectors_at_one(bundle: Bundle, holdout: Holdout, profiles: list[ProfileText | None]) -> Floats:
    """The vectors of u users in which each block has weight 1, float32 (u, d)."""
    tower = bundle.user_tower(FusionWeights.only(BlockWeights.all(1.0)))
    vectors = np.empty((len(holdout), bundle.item_vectors.shape[1]), np.float32)
    # The towers pad each batch to its longest history, so histories of similar length go together.
    order = np.argsort([len(history) for history in holdout.histories], kind="stable")
    for users in np.split(order, range(BATCH_USERS, len(order), BATCH_USERS)):
        vectors[users] = tower.user_vectors([holdout.histories[i] for i in users], [profiles[i] for i in users])
    return vectors


def cached_scores(bundle: Bundle, holdout: Holdout, vectors: Floats) -> CachedScores:
    """The scores of the users' candidates, padded to one length with candidates that can never be ranked.

    Args:
        bundle: The draft to tune.
        holdout: The users.
        vectors: Of these users, see `vectors_at_one`.
    """
    parts, item_repeats = list(bundle.layout), bundle.item_repeats
    candidates = [
        np.setdiff1d(np.union1d(rows, holdout.histories[i].rows), holdout.excluded(i))
        for i, rows in enumerate(_best_by_part(bundle, vectors, parts))
    ]
    users = [i for i, rows in enumerate(candidates) if np.isin(rows, holdout.targets[i]).any()]
    shape = (len(users), max([CUT + 1, *(len(candidates[i]) for i in users)]))
    blocks = np.full((*shape, len(parts)), NEVER, np.float32)
    repeats = {probability: np.zeros(shape, np.float32) for probability in BASELINE_PROBABILITIES}
    bought, is_target = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for h, i in enumerate(users):
        rows = candidates[i]
        items = bundle.item_vectors[rows]
        for j, part in enumerate(parts):
            blocks[h, : len(rows), j] = items[:, part] @ vectors[i, part]
        is_target[h, : len(rows)] = np.isin(rows, holdout.targets[i])
        if not holdout.exclude_history:
            history = holdout.histories[i]
            bought[h, : len(rows)] = np.isin(rows, history.rows[history.all_purchases])
            held, chances = repeat_probabilities(history, holdout.time, item_repeats, bundle.model.repeats)
            places = np.searchsorted(rows, held)
            for probability, bonus in repeats.items():
                bonus[h, places] = np.log1p(chances / probability)
    return CachedScores(
        blocks=blocks,
        repeats=repeats,
        bought=bought,
        is_target=is_target,
        users=np.array(users, np.intp),
        targets=np.array([len(rows) for rows in holdout.targets]),
    )


def _best_by_part(bundle: Bundle, vectors: Floats, parts: list[slice]) -> list[Rows]:
    """For each user the CANDIDATES best items of every part, as ascending rows."""
    all_rows, cold_rows = np.arange(len(bundle.catalogue)), np.flatnonzero(bundle.purchases == 0)
    searches = [(part, all_rows) for part in parts if part.stop > part.start and part != bundle.layout.unseen]
    if len(cold_rows):
        # All cold items are equally unseen: the best of them by their texts.
        searches.append((bundle.layout.text, cold_rows))
    best: list[list[NDArray[np.intp]]] = [[] for _ in vectors]
    for part, rows in searches:
        items, size = np.ascontiguousarray(bundle.item_vectors[rows, part].T), min(CANDIDATES, len(rows))
        for start in range(0, len(vectors), SEARCHED_USERS):
            scores = vectors[start : start + SEARCHED_USERS, part] @ items
            for i, places in enumerate(best_places(scores, size)):
                best[start + i].append(rows[places])
    return [np.unique(np.concatenate(rows)).astype(np.int32) for rows in best]


def best_places(scores: Floats, k: int) -> NDArray[np.intp]:
    """The places of the k best of each row, best first. torch takes a third of numpy's time."""
    return torch.from_numpy(scores).topk(k, dim=1).indices.numpy()
