"""A bundle is whole, itself, and of a known format, or it is refused with a sentence that says why."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.records import ItemContent
from recsvc.domain.shop import History, Item
from recsvc.errors import BundleError
from recsvc.model import bundle_files as bundles
from recsvc.model import text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.text_encoder import item_text
from recsvc.model.text_neighbours import mean_of_neighbours, nearest_bought
from recsvc.model.vectors import decode_8_bits, encode_8_bits, projected, unit
from tests.recsvc.stored_bundle import BUNDLE_ID, EARLIER_BUNDLE, EARLIER_ID, STORED_BUNDLE
from training.fitting.text_projection import fit_projection


@pytest.fixture
def copy(small_bundle: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small_bundle, tmp_path / "bundle")


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / bundles.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_saving_what_was_loaded_gives_the_same_bundle(small_bundle: Path, tmp_path: Path) -> None:
    first = bundles.load(small_bundle)
    assert bundles.save(first, tmp_path / "again") == first.bundle_id == small_bundle.name
    second = bundles.load(tmp_path / "again")
    assert second.catalogue.items == first.catalogue.items
    assert second.model == first.model
    history = History(
        np.arange(3, dtype=np.int32), np.arange(3, dtype=np.int64), np.ones(3, np.int8), np.ones(3, np.float32)
    )
    before, after = (bundle.user_tower().user_vectors([history], [None]) for bundle in (first, second))
    assert np.array_equal(before, after)


def test_a_bundle_of_an_earlier_format_is_refused_with_the_command_that_converts_it() -> None:
    with pytest.raises(BundleError, match=f"format 6; .* format 8: .* recsvc bundles convert {EARLIER_BUNDLE}$"):
        bundles.load(EARLIER_BUNDLE)


def test_a_converted_bundle_of_format_6_has_its_content_without_text_codes(tmp_path: Path) -> None:
    stored = EARLIER_BUNDLE
    bundle = bundles.load(STORED_BUNDLE)
    assert bundle.bundle_id == BUNDLE_ID
    assert bundle.provenance["converted_from"] == {"bundle_id": EARLIER_ID, "format_version": 6}
    assert bundle.text_codes.shape == (48, 0)
    assert not bundle.has_text_codes
    written = json.loads((stored / bundles.MANIFEST).read_text())["model"]["repeats"]
    assert bundle.model.repeats.baseline_probability == written["typical"]
    assert bundle.model.repeats.exclude_bought == written["masked"]
    bundles.save(bundle, tmp_path / "again")
    assert bundles.read_manifest(tmp_path / "again")["format_version"] == 8
    again = bundles.load(tmp_path / "again")
    assert again.model == bundle.model
    assert again.text_codes.shape == (48, 0)
    more = again.with_items([ItemContent(Item("gnome", "A gnome"), np.ones(384, np.float32), "encoder")])
    assert more.text_codes.shape == (49, 0)


def test_the_fields_of_repeats_are_stored_under_their_names(small_bundle: Path, tmp_path: Path) -> None:
    bundle = bundles.load(small_bundle)
    repeats = RepeatConfig(weight=0.4, baseline_probability=0.05, coefficients=(0.5,) * 10, exclude_bought=True)
    bundles.save(replace(bundle, model=replace(bundle.model, repeats=repeats)), tmp_path / "repeats")
    assert bundles.load(tmp_path / "repeats").model.repeats == repeats


def test_text_vectors_are_the_encoders_to_8_bits(small_bundle: Path) -> None:
    bundle = bundles.load(small_bundle)
    rows = np.array([3, 399, 0], np.int32)
    embeddings = text_encoders.load("embedded").encode([item_text(bundle.catalogue.items[row]) for row in rows])
    vectors = bundle.text_vectors(rows)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert (np.einsum("nd,nd->n", vectors, embeddings) > 0.998).all()


def reduced_bundle(small_bundle: Path) -> Bundle:
    """The small bundle with text vectors of 128 columns."""
    bundle = bundles.load(small_bundle)
    vectors = decode_8_bits(bundle.text_codes)
    projection = fit_projection(vectors, 128)
    text_codes = encode_8_bits(projected(vectors, projection))
    category_codes = encode_8_bits(projected(decode_8_bits(bundle.category_codes), projection))
    return replace(bundle, text_codes=text_codes, category_codes=category_codes, text_projection=projection)


def test_a_projection_of_text_vectors_is_stored_and_applied_to_new_items(small_bundle: Path, tmp_path: Path) -> None:
    bundle = reduced_bundle(small_bundle)
    bundles.save(bundle, tmp_path / "reduced")
    again = bundles.load(tmp_path / "reduced")
    np.testing.assert_array_equal(again.text_projection, bundle.text_projection)
    assert again.text_codes.shape == (len(again.catalogue), 128)
    twin = again.catalogue.items[7]
    [embedding] = text_encoders.load("embedded").encode([item_text(twin)])
    more = again.with_items([ItemContent(replace(twin, item_id="twin"), embedding, "encoder")])
    assert more.text_codes.shape == (len(again.catalogue) + 1, 128)
    np.testing.assert_allclose(more.text_codes[-1], more.text_codes[7], atol=3)
    texts, plain = [item_text(twin)], bundles.load(small_bundle)
    with_all_columns = plain.new_item_vectors(embedding[None], texts)[0]
    with_fewer = again.new_item_vectors(embedding[None], texts)[0]
    assert with_fewer @ with_all_columns > 0.95 * np.linalg.norm(with_fewer) * np.linalg.norm(with_all_columns)


def test_restored_vectors_are_the_encoders_as_far_as_the_columns_hold_them(small_bundle: Path) -> None:
    rows = np.array([3, 399, 0], np.int32)
    plain, bundle = bundles.load(small_bundle), reduced_bundle(small_bundle)
    assert bundle.restored(rows).shape == (3, 384)
    assert (np.einsum("nd,nd->n", bundle.restored(rows), plain.text_vectors(rows)) > 0.9).all()
    np.testing.assert_array_equal(plain.restored(rows), plain.text_vectors(rows))


def test_arrays_are_frozen(small_bundle: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        bundles.load(small_bundle).item_vectors[0] = 0


@pytest.mark.parametrize("name", bundles.FILES)
def test_an_altered_file_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} is not the file"):
        bundles.load(copy)


@pytest.mark.parametrize("name", bundles.FILES)
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name):
        bundles.load(copy)


def test_an_altered_configuration_is_refused(copy: Path) -> None:
    model = json.loads((copy / bundles.MANIFEST).read_text())["model"]
    change_manifest(copy, model=model | {"regularization": 5.0})
    with pytest.raises(BundleError, match="was altered"):
        bundles.load(copy)


def test_an_unknown_format_is_refused(copy: Path) -> None:
    change_manifest(copy, format_version=99)
    with pytest.raises(BundleError, match="format 99"):
        bundles.load(copy)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"training\.train"):
        bundles.load(tmp_path)


def test_new_items_get_the_vectors_of_the_bought_items_of_nearest_text(small_bundle: Path) -> None:
    bundle = bundles.load(small_bundle)
    unsold, layout = np.flatnonzero(bundle.purchases == 0), bundle.layout
    texts = [item_text(bundle.catalogue.items[row]) for row in unsold]
    embeddings = text_encoders.load("embedded").encode(texts)
    vectors = bundle.new_item_vectors(embeddings, texts)
    assert len(unsold)
    # What the service gives a new item is what training gave it, up to the rounding of a batch of another size.
    np.testing.assert_allclose(vectors, bundle.item_vectors[unsold], atol=0.02)
    for columns in (layout.newness, layout.unseen):
        assert (vectors[:, columns] == 1).all()
    assert not vectors[:, layout.prior].any()
    for columns in (layout.sequence, layout.text):
        np.testing.assert_allclose(np.linalg.norm(vectors[:, columns], axis=1), 1, atol=1e-5)
    # Each is nearer to the bought item of the nearest text than to bought items in general.
    bought = np.flatnonzero(bundle.purchases)
    nearest = bought[np.argmax(embeddings @ bundle.text_vectors(bought.astype(np.int32)).T, axis=1)]
    for columns in (layout.sequence, layout.text, layout.collaborative):
        to_nearest = np.einsum("nd,nd->n", vectors[:, columns], bundle.item_vectors[nearest, columns])
        assert to_nearest.mean() > 2 * (vectors[:, columns] @ bundle.item_vectors[bought, columns].T).mean()


def test_new_items_of_a_bundle_without_text_codes_get_the_vector_of_their_text(small_bundle: Path) -> None:
    bundle = bundles.load(small_bundle)
    old = replace(bundle, text_codes=np.empty((len(bundle.catalogue), 0), np.int8))
    texts = ["A copper kettle", "A garden gnome"]
    embeddings = text_encoders.load("embedded").encode(texts)
    vectors = old.new_item_vectors(embeddings, texts)
    np.testing.assert_array_equal(vectors, bundle.vectors_of_texts(embeddings, texts))
    assert vectors[:, bundle.layout.text].any()
    assert not vectors[:, bundle.layout.sequence].any()


def test_a_new_item_without_a_text_has_no_neighbours(small_bundle: Path) -> None:
    bundle = bundles.load(small_bundle)
    [vector] = bundle.new_item_vectors(np.zeros((1, 384), np.float32), [""])
    assert np.flatnonzero(vector).tolist() == [bundle.layout.newness.start, bundle.layout.unseen.start]


def test_items_are_added_and_reworded(small_bundle: Path) -> None:
    bundle = bundles.load(small_bundle)
    sold, unsold = int(np.argmax(bundle.purchases)), int(np.flatnonzero(bundle.purchases == 0)[0])
    known, before = [bundle.catalogue.items[row] for row in (sold, unsold)], bundle.item_vectors.copy()
    codes_before = bundle.text_codes.copy()
    contents = [
        ItemContent(item, embedding, "encoder")
        for item, embedding in zip(
            [*(replace(item, title="A garden gnome") for item in known), Item("gnome", "A garden gnome", "Gnomes")],
            np.eye(3, 384, dtype=np.float32),
            strict=True,
        )
    ]
    more = bundle.with_items(contents)
    assert len(more.catalogue) == len(bundle.catalogue) + 1 == len(more.item_vectors) == len(more.buyers)
    assert [more.catalogue.items[row].title for row in (sold, unsold, -1)] == ["A garden gnome"] * 3
    assert more.catalogue.row("gnome") == len(bundle.catalogue)
    assert more.bundle_id == bundle.bundle_id
    # What buyers taught of an item outweighs its words; of one that nobody bought the words are all there is.
    np.testing.assert_array_equal(more.item_vectors[sold], before[sold])
    expected = bundle.new_item_vectors(
        np.eye(3, 384, dtype=np.float32), ["A garden gnome"] * 2 + ["A garden gnome. Gnomes"]
    )
    np.testing.assert_allclose(more.item_vectors[-1], expected[2], atol=1e-6)
    assert np.abs(more.item_vectors[unsold] - before[unsold]).max() > 0.01
    rest = np.setdiff1d(np.arange(len(bundle.catalogue)), [sold, unsold])
    np.testing.assert_array_equal(more.item_vectors[rest], before[rest])
    # The text code follows the words, whoever bought the item.
    for row, place in ((sold, 0), (unsold, 1), (-1, 2)):
        np.testing.assert_array_equal(more.text_codes[row], 127 * np.eye(3, 384, dtype=np.int8)[place])
    np.testing.assert_array_equal(more.text_codes[rest], codes_before[rest])
    again = more.with_items(
        [ItemContent(Item("gnome", "A stone gnome"), np.eye(3, 384, dtype=np.float32)[2], "encoder")]
    )
    assert len(again.catalogue) == len(more.catalogue)
    assert again.catalogue.items[-1].title == "A stone gnome"


def test_vectors_of_texts_do_not_depend_on_how_many_are_read_at_once(
    small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundles.load(small_bundle)
    texts = ["lamp", "a kettle of copper", "", "lamp lamp kettle", "xyzzy"]
    embeddings = unit(np.random.default_rng(2).standard_normal((5, 384)))
    nearest = nearest_bought(bundle.text_vectors(np.arange(5, dtype=np.int32)), bundle.text_codes, np.arange(40))
    together, means = bundle.vectors_of_texts(embeddings, texts), mean_of_neighbours(*nearest, bundle.item_vectors)
    monkeypatch.setattr("recsvc.model.bundle._TEXTS_AT_ONCE", 2)
    monkeypatch.setattr("recsvc.model.text_neighbours._TEXTS_AT_ONCE", 2)
    np.testing.assert_allclose(bundle.vectors_of_texts(embeddings, texts), together, atol=1e-6)
    np.testing.assert_allclose(mean_of_neighbours(*nearest, bundle.item_vectors), means, atol=1e-6)
