"""Makes the views with which serving searches a large catalogue, and measures how many of the best items they find.

They follow from the vectors of the finished bundle, and from users of a holdout. Some of these are fitted on, and the
others are ranked, with the index that serving uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from recsvc.domain.arrays import Floats
from recsvc.domain.shop import History
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.model.search_cells import by_cell
from recsvc.model.search_view_files import MIN_CELL_RECALL, MIN_RECALL, RECALL_CUTS, SECTION, save_views
from recsvc.model.search_views import Projection, SearchView, SearchViews, spread_of
from recsvc.ranking import Ranking
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, ItemIndex, ScanIndex
from recsvc.retrieval.shortened_scan import ShortenedScan
from training.data.split import Holdout, Profiles
from training.fitting.search_cells import cells_of

# Widths that are tried, the smallest first. Wider codes of 100,000 items do not stay in the processor's cache.
COLUMNS = (64, 96, 128)
# A width that finds as much is taken without trying the next one. It is more than serving asks for: other users come.
GOOD_RECALL = 0.995
MIN_USERS = 60  # of one kind: with fewer, neither the directions nor the recall are known
MEASURED_USERS = 300  # of one kind at most, and at most a third
# Of the losses of the measured users. A user with a larger loss is scanned in full.
LARGEST_LOSS_QUANTILE = 0.99
# With more items than this, they stand by cell, if enough of the best are found so.
SCANNED_ITEMS = 300_000
# The shares of the cells that are tried, the smallest first. One with the good recall is taken without the next one.
PROBED_SHARES = (1 / 200, 1 / 100, 1 / 50, 1 / 25)
GOOD_CELL_RECALL = 0.99
# Of the lengths of the shortened vectors of users. For a user with a shorter one, all items are scanned.
SHORTEST_QUANTILE = 0.01
_USERS_AT_ONCE = 64
_RANKED_AT_ONCE = 16  # users whose scores of all items are in memory


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


def add_search_views(folder: Path, bundle: Bundle, users: Holdout, profiles: Profiles) -> FittedViews | None:
    """Adds to a saved bundle what makes its search fast, if its shop is large and nothing is lost by it.

    Args:
        folder: Of the bundle.
        bundle: The same, in memory.
        users: Of a holdout.
        profiles: One for each of them.

    Returns:
        What was added; None if nothing was.
    """
    fitted = fit_search_views(bundle, users, profiles)
    if fitted is not None:
        described = save_views(fitted.views, fitted.recall, folder)
        bundles.write_manifest(folder, {**bundles.read_manifest(folder), SECTION: described})
    return fitted


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
    measured, fitted_on = users.select(slice(n_measured)), users.vectors[n_measured:]
    best = _exact_best(item_vectors, measured)
    result: tuple[SearchView, dict[int, float]] | None = None
    for columns in (width for width in COLUMNS if width < personal):
        projection = Projection.fit(spread, fitted_on[:, :personal], columns)
        losses = projection.losses(measured.vectors[:, :personal], spread)
        view = SearchView.of(projection, item_vectors, float(np.quantile(losses, LARGEST_LOSS_QUANTILE)))
        recall = _recall(ShortenedScan(item_vectors, SearchViews((view,), spread), full_scan), measured, best)
        if min(recall.values()) >= MIN_RECALL:
            result = view, recall
        if min(recall.values()) >= GOOD_RECALL:
            break
    if result is None or len(item_vectors) <= SCANNED_ITEMS:
        return result
    view, _ = result
    item_only = np.ascontiguousarray(item_vectors[:, personal:])
    shortened = fitted_on[:, :personal] @ view.projection.of_users
    weights = _sizes(fitted_on[:, personal:]) / _sizes(shortened).mean()
    least_length = float(np.quantile(np.linalg.norm(shortened, axis=1), SHORTEST_QUANTILE))
    cells = cells_of(view, item_only, weights)
    for share in PROBED_SHARES:
        probed = max(1, round(share * (cells.max() + 1)))
        of_cells = by_cell(view, item_only, cells, weights, probed=probed, least_length=least_length)
        recall = _recall(ShortenedScan(item_vectors, SearchViews((of_cells,), spread), full_scan), measured, best)
        if min(recall.values()) >= MIN_CELL_RECALL:
            result = of_cells, recall
        if min(recall.values()) >= GOOD_CELL_RECALL:
            break
    return result


def _sizes(columns: Floats) -> Floats:
    """Returns the square root of the mean square of each column, float32."""
    return np.asarray(np.sqrt(np.square(columns).mean(axis=0)), np.float32)


def _exact_best(item_vectors: Floats, users: _Users) -> np.ndarray:
    """Returns the rows of the best items of each user, best first, as many as the longest list has."""
    best = np.empty((len(users.vectors), max(RECALL_CUTS)), np.int64)
    for start in range(0, len(best), _RANKED_AT_ONCE):
        all_scores = users.vectors[start : start + _RANKED_AT_ONCE] @ item_vectors.T
        for i, scores in enumerate(all_scores, start):
            bonus = users.bonuses[i]
            scores[bonus.rows] += bonus.scores
            best[i] = torch.from_numpy(scores).topk(best.shape[1]).indices.numpy()
    return best


def _recall(index: ItemIndex, users: _Users, best: np.ndarray) -> dict[int, float]:
    """Returns the share of the best items that are found, by the length of the list."""
    shares: dict[int, list[float]] = {cut: [] for cut in RECALL_CUTS}
    for start in range(0, len(best), _RANKED_AT_ONCE):
        part = users.select(slice(start, start + _RANKED_AT_ONCE))
        for cut, own in shares.items():
            candidates = index.search(part.vectors, cut, bonuses=part.bonuses)
            own += [np.isin(rows[:cut], found).mean() for rows, found in zip(best[start:], candidates, strict=False)]
    return {cut: float(np.mean(own)) for cut, own in shares.items()}
