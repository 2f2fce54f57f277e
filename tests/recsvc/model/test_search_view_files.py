"""Views are opened as they were saved, only with the bundle they belong to, and only if they find enough."""

from pathlib import Path

import numpy as np
import pytest

from recsvc.errors import BundleError
from recsvc.model.search_view_files import MIN_RECALL, RECALL_CUTS, SECTION, VIEWS, load_views, save_views
from recsvc.model.search_views import Projection, SearchView, SearchViews, spread_of

SHAPE = (40, 9)


@pytest.fixture
def views() -> SearchViews:
    rng = np.random.default_rng(1)
    items, users = (rng.standard_normal((n, 9)).astype(np.float32) for n in (40, 20))
    spread = spread_of(items, 6)
    fitted = (Projection.fit(spread, users[half:, :6], 3) for half in (0, 10))
    return SearchViews(tuple(SearchView.of(projection, items, 0.25) for projection in fitted), spread)


def test_saved_views_are_opened_as_they_were(views: SearchViews, tmp_path: Path) -> None:
    described = save_views(views, dict.fromkeys(RECALL_CUTS, 1.0), tmp_path)
    opened = load_views(tmp_path, {SECTION: described}, SHAPE)
    assert opened is not None
    assert np.array_equal(opened.spread, views.spread)
    for ours, theirs in zip(opened.views, views.views, strict=True):
        assert ours.largest_loss == theirs.largest_loss
        for name in ("codes", "scales"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))
        for name in ("of_items", "of_users", "energies"):
            assert np.array_equal(getattr(ours.projection, name), getattr(theirs.projection, name))


@pytest.mark.parametrize("cut", RECALL_CUTS)
def test_views_that_find_too_little_are_not_used(cut: int, views: SearchViews, tmp_path: Path) -> None:
    enough = dict.fromkeys(RECALL_CUTS, MIN_RECALL)
    assert load_views(tmp_path, {SECTION: save_views(views, enough, tmp_path)}, SHAPE) is not None
    described = save_views(views, enough | {cut: MIN_RECALL - 0.001}, tmp_path)
    assert load_views(tmp_path, {SECTION: described}, SHAPE) is None


@pytest.mark.parametrize("section", [None, {}, "views", {"recall@10": "1", "recall@100": 1.0, "recall@500": True}])
def test_a_manifest_without_a_measured_recall_has_no_views(section: object, tmp_path: Path) -> None:
    assert load_views(tmp_path, {SECTION: section}, SHAPE) is None


@pytest.mark.parametrize("fault", ["missing", "altered", "of other items"])
def test_a_file_that_is_not_the_described_one_is_refused(fault: str, views: SearchViews, tmp_path: Path) -> None:
    described = save_views(views, dict.fromkeys(RECALL_CUTS, 1.0), tmp_path)
    shape = SHAPE
    if fault == "missing":
        (tmp_path / VIEWS).unlink()
    elif fault == "altered":
        with (tmp_path / VIEWS).open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x55")
    else:
        shape = (41, 9)
    with pytest.raises(BundleError, match=VIEWS):
        load_views(tmp_path, {SECTION: described}, shape)
