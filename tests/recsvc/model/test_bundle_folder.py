"""The folder of bundles is listed whatever one manifest says, and a bundle is found by its id."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recsvc.diagnostics.inspect_bundle import describe_bundle
from recsvc.errors import BundleError
from recsvc.model import bundle_files
from recsvc.model.bundle_folder import bundles_in, folder_of
from tests.recsvc.stored_bundle import BUNDLE_ID, STORED_BUNDLE

# Fields of another type than training writes. None of them is covered by the hash of the bundle.
ODD_FIELDS: list[dict[str, Any]] = [
    {"evaluation": None},
    {"evaluation": [1]},
    {"evaluation": {"ndcg@10": None, "recall@10": 0.5}},
    {"evaluation": {"ndcg@10": {"mean": "high"}, "recall@10": {"mean": 1e999}}},
    {"evaluation": {"ndcg@10": {"mean": 10**400}}},
    {"data": None},
    {"data": "none"},
    {"data": {"erasures_until": "yesterday"}},
    {"data": {"erasures_until": 1e30}},
    {"data": {"erasures_until": True}},
    {"data": {"erasures_until": -5}},
    {"data": {"erasures_until": 10**30}},
    {"data": {"items_written": 7}},
    {"data": {"items_written": "0001-01-01T00:00:00+23:59"}},
    {"created": None},
    {"created": 1.5},
    {"created": "0001-01-01T00:00:00+23:59"},
    {"created": "9999-12-31T23:59:59-23:59"},
    {"training": 3},
    {"ready": "perhaps"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(STORED_BUNDLE, tmp_path / "bundles" / "good")
    return tmp_path / "bundles"


def spoil(folder: Path, **fields: object) -> Path:
    """Makes a copy of the good bundle with other fields in its manifest."""
    copy = folder / "odd"
    shutil.copytree(STORED_BUNDLE, copy, dirs_exist_ok=True)
    manifest = json.loads((copy / bundle_files.MANIFEST).read_text(encoding="utf-8"))
    (copy / bundle_files.MANIFEST).write_text(json.dumps(manifest | fields), encoding="utf-8")
    return copy


@pytest.mark.parametrize("fields", ODD_FIELDS, ids=str)
def test_a_field_of_another_type_is_unknown_and_keeps_nothing_from_being_listed(
    folder: Path, fields: dict[str, object]
) -> None:
    odd = spoil(folder, **fields)
    shutil.rmtree(folder / "good")
    [info] = bundles_in(folder)
    assert (info.bundle_id, info.folder) == (BUNDLE_ID, odd)
    assert set(info.metrics) <= {"ndcg@10", "recall@10"}
    assert info.erasures_until == 0
    assert datetime(1970, 1, 1, tzinfo=UTC) <= info.trained_at
    assert bundle_files.load(odd).items_written == 0
    assert describe_bundle(odd)


@pytest.mark.parametrize("fields", [{"bundle_id": None}, {"bundle_id": ["a"]}, {"format_version": {}}], ids=str)
def test_a_manifest_without_an_id_or_a_format_is_left_out(folder: Path, fields: dict[str, object]) -> None:
    odd = spoil(folder, **fields)
    assert [info.folder for info in bundles_in(folder)] == [folder / "good"]
    with pytest.raises(BundleError):
        bundle_files.read_manifest(odd)


@pytest.mark.parametrize("text", ["[" * 100_000, "7", "null", '"text"', "\udcff"], ids=lambda text: text[:6])
def test_a_manifest_that_is_no_object_is_left_out(folder: Path, text: str) -> None:
    odd = spoil(folder)
    (odd / bundle_files.MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    assert [info.folder for info in bundles_in(folder)] == [folder / "good"]
    assert folder_of(BUNDLE_ID, folder) == folder / "good"
    with pytest.raises(BundleError):
        bundle_files.load(odd)


def test_a_bundle_of_another_format_is_found_by_its_id_but_not_listed(folder: Path) -> None:
    odd = spoil(folder, bundle_id="0123456789abcdef", format_version=99)
    assert folder_of("0123456789abcdef", folder) == odd
    assert [info.folder for info in bundles_in(folder)] == [folder / "good"]
    assert folder_of("fedcba9876543210", folder) is None
    spoil(folder, format_version=99)
    assert folder_of(BUNDLE_ID, folder) == folder / "good"  # the copy that can be read


def test_a_bundle_knows_when_its_table_was_written(folder: Path) -> None:
    odd = spoil(folder, data={"items_written": "2026-11-30T08:00:00.000001+01:00"})
    moment = datetime(2026, 11, 30, 7, tzinfo=UTC)
    assert bundle_files.load(odd).items_written == int(moment.timestamp()) * 1_000_000 + 1
