"""What follows from a bundle is stored beside it, is used as if it were computed, and is no part of its id."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.__main__ import main
from recsvc.errors import BundleError
from recsvc.model import bundle_files, derived_columns
from recsvc.model.bundle import Bundle
from recsvc.model.derived_columns import NAMES, DerivedColumns, file_of
from recsvc.model.file_hashes import hashes_of
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from recsvc.retrieval import index, item_snapshot
from recsvc.retrieval.item_snapshot import ItemSnapshot
from tests.recsvc.stored_bundle import BUNDLE_ID, STORED_BUNDLE, save_variant


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORED_BUNDLE, tmp_path / "bundle"))


def without_columns(folder: Path) -> Path:
    """Makes of a bundle one that an earlier version wrote."""
    shutil.rmtree(folder / derived_columns.FOLDER)
    manifest = bundle_files.read_manifest(folder)
    del manifest[derived_columns.SECTION]
    bundle_files.write_manifest(folder, manifest)
    return folder


def assert_same(columns: DerivedColumns, others: DerivedColumns) -> None:
    for name in ("items", "similarity"):
        for one, other in zip(getattr(columns, name), getattr(others, name), strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(columns.item_only, others.item_only)
    assert columns.link_scale == others.link_scale
    assert columns.median_interval == others.median_interval


def test_stored_columns_are_those_of_the_content(folder: Path) -> None:
    bundle = bundle_files.load(folder)
    assert bundle.derived is not None
    assert bundle.derived_columns is bundle.derived
    assert_same(bundle.derived, DerivedColumns.of(bundle.source))
    np.testing.assert_allclose(
        bundle.derived.items.codes * bundle.derived.items.scales[:, None], bundle.item_vectors, atol=0.02
    )
    np.testing.assert_array_equal(bundle.derived.item_only.T, bundle.item_vectors[:, bundle.layout.prior.start :])
    assert not bundle.derived.item_only.flags.owndata


def test_a_bundle_of_an_earlier_version_computes_the_same_columns(folder: Path) -> None:
    stored = bundle_files.load(folder).derived_columns
    bundle = bundle_files.load(without_columns(folder))
    assert bundle.derived is None
    assert bundle.bundle_id == BUNDLE_ID
    assert_same(bundle.derived_columns, stored)


def test_columns_of_other_vectors_or_weights_are_not_used(folder: Path) -> None:
    bundle = bundle_files.load(folder)
    fusion = FusionWeights.only(BlockWeights.all(1.0))
    reweighted = replace(bundle, model=replace(bundle.model, fusion=fusion))
    assert not np.array_equal(reweighted.derived_columns.similarity.codes, bundle.derived_columns.similarity.codes)
    negated = replace(bundle, item_vectors=-bundle.item_vectors)
    np.testing.assert_array_equal(negated.derived_columns.items.codes, -bundle.derived_columns.items.codes)


def test_a_saved_variant_has_columns_of_its_own(tmp_path: Path) -> None:
    weights = BlockWeights.all(1.0)
    save_variant(tmp_path / "variant", fusion=FusionWeights.only(weights))
    variant = bundle_files.load(tmp_path / "variant")
    assert variant.derived is not None
    assert_same(variant.derived, DerivedColumns.of(variant.source))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", ["missing", "altered", "of another column"])
def test_a_column_that_is_not_the_described_one_is_refused(name: str, fault: str, folder: Path) -> None:
    path = folder / file_of(name)
    if fault == "missing":
        path.unlink()
    elif fault == "altered":
        path.write_bytes(path.read_bytes()[:-1] + b"\x55")
    else:
        other = NAMES[NAMES.index(name) - 1]
        path.write_bytes((folder / file_of(other)).read_bytes())
    with pytest.raises(BundleError, match=path.name):
        bundle_files.load(folder)


def test_columns_of_fewer_items_are_refused_though_their_hash_is_right(folder: Path) -> None:
    path = folder / file_of("item_scales")
    np.save(path, np.load(path)[:-1])
    manifest = bundle_files.read_manifest(folder)
    manifest[derived_columns.SECTION]["item_scales"] = hashes_of(folder, [file_of("item_scales")])[
        file_of("item_scales")
    ]
    bundle_files.write_manifest(folder, manifest)
    with pytest.raises(BundleError, match="of other items"):
        bundle_files.load(folder)


@pytest.mark.parametrize("section", [None, "word", [], {}, {"item_codes": "0"}])
def test_a_manifest_without_all_columns_has_none(section: object, folder: Path) -> None:
    manifest = bundle_files.read_manifest(folder)
    bundle_files.write_manifest(folder, manifest | {derived_columns.SECTION: section})
    assert bundle_files.load(folder).derived is None


def test_convert_adds_the_columns_and_keeps_the_id(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without_columns(folder)
    assert main(["bundles", "convert", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder} is bundle {BUNDLE_ID}\n"
    bundle = bundle_files.load(folder)
    assert bundle.derived is not None
    assert_same(bundle.derived, DerivedColumns.of(bundle.source))
    assert main(["bundles", "convert", str(folder)]) == 2
    assert "has bundle format 8: only bundles of formats 6 and 7 are converted" in capsys.readouterr().err


def test_convert_to_another_folder_leaves_the_bundle_as_it_was(folder: Path, tmp_path: Path) -> None:
    without_columns(folder)
    (folder / "report.html").write_text("a report")
    before = json.loads((folder / bundle_files.MANIFEST).read_text())
    assert main(["bundles", "convert", str(folder), "--to", str(tmp_path / "new")]) == 0
    assert json.loads((folder / bundle_files.MANIFEST).read_text()) == before
    assert not (folder / derived_columns.FOLDER).exists()
    assert bundle_files.load(tmp_path / "new").derived is not None
    assert (tmp_path / "new" / "report.html").read_text() == "a report"


@pytest.fixture
def stored_and_computed(folder: Path) -> tuple[Bundle, Bundle]:
    """A bundle with stored columns, and without."""
    return bundle_files.load(folder), bundle_files.load(without_columns(folder))


async def test_searches_find_the_same_items_with_and_without_stored_columns(
    stored_and_computed: tuple[Bundle, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a large shop: the scan reads codes, and returns a few of the items.
    monkeypatch.setattr(item_snapshot, "FULL_PRECISION_ITEMS", 10)
    for name, value in {"FULL_PRECISION_ITEMS": 10, "CANDIDATES_A_PLACE": 1, "MIN_CANDIDATES": 0}.items():
        monkeypatch.setattr(index, name, value)
    with ThreadPoolExecutor(1) as executor:
        stored, computed = [await _searched(bundle, executor) for bundle in stored_and_computed]
    assert stored == computed
    assert all(place in rows for place, rows in enumerate(stored[len(stored) // 2 :])), "no item is like itself"
    assert {len(rows) for rows in stored} == {3}


async def _searched(bundle: Bundle, executor: ThreadPoolExecutor) -> list[set[int]]:
    """The 3 nearest items of some items, by their vectors and then by similarity."""
    snapshot = ItemSnapshot.of(bundle, executor)
    rows = [await snapshot.search(vector, 3, None) for vector in bundle.item_vectors[:9]]
    rows += [await snapshot.search_similar(vector, 3, None) for vector in snapshot.similarity_vectors[:9]]
    return [set(own.tolist()) for own in rows]
