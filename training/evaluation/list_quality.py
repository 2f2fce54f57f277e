"""Describes the lists that a model makes: how much of the catalogue they show, and a few of them to read."""

from typing import Any

import numpy as np

from recsvc.domain.arrays import Rows
from recsvc.model.bundle import Bundle
from recsvc.model.item_columns import NO_CODE
from training.data.split import Holdout
from training.evaluation.baselines import RankedLists

LIST_LENGTH = 10
EXAMPLE_USERS = 6
EXAMPLE_PURCHASES = 8


def list_quality(bundle: Bundle, lists: RankedLists) -> dict[str, float | None]:
    """Measures the kind of lists, not how good they are.

    Returns:
        coverage@10: share of the catalogue that is in at least one list.
        category_coverage@10: share of the categories that is in at least one list.
        categories@10: categories in one list, on average.
        popularity_percentile@10: mean percentile of the listed items by purchases in training. 0.5 is the average of
        the catalogue; near 1 means that only popular items are shown.
        The two values about categories are None for a catalogue without categories, and the last one for empty lists.
    """
    first = [rows[:LIST_LENGTH] for rows in lists]
    shown = np.concatenate(first)
    percentile = bundle.purchases.argsort(kind="stable").argsort(kind="stable") / max(len(bundle.purchases) - 1, 1)
    codes, names = bundle.catalogue.categories
    by_list = [np.unique(codes[rows]) for rows in first]
    categories = np.unique(codes[shown])
    return {
        "coverage@10": len(np.unique(shown)) / len(bundle.catalogue),
        "category_coverage@10": float((categories != NO_CODE).sum() / len(names)) if names else None,
        "categories@10": float(np.mean([(of_list != NO_CODE).sum() for of_list in by_list])) if names else None,
        "popularity_percentile@10": float(percentile[shown].mean()) if len(shown) else None,
    }


def examples(bundle: Bundle, holdout: Holdout, lists: RankedLists, seed: int) -> list[dict[str, Any]]:
    """Draws some users at random, with good and bad lists alike. Their ids are left out.

    Returns:
        For each user the number of purchases, the titles bought last (newest first), the titles of the list with
        whether each was bought next, the titles bought next, and the number of items bought next.
    """
    chosen = np.random.default_rng(seed).choice(len(holdout), min(EXAMPLE_USERS, len(holdout)), replace=False)
    drawn = []
    for i in np.sort(chosen):
        history, targets, rows = holdout.histories[i], holdout.targets[i], lists[i][:LIST_LENGTH]
        bought = history.rows[history.purchases][::-1]
        drawn.append(
            {
                "purchases": len(bought),
                "latest": _titles(bundle, bought[:EXAMPLE_PURCHASES]),
                "list": [
                    {"title": title, "bought": bool(hit)}
                    for title, hit in zip(_titles(bundle, rows), np.isin(rows, targets), strict=True)
                ],
                "next": _titles(bundle, targets[:EXAMPLE_PURCHASES]),
                "next_in_all": len(targets),
            }
        )
    return drawn


def _titles(bundle: Bundle, rows: Rows) -> list[str]:
    return [bundle.catalogue.items[row].title for row in rows]
