"""Stores a bundle in a folder, and loads it. The bundle is all that training hands to serving.

The folder has the catalogue as JSON lines, arrays and weights as safetensors, the lexical vocabulary, and manifest.json
with the sha256 of each file, which is written last. `bundle_id` is the hash of those hashes and of the model's
configuration. So the same content has the same id everywhere, and an altered file is refused. The report is in the same
folder but is not part of the bundle.
"""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from recsvc.domain.shop import Item
from recsvc.errors import BundleError, BundleFormatError
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.lexical import LexicalEncoder
from recsvc.model.model_config import ModelConfig
from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.search_view_files import load_views
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from recsvc.model.towers.confidence import ConfidenceConfig
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig

FORMAT_VERSION = 7
READABLE_VERSIONS = (6, FORMAT_VERSION)
MANIFEST = "manifest.json"
CATALOGUE = "catalogue.jsonl"
ITEMS = "items.safetensors"
TOWER = "tower.safetensors"
VOCABULARY = "vocabulary.json"
ARRAYS = (
    *("item_vectors", "buyers", "purchases", "repeat_rates", "repeat_intervals"),
    *("cohorts", "companions", "companion_buyers", "text_codes", "category_codes", "text_projection"),
    *("neighbour_rows", "neighbour_weights"),
)
# Format 6 has two fields of RepeatConfig under the names that version 0.1.0 gave them, no text codes and no neighbours.
REPEAT_FIELDS = {"typical": "baseline_probability", "masked": "exclude_bought"}
FILES = (CATALOGUE, ITEMS, TOWER, VOCABULARY)

Module = TypeVar("Module", bound=torch.nn.Module)


def save(bundle: Bundle, folder: Path) -> str:
    """Writes a bundle into a new folder. The folder appears complete, or not at all.

    Returns:
        The bundle_id.
    """
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with (part / CATALOGUE).open("w", encoding="utf-8") as file:
        for item in bundle.catalogue.items:
            file.write(json.dumps(asdict(item), ensure_ascii=False) + "\n")
    items = {name: getattr(bundle, name) for name in ARRAYS}
    save_file({name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in items.items()}, part / ITEMS)
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
    for name in (ITEMS, TOWER):
        (part / name).chmod(0o644)  # safetensors writes 0600, but the service runs as another user
    identity = {
        "format_version": FORMAT_VERSION,
        "files": {name: _sha256(part / name) for name in FILES},
        "model": asdict(bundle.model),
    }
    bundle_id = _identity_hash(identity)
    write_manifest(part, {"bundle_id": bundle_id, **identity, **bundle.provenance})
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
        BundleFormatError: Its format is not one of `READABLE_VERSIONS`.
        BundleError: The folder is no bundle.
    """
    try:
        manifest = _any_manifest(folder)
    except FileNotFoundError:
        raise BundleError(
            f"{folder} is not a bundle: it has no {MANIFEST} (make one with python -m training.train)"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{folder / MANIFEST} cannot be read: {error}") from None
    if manifest.get("format_version") not in READABLE_VERSIONS:
        raise BundleFormatError(folder, manifest.get("format_version"), READABLE_VERSIONS)
    if not isinstance(manifest.get("bundle_id"), str):
        raise BundleError(f"{folder / MANIFEST} has no bundle_id: copy the bundle again")
    return manifest


def bundle_id_of(folder: Path) -> str | None:
    """Returns the id in the manifest, whatever its format is; None if there is none."""
    try:
        bundle_id = _any_manifest(folder).get("bundle_id")
    except (OSError, ValueError, RecursionError):
        return None
    return bundle_id if isinstance(bundle_id, str) else None


def _any_manifest(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest if isinstance(manifest, dict) else {}


def load(folder: Path) -> Bundle:
    """Verifies and opens a bundle. Arrays are memory-mapped: processes that load the same bundle share one copy.

    Raises:
        BundleError: The bundle is missing, altered, incomplete or of an unknown format.
    """
    manifest = read_manifest(folder)
    try:
        for name in FILES:
            if _sha256(folder / name) != manifest["files"][name]:
                raise BundleError(f"{folder / name} is not the file that the manifest describes: copy the bundle again")
        identity = {key: manifest[key] for key in ("format_version", "files", "model")}
        if _identity_hash(identity) != manifest["bundle_id"]:
            raise BundleError(f"{folder / MANIFEST} was altered: its bundle_id is not the hash of its content")
        return _open(folder, manifest)
    except (AttributeError, KeyError, OSError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise BundleError(f"{folder} cannot be opened: {type(error).__name__}: {error}") from error


def _open(folder: Path, manifest: dict[str, Any]) -> Bundle:
    with (folder / CATALOGUE).open(encoding="utf-8") as file:
        catalogue = Catalogue([_item(json.loads(line)) for line in file])
    items: dict[str, Any] = {name: tensor.numpy() for name, tensor in load_file(folder / ITEMS).items()}
    items.setdefault("text_codes", np.empty((len(catalogue), 0), np.int8))
    items.setdefault("category_codes", np.empty((len(catalogue.paths.names), 0), np.int8))
    items.setdefault("text_projection", np.empty((0, 0), np.float32))
    items.setdefault("neighbour_rows", np.empty((len(catalogue), 0), np.int32))
    items.setdefault("neighbour_weights", np.empty((len(catalogue), 0), np.float16))
    for array in items.values():
        array.flags.writeable = False
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
    identity = {"bundle_id", "format_version", "files", "model"}
    return Bundle(
        catalogue=catalogue,
        features=TextFeatures(lexical, tower["features.mean"].numpy(), tower["features.projection"].numpy()),
        text_tower=text_tower,
        sequence_tower=sequence_tower,
        model=model,
        provenance={key: value for key, value in manifest.items() if key not in identity},
        bundle_id=manifest["bundle_id"],
        search_views=load_views(folder, manifest, items["item_vectors"].shape),
        **items,
    )


def _item(row: dict[str, Any]) -> Item:
    attributes = tuple((name, value) for name, value in row["attributes"])
    return Item(**{**row, "categories": tuple(row["categories"]), "attributes": attributes})


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
        "repeats": RepeatConfig(
            **{
                REPEAT_FIELDS.get(name, name): value
                for name, value in values["repeats"].items()
                if name != "coefficients"
            },
            coefficients=tuple(values["repeats"]["coefficients"]),
        ),
        "neighbours": NeighbourConfig(**values.get("neighbours", {})),
    }
    return ModelConfig(**{**values, **nested})


def _identity_hash(identity: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
