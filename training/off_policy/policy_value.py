"""Estimates the reward of another arm or another bundle from logged lists."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from recsvc.model.bundle import Bundle
from recsvc.pipeline.exploration import propensities
from training.data.shop import Shop
from training.errors import DataError, Problem
from training.evaluation.report_plots import side_of_zero
from training.off_policy.estimators import Floats, LoggedRewards, Policy, effective_lists, estimates
from training.off_policy.logged_lists import LoggedLists
from training.off_policy.replay import Places, orders

FOLDS = 2
VERDICTS = {"above": "better", "below": "worse", "open": "no clear difference"}


def evaluate_arms(lists: LoggedLists, past: Floats) -> list[dict[str, Any]]:
    """Estimates the reward of a list if all users had got one arm.

    Args:
        lists: The logged lists, n of them.
        past: Features of each list's user before the list, (n, f).

    Returns:
        One row for each arm.
    """
    rewards = np.array([rows.sum() for rows in lists.rewards]) + lists.further
    users, rows = lists.user_codes(), []
    chances = lists.propensities[:, None]
    for arm in sorted(set(lists.arms)):
        had = lists.arms == arm
        expected = _expected(past, rewards, users, had, past)
        logged = LoggedRewards(
            users=users,
            present=np.ones_like(chances),
            rewards=rewards[:, None],
            propensities=chances,
            expected=expected,
        )
        always = Policy(matches=had[:, None] * 1.0, expected=expected)
        as_logged = Policy(matches=chances, expected=expected)
        counts = {"lists": int(had.sum()), "users": len(np.unique(users[had])), "observed": float(rewards[had].mean())}
        rows.append({"arm": arm, **counts, **_estimated(logged, always, as_logged)})
    return rows


def evaluate_bundle(lists: LoggedLists, bundle: Bundle, shop: Shop, console: Console) -> list[dict[str, Any]]:
    """Estimates the reward of a list if the bundle had ordered its candidates.

    Returns:
        One row for each arm that explored.

    Raises:
        DataError: No list explored.
        TextEncoderError: A profile must be encoded, and the bundle's text encoder is not installed.
    """
    explored = lists.select(np.flatnonzero([len(candidates) > 1 for candidates in lists.candidates]))
    if not len(explored):
        message = "has no list that explored: set `exploration` of an arm of the placement"
        raise DataError([Problem("lists", None, "exploration", message)])
    ordered = orders(explored, bundle, shop)
    by_list = list(track(ordered, "  ordering lists", len(explored), console=console, transient=True))
    rows = []
    for arm in sorted(set(explored.arms)):
        chosen = np.flatnonzero(explored.arms == arm)
        of_arm = explored.select(chosen)
        logged, by_bundle, own_order = _by_place(of_arm, [by_list[i] for i in chosen], bundle)
        counts = {
            "lists": len(of_arm),
            "users": len(np.unique(logged.users)),
            "observed": float(logged.rewards.sum() / len(of_arm)),
        }
        rows.append({"arm": arm, **counts, **_estimated(logged, by_bundle, own_order)})
    return rows


def _estimated(logged: LoggedRewards, policy: Policy, reference: Policy) -> dict[str, Any]:
    values = estimates(logged, policy, reference)
    return {
        **values,
        "effective": effective_lists(logged, policy),
        "verdict": VERDICTS[side_of_zero(values["difference"])],
    }


def _by_place(
    lists: LoggedLists, orders_by_bundle: list[Places], bundle: Bundle
) -> tuple[LoggedRewards, Policy, Policy]:
    """The rewards of each place, and two policies to compare by them.

    Args:
        lists: Logged lists that explored, n of them.
        orders_by_bundle: For each list the places of its candidates, best first, as the bundle orders them.
        bundle: The bundle that ordered them.

    Returns:
        The logged rewards, (n, k) each; the policy that orders the candidates as the bundle does; the policy that
        keeps their logged order.
    """
    width = max(map(len, lists.item_ids))
    present, rewards, chances = np.zeros((3, len(lists), width))
    shown, by_bundle = np.zeros((2, len(lists), width), np.intp)
    for i, (item_ids, candidates) in enumerate(zip(lists.item_ids, lists.candidates, strict=True)):
        places = {item_id: place for place, item_id in enumerate(candidates)}
        # An item that a rule placed is no candidate: it is shown there, however the others are ordered.
        free = [place for place, item_id in enumerate(item_ids) if item_id in places]
        k = len(free)
        present[i, :k] = 1
        rewards[i, :k] = lists.rewards[i][free]
        shown[i, :k] = [places[item_ids[place]] for place in free]
        by_bundle[i, :k] = orders_by_bundle[i][:k]
        chances[i, :k] = propensities(len(candidates), k, float(lists.exploration[i]))[shown[i, :k], np.arange(k)]
    users = lists.user_codes()
    own_order = np.broadcast_to(np.arange(width), present.shape)
    features = [_item_features(lists, bundle, present * places) for places in (shown, by_bundle, own_order)]
    user_of_place = np.repeat(users, width)
    expected = [
        present * _expected(features[0], rewards.ravel(), user_of_place, present.ravel() > 0, at).reshape(present.shape)
        for at in features
    ]
    logged = LoggedRewards(users=users, present=present, rewards=rewards, propensities=chances, expected=expected[0])
    return (
        logged,
        Policy(matches=present * (shown == by_bundle), expected=expected[1]),
        Policy(matches=present * (shown == own_order), expected=expected[2]),
    )


def _item_features(lists: LoggedLists, bundle: Bundle, candidate_places: Floats) -> Floats:
    """Features of the item at each place of each list, (n * k, 3).

    They are the discounted place in the list, the discounted place among the candidates, and the log of the buyers.

    Args:
        lists: n lists of at most k places.
        bundle: Tells how many people bought an item.
        candidate_places: Which candidate is at each place, (n, k).
    """
    (n, k), chosen = candidate_places.shape, candidate_places.astype(np.intp)
    buyers = np.zeros((n, k))
    for i, candidates in enumerate(lists.candidates):
        rows = [bundle.catalogue.row(candidates[place]) for place in chosen[i]]
        buyers[i] = [0 if row is None else bundle.buyers[row] for row in rows]
    position = np.broadcast_to(1 / np.log2(np.arange(k) + 2), (n, k))
    return np.stack([position, 1 / np.log2(chosen + 2), np.log1p(buyers)], axis=-1).reshape(n * k, 3)


def _expected(
    features: Floats, rewards: Floats, users: NDArray[np.intp], usable: NDArray[np.bool_], at: Floats
) -> Floats:
    """Predicts rewards by a linear model that is fitted on the usable rows of other users alone.

    Args:
        features: To fit on, (n, f).
        rewards: To fit to, (n,).
        users: The user of each row, (n,).
        usable: The rows that may be fitted on, (n,).
        at: The features to predict at, (n, f).

    Returns:
        The predictions, (n, 1); all 0 if there are too few users to hold any out.
    """
    expected = np.zeros(len(features))
    if len(np.unique(users)) < FOLDS:
        return expected[:, None]
    for others, mine in GroupKFold(FOLDS).split(features, groups=users):
        learned = others[usable[others]]
        if len(learned):
            expected[mine] = Ridge(alpha=1.0).fit(features[learned], rewards[learned]).predict(at[mine])
    return expected[:, None]
