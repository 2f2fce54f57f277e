"""A tiled bundle has the first items as they were, and copies that refer to each other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.arrays import NO_ROW
from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from recsvc.model.search_view_files import RECALL_CUTS
from tests.benchmarks.tiled import tiled


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    return bundle_files.load(small_bundle)


@pytest.fixture(scope="module")
def large(bundle: Bundle) -> Bundle:
    return tiled(bundle, 5 * len(bundle.catalogue) // 2)


def test_first_items_are_unchanged_and_every_id_is_there_once(bundle: Bundle, large: Bundle) -> None:
    n = len(bundle.catalogue)
    assert len(large.catalogue) == 5 * n // 2
    assert large.catalogue.items[:n] == bundle.catalogue.items
    np.testing.assert_array_equal(large.item_vectors[:n], bundle.item_vectors)
    assert len({item.item_id for item in large.catalogue.items}) == len(large.catalogue)


def test_copies_are_near_their_item_and_not_equal(bundle: Bundle, large: Bundle) -> None:
    n, text = len(bundle.catalogue), bundle.layout.text
    one, copy = bundle.item_vectors[:, text], large.item_vectors[n : 2 * n, text]
    cosines = (one * copy).sum(axis=1)
    assert (cosines > 0.8).all()
    assert (cosines < 1).all()


def test_rows_of_a_copy_are_rows_of_the_same_copy(bundle: Bundle, large: Bundle) -> None:
    n = len(bundle.catalogue)
    second = large.companions[n : 2 * n]
    known = bundle.companions != NO_ROW
    np.testing.assert_array_equal(second[known], bundle.companions[known] + n)
    assert (second[~known] == NO_ROW).all()
    assert large.companions.max() < len(large.catalogue)


def test_a_tiled_bundle_claims_no_search_of_the_smaller_one(bundle: Bundle, tmp_path: Path) -> None:
    described = replace(
        bundle, provenance={**bundle.provenance, "search": {f"recall@{cut}": 1.0 for cut in RECALL_CUTS}}
    )
    bundle_files.save(tiled(described, len(bundle.catalogue) + 1), tmp_path / "large")
    large = bundle_files.load(tmp_path / "large")
    assert large.search_views is None
    assert "search" not in large.provenance
