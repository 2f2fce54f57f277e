"""Measures a finished bundle beside the baselines. `training.train` runs it as its last stage, before the report."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows
from recsvc.domain.shop import History
from recsvc.model.bundle import Bundle
from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.towers.blocks import BLOCKS, PERSONAL_BLOCKS, BlockWeights, FusionWeights
from training.data.split import Holdout, Profiles
from training.evaluation.baselines import BASELINES, RankedLists, Task, rank_all
from training.evaluation.list_quality import examples, list_quality
from training.evaluation.offline_ranking import NO_REPEATS, K, rank_holdout
from training.metrics import METRICS, interval, per_user

OURS = "recsvc"
# Orders the items that a block alone scores equally. Row order would be the alternative, and is less fair to the block.
TIE_BREAK_WEIGHT = 1e-3
TEXT_ALONE = FusionWeights.only(BlockWeights(text=1.0, prior=TIE_BREAK_WEIGHT))
HISTORY_SEGMENTS = ((0, 0), (1, 2), (3, 10), (11, 50), (51, None))
SEGMENT_METRICS = ("ndcg@10", "recall@10")
PROFILE_METRICS = ("ndcg@10", "recall@20")
PROFILE_HISTORY_LENGTHS = (0, 1, 2)  # purchases that are kept to measure what a profile adds
MIN_PROFILE_USERS = 30


def evaluate(bundle: Bundle, task: Task, holdout: Holdout, profiles: Profiles) -> dict[str, Any]:
    """Measures the bundle, its variants and every baseline on the same users.

    Args:
        bundle: The bundle to measure.
        task: Training data, which the baselines are fitted on.
        holdout: The test users.
        profiles: One for each test user.

    Returns:
        The content of evaluation.json, except for what `training.train` adds: metrics of every model with 95 %
        intervals, differences between the bundle and each other model paired by user, segments, the effect of
        profiles on users with little history, and examples.
    """

    def ranked(
        model: Bundle, weights: FusionWeights | None = None, repeats: RepeatConfig = bundle.model.repeats
    ) -> RankedLists:
        return rank_holdout(model, holdout, profiles, weights, repeats)

    vectors_alone = without_neighbours(bundle)
    lists = {OURS: ranked(bundle)}
    if bundle.model.repeats.weight:
        lists[f"{OURS} without repeats"] = ranked(bundle, repeats=NO_REPEATS)
    if bundle.model.neighbours.weight:
        lists[f"{OURS} without neighbours"] = ranked(vectors_alone)
    for block in (block for block, part in zip(BLOCKS, bundle.layout, strict=True) if part.stop > part.start):
        if block in PERSONAL_BLOCKS:
            lists[f"{OURS} without {block}"] = ranked(bundle, _without(bundle.model.fusion, block))
            alone = FusionWeights.only(BlockWeights(**{block: 1.0, "prior": TIE_BREAK_WEIGHT}))
            lists[f"{block} alone"] = ranked(vectors_alone, alone, NO_REPEATS)
    for name, baseline in BASELINES.items():
        lists[name] = rank_all(baseline(task), holdout, K)
    values = {name: per_user(rows, holdout.targets) for name, rows in lists.items()}
    return {
        "users": len(holdout),
        "items": len(bundle.catalogue),
        "exclude_history": holdout.exclude_history,
        "models": {
            name: {
                "metrics": {metric: interval(values[name][metric]) for metric in METRICS},
                **list_quality(bundle, lists[name]),
                "segments": _segments(bundle, holdout, lists[name], values[name]),
            }
            for name in lists
        },
        "comparisons": {
            name: {metric: interval(values[OURS][metric] - values[name][metric]) for metric in METRICS}
            for name in lists
            if name != OURS
        },
        "profiles": profile_effect(bundle, holdout, profiles),
        "examples": examples(bundle, holdout, lists[OURS], task.config.seed),
    }


def unmeasured(bundle: Bundle) -> dict[str, Any]:
    """The content of evaluation.json of a bundle that there are no test users for: no model and no comparison."""
    return {
        "users": 0,
        "items": len(bundle.catalogue),
        "exclude_history": False,
        "models": {},
        "comparisons": {},
        "profiles": [],
        "examples": [],
    }


def without_neighbours(bundle: Bundle) -> Bundle:
    """The bundle whose scores are the inner products and the repeat bonus alone."""
    return replace(bundle, model=replace(bundle.model, neighbours=NeighbourConfig()))


def _without(weights: FusionWeights, block: str) -> FusionWeights:
    return FusionWeights(*(replace(w, **{block: 0.0}) for w in (weights.warm, weights.cold)))


def _segments(
    bundle: Bundle, holdout: Holdout, lists: RankedLists, values: dict[str, NDArray[np.float64]]
) -> dict[str, Any]:
    """Number of users and `SEGMENT_METRICS`, by length of history and by kind of target.

    The kinds are: cold items, never bought in training; repeat purchases, bought before by this user; new purchases,
    not bought before by this user. A kind counts the targets of that kind alone, over the users who have any.
    """
    lengths = np.array([int(history.purchases.sum()) for history in holdout.histories])
    segments: dict[str, Any] = {}
    for low, high in HISTORY_SEGMENTS:
        in_range = (lengths >= low) & (lengths <= (high if high is not None else lengths.max(initial=0)))
        name = f"{low} purchases" if low == high else f"{low} to {high} purchases" if high else f"{low} or more"
        segments[name] = {
            "users": int(in_range.sum()),
            **{metric: interval(values[metric][in_range]) for metric in SEGMENT_METRICS},
        }
    for name, targets in _targets_by_kind(bundle, holdout).items():
        users = [i for i, rows in enumerate(targets) if len(rows)]
        of_kind = per_user([lists[i] for i in users], [targets[i] for i in users])
        segments[name] = {"users": len(users), **{metric: interval(of_kind[metric]) for metric in SEGMENT_METRICS}}
    return segments


def _targets_by_kind(bundle: Bundle, holdout: Holdout) -> dict[str, list[Rows]]:
    bought = [np.unique(history.rows[history.purchases]) for history in holdout.histories]
    pairs = list(zip(holdout.targets, bought, strict=True))
    cold = bundle.purchases == 0
    return {
        "cold items": [targets[cold[targets]] for targets in holdout.targets],
        "repeat purchases": [targets[np.isin(targets, rows)] for targets, rows in pairs],
        "new purchases": [targets[~np.isin(targets, rows)] for targets, rows in pairs],
    }


def profile_effect(bundle: Bundle, holdout: Holdout, profiles: Profiles) -> list[dict[str, Any]]:
    """Measures how much a profile helps a user with little history.

    Takes the users who have a profile, cuts their histories to the last 0, 1 and 2 purchases, and ranks with and
    without the profile: once by the text block with the popularity prior, once by the whole vector.

    Returns:
        One row for each model, history length and metric of `PROFILE_METRICS`. Empty if fewer than
        `MIN_PROFILE_USERS` users have a profile.
    """
    with_texts = np.array([i for i, profile in enumerate(profiles.texts) if profile is not None], np.intp)
    if len(with_texts) < MIN_PROFILE_USERS:
        return []
    users = holdout.select(with_texts)
    texts = Profiles([profiles.texts[i] for i in with_texts])
    rows: list[dict[str, Any]] = []
    rankers = (("text alone", without_neighbours(bundle), TEXT_ALONE), (OURS, bundle, None))
    for model, ranker, weights in rankers:
        for purchases in PROFILE_HISTORY_LENGTHS:
            cut = replace(users, histories=[_last_purchases(history, purchases) for history in users.histories])
            with_profile = per_user(rank_holdout(ranker, cut, texts, weights), users.targets)
            without = per_user(rank_holdout(ranker, cut, texts.hidden(), weights), users.targets)
            rows.extend(
                {
                    "model": model,
                    "purchases": purchases,
                    "users": len(with_texts),
                    "metric": metric,
                    "with_profile": interval(with_profile[metric]),
                    "without_profile": interval(without[metric]),
                    "difference": interval(with_profile[metric] - without[metric]),
                }
                for metric in PROFILE_METRICS
            )
    return rows


def _last_purchases(history: History, n: int) -> History:
    bought = np.flatnonzero(history.purchases)
    return history.select(bought[len(bought) - min(n, len(bought)) :])
