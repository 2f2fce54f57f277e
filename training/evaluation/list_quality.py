"""What kind of lists a model makes, beside how good they are, and a few of them to read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import NO_CODE
from training.data.split import Holdout

LENGTH = 10
EXAMPLES, LATEST = 6, 8

Ranked = list[NDArray[np.int32]]


def list_quality(bundle: Bundle, ranked: Ranked) -> dict[str, float | None]:
    """coverage@10: share of the catalogue that anybody is shown; category_coverage@10: of its categories.
    categories@10: how many of these are in one list, on average. popularity_percentile@10: mean percentile, by
    purchases in training, of what is shown (.5: as the catalogue; towards 1: only what is popular). Those of categories
    are None for a catalogue without.
    """
    lists = [rows[:LENGTH] for rows in ranked]
    shown = np.concatenate(lists)
    percentile = bundle.purchases.argsort(kind="stable").argsort(kind="stable") / max(len(bundle.purchases) - 1, 1)
    codes, names = bundle.catalogue.categories
    in_lists = [np.unique(codes[rows]) for rows in lists]
    categories = np.unique(codes[shown])
    return {
        "coverage@10": len(np.unique(shown)) / len(bundle.catalogue),
        "category_coverage@10": float((categories != NO_CODE).sum() / len(names)) if names else None,
        "categories@10": float(np.mean([(found != NO_CODE).sum() for found in in_lists])) if names else None,
        "popularity_percentile@10": float(percentile[shown].mean()),
    }


def examples(bundle: Bundle, holdout: Holdout, ranked: Ranked, seed: int) -> list[dict[str, Any]]:
    """Some users drawn at random, good lists and bad, without their ids: the titles bought last (newest first) and how
    many purchases there are, those of the list and whether each was bought next, and what was bought next in all.
    """
    chosen = np.random.default_rng(seed).choice(len(holdout), min(EXAMPLES, len(holdout)), replace=False)
    found = []
    for i in np.sort(chosen):
        history, targets = holdout.histories[i], holdout.targets[i]
        bought = history.rows[history.purchases][::-1]
        found.append(
            {
                "purchases": len(bought),
                "latest": _titles(bundle, bought[:LATEST]),
                "list": [
                    {"title": title, "bought": bool(hit)}
                    for title, hit in zip(
                        _titles(bundle, ranked[i][:LENGTH]), np.isin(ranked[i][:LENGTH], targets), strict=True
                    )
                ],
                "next": _titles(bundle, targets[:LATEST]),
                "next_in_all": len(targets),
            }
        )
    return found


def _titles(bundle: Bundle, rows: NDArray[np.int32]) -> list[str]:
    return [bundle.catalogue.items[row].title for row in rows]
