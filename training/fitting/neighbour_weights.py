"""Chooses on validation how neighbours count: how much the words, how much older purchases, how much all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.bundle import Bundle
from recsvc.model.neighbours import NeighbourConfig, Neighbours
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.model.towers.confidence import WeightedHistory
from recsvc.model.towers.user import ProfileText
from recsvc.ranking import Ranking, values_of
from recsvc.retrieval.index import ScanIndex
from training.data.split import Holdout
from training.fitting.block_scores import CUT, NEVER, ndcg_of
from training.fitting.fusion import is_above
from training.fitting.neighbours import mix
from training.fitting.stage import Advance, Arrays, no_progress
from training.metrics import interval

WORDS_WEIGHTS = (0.0, 0.3, 1.0)  # of the cosine of words, where an item's strongest companion counts about 1
DECAYS = (0.6, 0.8)
# In units of the score, in which the weights of the other blocks sum to 1.
WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)

CANDIDATES = 100  # the best items of each user by the rest of the score
GAINING = 50  # the items that gain most, for each way of counting
BATCH_USERS = 256


@dataclass(frozen=True, kw_only=True)
class TunedNeighbours:
    """The way of counting neighbours that is best on validation.

    Attributes:
        words_weight: See `training.fitting.neighbours.mix`.
        config: Decay and weight. The weight is 0 where neighbours add nothing that is above noise.
        ndcg: The mean NDCG@10 with this way.
        gain: What neighbours add, as an interval of NDCG@10 paired by user.
    """

    words_weight: float
    config: NeighbourConfig
    ndcg: float
    gain: Mapping[str, float | None]

    def as_json(self) -> dict[str, float]:
        """The choice as evaluation.json holds it."""
        return {"words_weight": self.words_weight, **asdict(self.config)}


def tune_neighbours(
    bundle: Bundle,
    parts: Arrays,
    holdout: Holdout,
    profiles: list[ProfileText | None],
    progress: Advance = no_progress,
    *,
    drop_below_se: float | None,
) -> TunedNeighbours:
    """Finds the way of counting neighbours with the best mean NDCG@10 over the holdout.

    Args:
        bundle: With its tuned weights, without neighbours.
        parts: From `training.fitting.neighbours.compute_neighbours`.
        holdout: The validation users.
        profiles: Of the same users, in the same order.
        progress: Is called with how many more users are scored.
        drop_below_se: The weight is 0 if the gain is below this many standard errors; None keeps any gain.
    """
    ways = list(product(WORDS_WEIGHTS, DECAYS))
    scores = _scores(bundle, parts, ways, holdout, profiles, progress)
    best, best_ndcg = (0, 0.0), scores.ndcg(0, 0.0)
    without = best_ndcg
    for way, weight in product(range(len(ways)), WEIGHTS):
        if (ndcg := scores.ndcg(way, weight)).mean() > best_ndcg.mean():
            best, best_ndcg = (way, weight), ndcg
    gain = best_ndcg - without
    (words_weight, decay), weight = ways[best[0]], best[1]
    if drop_below_se is not None and not is_above(gain, drop_below_se):
        weight, best_ndcg = 0.0, without
    return TunedNeighbours(
        words_weight=words_weight,
        config=NeighbourConfig(weight, decay),
        ndcg=float(best_ndcg.mean()),
        gain=interval(gain),
    )


@dataclass(frozen=True, kw_only=True)
class _Scores:
    """The scores of u validation users' p candidates: trying a weight is one sum.

    Attributes:
        others: float32 (u, p), everything but neighbours; NEVER past the end of a user's candidates.
        gains: float32 (ways, u, p), of neighbours at weight 1.
        is_target: bool (u, p), bought by this user in the validation part.
        targets: int (u,), how many targets each user has, among the candidates or not.
    """

    others: Floats
    gains: Floats
    is_target: NDArray[np.bool_]
    targets: NDArray[np.intp]

    def ndcg(self, way: int, weight: float) -> NDArray[np.float64]:
        """The NDCG@10 of each user, (u,)."""
        return ndcg_of(self.others + np.float32(weight) * self.gains[way], self.is_target, self.targets)


def _scores(
    bundle: Bundle,
    parts: Arrays,
    ways: Sequence[tuple[float, float]],
    holdout: Holdout,
    profiles: list[ProfileText | None],
    progress: Advance,
) -> _Scores:
    """Scores the candidates of every user: the best by the rest of the score, and those that gain most in any way."""
    mixtures = {words_weight: mix(parts, words_weight) for words_weight, _ in ways}
    configs = [(mixtures[words_weight], NeighbourConfig(1.0, decay)) for words_weight, decay in ways]
    index, tower = ScanIndex(bundle.item_vectors), bundle.user_tower()
    exclude_history = holdout.exclude_history or bundle.model.repeats.exclude_bought
    holdout = replace(holdout, exclude_history=exclude_history)
    users: list[tuple[Rows, Floats, Floats]] = []
    for start in range(0, len(holdout), BATCH_USERS):
        batch = range(start, min(start + BATCH_USERS, len(holdout)))
        vectors = tower.user_vectors([holdout.histories[i] for i in batch], [profiles[i] for i in batch])
        nearest = index.search(vectors, CANDIDATES)
        users.extend(
            _of_user(bundle, holdout, i, vector, rows, configs)
            for i, vector, rows in zip(batch, vectors, nearest, strict=True)
        )
        progress(len(batch))
    return _padded(users, holdout, len(ways))


def _of_user(
    bundle: Bundle,
    holdout: Holdout,
    i: int,
    vector: Floats,
    nearest: Rows,
    configs: Sequence[tuple[Neighbours, NeighbourConfig]],
) -> tuple[Rows, Floats, Floats]:
    """Returns the candidates of the i-th user, their scores without neighbours, and their gains in each way."""
    history = holdout.histories[i]
    sequence = WeightedHistory.of(history, bundle.model.confidence).sequence
    gains = [neighbours.of_history(sequence, config) for neighbours, config in configs]
    bonus = Ranking(*repeat_scores(history, holdout.time, bundle.item_repeats, bundle.model.repeats))
    most = [gain.rows[np.argsort(-gain.scores)[:GAINING]] for gain in gains]
    rows = np.setdiff1d(np.concatenate((nearest, bonus.rows, *most)), holdout.excluded(i))
    others = bundle.item_vectors[rows] @ vector + values_of(rows, *bonus)
    return rows, others, np.stack([values_of(rows, *gain) for gain in gains])


def _padded(users: Sequence[tuple[Rows, Floats, Floats]], holdout: Holdout, ways: int) -> _Scores:
    """Brings the candidates of all users to one length."""
    width = max(CUT + 1, *(len(rows) for rows, _, _ in users))
    others = np.full((len(users), width), NEVER, np.float32)
    gains = np.zeros((ways, len(users), width), np.float32)
    is_target = np.zeros((len(users), width), np.bool_)
    for i, (rows, scores, gained) in enumerate(users):
        others[i, : len(rows)], gains[:, i, : len(rows)] = scores, gained
        is_target[i, : len(rows)] = np.isin(rows, holdout.targets[i])
    return _Scores(
        others=others, gains=gains, is_target=is_target, targets=np.array([len(rows) for rows in holdout.targets])
    )
