"""Stores the views of a bundle beside it: one file, and a section of the manifest that says how good they are.

They follow from the vectors and a sample of users, so they are no part of what `bundle_id` is the hash of.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from recsvc.errors import BundleError
from recsvc.model.cell_order import CellOrder, Centres
from recsvc.model.file_hashes import sha256_of
from recsvc.model.manifest import number, section
from recsvc.model.search_views import Projection, SearchView, SearchViews

SECTION = "search"
VIEWS = "search.safetensors"
# Below this, a search with the views would change what users see; the exact scan is used in their place.
MIN_RECALL = 0.99
# The same where the items stand by cell. An exact scan of a million items takes tens of milliseconds.
MIN_CELL_RECALL = 0.98
RECALL_CUTS = (10, 100, 500)
# The arrays of `CellOrder` and of `Centres`.
_ORDER, _CENTRES = ("rows", "places", "starts", "in_full", "weights"), ("codes", "scales", "reaches")


def save_views(views: SearchViews, recall: Mapping[int, float], folder: Path) -> dict[str, Any]:
    """Writes the views into the folder of a bundle.

    Args:
        views: Of the bundle's items.
        recall: The share of the exact best that they find, by the length of the list: one for each of `RECALL_CUTS`.
        folder: Of the bundle.

    Returns:
        The section of the manifest.
    """
    arrays: dict[str, NDArray[Any]] = {"spread": views.spread}
    for i, view in enumerate(views.views):
        projection = view.projection
        arrays |= {
            f"{i}.of_items": projection.of_items,
            f"{i}.of_users": projection.of_users,
            f"{i}.energies": projection.energies,
            f"{i}.codes": view.codes,
            f"{i}.scales": view.scales,
            f"{i}.largest_loss": np.array([view.largest_loss], np.float32),
        }
        if view.order is not None:
            arrays |= {f"{i}.{name}": array for name, array in _arrays_of(view.order).items()}
    path = folder / VIEWS
    save_file({name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}, path)
    path.chmod(0o644)  # safetensors writes 0600, but the service runs as another user
    return {
        "sha256": sha256_of(path),
        "columns": [view.codes.shape[1] for view in views.views],
        "cells": [0 if view.order is None else len(view.order.starts) - 1 for view in views.views],
        "probed": [0 if view.order is None else view.order.probed for view in views.views],
        **{_recall_name(cut): round(recall[cut], 5) for cut in RECALL_CUTS},
    }


def load_views(folder: Path, manifest: Mapping[str, Any], shape: tuple[int, ...]) -> SearchViews | None:
    """Opens the views of a bundle, memory-mapped; None if it has none, or none that are good enough.

    Args:
        folder: Of the bundle.
        manifest: Of the bundle.
        shape: That of the item vectors.

    Raises:
        BundleError: The file is missing, or not that which the manifest describes.
    """
    described = section(manifest, SECTION)
    probed = described.get("probed")
    by_cell = isinstance(probed, list) and any(probed)
    least = MIN_CELL_RECALL if by_cell else MIN_RECALL
    if not all((number(described.get(_recall_name(cut))) or 0.0) >= least for cut in RECALL_CUTS):
        return None
    path = folder / VIEWS
    if not path.is_file() or sha256_of(path) != described.get("sha256"):
        raise BundleError(f"{path} is not the file that the manifest describes: copy the bundle again")
    arrays = {name: tensor.numpy() for name, tensor in load_file(path).items()}
    views: list[SearchView] = []
    while (i := len(views)) < sum(name.endswith(".of_items") for name in arrays):
        own = {name.removeprefix(f"{i}."): array for name, array in arrays.items() if name.startswith(f"{i}.")}
        projection = Projection(own["of_items"], own["of_users"], own["energies"])
        order = _order_of(own) if "starts" in own else None
        views.append(SearchView(projection, own["codes"], own["scales"], float(own["largest_loss"][0]), order))
    if any(view.items != shape[0] for view in views) or len(arrays["spread"]) > shape[1]:
        raise BundleError(f"{path} is of other items than the bundle: copy the bundle again")
    return SearchViews(tuple(views), arrays["spread"])


def _arrays_of(order: CellOrder) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {name: getattr(order, name) for name in _ORDER}
    arrays |= {f"centres.{name}": getattr(order.centres, name) for name in _CENTRES}
    return arrays | {
        "probed": np.array([order.probed], np.int32),
        "least_length": np.array([order.least_length], np.float32),
    }


def _order_of(arrays: Mapping[str, NDArray[Any]]) -> CellOrder:
    centres = Centres(*(arrays[f"centres.{name}"] for name in _CENTRES))
    arrays_of_order = {name: arrays[name] for name in _ORDER}
    probed, least_length = int(arrays["probed"][0]), float(arrays["least_length"][0])
    return CellOrder(**arrays_of_order, centres=centres, probed=probed, least_length=least_length)


def _recall_name(cut: int) -> str:
    return f"recall@{cut}"
