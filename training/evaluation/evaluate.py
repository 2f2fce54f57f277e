"""Evaluation of a finished bundle through the code that serves it: its towers, its index, its ranking.

`python -m training.evaluate --bundle DIR --data DIR` repeats the evaluation of a bundle; `training.train` runs it last.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.shop import History
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import RepeatConfig, repeat_scores
from recsvc.model.towers.user import BLOCKS, PERSONAL_BLOCKS, BlockWeights, FusionWeights, UserTower
from recsvc.ranking import Ranking, rank
from recsvc.retrieval.index import ScanIndex
from training.data.split import Holdout, Profiles
from training.evaluation.baselines import BASELINES, Ranked, Task, rank_all
from training.evaluation.list_quality import examples, list_quality
from training.metrics import CUTS, METRICS, interval, per_user

K = max(CUTS)
OURS = "recsvc"
BATCH = 256
NO_REPEATS = RepeatConfig()  # and nothing masked
TIES = 30  # places beyond K that are looked at for scores equal to the K-th
# A whisper of popularity orders what a block alone knows nothing of, which is kinder to it than row order.
TIE_BREAK = 1e-3
TEXT_ALONE = FusionWeights.only(BlockWeights(text=1.0, prior=TIE_BREAK))
HISTORY_SEGMENTS = ((0, 0), (1, 2), (3, 10), (11, 50), (51, None))


def recommend_offline(
    bundle: Bundle, tower: UserTower, repeats: RepeatConfig, holdout: Holdout, profiles: Profiles, k: int = K
) -> list[Ranking]:
    """The k best for every user, as the service would rank them."""
    index, items = ScanIndex(bundle.item_vectors), bundle.item_repeats
    masked = replace(holdout, exclude_history=holdout.exclude_history or repeats.exclude_bought)
    # Histories of like length together: the towers pad each batch to its longest.
    order = np.argsort([len(history) for history in holdout.histories], kind="stable")
    rankings: list[Ranking | None] = [None] * len(holdout)
    for start in range(0, len(holdout), BATCH):
        users = order[start : start + BATCH]
        histories = [holdout.histories[i] for i in users]
        vectors = tower.user_vectors(histories, [profiles.texts[i] for i in users])
        excluded = [masked.excluded(i) for i in users]
        candidates = index.search(vectors, k + max(map(len, excluded)))
        for i, vector, found, hidden, history in zip(users, vectors, candidates, excluded, histories, strict=True):
            gains = repeat_scores(history, holdout.time, items, repeats)
            rankings[i] = rank(vector, bundle.item_vectors, found, k, hidden, *gains)
    return [ranking for ranking in rankings if ranking is not None]


def against_ties(rankings: list[Ranking], holdout: Holdout, k: int = K) -> Ranked:
    """The first k rows of each ranking with equal scores held against the model: a target stands behind whatever
    scores as much.
    """
    ranked: Ranked = []
    for ranking, targets in zip(rankings, holdout.targets, strict=True):
        order = np.lexsort((np.isin(ranking.rows, targets), -ranking.scores))
        ranked.append(ranking.rows[order[:k]])
    return ranked


def evaluate(bundle: Bundle, task: Task, holdout: Holdout, profiles: Profiles) -> dict[str, Any]:
    """Every model's metrics with 95 % intervals, ours against each baseline paired by user, segments, and the effect
    of profiles on users with next to no history. The result is what evaluation.json holds.
    """

    def ranked(weights: FusionWeights | None = None, repeats: RepeatConfig = NO_REPEATS) -> Ranked:
        return ranked_by(bundle, holdout, profiles, weights, repeats)

    lists = {OURS: ranked(repeats=bundle.model.repeats)}
    if bundle.model.repeats.weight:
        lists[f"{OURS} without repeats"] = ranked()
    for block in (block for block, part in zip(BLOCKS, bundle.layout, strict=True) if part.stop > part.start):
        if block in PERSONAL_BLOCKS:
            lists[f"{OURS} without {block}"] = ranked(_without(bundle.model.fusion, block), bundle.model.repeats)
            lists[f"{block} alone"] = ranked(FusionWeights.only(BlockWeights(**{block: 1.0, "prior": TIE_BREAK})))
    for name, baseline in BASELINES.items():
        lists[name] = rank_all(baseline(task), holdout, K)
    values = {name: per_user(ranked, holdout.targets) for name, ranked in lists.items()}
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


def ranked_by(
    bundle: Bundle,
    holdout: Holdout,
    profiles: Profiles,
    weights: FusionWeights | None = None,
    repeats: RepeatConfig = NO_REPEATS,
) -> Ranked:
    """What the bundle, at other weights where some are given, ranks first, with ties held against it."""
    tower = bundle.user_tower(weights)
    return against_ties(recommend_offline(bundle, tower, repeats, holdout, profiles, K + TIES), holdout)


def _without(weights: FusionWeights, block: str) -> FusionWeights:
    return FusionWeights(*(replace(w, **{block: 0.0}) for w in (weights.warm, weights.cold)))


def _segments(
    bundle: Bundle, holdout: Holdout, ranked: Ranked, values: dict[str, NDArray[np.float64]]
) -> dict[str, Any]:
    """By history length: users and their ndcg@10 and recall@10. By kind of target (cold: never bought in training;
    repeat: bought before by this user; new: not): recall of those targets alone, over users who have any.
    """
    lengths = np.array([int(history.purchases.sum()) for history in holdout.histories])
    segments: dict[str, Any] = {}
    for low, high in HISTORY_SEGMENTS:
        chosen = (lengths >= low) & (lengths <= (high if high is not None else lengths.max(initial=0)))
        name = f"{low} purchases" if low == high else f"{low} to {high} purchases" if high else f"{low} or more"
        segments[name] = {
            "users": int(chosen.sum()),
            **{metric: interval(values[metric][chosen]) for metric in ("ndcg@10", "recall@10")},
        }
    bought = [np.unique(history.rows[history.purchases]) for history in holdout.histories]
    cold = bundle.purchases == 0
    kinds = {
        "cold items": [wanted[cold[wanted]] for wanted in holdout.targets],
        "repeat purchases": [w[np.isin(w, b)] for w, b in zip(holdout.targets, bought, strict=True)],
        "new purchases": [w[~np.isin(w, b)] for w, b in zip(holdout.targets, bought, strict=True)],
    }
    for name, wanted in kinds.items():
        chosen = [i for i, rows in enumerate(wanted) if len(rows)]
        found = per_user([ranked[i] for i in chosen], [wanted[i] for i in chosen])
        segments[name] = {"users": len(chosen), **{m: interval(found[m]) for m in ("ndcg@10", "recall@10")}}
    return segments


def profile_effect(bundle: Bundle, holdout: Holdout, profiles: Profiles) -> list[dict[str, Any]]:
    """What a profile is worth to a user with next to no history: users who have one, their histories cut to the last
    0, 1 and 2 purchases, ranked with and without the profile. The text block and the popularity prior rank: on
    the whole vector and on the text block alone.
    """
    chosen = np.array([i for i, profile in enumerate(profiles.texts) if profile is not None], np.intp)
    if len(chosen) < 30:
        return []
    users = holdout.select(chosen)
    shown = Profiles([profiles.texts[i] for i in chosen])
    rows = []
    for tower_name, weights in (("text alone", TEXT_ALONE), (OURS, None)):
        for purchases in (0, 1, 2):
            cut = Holdout(
                users.users,
                [_last_purchases(history, purchases) for history in users.histories],
                users.targets,
                users.time,
                users.exclude_history,
            )
            with_profile = per_user(ranked_by(bundle, cut, shown, weights), users.targets)
            without = per_user(ranked_by(bundle, cut, shown.hidden(), weights), users.targets)
            for metric in ("ndcg@10", "recall@20"):
                rows.append(
                    {
                        "model": tower_name,
                        "purchases": purchases,
                        "users": len(chosen),
                        "metric": metric,
                        "with_profile": interval(with_profile[metric]),
                        "without_profile": interval(without[metric]),
                        "difference": interval(with_profile[metric] - without[metric]),
                    }
                )
    return rows


def _last_purchases(history: History, n: int) -> History:
    bought = np.flatnonzero(history.purchases)
    return history.select(bought[len(bought) - min(n, len(bought)) :])
