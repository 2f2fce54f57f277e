"""Ranks the users of a holdout with a finished bundle, through the code that serves it: towers, index, ranking."""

from dataclasses import replace

import numpy as np

from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.towers.blocks import FusionWeights
from recsvc.model.towers.user import UserTower
from recsvc.ranking import Ranking, among, rank
from recsvc.retrieval.index import ScanIndex
from training.data.split import Holdout, Profiles
from training.evaluation.baselines import RankedLists
from training.metrics import CUTS

K = max(CUTS)
BATCH_USERS = 256
EXTRA_PLACES_FOR_TIES = 30  # ranked beyond K, to see scores equal to the K-th
NO_REPEATS = RepeatConfig()  # no repeat bonus, and nothing bought is left out


def recommend_offline(
    bundle: Bundle, tower: UserTower, repeats: RepeatConfig, holdout: Holdout, profiles: Profiles, k: int = K
) -> list[Ranking]:
    """Ranks the k best items for every user, as the service would.

    Args:
        bundle: Its items and their vectors.
        tower: Encodes the users. Its fusion weights may differ from the bundle's.
        repeats: How repeat purchases count.
        holdout: The users.
        profiles: One for each user of the holdout.
        k: Items in each list.

    Returns:
        One ranking for each user, in the order of the holdout.
    """
    index = ScanIndex(bundle.item_vectors)
    masked = replace(holdout, exclude_history=holdout.exclude_history or repeats.exclude_bought)
    # The towers pad each batch to its longest history, so histories of similar length go together.
    order = np.argsort([len(history) for history in holdout.histories], kind="stable")
    rankings: list[Ranking | None] = [None] * len(holdout)
    for start in range(0, len(holdout), BATCH_USERS):
        users = order[start : start + BATCH_USERS]
        histories = [holdout.histories[i] for i in users]
        vectors = tower.user_vectors(histories, [profiles.texts[i] for i in users])
        excluded = [masked.excluded(i) for i in users]
        bonuses = [history_bonus(bundle, history, holdout.time, repeats=repeats).total for history in histories]
        candidates = index.search(vectors, k + max(map(len, excluded)), bonuses=bonuses)
        for i, vector, rows, hidden, bonus in zip(users, vectors, candidates, excluded, bonuses, strict=True):
            rankings[i] = rank(vector, bundle.item_vectors, rows, k, hidden, among(bonus, rows))
    return [ranking for ranking in rankings if ranking is not None]


def rank_holdout(
    bundle: Bundle,
    holdout: Holdout,
    profiles: Profiles,
    weights: FusionWeights | None = None,
    repeats: RepeatConfig = NO_REPEATS,
) -> RankedLists:
    """Ranks the K best items for every user, with ties broken against the bundle.

    Args:
        bundle: The bundle to measure.
        holdout: The users.
        profiles: One for each user of the holdout.
        weights: Fusion weights to use in place of the bundle's own.
        repeats: How repeat purchases count.

    Returns:
        The rows of each user's list, best first.
    """
    tower = bundle.user_tower(weights)
    rankings = recommend_offline(bundle, tower, repeats, holdout, profiles, K + EXTRA_PLACES_FOR_TIES)
    return break_ties_against_targets(rankings, holdout)


def break_ties_against_targets(rankings: list[Ranking], holdout: Holdout, k: int = K) -> RankedLists:
    """Takes the first k rows of each ranking; among equal scores a target comes last, so ties never flatter."""
    lists: RankedLists = []
    for ranking, targets in zip(rankings, holdout.targets, strict=True):
        order = np.lexsort((np.isin(ranking.rows, targets), -ranking.scores))
        lists.append(ranking.rows[order[:k]])
    return lists
