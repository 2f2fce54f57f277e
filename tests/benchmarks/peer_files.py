"""Writes the files of the peers: vectors for numpy and Redis, and a model for implicit, all of the bench shop.

The users are those whom the service answers. Speed does not depend on how good a list is, so the models are simple.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

FACTORS, ITERATIONS = 100, 2  # implicit's own default of factors


def write(
    vectors: NDArray[np.float32],
    item_ids: Sequence[str],
    events: pl.DataFrame,
    user_ids: Sequence[str],
    folder: Path,
) -> None:
    """Writes what the peers read: ids, vectors, purchases, and a model of implicit.

    Args:
        vectors: Of the items, float32 (items, width).
        item_ids: In the order of the vectors.
        events: The events table of the shop.
        user_ids: The users who will ask. A user's vector is the sum of the vectors that the user bought.
        folder: Where the files go.
    """
    purchases = _purchases(events, user_ids, item_ids)
    with threadpool_limits(1, "blas"):  # implicit warns of more
        model = AlternatingLeastSquares(factors=FACTORS, iterations=ITERATIONS, random_state=0, num_threads=1)
        model.fit(purchases, show_progress=False)
    model.save(str(folder / "als.npz"))
    sp.save_npz(folder / "purchases.npz", purchases)
    np.save(folder / "item_vectors.npy", vectors)
    np.save(folder / "user_vectors.npy", purchases @ vectors)
    for name, ids in (("item_ids", item_ids), ("user_ids", user_ids)):
        (folder / f"{name}.json").write_text(json.dumps(list(ids)), encoding="utf-8")


def _purchases(events: pl.DataFrame, user_ids: Sequence[str], item_ids: Sequence[str]) -> sp.csr_matrix:
    """Returns how often a user bought an item: float32, (users, items)."""
    bought = events.filter((pl.col("event_type") == "purchase") & pl.col("user_id").is_in(user_ids))
    user_rows = {user_id: row for row, user_id in enumerate(user_ids)}
    item_rows = {item_id: row for row, item_id in enumerate(item_ids)}
    rows = [user_rows[user_id] for user_id in bought["user_id"]]
    columns = [item_rows[item_id] for item_id in bought["item_id"]]
    counts = np.ones(len(rows), np.float32)
    return sp.csr_matrix((counts, (rows, columns)), shape=(len(user_ids), len(item_ids)), dtype=np.float32)
