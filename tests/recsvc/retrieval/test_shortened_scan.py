"""A search of shortened vectors finds the best items of users like those it was fitted on, and scans others in full.

So it does where the items stand by row, and where they stand by cell and a search reads the best cells alone.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from recsvc.model.search_cells import by_cell
from recsvc.model.search_views import Projection, SearchView, SearchViews, spread_of
from recsvc.ranking import NOTHING, Ranking, among, rank
from recsvc.retrieval.index import ScanIndex
from recsvc.retrieval.inventory import FEW_ITEMS, Selection
from recsvc.retrieval.shortened_scan import LONGEST_LIST, ShortenedScan
from recsvc.retrieval.vector_search import ItemSearch
from training.fitting.search_cells import cells_of

N, PERSONAL, DIRECTIONS, COLUMNS, K = 12_007, 64, 12, 16, 50
DIM = PERSONAL + 3
PROBED = 100  # of 376 cells


class Shop:
    """Items, and users whose vectors vary in few directions; the last three columns are item-only.

    Args:
        with_cells: Whether the items stand by cell.
    """

    def __init__(self, *, with_cells: bool) -> None:
        rng = np.random.default_rng(2)
        self.rng = rng
        self.directions = rng.standard_normal((DIRECTIONS, PERSONAL))
        self.items = rng.standard_normal((N, DIM), np.float32) / np.float32(24)
        self.items += rng.standard_normal((300, DIM), np.float32)[rng.integers(0, 300, N)] / np.float32(8)
        self.items[:, PERSONAL:] = rng.beta(0.5, 3, (N, 3))
        spread = spread_of(self.items, PERSONAL)
        projection = Projection.fit(spread, self.users(200)[:, :PERSONAL], COLUMNS)
        view = SearchView.of(projection, self.items, 0.01)
        if with_cells:
            item_only, weights = self.items[:, PERSONAL:], np.full(3, 0.3, np.float32)
            cells = cells_of(view, item_only, weights)
            view = by_cell(view, item_only, cells, weights, probed=PROBED, least_length=0.1)
        self.with_cells = with_cells
        self.views = SearchViews((view,), spread)

    def users(self, count: int) -> np.ndarray:
        vectors = np.full((count, DIM), 0.3, np.float32)
        vectors[:, :PERSONAL] = self.rng.standard_normal((count, DIRECTIONS)) @ self.directions
        return vectors

    def index(self) -> ShortenedScan:
        return ShortenedScan(self.items, self.views, ScanIndex(self.items))


@pytest.fixture(scope="module", params=[False, True], ids=["by row", "by cell"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(with_cells=request.param)


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("with_bonus", [False, True])
def test_the_list_of_a_user_is_the_exact_one(shop: Shop, with_mask: bool, with_bonus: bool) -> None:
    index, users = shop.index(), shop.users(10)
    for user in users:
        mask = shop.rng.random(N) < 0.4 if with_mask else None
        bonus = NOTHING
        if with_bonus:  # of rows that the vector alone would never list
            rows = np.sort(np.argsort(shop.items @ user)[: N // 2][shop.rng.choice(N // 2, 300, replace=False)])
            bonus = Ranking(rows.astype(np.int32), shop.rng.uniform(0, 40, 300).astype(np.float32))
        scores = shop.items @ user
        scores[bonus.rows] += bonus.scores
        if mask is not None:
            scores[~mask] = -np.inf
        (candidates,) = index.search(user[None], K, [mask], [bonus])
        assert len(candidates) == len(set(candidates.tolist())) < N // 10
        allowed = candidates if mask is None else candidates[mask[candidates]]
        best = rank(user, shop.items, allowed, K, bonus=among(bonus, allowed))
        assert best.rows.tolist() == np.argsort(-scores, kind="stable")[:K].tolist()


def test_an_unlike_user_and_a_long_list_are_scanned_in_full(shop: Shop) -> None:
    index, full_scan = shop.index(), ScanIndex(shop.items)
    strange = shop.rng.standard_normal((8, DIM)).astype(np.float32)
    assert all(shop.views.view_for(vector) is None for vector in strange)
    for vector, rows in zip(strange, index.search(strange, K), strict=True):
        best = np.argsort(-(shop.items @ vector))[:K]
        assert set(best.tolist()) <= set(rows.tolist())
        assert index.bytes_read(vector, K) == full_scan.bytes_read(vector, K)
    user = shop.users(1)
    assert index.bytes_read(user[0], K) < full_scan.bytes_read(user[0], K) // (12 if shop.with_cells else 3)
    (rows,) = index.search(user, LONGEST_LIST + 1)
    assert set(np.argsort(-(shop.items @ user[0]))[: LONGEST_LIST + 1].tolist()) <= set(rows.tolist())


def test_a_user_of_item_only_columns_alone_is_found(shop: Shop) -> None:
    user = np.zeros((1, DIM), np.float32)
    user[0, PERSONAL:] = (0.5, 0.2, -0.1)
    (rows,) = shop.index().search(user, K)
    assert len(rows) < N // 10
    assert set(np.argsort(-(shop.items @ user[0]))[:K].tolist()) <= set(rows.tolist())


@pytest.mark.parametrize("allowed_items", [0, 1, K, FEW_ITEMS, FEW_ITEMS + 1, N])
async def test_a_selection_never_gives_another_item_nor_too_few(shop: Shop, allowed_items: int) -> None:
    user = shop.users(1)[0]
    allowed = np.zeros(N, np.bool_)
    allowed[np.argsort(shop.items @ user)[:allowed_items]] = True  # those that would come last
    with ThreadPoolExecutor(1) as thread:
        search = ItemSearch(shop.items, thread, main_index=shop.index(), indexed=N)
        rows = await search.search(user, K, Selection.of(allowed))
    assert allowed[rows].all()
    best = np.argsort(-np.where(allowed, shop.items @ user, -np.inf))[: min(K, allowed_items)]
    assert set(best.tolist()) <= set(rows.tolist())


def test_a_selection_of_which_the_best_cells_have_nothing_is_searched_among_all_items(shop: Shop) -> None:
    (view,) = shop.views.views
    if view.order is not None:
        view = replace(view, order=replace(view.order, probed=10))
    index = ShortenedScan(shop.items, replace(shop.views, views=(view,)), ScanIndex(shop.items))
    user = shop.users(1)
    scores = shop.items @ user[0]
    allowed = scores < np.median(scores)
    (rows,) = index.search(user, K, [allowed])
    assert allowed[rows].all()
    assert set(np.argsort(-np.where(allowed, scores, -np.inf))[:K].tolist()) <= set(rows.tolist())


@pytest.mark.parametrize("allowed_items", [0, 3, N])
def test_an_item_with_a_bonus_is_found_once_if_it_is_allowed(shop: Shop, allowed_items: int) -> None:
    user = shop.users(1)
    worst = np.argsort(shop.items @ user[0])[:200]
    allowed = np.zeros(N, np.bool_)
    allowed[worst[:allowed_items]] = True
    if allowed_items == N:
        allowed[:] = True
    bonus = Ranking(np.sort(worst).astype(np.int32), np.full(200, 500, np.float32))
    (rows,) = shop.index().search(user, K, [allowed], [bonus])
    assert len(set(rows.tolist())) == len(rows)
    assert set(rows[allowed[rows]].tolist()) & set(worst.tolist()) == set(worst[allowed[worst]].tolist())


def test_items_with_a_bonus_that_are_not_allowed_take_no_place_of_others(shop: Shop) -> None:
    user = shop.users(1)
    scores = shop.items @ user[0]
    gaining = np.sort(np.argsort(scores)[: N // 4]).astype(np.int32)
    allowed = np.ones(N, np.bool_)
    allowed[gaining] = False
    bonus = Ranking(gaining, np.full(len(gaining), 500, np.float32))
    (rows,) = shop.index().search(user, K, [allowed], [bonus])
    assert set(np.argsort(-scores)[:K].tolist()) <= set(rows[allowed[rows]].tolist())


async def test_changed_and_new_items_are_found_by_their_vectors(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    user = shop.users(1)[0]
    changed = np.argsort(-(shop.items @ user))[:40]
    items = np.concatenate((shop.items, shop.items[changed[:5]]))
    items[changed] *= -1
    best = np.argsort(-(items @ user), kind="stable")[:K]
    rows = np.union1d(changed, np.arange(N, N + 5)).astype(np.int32)
    with ThreadPoolExecutor(1) as thread:
        search = ItemSearch(shop.items, thread, main_index=shop.index(), indexed=N)
        delta = search.with_changed(items, rows)
        assert len(delta.delta_rows) == 45
        monkeypatch.setattr("recsvc.retrieval.vector_search.FULL_PRECISION_ITEMS", 5)
        rebuilt = search.with_changed(items, rows)
        assert len(rebuilt.delta_rows) == 0
        for later in (delta, rebuilt):
            assert set(best.tolist()) <= set((await later.search(user, K)).tolist())
