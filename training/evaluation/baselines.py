"""Baselines that a model has to beat. Each is fitted on the same events and scores every item for every user."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from implicit.nearest_neighbours import CosineRecommender
from implicit.utils import ParameterWarning
from scipy.sparse import csr_matrix, diags_array

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.shop import History
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import item_text
from recsvc.model.towers.collaborative import fold_in
from recsvc.model.towers.confidence import WeightedHistory
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.split import Holdout
from training.fitting.collaborative import fit_als
from training.fitting.covisitation import CovisitationConfig, covisitation
from training.fitting.event_sequences import confidence_config
from training.fitting.popularity import decayed_popularity
from training.fitting.text_features import fit_lexical, tfidf
from training.metrics import per_user

RankedLists = list[Rows]
"""The rows of each user's list, best first."""

Scorer = Callable[[Holdout], Floats]
"""Scores (b, n) of all items for the b users of a part of a holdout."""

KNN_NEIGHBOURS = 100
ALS_FACTORS = 64  # used if the configuration has no ALS block
BATCH_USERS = 256
TIE_BREAK_WEIGHT = 1e-6  # of popularity: orders items that a model scores equally, and changes nothing else
# Validation chooses the weight of the text and the decay per newer item.
FLOOR_TEXT_WEIGHTS = (0.1, 0.3, 1.0, 3.0)
DECAYS = (0.6, 0.8, 0.95)
TUNING_USERS = 1_000
TIFU_NEIGHBOURS, TIFU_OWN_SHARE = 300, 0.7
TIFU_BASKET_DECAY, TIFU_GROUP_DECAY, TIFU_GROUP_BASKETS = 0.9, 0.7, 7


@dataclass(frozen=True)
class Task:
    """The data that baselines are fitted on.

    Attributes:
        interactions: The events to learn from.
        catalogue: The items and their texts.
        item_features: Frozen text features, (n, f).
        validation: Users to choose settings by.
        config: The training configuration.
    """

    interactions: Interactions
    catalogue: Catalogue
    item_features: Floats
    validation: Holdout
    config: TrainConfig


def rank_all(scorer: Scorer, holdout: Holdout, k: int) -> RankedLists:
    """Ranks the k best of all items for every user, by the holdout's rules.

    Equal scores count against the model: a target comes after all other items with its score.
    """
    lists: RankedLists = []
    for start in range(0, len(holdout), BATCH_USERS):
        part = holdout.select(np.arange(start, min(start + BATCH_USERS, len(holdout))))
        scores = scorer(part).astype(np.float32)
        for i in range(len(part)):
            row, targets = scores[i], part.targets[i]
            row[targets] = np.nextafter(row[targets], np.float32(-np.inf))
            row[part.excluded(i)] = -np.inf
            best = np.argpartition(-row, min(k, len(row) - 1))[:k]
            best = best[np.argsort(-row[best], kind="stable")]
            lists.append(best[np.isfinite(row[best])].astype(np.int32))
    return lists


def popularity(task: Task) -> Scorer:
    """Scores by decayed popularity, the same for all users."""
    counts = _popularity(task)
    return lambda users: np.tile(counts, (len(users), 1))


def personal_frequency(task: Task) -> Scorer:
    """Scores by how often the user bought an item, then by how recently, then by popularity.

    In shops where people buy the same things again, it beats most published models (Hu et al., SIGIR 2020).
    """
    counts = _popularity(task)

    def scores(users: Holdout) -> Floats:
        scored = np.tile(counts / 2, (len(users), 1))
        for i, history in enumerate(users.histories):
            bought = history.rows[history.purchases]
            rows, last, times = np.unique(bought[::-1], return_index=True, return_counts=True)
            scored[i, rows] = times + 1 / (2 + last)
        return np.asarray(scored, np.float32)

    return scores


def als(task: Task) -> Scorer:
    """Scores by implicit ALS alone, with users folded in (Hu, Koren, Volinsky 2008)."""
    config = confidence_config(task.config)
    factors = fit_als(task.interactions, replace(task.config, factors=task.config.factors or ALS_FACTORS))
    gram = factors.T.astype(np.float64) @ factors

    def scores(users: Holdout) -> Floats:
        folded = np.zeros((len(users), factors.shape[1]), np.float32)
        for i, history in enumerate(users.histories):
            weighted = WeightedHistory.of(history, config)
            if len(weighted.rows):
                folded[i] = fold_in(factors[weighted.rows], gram, task.config.regularization, weighted.confidence)
        return np.asarray(folded @ factors.T, np.float32)

    return scores


def item_knn(task: Task) -> Scorer:
    """Scores by cosine similarity of items by their buyers, summed over the history (Sarwar et al., 2001)."""
    bought = task.interactions.select(task.interactions.purchases).binary_user_items()
    model = CosineRecommender(K=KNN_NEIGHBOURS)
    with warnings.catch_warnings(action="ignore", category=ParameterWarning):  # it transposes, then warns of that
        model.fit(bought, show_progress=False)
    prior = TIE_BREAK_WEIGHT * _popularity(task)

    def scores(users: Holdout) -> Floats:
        held = [np.unique(h.rows[h.purchases]) for h in users.histories]
        return np.asarray((_weighted(held, None, bought.shape[1]) @ model.similarity).toarray() + prior, np.float32)

    return scores


