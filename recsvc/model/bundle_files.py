"""Stores a bundle in a folder, and loads it. The bundle is all that training hands to serving.

The folder has the items and all arrays as columns, one file each in numpy's format, the weights of the towers as
safetensors, the lexical vocabulary, and manifest.json with the sha256 of each file, which is written last. `bundle_id`
is the hash of those hashes and of the model's configuration. So the same content has the same id everywhere, and an
altered file is refused. The report is in the same folder but is not part of the bundle.

Further columns need no other format: a version that does not know a column verifies it and leaves it alone. What
follows from the content is stored beside it and is no part of the id: `derived_columns` and `search_view_files`.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from recsvc.errors import BundleError, BundleFormatError
from recsvc.model import derived_columns, item_columns, item_words, search_view_files
from recsvc.model.array_files import open_array, open_growing, save_array
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.derived_columns import open_derived
from recsvc.model.file_hashes import hashes_of
from recsvc.model.growing import GrowingMatrix
from recsvc.model.item_columns import ItemColumns
from recsvc.model.item_words import ItemWords
from recsvc.model.lexical import LexicalEncoder
from recsvc.model.model_config import ModelConfig
from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.new_rows import NEW_ROWS
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.search_view_files import load_views
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from recsvc.model.towers.confidence import ConfidenceConfig
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig
from recsvc.model.vector_sums import VectorSums

FORMAT_VERSION = 8
CONVERTED_VERSIONS = (6, 7)  # by `recsvc bundles convert`
MANIFEST = "manifest.json"
TOWER = "tower.safetensors"
VOCABULARY = "vocabulary.json"
COLUMNS = "columns"  # the folder of the arrays
# The fields of a bundle that are arrays.
ARRAYS = (
    *("item_vectors", "buyers", "purchases", "repeat_rates", "repeat_intervals"),
    *("cohorts", "companions", "companion_buyers", "text_codes", "category_codes", "text_projection"),
    *("neighbour_rows", "neighbour_weights"),
)


def column_file(name: str) -> str:
    """Returns the file of an array, relative to the bundle's folder."""
    return f"{COLUMNS}/{name}.npy"


ITEMS = column_file("item_vectors")
# What `Bundle.vector_sums` would compute.
SUMS = ("gram", "in_sequence")
_ARRAY_NAMES = (*ARRAYS, *SUMS, *item_columns.ARRAY_NAMES, *item_words.ARRAY_NAMES)
FILES = (TOWER, VOCABULARY, *map(column_file, _ARRAY_NAMES))
# The fields of the manifest that describe the files of this folder. A copy that is saved has its own.
_NO_PROVENANCE = {
    *("bundle_id", "format_version", "files", "model"),
    *(derived_columns.SECTION, search_view_files.SECTION),
}
# Of the files that a manifest may name, so that it names none outside its folder.
_FILE_NAME = re.compile(rf"(?:{COLUMNS}/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")

Module = TypeVar("Module", bound=torch.nn.Module)


def save(bundle: Bundle, folder: Path) -> str:
    """Writes a bundle into a new folder. The folder appears complete, or not at all.

    Returns:
        The bundle_id.
    """
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / COLUMNS).mkdir()
    for name, array in _arrays(bundle).items():
        save_array(part / column_file(name), array)
    features = bundle.features
    modules = {"text_tower": bundle.text_tower, "sequence_tower": bundle.sequence_tower}
    tower = {
        f"{prefix}.{name}": tensor.contiguous()
        for prefix, module in modules.items()
        if module is not None
        for name, tensor in module.state_dict().items()
    }
    for name, array in (
        ("idf", features.lexical.idf),
        ("components", features.lexical.components),
        ("singular", features.lexical.singular),
        ("mean", features.mean),
        ("projection", features.projection),
    ):
        tower[f"features.{name}"] = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    save_file(tower, part / TOWER)
    (part / VOCABULARY).write_text(json.dumps(features.lexical.vocabulary, ensure_ascii=False), encoding="utf-8")
    (part / TOWER).chmod(0o644)  # safetensors writes 0600, but the service runs as another user
    identity = {
        "format_version": FORMAT_VERSION,
        "files": hashes_of(part, FILES),
        "model": asdict(bundle.model),
    }
    bundle_id = identity_hash(identity)
    derived = {derived_columns.SECTION: bundle.derived_columns.save(part)}
    write_manifest(part, {"bundle_id": bundle_id, **identity, **bundle.provenance, **derived})
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return bundle_id


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Writes manifest.json, completely or not at all."""
    part = folder / (MANIFEST + ".part")
    part.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.rename(folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Reads the manifest. Its id is a string; other fields may be of any type (`recsvc.model.manifest`).

    Raises:
        BundleFormatError: Its format is not `FORMAT_VERSION`.
        BundleError: The folder is no bundle.
    """
    manifest = any_manifest(folder)
    if manifest.get("format_version") != FORMAT_VERSION:
        raise BundleFormatError(folder, manifest.get("format_version"), FORMAT_VERSION, CONVERTED_VERSIONS)
    if not isinstance(manifest.get("bundle_id"), str):
        raise BundleError(f"{folder / MANIFEST} has no bundle_id: copy the bundle again")
    return manifest


