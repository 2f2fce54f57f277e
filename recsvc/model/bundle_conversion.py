"""Converts a bundle of an earlier format, or of an earlier version, into one of the present. Nothing is trained."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file

from recsvc.domain.shop import Item
from recsvc.errors import BundleError
from recsvc.model import bundle_files, derived_columns
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue

_CATALOGUE = "catalogue.jsonl"
_ITEMS = "items.safetensors"
_FILES = (_CATALOGUE, _ITEMS, bundle_files.TOWER, bundle_files.VOCABULARY)
# Format 6 has two fields of RepeatConfig under the names that version 0.1.0 gave them, no text codes and no neighbours.
_REPEAT_FIELDS = {"typical": "baseline_probability", "masked": "exclude_bought"}


def convert(folder: Path, target: Path | None = None) -> str:
    """Writes a bundle in the present format, verifies it, and copies its report.

    The content is the same, but not the files: so it has a new bundle_id. The manifest keeps what it says of the
    training, and has the id before the conversion in `converted_from`. A bundle of the present format that lacks the
    derived columns gets them, and keeps its id.

    Args:
        folder: Of a bundle of an earlier format, or without derived columns.
        target: A new folder; None to replace `folder`.

    Returns:
        The bundle_id.

    Raises:
        BundleError: The bundle is altered, needs no conversion, has another format, or the target is there already.
    """
    source = folder.resolve()  # not a link to it, such as `latest`
    if target is not None and target.exists():
        raise BundleError(f"{target} is there already: name a folder that is not")
    if lacks_derived(source):
        return _with_derived(source, target)
    bundle = _open_earlier(source)
    new = target if target is not None else source.with_name(f"{source.name}.converted")
    try:
        bundle_id = bundle_files.save(bundle, new)
        bundle_files.load(new)
        for path in source.iterdir():
            if path.is_file() and path.name not in (*_FILES, bundle_files.MANIFEST):
                shutil.copy2(path, new / path.name)
        if target is None:
            before = source.with_name(f"{source.name}.before")
            source.rename(before)
            new.rename(source)
            shutil.rmtree(before)
    except OSError as error:
        raise BundleError(f"{folder} cannot be converted: {error}") from None
    return bundle_id


def lacks_derived(folder: Path) -> bool:
    """Returns whether a bundle has the present format, but not the columns that this version stores beside it.

    Raises:
        BundleError: The folder is no bundle.
    """
    manifest = bundle_files.any_manifest(folder)
    is_present = manifest.get("format_version") == bundle_files.FORMAT_VERSION
    return is_present and not derived_columns.are_complete(manifest)


def _with_derived(source: Path, target: Path | None) -> str:
    """Adds the derived columns to a bundle, or to a copy of it. The manifest names them once they are there."""
    bundle = bundle_files.load(source)
    try:
        new = source if target is None else Path(shutil.copytree(source, target))
        derived = bundle.derived_columns.save(new)
        bundle_files.write_manifest(new, bundle_files.read_manifest(new) | {derived_columns.SECTION: derived})
    except OSError as error:
        raise BundleError(f"{source} cannot be converted: {error}") from None
    bundle_files.load(new)
    return bundle.bundle_id


def _open_earlier(folder: Path) -> Bundle:
    manifest = bundle_files.any_manifest(folder)
    version = manifest.get("format_version")
    if version not in bundle_files.CONVERTED_VERSIONS:
        formats = " and ".join(map(str, bundle_files.CONVERTED_VERSIONS))
        raise BundleError(f"{folder} has bundle format {version}: only bundles of formats {formats} are converted")
    try:
        bundle_files.verify(folder, manifest, _FILES)
        with (folder / _CATALOGUE).open(encoding="utf-8") as file:
            catalogue = Catalogue(_item(json.loads(line)) for line in file)
        n, paths = len(catalogue), len(catalogue.paths)
        arrays: dict[str, Any] = {
            "text_codes": np.empty((n, 0), np.int8),
            "category_codes": np.empty((paths, 0), np.int8),
            "text_projection": np.empty((0, 0), np.float32),
            "neighbour_rows": np.empty((n, 0), np.int32),
            "neighbour_weights": np.empty((n, 0), np.float16),
        }
        arrays |= {name: tensor.numpy() for name, tensor in load_file(folder / _ITEMS).items()}
        bundle = bundle_files.open_model(folder, manifest | {"model": _model(manifest["model"])}, catalogue, arrays)
    except (AttributeError, KeyError, OSError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise BundleError(f"{folder} cannot be opened: {type(error).__name__}: {error}") from error
    origin = {"bundle_id": manifest["bundle_id"], "format_version": version}
    return replace(bundle, provenance=bundle.provenance | {"converted_from": origin})


def _model(values: dict[str, Any]) -> dict[str, Any]:
    repeats = {_REPEAT_FIELDS.get(name, name): value for name, value in values["repeats"].items()}
    return {"neighbours": {}, **values, "repeats": repeats}


def _item(row: dict[str, Any]) -> Item:
    attributes = tuple((name, value) for name, value in row["attributes"])
    return Item(**{**row, "categories": tuple(row["categories"]), "attributes": attributes})
