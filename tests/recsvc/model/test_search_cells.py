"""Each item has one place in its cell, and a cell says how far the scores of its items reach."""

import numpy as np
import pytest

from recsvc.domain.arrays import NO_ROW
from recsvc.model.cell_order import BLOCK_ROWS, CellOrder
from recsvc.model.search_cells import by_cell, with_changed
from recsvc.model.search_views import Projection, SearchView, SearchViews, spread_of

N, PERSONAL, CELLS = 500, 8, 30
WEIGHTS = np.array([0.5, 0.0], np.float32)


@pytest.fixture
def items() -> np.ndarray:
    rng = np.random.default_rng(3)
    items = rng.standard_normal((N, PERSONAL + 2), np.float32)
    items += 20 * rng.standard_normal((CELLS, PERSONAL + 2), np.float32)[cells()]
    return items


def cells() -> np.ndarray:
    of_rows = np.random.default_rng(4).integers(0, CELLS, N).astype(np.int32)
    of_rows[:CELLS] = np.arange(CELLS)
    of_rows[CELLS : CELLS + BLOCK_ROWS + 1] = 7  # more than a block
    return of_rows


@pytest.fixture
def views(items: np.ndarray) -> SearchViews:
    spread = spread_of(items, PERSONAL)
    view = SearchView.of(Projection.fit(spread, items[:40, :PERSONAL], 4), items, 1.0)
    arranged = by_cell(view, items[:, PERSONAL:], cells(), WEIGHTS, probed=3, least_length=0.0)
    return SearchViews((arranged,), spread)


def order_of(views: SearchViews) -> CellOrder:
    order = views.views[0].order
    assert order is not None
    return order


def test_every_item_has_one_place_in_its_cell(items: np.ndarray, views: SearchViews) -> None:
    view, order = views.views[0], order_of(views)
    assert sorted(order.rows[order.rows != NO_ROW].tolist()) == list(range(N))
    np.testing.assert_array_equal(order.rows[order.places], np.arange(N))
    np.testing.assert_array_equal(order.cells, cells())
    by_row = SearchView.of(view.projection, items, 1.0)
    np.testing.assert_array_equal(view.codes[order.places], by_row.codes)
    np.testing.assert_array_equal(view.scales[order.places], by_row.scales)
    np.testing.assert_array_equal(order.in_full[order.places, :2], items[:, PERSONAL:])
    assert (order.in_full[order.places, 2] == 0).all()
    assert (order.in_full[order.rows == NO_ROW, 2] == -np.inf).all()


def test_a_cell_says_the_mean_and_the_limits_of_its_items(items: np.ndarray, views: SearchViews) -> None:
    order, item_only = order_of(views), items[:, PERSONAL:]
    shortened = items[:, :PERSONAL] @ views.views[0].projection.of_items
    means = order.centres.codes * order.centres.scales[:, None]
    for cell in range(CELLS):
        own = cells() == cell
        np.testing.assert_allclose(means[cell], shortened[own].mean(axis=0), atol=np.abs(shortened).max() / 50)
        np.testing.assert_array_equal(order.centres.reaches[:2, cell], item_only[own].max(axis=0))
        np.testing.assert_array_equal(order.centres.reaches[2:4, cell], item_only[own].min(axis=0))
        user = np.random.default_rng(cell).standard_normal(4)
        reached = means[cell] @ user + order.centres.reaches[4, cell] * np.linalg.norm(user)
        assert (shortened[own] @ user <= reached + 1).mean() > 0.95


def test_changed_and_new_items_go_into_the_nearest_cell(items: np.ndarray, views: SearchViews) -> None:
    of_rows = cells()
    alone = int(np.flatnonzero(np.bincount(of_rows) == np.bincount(of_rows).min())[0])
    changed = np.flatnonzero(of_rows == alone)  # this cell loses all its items
    targets = np.flatnonzero(of_rows != alone)[: len(changed) + 3]
    later = np.concatenate((items, items[targets[len(changed) :]]))
    later[changed] = items[targets[: len(changed)]]
    rows = np.append(changed, np.arange(N, N + 3)).astype(np.int32)
    after = with_changed(views, later, rows)
    order = order_of(after)
    assert len(order.starts) == CELLS  # one less than before
    np.testing.assert_array_equal(order.rows[order.places], np.arange(N + 3))
    np.testing.assert_array_equal(order.cells[rows], order.cells[targets])
    by_row = SearchView.of(views.views[0].projection, later, 1.0)
    np.testing.assert_array_equal(after.views[0].codes[order.places], by_row.codes)
    assert (order.probed, order.least_length) == (3, 0.0)


def test_views_by_row_stay_so(items: np.ndarray, views: SearchViews) -> None:
    by_row = SearchViews((SearchView.of(views.views[0].projection, items, 1.0),), views.spread)
    later = np.concatenate((items, 2 * items[:2]))
    (after,) = with_changed(by_row, later, np.array([N, N + 1], np.int32)).views
    assert after.order is None
    np.testing.assert_array_equal(after.codes, SearchView.of(after.projection, later, 1.0).codes)
