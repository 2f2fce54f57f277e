"""Makes the views with which serving searches a large catalogue, and measures how many of the best items they find.

They follow from the vectors of the finished bundle, and from users of a holdout. Some of these are fitted on, and the
others are ranked, with the index that serving uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from recsvc.domain.arrays import Floats
from recsvc.domain.shop import History
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.model.search_view_files import MIN_RECALL, RECALL_CUTS
from recsvc.model.search_views import Projection, SearchView, SearchViews, spread_of
from recsvc.ranking import Ranking
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, ItemIndex, ScanIndex
from recsvc.retrieval.shortened_scan import ShortenedScan
from training.data.split import Holdout, Profiles

# Widths that are tried, the smallest first. Wider codes of 100,000 items do not stay in the processor's cache.
COLUMNS = (64, 96, 128)
# A width that finds as much is taken without trying the next one. It is more than serving asks for: other users come.
GOOD_RECALL = 0.995
MIN_USERS = 60  # of one kind: with fewer, neither the directions nor the recall are known
MEASURED_USERS = 300  # of one kind at most, and at most a third
# Of the losses of the measured users. A user with a larger loss is scanned in full.
LARGEST_LOSS_QUANTILE = 0.99
_USERS_AT_ONCE = 64


@dataclass(frozen=True)
class FittedViews:
    """The views of a bundle, and the recall of the worst of them by the length of the list."""

    views: SearchViews
    recall: dict[int, float]


@dataclass(frozen=True)
class _Users:
    """Users of one kind: their vectors, float32 (m, d), and what their histories add."""

    vectors: Floats
    bonuses: list[Ranking]

    def select(self, places: slice) -> "_Users":
        return _Users(self.vectors[places], self.bonuses[places])


def fit_search_views(bundle: Bundle, users: Holdout, profiles: Profiles) -> FittedViews | None:
    """Fits a view for users with a history, and one for users with a profile alone.

    Args:
        bundle: The finished bundle.
        users: Of a holdout.
        profiles: One for each of them.

    Returns:
        None for a shop that is small or has too few users, and if no view finds enough.
    """
    if len(bundle.item_vectors) <= FULL_PRECISION_ITEMS:
        return None
    full_scan = ScanIndex(bundle.item_vectors)
    spread = spread_of(bundle.item_vectors, bundle.layout.prior.start)
    fitted = [
        view
        for kind in _kinds_of_users(bundle, users, profiles)
        if (view := _fit_view(bundle.item_vectors, spread, kind, full_scan)) is not None
    ]
    if not fitted:
        return None
    recall = {cut: min(recall[cut] for _, recall in fitted) for cut in RECALL_CUTS}
    return FittedViews(SearchViews(tuple(view for view, _ in fitted), spread), recall)


def _kinds_of_users(bundle: Bundle, users: Holdout, profiles: Profiles) -> Iterator[_Users]:
    """Yields the users with a history, then those with a profile as if they had none. A kind with few is left out."""
    warm = [(history, text) for history, text in zip(users.histories, profiles.texts, strict=True) if len(history)]
    cold = [(History.empty(), text) for text in profiles.texts if text is not None]
    tower = bundle.user_tower()
    for kind in (warm, cold):
        vectors = np.zeros((len(kind), bundle.item_vectors.shape[1]), np.float32)
        for start in range(0, len(kind), _USERS_AT_ONCE):
            part = kind[start : start + _USERS_AT_ONCE]
            vectors[start : start + len(part)] = tower.user_vectors(
                [history for history, _ in part], [text for _, text in part]
            )
        # A vector without personal columns needs no view: every view finds its items.
        personal = np.flatnonzero(vectors[:, : bundle.layout.prior.start].any(axis=1))
        if len(personal) >= MIN_USERS:
            personal = np.random.default_rng(0).permutation(personal)
            bonuses = [history_bonus(bundle, kind[i][0], users.time).total for i in personal]
            yield _Users(vectors[personal], bonuses)


def _fit_view(
    item_vectors: Floats, spread: Floats, users: _Users, full_scan: ItemIndex
) -> tuple[SearchView, dict[int, float]] | None:
    """Returns the narrowest view that finds enough, and its recall by the length of the list; None if none does."""
    personal = len(spread)
    n_measured = min(MEASURED_USERS, len(users.vectors) // 3)
    measured, fitted_on = users.select(slice(n_measured)), users.vectors[n_measured:, :personal]
    best = _exact_best(item_vectors, measured)
    result: tuple[SearchView, dict[int, float]] | None = None
    for columns in (width for width in COLUMNS if width < personal):
        projection = Projection.fit(spread, fitted_on, columns)
        losses = projection.losses(measured.vectors[:, :personal], spread)
        view = SearchView.of(projection, item_vectors, float(np.quantile(losses, LARGEST_LOSS_QUANTILE)))
        index = ShortenedScan(item_vectors, SearchViews((view,), spread), full_scan)
        recall = {cut: _recall(index, measured, best[:, :cut]) for cut in RECALL_CUTS}
        if min(recall.values()) >= MIN_RECALL:
            result = view, recall
        if min(recall.values()) >= GOOD_RECALL:
            break
    return result


def _exact_best(item_vectors: Floats, users: _Users) -> np.ndarray:
    """Returns the rows of the best items of each user, best first, as many as the longest list has."""
    best = np.empty((len(users.vectors), max(RECALL_CUTS)), np.int64)
    for i, (vector, bonus) in enumerate(zip(users.vectors, users.bonuses, strict=True)):
        scores = item_vectors @ vector
        scores[bonus.rows] += bonus.scores
        best[i] = torch.from_numpy(scores).topk(best.shape[1]).indices.numpy()
    return best


def _recall(index: ItemIndex, users: _Users, best: np.ndarray) -> float:
    candidates = index.search(users.vectors, best.shape[1], bonuses=users.bonuses)
    return float(np.mean([np.isin(rows, own).mean() for rows, own in zip(best, candidates, strict=True)]))
