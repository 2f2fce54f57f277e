"""What a model has to beat: each gives the best rows for every user of a holdout, by the same rules as ours."""

import warnings
from collections.abc import Callable

import numpy as np
from implicit.nearest_neighbours import CosineRecommender
from implicit.utils import ParameterWarning
from numpy.typing import NDArray

from recsvc.bundle import Bundle
from recsvc.domain import EventType
from training.interactions import Interactions
from training.split import Holdout

Ranked = list[NDArray[np.int32]]
NEIGHBOURS = 100


def popularity(bundle: Bundle, known: Interactions, holdout: Holdout, k: int) -> Ranked:
    """The decayed popularity of the bundle's prior block, the same list for all."""
    order = np.argsort(-bundle.item_vectors[:, bundle.layout.prior].ravel(), kind="stable").astype(np.int32)
    return [_without_excluded(order, holdout, i, k) for i in range(len(holdout))]


def personal_frequency(bundle: Bundle, known: Interactions, holdout: Holdout, k: int) -> Ranked:
    """What the user bought most often, the latest first among equals, filled up with popularity. On shops where people
    buy again it beats most published models (Hu et al., SIGIR 2020). It sees the whole history, ours a capped one.
    """
    popular = popularity(bundle, known, holdout, k + bundle.model.history_length)
    ranked = []
    for i, user in enumerate(holdout.users):
        history = known.history(user)
        bought = history.select(history.event_types == EventType.PURCHASE)
        rows, inverse = np.unique(bought.rows, return_inverse=True)
        counts = np.bincount(inverse, minlength=len(rows))
        latest = np.zeros(len(rows), np.int64)
        np.maximum.at(latest, inverse, bought.timestamps)
        own = rows[np.lexsort((-latest, -counts))]
        if holdout.exclude_history:
            own = own[:0]
        rest = popular[i][~np.isin(popular[i], own)]
        ranked.append(np.concatenate((own, rest))[:k].astype(np.int32))
    return ranked


def item_knn(bundle: Bundle, known: Interactions, holdout: Holdout, k: int) -> Ranked:
    """Cosine item-to-item neighbours on who bought what, summed over the history (Sarwar et al., 2001)."""
    counts = known.select(known.purchases).binary_user_items()
    model = CosineRecommender(K=NEIGHBOURS)
    with warnings.catch_warnings(action="ignore", category=ParameterWarning):  # it transposes, then warns of that
        model.fit(counts, show_progress=False)
    scores = counts[holdout.users] @ model.similarity
    prior = bundle.item_vectors[:, bundle.layout.prior].ravel()
    popular = np.argsort(-prior, kind="stable").astype(np.int32)[: k + bundle.model.history_length]
    ranked = []
    for i in range(len(holdout)):
        row = scores[i]
        # Popularity breaks the many ties and fills lists that run short.
        near = row.indices[np.lexsort((-prior[row.indices], -row.data))].astype(np.int32)
        order = np.concatenate((near, popular[~np.isin(popular, near)]))
        ranked.append(_without_excluded(order, holdout, i, k))
    return ranked


def _without_excluded(order: NDArray[np.int32], holdout: Holdout, i: int, k: int) -> NDArray[np.int32]:
    if not holdout.exclude_history:
        return order[:k]
    excluded = np.unique(holdout.histories[i].rows)
    head = order[: k + len(excluded)]
    return head[~np.isin(head, excluded)][:k]


BASELINES: dict[str, Callable[[Bundle, Interactions, Holdout, int], Ranked]] = {
    "popularity": popularity,
    "personal frequency": personal_frequency,
    "item-kNN": item_knn,
}