def covisitation_and_text(task: Task) -> Scorer:
    """Scores by co-visitation with the last purchases plus the words in common with them.

    It needs no training, so it is the floor that a trained bundle must reach. Validation chooses the weight of the
    words and of older purchases.
    """
    confidence = confidence_config(task.config)
    sequences = [WeightedHistory.of(h, confidence).sequence for h in task.interactions.histories()]
    follows = covisitation(sequences, task.interactions.n_items, CovisitationConfig())
    texts = list(map(item_text, task.catalogue.items))
    words = tfidf(fit_lexical(texts, 1, task.config.seed), texts)
    prior = TIE_BREAK_WEIGHT * _popularity(task)

    def scorer(text_weight: float, decay: float) -> Scorer:
        def scores(users: Holdout) -> Floats:
            held = [_newest_first(history) for history in users.histories]
            weights = _weighted(held, decay, words.shape[0])
            together = (weights @ follows).toarray()
            return np.asarray(together + text_weight * ((weights @ words) @ words.T).toarray() + prior, np.float32)

        return scores

    return _best([scorer(text_weight, decay) for text_weight in FLOOR_TEXT_WEIGHTS for decay in DECAYS], task)


def text_neighbours(task: Task) -> Scorer:
    """Scores by the cosine of frozen text features with the last purchases.

    Text is the only information about an item that nobody has bought. Bought items are left out, because each is the
    most similar to itself.
    """

    def scorer(decay: float) -> Scorer:
        def scores(users: Holdout) -> Floats:
            held = [_newest_first(history) for history in users.histories]
            similarity = (_weighted(held, decay, len(task.item_features)) @ task.item_features) @ task.item_features.T
            for row, bought in zip(similarity, held, strict=True):
                row[bought] = -np.inf
            return np.asarray(similarity, np.float32)

        return scores

    return _best([scorer(decay) for decay in DECAYS], task)


def _best(scorers: list[Scorer], task: Task) -> Scorer:
    """The scorer with the highest NDCG@10 on a sample of validation."""
    sample = task.validation.sample(TUNING_USERS, task.config.seed)
    quality = [per_user(rank_all(scores, sample, 20), sample.targets)["ndcg@10"].mean() for scores in scorers]
    return scorers[int(np.argmax(quality))]


def tifu_knn(task: Task) -> Scorer:
    """Scores by personal item frequency, mixed with that of the nearest users.

    Frequencies decay within and between groups of baskets (Hu et al., "Modeling Personalized Item Frequency
    Information for Next-basket Recommendation", SIGIR 2020). The settings are those the authors give for TaFeng.
    """
    n = task.interactions.n_items
    known = _unit_rows(_frequency(list(task.interactions.histories()), n))
    prior = TIE_BREAK_WEIGHT * _popularity(task)

    def scores(users: Holdout) -> Floats:
        own = _frequency(users.histories, n)
        near = (_unit_rows(own) @ known.T).toarray()
        # Every user is among their own neighbours, as in the authors' code.
        cut = min(TIFU_NEIGHBOURS, near.shape[1]) - 1
        near[near < -np.partition(-near, cut, axis=1)[:, cut : cut + 1]] = 0
        mixed = csr_matrix((near > 0).astype(np.float32))
        neighbours = diags_array(1 / np.maximum(np.asarray(mixed.sum(axis=1)).ravel(), 1)) @ mixed @ known
        both = (TIFU_OWN_SHARE * _unit_rows(own) + (1 - TIFU_OWN_SHARE) * neighbours).toarray()
        return np.asarray(both + prior, np.float32)

    return scores


def _frequency(histories: list[History], n: int) -> csr_matrix:
    """Decayed counts of purchases, float32 (u, n).

    A basket is everything bought at one time. Groups of TIFU_GROUP_BASKETS are counted from the newest basket.
    """
    rows, values, ends = [], [], [0]
    for history in histories:
        bought = history.select(history.purchases)
        _, basket = np.unique(bought.timestamps, return_inverse=True)
        age = basket.max(initial=0) - basket
        rows.append(bought.rows)
        values.append(TIFU_BASKET_DECAY ** (age % TIFU_GROUP_BASKETS) * TIFU_GROUP_DECAY ** (age // TIFU_GROUP_BASKETS))
        ends.append(ends[-1] + len(bought))
    data = np.concatenate(values).astype(np.float32) if values else np.empty(0, np.float32)
    matrix = csr_matrix((data, np.concatenate(rows) if rows else [], ends), shape=(len(histories), n))
    matrix.sum_duplicates()
    return matrix


def _unit_rows(matrix: csr_matrix) -> csr_matrix:
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return csr_matrix(diags_array(1 / np.maximum(norms, 1e-12)) @ matrix, dtype=np.float32)


def _newest_first(history: History) -> Rows:
    """The distinct rows that were bought, newest first."""
    bought = history.rows[history.purchases][::-1]
    _, first = np.unique(bought, return_index=True)
    return bought[np.sort(first)]


def _weighted(held: list[Rows], decay: float | None, n: int) -> csr_matrix:
    """The rows that each user holds as a matrix, float32 (u, n).

    An entry is 1, or decay to the power of the row's place in the list.
    """
    values = [np.full(len(rows), 1.0) if decay is None else decay ** np.arange(len(rows)) for rows in held]
    ends = np.concatenate(([0], np.cumsum([len(rows) for rows in held])))
    return csr_matrix((np.concatenate(values).astype(np.float32), np.concatenate(held), ends), shape=(len(held), n))


def _popularity(task: Task) -> Floats:
    return decayed_popularity(task.interactions, task.config.popularity_half_life_days)


BASELINES: Mapping[str, Callable[[Task], Scorer]] = {
    "popularity": popularity,
    "personal frequency": personal_frequency,
    "ALS": als,
    "item-kNN": item_knn,
    "co-visitation + text": covisitation_and_text,
    "text neighbours": text_neighbours,
}
