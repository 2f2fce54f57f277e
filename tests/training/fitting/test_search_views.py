"""A bundle gets views where its shop is large and they find enough. Their recall is that of the search with them."""

from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.shop import EventType, History
from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.retrieval.index import ScanIndex
from recsvc.retrieval.shortened_scan import ShortenedScan
from training.data.split import Holdout, Profiles
from training.fitting import search_views
from training.fitting.search_views import fit_search_views

USERS, EVENTS, DAY = 240, 6, 86_400_000_000


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    return bundle_files.load(small_bundle)


@pytest.fixture
def large_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the small shop for a large one."""
    monkeypatch.setattr(search_views, "FULL_PRECISION_ITEMS", 100)
    monkeypatch.setattr(search_views, "RECALL_CUTS", (10, 50))


def holdout(bundle: Bundle, users: int = USERS) -> Holdout:
    rng = np.random.default_rng(3)
    codes = bundle.catalogue.paths.codes
    histories = []
    for _ in range(users):
        rows = rng.choice(np.flatnonzero(codes == rng.integers(codes.max() + 1)), EVENTS).astype(np.int32)
        stamps = np.arange(1, EVENTS + 1) * DAY
        pieces = np.ones(EVENTS, np.float32)
        histories.append(History(rows, stamps, np.full(EVENTS, EventType.PURCHASE, np.int8), pieces))
    nothing = [np.empty(0, np.int32)] * users
    return Holdout(np.arange(users), histories, nothing, (EVENTS + 1) * DAY, exclude_history=False)


@pytest.mark.usefixtures("large_shop")
def test_the_recall_is_that_of_the_search_with_the_views(bundle: Bundle) -> None:
    users = holdout(bundle)
    fitted = fit_search_views(bundle, users, Profiles([None] * USERS))
    assert fitted is not None
    assert set(fitted.recall) == {10, 50}
    assert all(0.99 <= share <= 1 for share in fitted.recall.values())
    assert [view.codes.shape for view in fitted.views.views] == [(len(bundle.item_vectors), 64)]
    index = ShortenedScan(bundle.item_vectors, fitted.views, ScanIndex(bundle.item_vectors))
    shares = []
    for history in users.histories:
        vector = bundle.user_tower().user_vectors([history], [None])
        bonus = history_bonus(bundle, history, users.time).total
        scores = bundle.item_vectors @ vector[0]
        scores[bonus.rows] += bonus.scores
        shares.append(np.isin(np.argsort(-scores)[:10], index.search(vector, 10, (), [bonus])[0]).mean())
    assert np.mean(shares) >= 0.99


@pytest.mark.usefixtures("large_shop")
def test_items_of_a_very_large_shop_stand_by_cell_and_few_are_read(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_views, "SCANNED_ITEMS", 100)
    monkeypatch.setattr(search_views, "PROBED_SHARES", (0.01, 0.25, 0.5, 1.0))
    users = holdout(bundle)
    fitted = fit_search_views(bundle, users, Profiles([None] * USERS))
    assert fitted is not None
    (view,) = fitted.views.views
    assert view.order is not None
    assert view.order.probed < len(view.order.starts) - 1
    assert all(share >= search_views.GOOD_CELL_RECALL for share in fitted.recall.values())
    index = ShortenedScan(bundle.item_vectors, fitted.views, ScanIndex(bundle.item_vectors))
    assert index.bytes_read(bundle.user_tower().user_vectors([users.histories[0]], [None])[0], 10) < view.codes.nbytes


@pytest.mark.usefixtures("large_shop")
def test_views_that_find_too_little_and_shops_with_few_users_have_none(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fit_search_views(bundle, holdout(bundle, 30), Profiles([None] * 30)) is None
    monkeypatch.setattr(search_views, "COLUMNS", (1,))
    monkeypatch.setattr("recsvc.retrieval.index.MIN_CANDIDATES", 0)
    assert fit_search_views(bundle, holdout(bundle), Profiles([None] * USERS)) is None


def test_a_small_shop_needs_none(bundle: Bundle) -> None:
    assert fit_search_views(bundle, holdout(bundle), Profiles([None] * USERS)) is None
