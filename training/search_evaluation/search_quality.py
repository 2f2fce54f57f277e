"""The metrics of search results, with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows
from training.metrics import hits, interval
from training.search_evaluation.queries import SearchQuery

PAGE = 10  # items that a shopper looks at
METRICS = ("mrr", f"precision@{PAGE}", f"found@{PAGE}")


def per_query(results: Sequence[Rows], queries: Sequence[SearchQuery]) -> dict[str, NDArray[np.float64]]:
    """The metrics of each query, float64 (queries,) by the names in METRICS.

    - mrr: one over the place of the first relevant item; 0 if no result is relevant.
    - precision@10: relevant items among the first 10, over 10 or over all relevant items if they are fewer.
    - found@10: 1 if any of the first 10 is relevant.

    Args:
        results: The rows that each query found, best first.
        queries: The queries.
    """
    relevant = [query.relevant for query in queries]
    is_hit = hits(results, relevant, max((len(rows) for rows in results), default=0) or 1)
    page = is_hit[:, :PAGE]
    most = np.minimum([len(rows) for rows in relevant], PAGE)
    return {
        "mrr": np.where(is_hit.any(axis=1), 1 / (1 + is_hit.argmax(axis=1)), 0.0),
        f"precision@{PAGE}": page.sum(axis=1) / most,
        f"found@{PAGE}": page.any(axis=1).astype(np.float64),
    }


def figures(results: dict[str, list[Rows]], queries: Sequence[SearchQuery], groups: Sequence[str]) -> dict[str, Any]:
    """The metrics of every search: over all queries, and over those of each group.

    Args:
        results: By search, the rows that each query found.
        queries: The queries; at least one.
        groups: The group of each query.

    Returns:
        By group, "all" first: `queries`, how many; and for each search each metric as mean, low, high.
    """
    values = {search: per_query(rows, queries) for search, rows in results.items()}
    masks = {"all": np.ones(len(queries), np.bool_)}
    if len(set(groups)) > 1:
        masks |= {group: np.array([name == group for name in groups]) for group in dict.fromkeys(groups)}
    return {
        group: {
            "queries": int(mask.sum()),
            **{search: {name: interval(v[mask]) for name, v in metrics.items()} for search, metrics in values.items()},
        }
        for group, mask in masks.items()
    }
