"""Chooses on validation how neighbours count: how much the words, how much older purchases, how much all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.bundle import Bundle
from recsvc.model.neighbours import NeighbourConfig, NewestItems
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.model.towers.confidence import WeightedHistory
from recsvc.ranking import Ranking, values_of
from recsvc.retrieval.index import ScanIndex
from training.data.split import Holdout
from training.fitting.block_scores import NEVER, best_places
from training.fitting.fusion import is_above
from training.fitting.neighbours import mix
from training.fitting.new_items import MAX_NDCG_LOSS, MIN_COLD_ITEMS, knows_new_items, raise_unseen
from training.fitting.stage import Advance, Arrays, no_progress
from training.fitting.target_ranks import CUT, ndcg_of
from training.metrics import interval

WORDS_WEIGHTS = (0.0, 0.3, 1.0)  # of the cosine of words, where an item's strongest companion counts about 1
DECAYS = (0.6, 0.8)
WAYS = tuple(product(WORDS_WEIGHTS, DECAYS))
# In units of the score, in which the weights of the other blocks sum to 1.
WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)

# The places whose NDCG chooses the way. Ways differ by less than the noise of NDCG@10. NDCG@50 has less noise: twice as
# many users have a target in 50 places.
CHOICE_CUT = 50

# The share of NDCG@10 that raising new items may cost in all. Half of what it may cost without neighbours, because it
# takes back a part of what these gain.
MAX_LOSS = MAX_NDCG_LOSS / 2

CANDIDATES = 100  # the best items of each user by the rest of the score
GAINING = 50  # the items that gain most, for each way of counting
BATCH_USERS = 256


@dataclass(frozen=True, kw_only=True)
class TunedNeighbours:
    """The way of counting neighbours that is best on validation.

    Attributes:
        words_weight: See `training.fitting.neighbours.mix`.
        config: Decay and weight. The weight is 0 where neighbours add nothing that is above noise.
        unseen: The weight of new items, raised again; see `tune_neighbours`.
        ndcg: The mean NDCG@10 with this way and this weight.
        gain: What neighbours add, as an interval of NDCG@10 paired by user, before the weight of new items is raised.
    """

    words_weight: float
    config: NeighbourConfig
    unseen: float
    ndcg: float
    gain: Mapping[str, float | None]

    def as_json(self) -> dict[str, float]:
        """The choice as evaluation.json holds it."""
        return {"words_weight": self.words_weight, **asdict(self.config)}


def tune_neighbours(
    bundle: Bundle,
    parts: Arrays,
    holdout: Holdout,
    vectors: Floats,
    progress: Advance = no_progress,
    *,
    unraised: float,
    drop_below_se: float | None,
) -> TunedNeighbours:
    """Finds the way of counting neighbours with the best mean NDCG over the holdout.

    Nobody has bought a new item together with others, so neighbours raise other items above it. Then the weight of new
    items is raised again, as far as both times together cost no more than MAX_LOSS.

    Args:
        bundle: With its tuned weights, without neighbours.
        parts: From `training.fitting.neighbours.compute_neighbours`.
        holdout: The validation users.
        vectors: Of the same users, see `vectors_at_one`; without the columns of dropped blocks.
        progress: Is called with how many more users are scored.
        unraised: The weight of new items before it was raised the first time.
        drop_below_se: The weight is 0 if the gain is below this many standard errors; None keeps any gain.
    """
    scores = _scores(bundle, parts, holdout, vectors, progress)
    points = [(0, 0.0), *product(range(len(WAYS)), WEIGHTS)]
    way, weight = max(points, key=lambda point: float(scores.ndcg(point[0], point[1], cut=CHOICE_CUT).mean()))
    words_weight, decay = WAYS[way]
    without, best_ndcg = scores.ndcg(0, 0.0), scores.ndcg(way, weight)
    gain = best_ndcg - without
    if drop_below_se is not None and not is_above(gain, drop_below_se):
        weight, best_ndcg = 0.0, without
    blocks = bundle.model.fusion.warm
    unseen = blocks.unseen
    if weight and knows_new_items(blocks) and np.count_nonzero(bundle.purchases == 0) >= MIN_COLD_ITEMS:
        lowest = scores.ndcg(way, weight, unraised - unseen)
        raised, raised_ndcg = raise_unseen(
            replace(blocks, unseen=unraised),
            lowest,
            lambda value: scores.ndcg(way, weight, value - unseen),
            max_loss=MAX_LOSS,
        )
        if raised > unseen:
            unseen, best_ndcg = raised, raised_ndcg
    return TunedNeighbours(
        words_weight=words_weight,
        config=NeighbourConfig(weight, decay),
        unseen=unseen,
        ndcg=float(best_ndcg.mean()),
        gain=interval(gain),
    )


@dataclass(frozen=True, kw_only=True)
class _Scores:
    """The scores of validation users' p candidates: trying a weight is one sum.

    It holds the h users with a target among their candidates. The NDCG of the others is 0 in any way.

    Attributes:
        others: float32 (h, p), everything but neighbours; NEVER past the end of a user's candidates.
        gains: float32 (ways, h, p), of neighbours at weight 1.
        is_new: bool (h, p), bought by nobody, for users with a history.
        is_target: bool (h, p), bought by this user in the validation part.
        users: int (h,), ascending places of these users among the validation users.
        targets: int (u,), how many targets each of the u validation users has, among the candidates or not.
    """

    others: Floats
    gains: Floats
    is_new: NDArray[np.bool_]
    is_target: NDArray[np.bool_]
    users: NDArray[np.intp]
    targets: NDArray[np.intp]

    def ndcg(self, way: int, weight: float, more_for_new: float = 0.0, cut: int = CUT) -> NDArray[np.float64]:
        """The NDCG of each user, (u,). more_for_new: added to the scores of new items. cut: places that count."""
        scores = self.others + np.float32(weight) * self.gains[way] if weight else self.others
        if more_for_new:
            scores = scores + np.float32(more_for_new) * self.is_new
        return ndcg_of(scores, self.is_target, self.users, self.targets, cut)


def _scores(
    bundle: Bundle,
    parts: Arrays,
    holdout: Holdout,
    vectors: Floats,
    progress: Advance,
) -> _Scores:
    """Scores the candidates of the users: the best by the rest of the score, and those that gain most in any way.

    The best new items are among them too, to see what they cost when their weight is raised.
    """
    mixtures = {words_weight: mix(parts, words_weight) for words_weight in WORDS_WEIGHTS}
    index = ScanIndex(bundle.item_vectors)
    new_rows = np.flatnonzero(bundle.purchases == 0).astype(np.int32)
    exclude_history = holdout.exclude_history or bundle.model.repeats.exclude_bought
    holdout = replace(holdout, exclude_history=exclude_history)
    users: dict[int, _Candidates] = {}
    for start in range(0, len(holdout), BATCH_USERS):
        batch = range(start, min(start + BATCH_USERS, len(holdout)))
        sequences = [WeightedHistory.of(holdout.histories[i], bundle.model.confidence).sequence for i in batch]
        weighted = vectors[batch.start : batch.stop] * _weights(bundle, sequences)
        nearest = np.concatenate((index.search(weighted, CANDIDATES), _best_of(weighted, bundle, new_rows)), axis=1)
        for i, vector, rows, sequence in zip(batch, weighted, nearest, sequences, strict=True):
            newest = {words_weight: neighbours.of_newest(sequence) for words_weight, neighbours in mixtures.items()}
            candidates = _of_user(bundle, holdout, i, vector, rows, newest)
            if candidates is not None:
                users[i] = candidates
        progress(len(batch))
    return _padded(users, holdout)


def _weights(bundle: Bundle, sequences: Sequence[Rows]) -> Floats:
    """Returns the weight of each column of the users' vectors, float32 (b, d); users without a history have others."""
    widths = [part.stop - part.start for part in bundle.layout]
    fusion = bundle.model.fusion
    warm, cold = (np.repeat(np.array(tuple(weights), np.float32), widths) for weights in (fusion.warm, fusion.cold))
    return np.where([[len(sequence) > 0] for sequence in sequences], warm, cold)


