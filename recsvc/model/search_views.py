"""Shortened item vectors, in 8 bits, to find candidates with (`recsvc.retrieval.shortened_scan`).

The vectors of users vary in far fewer directions than they have columns. A view keeps the directions that matter for
one kind of users: of all projections to so few columns, it keeps most of the scores of a sample of users. The item-only
blocks are left out. They have few columns, so a search adds them in full.
"""

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.model.cell_order import CellOrder, Codes
from recsvc.model.vectors import row_codes

# Added to each direction of the sample, as a share of the mean one: a direction that no user of the sample has is not
# worthless, since other users may have it.
RIDGE = 1e-4
_ITEMS_AT_ONCE = 8_192  # that are projected at a time: a float32 copy of all would be as large as the vectors


@dataclass(frozen=True)
class Projection:
    """How vectors are shortened from p personal columns to r. The inner products stay about the same.

    Attributes:
        of_items: float32 (p, r), for item vectors.
        of_users: float32 (p, r), for user vectors.
        energies: float32 (r,), the mean square of each column over the shortened items.
    """

    of_items: Floats
    of_users: Floats
    energies: Floats

    @staticmethod
    def fit(spread: Floats, user_vectors: Floats, columns: int) -> "Projection":
        """Finds the projection that keeps most of the scores of these users.

        Args:
            spread: Of the items, float32 (p, p), see `spread_of`.
            user_vectors: The personal columns of a sample of users, float32 (m, p).
            columns: r, at most p.
        """
        users = user_vectors.astype(np.float64)
        moments = users.T @ users
        moments += np.eye(len(moments)) * max(RIDGE * np.trace(moments) / len(moments), 1e-12)
        lengths, directions = np.linalg.eigh(moments)
        # In these coordinates users have the same spread in each direction, so the largest directions of the items are
        # those that keep most of the scores.
        to_items, to_users = directions * np.sqrt(lengths), directions / np.sqrt(lengths)
        energies, axes = np.linalg.eigh(to_items.T @ spread @ to_items)
        axes = axes[:, ::-1][:, :columns]
        return Projection(
            of_items=(to_items @ axes).astype(np.float32),
            of_users=(to_users @ axes).astype(np.float32),
            energies=energies[::-1][:columns].astype(np.float32),
        )

    def losses(self, user_vectors: Floats, spread: Floats) -> Floats:
        """Returns the share of the variance of the scores over all items that is lost for each user, float32 (m,).

        Args:
            user_vectors: The personal columns, float32 (m, p); none is 0.
            spread: Of the items, float32 (p, p).
        """
        kept = (user_vectors @ self.of_users) ** 2 @ self.energies
        return np.asarray(1 - kept / np.einsum("mp,mp->m", user_vectors @ spread, user_vectors), np.float32)


@dataclass(frozen=True)
class SearchView:
    """The shortened items.

    Attributes:
        projection: How they were shortened.
        codes: int8 (n, r), by row; (p, r), by place, if the items stand by cell.
        scales: float32 (n,) or (p,), what one step of the codes of an item is worth.
        largest_loss: A user vector of which the projection loses more (`Projection.losses`) needs another search.
        order: Where the items stand by cell (`recsvc.model.search_cells`); None if they stand by row.
    """

    projection: Projection
    codes: Codes
    scales: Floats
    largest_loss: float
    order: CellOrder | None = None

    @property
    def items(self) -> int:
        """How many items the view has."""
        return len(self.codes) if self.order is None else len(self.order.places)

    @staticmethod
    def of(projection: Projection, item_vectors: Floats, largest_loss: float) -> "SearchView":
        """Shortens item vectors, float32 (n, d)."""
        personal, columns = projection.of_items.shape
        codes = np.empty((len(item_vectors), columns), np.int8)
        scales = np.empty(len(item_vectors), np.float32)
        for start in range(0, len(item_vectors), _ITEMS_AT_ONCE):
            part = slice(start, start + _ITEMS_AT_ONCE)
            codes[part], scales[part] = row_codes(item_vectors[part, :personal] @ projection.of_items)
        return SearchView(projection, codes, scales, largest_loss)


@dataclass(frozen=True)
class SearchViews:
    """The views of a bundle.

    Attributes:
        views: One for each kind of users.
        spread: Of the items, float32 (p, p), see `spread_of`.
    """

    views: tuple[SearchView, ...]
    spread: Floats

    def view_for(self, vector: Floats) -> tuple[int, Floats] | None:
        """Returns the place of the view that loses least of a user vector, and the shortened vector.

        None if each view loses too much (`Projection.losses`).

        Args:
            vector: float32 (d,).
        """
        personal = vector[: len(self.spread)]
        total = float(personal @ (self.spread @ personal))
        best: tuple[float, int, Floats] | None = None
        for place, view in enumerate(self.views):
            shortened = personal @ view.projection.of_users
            loss = 1 - float(view.projection.energies @ (shortened * shortened)) / total if total > 0 else 0.0
            if loss <= view.largest_loss and (best is None or loss < best[0]):
                best = loss, place, shortened
        return best[1:] if best is not None else None


def spread_of(item_vectors: Floats, personal: int) -> Floats:
    """Returns the mean of the outer products of the first `personal` columns, float32 (personal, personal)."""
    spread = np.zeros((personal, personal))
    for start in range(0, len(item_vectors), _ITEMS_AT_ONCE):
        part = item_vectors[start : start + _ITEMS_AT_ONCE, :personal]
        spread += part.T @ part
    return (spread / len(item_vectors)).astype(np.float32)
