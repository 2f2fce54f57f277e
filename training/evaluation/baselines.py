"""What a model has to beat: each is fitted on the same events as ours and scores every item for every user."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from implicit.nearest_neighbours import CosineRecommender
from implicit.utils import ParameterWarning
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recsvc.domain.arrays import Floats
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

Ranked = list[NDArray[np.int32]]
# Scores (b, n) of all items for the users of a part of a holdout.
Scorer = Callable[[Holdout], Floats]

NEIGHBOURS = 100
ALS_FACTORS = 64  # where the configuration has no such block
BATCH = 256
# Popularity in doses that order what a model leaves equal, and nothing else.
TIE_BREAK = 1e-6


@dataclass(frozen=True)
class Task:
    """What baselines are fitted on: events, the items' words and their text features (float32 (n, f)), and validation
    users to choose a setting by.
    """

    interactions: Interactions
    catalogue: Catalogue
    item_features: Floats
    validation: Holdout
    config: TrainConfig


def rank_all(scorer: Scorer, holdout: Holdout, k: int) -> Ranked:
    """The k best of all items for every user, by the holdout's rules. Equal scores count against the model: a target
    stands behind whatever scores as much.
    """
    ranked: Ranked = []
    for start in range(0, len(holdout), BATCH):
        part = holdout.select(np.arange(start, min(start + BATCH, len(holdout))))
        scores = scorer(part).astype(np.float32)
        for i in range(len(part)):
            row, targets = scores[i], part.targets[i]
            row[targets] = np.nextafter(row[targets], np.float32(-np.inf))
            row[part.excluded(i)] = -np.inf
            best = np.argpartition(-row, min(k, len(row) - 1))[:k]
            best = best[np.argsort(-row[best], kind="stable")]
            ranked.append(best[np.isfinite(row[best])].astype(np.int32))
    return ranked


def popularity(task: Task) -> Scorer:
    """Decayed popularity, the same for all."""
    counts = _popularity(task)
    return lambda users: np.tile(counts, (len(users), 1))


def personal_frequency(task: Task) -> Scorer:
    """What the user bought most often, the latest first among equals, filled up with popularity. On shops where people
    buy again it beats most published models (Hu et al., SIGIR 2020).
    """
    counts = _popularity(task)

    def scores(users: Holdout) -> Floats:
        scored = np.tile(counts / 2, (len(users), 1))
        for i, history in enumerate(users.histories):
            bought = history.rows[history.purchases]
            rows, last, times = np.unique(bought[::-1], return_index=True, return_counts=True)
            scored[i, rows] = times + 1 / (2 + last)
        return scored

    return scores


def als(task: Task) -> Scorer:
    """Implicit ALS alone, users folded in (Hu, Koren, Volinsky 2008)."""
    config = confidence_config(task.config)
    factors = fit_als(task.interactions, replace(task.config, factors=task.config.factors or ALS_FACTORS))
    gram = factors.T.astype(np.float64) @ factors

    def scores(users: Holdout) -> Floats:
        folded = np.zeros((len(users), factors.shape[1]), np.float32)
        for i, history in enumerate(users.histories):
            liked = WeightedHistory.of(history, config)
            if len(liked.rows):
                folded[i] = fold_in(factors[liked.rows], gram, task.config.regularization, liked.confidence)
        return np.asarray(folded @ factors.T, np.float32)

    return scores


def item_knn(task: Task) -> Scorer:
    """Cosine item-to-item neighbours on who bought what, summed over the history (Sarwar et al., 2001)."""
    bought = task.interactions.select(task.interactions.purchases).binary_user_items()
    model = CosineRecommender(K=NEIGHBOURS)
    with warnings.catch_warnings(action="ignore", category=ParameterWarning):  # it transposes, then warns of that
        model.fit(bought, show_progress=False)
    prior = TIE_BREAK * _popularity(task)

    def scores(users: Holdout) -> Floats:
        held = [np.unique(h.rows[h.purchases]) for h in users.histories]
        return np.asarray((_weighted(held, None, bought.shape[1]) @ model.similarity).toarray() + prior, np.float32)

    return scores


def covisitation_and_text(task: Task) -> Scorer:
    """The training-free floor: what is bought soon after what was bought last, and what has the same words. Validation
    chooses what the words and the older items count.
    """
    confidence = confidence_config(task.config)
    sequences = [WeightedHistory.of(h, confidence).sequence for h in task.interactions.histories()]
    follows = covisitation(sequences, task.interactions.n_items, CovisitationConfig())
    texts = list(map(item_text, task.catalogue.items))
    words = tfidf(fit_lexical(texts, 1, task.config.seed), texts)
    prior = TIE_BREAK * _popularity(task)

    def scorer(text_weight: float, decay: float) -> Scorer:
        def scores(users: Holdout) -> Floats:
            held = [_newest_first(history) for history in users.histories]
            weights = _weighted(held, decay, words.shape[0])
            together = (weights @ follows).toarray()
            return np.asarray(together + text_weight * ((weights @ words) @ words.T).toarray() + prior, np.float32)

        return scores

    return _best([scorer(text_weight, decay) for text_weight in FLOOR_TEXT_WEIGHTS for decay in DECAYS], task)


FLOOR_TEXT_WEIGHTS = (0.1, 0.3, 1.0, 3.0)
# What an item counts for each newer one; validation chooses.
DECAYS = (0.6, 0.8, 0.95)
TUNING_USERS = 1_000


def text_neighbours(task: Task) -> Scorer:
    """What reads most like what was bought last, by the cosine of the frozen text features: all that can be said of an
    item that nobody has bought. What the user has is left out, being most like itself.
    """

    def scorer(decay: float) -> Scorer:
        def scores(users: Holdout) -> Floats:
            held = [_newest_first(history) for history in users.histories]
            likeness = (_weighted(held, decay, len(task.item_features)) @ task.item_features) @ task.item_features.T
            for row, rows in zip(likeness, held, strict=True):
                row[rows] = -np.inf
            return np.asarray(likeness, np.float32)

        return scores

    return _best([scorer(decay) for decay in DECAYS], task)


def _best(tries: list[Scorer], task: Task) -> Scorer:
    """The one that ranks a sample of validation best."""
    sample = task.validation.sample(TUNING_USERS, task.config.seed)
    quality = [per_user(rank_all(scores, sample, 20), sample.targets)["ndcg@10"].mean() for scores in tries]
    return tries[int(np.argmax(quality))]


def tifu_knn(task: Task) -> Scorer:
    """Personal item frequency, decayed within and between groups of baskets, mixed with that of the nearest users (Hu
    et al., "Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR 2020), with the
    settings the authors give for TaFeng.
    """
    n = task.interactions.n_items
    known = _unit_rows(_frequency(list(task.interactions.histories()), n))
    prior = TIE_BREAK * _popularity(task)

    def scores(users: Holdout) -> Floats:
        own = _frequency(users.histories, n)
        near = (_unit_rows(own) @ known.T).toarray()
        # Every user is among the neighbours of themselves, as in the authors' code.
        cut = min(TIFU_NEIGHBOURS, near.shape[1]) - 1
        near[near < -np.partition(-near, cut, axis=1)[:, cut : cut + 1]] = 0
        mixed = csr_matrix((near > 0).astype(np.float32))
        neighbours = diags_array(1 / np.maximum(np.asarray(mixed.sum(axis=1)).ravel(), 1)) @ mixed @ known
        return np.asarray((TIFU_OWN * _unit_rows(own) + (1 - TIFU_OWN) * neighbours).toarray() + prior, np.float32)

    return scores


TIFU_NEIGHBOURS, TIFU_OWN = 300, 0.7
TIFU_BASKET_DECAY, TIFU_GROUP_DECAY, TIFU_GROUP = 0.9, 0.7, 7


def _frequency(histories: list[History], n: int) -> csr_matrix:
    """float32 (u, n): baskets are what was bought at one time; groups of TIFU_GROUP of them, the newest whole."""
    rows, values, ends = [], [], [0]
    for history in histories:
        bought = history.select(history.purchases)
        _, basket = np.unique(bought.timestamps, return_inverse=True)
        age = basket.max(initial=0) - basket
        rows.append(bought.rows)
        values.append(TIFU_BASKET_DECAY ** (age % TIFU_GROUP) * TIFU_GROUP_DECAY ** (age // TIFU_GROUP))
        ends.append(ends[-1] + len(bought))
    data = np.concatenate(values).astype(np.float32) if values else np.empty(0, np.float32)
    matrix = csr_matrix((data, np.concatenate(rows) if rows else [], ends), shape=(len(histories), n))
    matrix.sum_duplicates()
    return matrix


def _unit_rows(matrix: csr_matrix) -> csr_matrix:
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return csr_matrix(diags_array(1 / np.maximum(norms, 1e-12)) @ matrix, dtype=np.float32)


def _newest_first(history: History) -> NDArray[np.int32]:
    """Distinct rows of what was bought, the newest first."""
    bought = history.rows[history.purchases][::-1]
    _, first = np.unique(bought, return_index=True)
    return bought[np.sort(first)]


def _weighted(held: list[NDArray[np.int32]], decay: float | None, n: int) -> csr_matrix:
    """float32 (u, n): 1 for what each user holds, or decay^place."""
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
