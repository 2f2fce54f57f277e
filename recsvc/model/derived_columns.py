"""What follows from the content of a bundle and takes long to compute, stored beside it for the processes that serve.

The columns are files of their own in the bundle, memory-mapped and with their own hashes in the manifest. They are no
part of what `bundle_id` is the hash of: a bundle without them works, and each process computes them when it loads it.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, VectorsByRow
from recsvc.errors import BundleError
from recsvc.model.array_files import open_array, save_array
from recsvc.model.file_hashes import hashes_of
from recsvc.model.manifest import section
from recsvc.model.similarity import SimilarityVectors
from recsvc.model.text_links import link_scale
from recsvc.model.towers.blocks import ITEM_ONLY_BLOCKS, FusionWeights, Layout
from recsvc.model.vectors import row_codes

SECTION = "derived"  # of the manifest: the sha256 of each column
FOLDER = "derived"
NAMES = (
    *("item_codes", "item_scales", "similarity_codes", "similarity_scales", "item_only"),
    *("link_scale", "median_interval"),
)


class ScanCodes(NamedTuple):
    """Vectors in 8 bits, as a scan reads them; see `row_codes`. codes: int8 (n, d). scales: float32 (n,)."""

    codes: NDArray[np.int8]
    scales: Floats

    @staticmethod
    def of(vectors: VectorsByRow) -> "ScanCodes":
        """Rounds vectors, some thousands at a time."""
        return ScanCodes(*row_codes(vectors))


@dataclass(frozen=True)
class Source:
    """The parts of a bundle that the columns follow from, as the attributes of the bundle."""

    item_vectors: Floats
    neighbour_weights: NDArray[np.float16]
    repeat_intervals: Floats
    layout: Layout
    fusion: FusionWeights

    def is_same(self, other: "Source") -> bool:
        """Returns whether the arrays are the same objects, and the weights are equal."""
        arrays = ("item_vectors", "neighbour_weights", "repeat_intervals")
        same = all(getattr(self, name) is getattr(other, name) for name in arrays)
        return same and (self.layout, self.fusion) == (other.layout, other.fusion)


@dataclass(frozen=True)
class DerivedColumns:
    """The columns of n items.

    Attributes:
        source: What they follow from.
        items: The item vectors in 8 bits.
        similarity: The similarity vectors in 8 bits.
        item_only: The item-only columns of the vectors, float32 (c, n).
        link_scale: See `TextLinks.scale`.
        median_interval: Of `Bundle.repeat_intervals`: how soon an item is bought again of which nothing is known.
    """

    source: Source
    items: ScanCodes
    similarity: ScanCodes
    item_only: Floats
    link_scale: float
    median_interval: float

    @staticmethod
    def of(source: Source) -> "DerivedColumns":
        """Computes the columns. It takes a pass over all vectors."""
        similarity = SimilarityVectors(source.item_vectors, source.layout, source.fusion)
        return DerivedColumns(
            source,
            items=ScanCodes.of(source.item_vectors),
            similarity=ScanCodes.of(similarity),
            item_only=np.ascontiguousarray(source.item_vectors[:, -len(ITEM_ONLY_BLOCKS) :].T),
            link_scale=link_scale(source.neighbour_weights),
            median_interval=median_interval(source.repeat_intervals),
        )

    def save(self, folder: Path) -> dict[str, str]:
        """Writes the columns into the folder of a bundle. Returns the section of the manifest."""
        part = folder / f"{FOLDER}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        arrays: dict[str, NDArray[Any]] = {
            "item_codes": self.items.codes,
            "item_scales": self.items.scales,
            "similarity_codes": self.similarity.codes,
            "similarity_scales": self.similarity.scales,
            "item_only": self.item_only,
            "link_scale": np.array([self.link_scale]),
            "median_interval": np.array([self.median_interval]),
        }
        for name, array in arrays.items():
            save_array(part / f"{name}.npy", array)
        shutil.rmtree(folder / FOLDER, ignore_errors=True)  # a process that has mapped these files keeps them
        part.rename(folder / FOLDER)
        return _hashes(folder, NAMES)


def open_derived(folder: Path, manifest: Mapping[str, Any], source: Source) -> DerivedColumns | None:
    """Opens the columns of a bundle, memory-mapped; None if it has none, or not all of them.

    Args:
        folder: Of the bundle.
        manifest: Of the bundle.
        source: The bundle's own.

    Raises:
        BundleError: A file is missing, or not that which the manifest describes.
    """
    if not are_complete(manifest):
        return None
    described = section(manifest, SECTION)
    for name, hashed in _hashes(folder, NAMES).items():
        if hashed != described[name]:
            raise BundleError(f"{folder / file_of(name)} is not the file that the manifest describes: copy it again")
    arrays = {name: open_array(folder / file_of(name)) for name in NAMES}
    n, d = source.item_vectors.shape
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != {
        "item_codes": (n, d),
        "item_scales": (n,),
        "similarity_codes": (n, d),
        "similarity_scales": (n,),
        "item_only": (len(ITEM_ONLY_BLOCKS), n),
        "link_scale": (1,),
        "median_interval": (1,),
    }:
        raise BundleError(f"{folder / FOLDER} is of other items than the bundle: copy the bundle again")
    return DerivedColumns(
        source,
        items=ScanCodes(arrays["item_codes"], arrays["item_scales"]),
        similarity=ScanCodes(arrays["similarity_codes"], arrays["similarity_scales"]),
        item_only=arrays["item_only"],
        link_scale=float(arrays["link_scale"][0]),
        median_interval=float(arrays["median_interval"][0]),
    )


def are_complete(manifest: Mapping[str, Any]) -> bool:
    """Returns whether a bundle has all columns."""
    return section(manifest, SECTION).keys() >= set(NAMES)


def file_of(name: str) -> str:
    """Returns the file of a column, relative to the bundle's folder."""
    return f"{FOLDER}/{name}.npy"


def median_interval(intervals: Floats) -> float:
    """Returns the median of the intervals of all items; 0 without any."""
    return float(np.median(intervals)) if len(intervals) else 0.0


def _hashes(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    hashed = hashes_of(folder, [file_of(name) for name in names])
    return {name: hashed[file_of(name)] for name in names}