def _best_of(vectors: Floats, bundle: Bundle, rows: Rows) -> Rows:
    """Returns those of the rows that have the best inner products, (b, CANDIDATES) or fewer."""
    scores = vectors @ bundle.item_vectors[rows].T
    return rows[best_places(scores, min(CANDIDATES, len(rows)))]


class _Candidates(NamedTuple):
    """The candidates of one user.

    Attributes:
        rows: int32 (p,).
        others: float32 (p,), everything but neighbours.
        gains: float32 (ways, p), of neighbours at weight 1.
        is_new: bool (p,), as in `_Scores`.
    """

    rows: Rows
    others: Floats
    gains: Floats
    is_new: NDArray[np.bool_]


def _of_user(
    bundle: Bundle,
    holdout: Holdout,
    i: int,
    vector: Floats,
    nearest: Rows,
    newest: Mapping[float, NewestItems],
) -> _Candidates | None:
    """Returns the candidates of the i-th user; None if no target is among them.

    Args:
        bundle: See `tune_neighbours`.
        holdout: The validation users.
        i: The place of the user.
        vector: Of the user, with the bundle's weights.
        nearest: The best rows by the inner product, and the best new ones; duplicates are allowed.
        newest: The newest items of the user, for each weight of the words.
    """
    history = holdout.histories[i]
    gains = [newest[words_weight].gains(NeighbourConfig(1.0, decay)) for words_weight, decay in WAYS]
    bonus = Ranking(*repeat_scores(history, holdout.time, bundle.item_repeats, bundle.model.repeats))
    most = [gain.rows[best_places(gain.scores[None], min(GAINING, len(gain.rows)))[0]] for gain in gains]
    rows = np.concatenate((nearest, bonus.rows, *most))
    if not np.isin(rows, holdout.targets[i]).any():
        return None
    rows = np.setdiff1d(rows, holdout.excluded(i))
    others = bundle.item_vectors[rows] @ vector + values_of(rows, *bonus)
    is_new = (bundle.purchases[rows] == 0) & bool(len(newest[WORDS_WEIGHTS[0]].rows))
    return _Candidates(rows, others, np.stack([values_of(rows, *gain) for gain in gains]), is_new)


def _padded(users: Mapping[int, _Candidates], holdout: Holdout) -> _Scores:
    """Brings the candidates of the users to one length. users: by their place in the holdout, ascending."""
    shape = (len(users), max([CHOICE_CUT, *(len(candidates.rows) for candidates in users.values())]))
    others, gains = np.full(shape, NEVER, np.float32), np.zeros((len(WAYS), *shape), np.float32)
    is_new, is_target = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for h, (i, candidates) in enumerate(users.items()):
        p = len(candidates.rows)
        others[h, :p], gains[:, h, :p] = candidates.others, candidates.gains
        is_new[h, :p] = candidates.is_new
        is_target[h, :p] = np.isin(candidates.rows, holdout.targets[i])
    return _Scores(
        others=others,
        gains=gains,
        is_new=is_new,
        is_target=is_target,
        users=np.array(list(users), np.intp),
        targets=np.array([len(rows) for rows in holdout.targets]),
    )