def any_manifest(folder: Path) -> dict[str, Any]:
    """Reads the manifest of a bundle of any format.

    Raises:
        BundleError: The folder is no bundle.
    """
    try:
        return _parsed_manifest(folder)
    except FileNotFoundError:
        raise BundleError(
            f"{folder} is not a bundle: it has no {MANIFEST} (make one with python -m training.train)"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{folder / MANIFEST} cannot be read: {error}") from None


def bundle_id_of(folder: Path) -> str | None:
    """Returns the id in the manifest, whatever its format is; None if there is none."""
    try:
        bundle_id = _parsed_manifest(folder).get("bundle_id")
    except (OSError, ValueError, RecursionError):
        return None
    return bundle_id if isinstance(bundle_id, str) else None


def _parsed_manifest(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest if isinstance(manifest, dict) else {}


def load(folder: Path) -> Bundle:
    """Verifies and opens a bundle. Arrays are memory-mapped: processes that load the same bundle share one copy.

    Raises:
        BundleError: The bundle is missing, altered, incomplete or of an unknown format.
    """
    manifest = read_manifest(folder)
    try:
        verify(folder, manifest, FILES)
        return _open(folder, manifest)
    except (AttributeError, KeyError, OSError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise BundleError(f"{folder} cannot be opened: {type(error).__name__}: {error}") from error


def verify(folder: Path, manifest: dict[str, Any], needed: Sequence[str]) -> None:
    """Checks that the files of a bundle are those of its manifest, and the manifest that of its id.

    Args:
        folder: Of the bundle.
        manifest: Of the bundle.
        needed: Files that it must have.

    Raises:
        BundleError: A file or the manifest was altered.
    """
    files = {name: manifest["files"][name] for name in needed} | manifest["files"]
    if odd := next((name for name in files if not _FILE_NAME.fullmatch(name)), None):
        raise BundleError(f"{folder / MANIFEST} names a file that no bundle has: {odd!r}")
    for name, hashed in hashes_of(folder, list(files)).items():
        if hashed != files[name]:
            raise BundleError(f"{folder / name} is not the file that the manifest describes: copy the bundle again")
    identity = {key: manifest[key] for key in ("format_version", "files", "model")}
    if identity_hash(identity) != manifest["bundle_id"]:
        raise BundleError(f"{folder / MANIFEST} was altered: its bundle_id is not the hash of its content")


def _open(folder: Path, manifest: dict[str, Any]) -> Bundle:
    columns = {name: open_array(folder / column_file(name)) for name in _ARRAY_NAMES}
    memory: dict[str, GrowingMatrix[Any]] = {}
    for name in (*NEW_ROWS, "in_sequence", *item_columns.GROWING):
        columns[name], memory[name] = open_growing(folder / column_file(name))
    items = ItemColumns.read(columns)
    catalogue = Catalogue(items, ItemWords.read(len(items), columns), memory)
    sums = VectorSums(columns["item_vectors"], columns["gram"], columns["in_sequence"], memory["in_sequence"])
    bundle = open_model(folder, manifest, catalogue, {name: columns[name] for name in ARRAYS})
    return replace(bundle, memory=memory, sums=sums, derived=open_derived(folder, manifest, bundle.source))


def _arrays(bundle: Bundle) -> dict[str, NDArray[Any]]:
    """All arrays of a bundle by the names of their columns."""
    arrays = {name: getattr(bundle, name) for name in ARRAYS}
    arrays |= {name: getattr(bundle.vector_sums, name) for name in SUMS}
    return arrays | bundle.catalogue.columns.arrays() | bundle.catalogue.words.arrays()


def open_model(
    folder: Path,
    manifest: dict[str, Any],
    catalogue: Catalogue,
    arrays: dict[str, Any],
) -> Bundle:
    """Opens the towers of a bundle and puts it together.

    Args:
        folder: Of the bundle.
        manifest: Of the bundle.
        catalogue: The items.
        arrays: Of `ARRAYS`.
    """
    tower = load_file(folder / TOWER)
    vocabulary = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
    lexical = LexicalEncoder(
        vocabulary, *(tower[f"features.{name}"].numpy() for name in ("idf", "components", "singular"))
    )
    model = _model_config(manifest["model"])
    text_tower = _filled(TextTower(model.text_features, model.text), tower, "text_tower.")
    sequence_tower = None
    if model.sequence is not None:
        sequence_tower = _filled(SequenceTower(model.sequence), tower, "sequence_tower.")
    return Bundle(
        catalogue=catalogue,
        features=TextFeatures(lexical, tower["features.mean"].numpy(), tower["features.projection"].numpy()),
        text_tower=text_tower,
        sequence_tower=sequence_tower,
        model=model,
        provenance={key: value for key, value in manifest.items() if key not in _NO_PROVENANCE},
        bundle_id=manifest["bundle_id"],
        search_views=load_views(folder, manifest, arrays["item_vectors"].shape),
        **arrays,
    )


def _filled(module: Module, tensors: dict[str, torch.Tensor], prefix: str) -> Module:
    module.load_state_dict(
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    )
    return module.eval().requires_grad_(requires_grad=False)


def _model_config(values: dict[str, Any]) -> ModelConfig:
    fusion = FusionWeights(**{name: BlockWeights(**weights) for name, weights in values["fusion"].items()})
    nested = {
        "text": TransformerConfig(**values["text"]),
        "sequence": TransformerConfig(**values["sequence"]) if values["sequence"] is not None else None,
        "fusion": fusion,
        "confidence": ConfidenceConfig(**values["confidence"]),
        "repeats": RepeatConfig(**{**values["repeats"], "coefficients": tuple(values["repeats"]["coefficients"])}),
        "neighbours": NeighbourConfig(**values["neighbours"]),
    }
    return ModelConfig(**{**values, **nested})


def identity_hash(identity: dict[str, Any]) -> str:
    """Returns the id of a bundle with a format, files and a model."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
