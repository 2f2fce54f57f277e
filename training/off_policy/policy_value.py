"""What another arm, or another bundle, would have earned a shop, from the lists that a running service gave.

    python -m training.off_policy --data SHOP --placement home [--reward purchase] [--hours 24]
                                  [--bundle DIR] [--report FILE] [--json FILE]

SHOP is a folder that `training.export_events` exports to. An arm is judged by the users whom chance gave it, all others
standing in by how likely that was. A bundle, which may have served nobody yet, is judged as the one that orders each
list's candidates anew, by the places that explored (`exploration` of a placement); it needs many lists.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from recsvc.domain.shop import EventType
from recsvc.errors import RecsvcError
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.pipeline.exploration import propensities
from training.data.shop import Shop, read_shop
from training.errors import DataError, Problem
from training.evaluation.report import html_page, number
from training.evaluation.report_plots import Panel, interval_plot, standing
from training.off_policy.estimators import Floats, LoggedRewards, Policy, effective_lists, estimates
from training.off_policy.logged_lists import LoggedLists, read_logged_lists
from training.off_policy.replay import orders, past_features

REWARDS = tuple(t.name.lower() for t in (EventType.VIEW, EventType.ADD_TO_CART, EventType.PURCHASE))
FOLDS = 2
VERDICTS = {"above": "better", "below": "worse", "open": "cannot be told"}


def evaluate_arms(lists: LoggedLists, past: Floats) -> list[dict[str, Any]]:
    """A row an arm: what a list would have earned if everybody had had it. past: (n, features), of each list's user."""
    rewards = np.array([each.sum() for each in lists.rewards]) + lists.further
    users, rows = lists.user_codes(), []
    for arm in sorted(set(lists.arms)):
        had = lists.arms == arm
        expected = _expected(past, rewards, users, had, past)
        chances = lists.propensities[:, None]
        logged = LoggedRewards(users, np.ones_like(chances), rewards[:, None], chances, expected)
        everybody, as_given = Policy(had[:, None] * 1.0, expected), Policy(chances, expected)
        rows.append(_row(arm, had, users, rewards[had].mean(), logged, everybody, as_given))
    return rows


def evaluate_bundle(lists: LoggedLists, bundle: Bundle, shop: Shop, console: Console) -> list[dict[str, Any]]:
    """A row an arm that explored: what its lists would have earned with their candidates as the bundle orders them."""
    explored = lists.select(np.flatnonzero([len(each) > 1 for each in lists.candidates]))
    if not len(explored):
        message = "has no list that explored: set `exploration` of an arm of the placement"
        raise DataError([Problem("lists", None, "exploration", message)])
    found = orders(explored, bundle, shop)
    every = list(track(found, "  lists ordered anew", len(explored), console=console, transient=True))
    rows = []
    for arm in sorted(set(explored.arms)):
        chosen = np.flatnonzero(explored.arms == arm)
        of_arm = explored.select(chosen)
        logged, ordered, as_it_was = _by_place(of_arm, [every[i] for i in chosen], bundle)
        had, observed = np.ones(len(of_arm), np.bool_), logged.rewards.sum() / len(of_arm)
        rows.append(_row(arm, had, logged.users, observed, logged, ordered, as_it_was))
    return rows


def _row(
    arm: str,
    had: NDArray[np.bool_],
    users: NDArray[np.intp],
    observed: float,
    logged: LoggedRewards,
    policy: Policy,
    reference: Policy,
) -> dict[str, Any]:
    found = estimates(logged, policy, reference)
    return {
        "arm": arm,
        "lists": int(had.sum()),
        "users": len(np.unique(users[had])),
        "observed": float(observed),
        **found,
        "effective": effective_lists(logged, policy),
        "verdict": VERDICTS[standing(found["difference"])],
    }


def _by_place(
    lists: LoggedLists, others: list[NDArray[np.intp]], bundle: Bundle
) -> tuple[LoggedRewards, Policy, Policy]:
    """What the places of each list earned; the policy that orders the candidates as the bundle does; and the one that
    leaves them as they were. others: of each list, its candidates' places, best first, as the bundle has them.
    """
    width = max(map(len, lists.item_ids))
    there, rewards, chances = np.zeros((3, len(lists), width))
    stood, wanted = np.zeros((2, len(lists), width), np.intp)
    for i, (item_ids, candidates) in enumerate(zip(lists.item_ids, lists.candidates, strict=True)):
        places = {item_id: place for place, item_id in enumerate(candidates)}
        # What a rule placed stands there whatever orders the rest.
        free = [place for place, item_id in enumerate(item_ids) if item_id in places]
        k = len(free)
        there[i, :k] = 1
        rewards[i, :k] = lists.rewards[i][free]
        stood[i, :k] = [places[item_ids[place]] for place in free]
        wanted[i, :k] = others[i][:k]
        chances[i, :k] = propensities(len(candidates), k, float(lists.exploration[i]))[stood[i, :k], np.arange(k)]
    users = lists.user_codes()
    own = np.broadcast_to(np.arange(width), there.shape)
    features = [_item_features(lists, bundle, there * chosen) for chosen in (stood, wanted, own)]
    each = np.repeat(users, width)
    expected = [
        there * _expected(features[0], rewards.ravel(), each, there.ravel() > 0, at).reshape(there.shape)
        for at in features
    ]
    logged = LoggedRewards(users, there, rewards, chances, expected[0])
    return logged, Policy(there * (stood == wanted), expected[1]), Policy(there * (stood == own), expected[2])


def _item_features(lists: LoggedLists, bundle: Bundle, chosen: Floats) -> Floats:
    """(n * k, 3): of what stands at each place, where that is, how the list first had it, and how many bought it.
    chosen: (n, k), places among the candidates.
    """
    (n, k), chosen = chosen.shape, chosen.astype(np.intp)
    buyers = np.zeros((n, k))
    for i, candidates in enumerate(lists.candidates):
        rows = [bundle.catalogue.row(candidates[place]) for place in chosen[i]]
        buyers[i] = [0 if row is None else bundle.buyers[row] for row in rows]
    position = np.broadcast_to(1 / np.log2(np.arange(k) + 2), (n, k))
    return np.stack([position, 1 / np.log2(chosen + 2), np.log1p(buyers)], axis=-1).reshape(n * k, 3)


def _expected(known: Floats, rewards: Floats, users: NDArray[np.intp], usable: NDArray[np.bool_], at: Floats) -> Floats:
    """(n, 1): rewards as a linear model expects them `at` features, fitted on the usable rows of other users alone."""
    expected = np.zeros(len(known))
    folds = min(FOLDS, len(np.unique(users)))
    if folds < FOLDS:
        return expected[:, None]
    for others, mine in GroupKFold(folds).split(known, groups=users):
        learned = others[usable[others]]
        if len(learned):
            expected[mine] = Ridge(alpha=1.0).fit(known[learned], rewards[learned]).predict(at[mine])
    return expected[:, None]


def _text(result: dict[str, Any]) -> Iterator[str]:
    for name in ("arms", "bundle"):
        if rows := result.get(name):
            yield f"{name:12}{'lists':>10}{'observed':>10}{'snips':>26}{'doubly robust':>26}   verdict"
            for row in rows:
                spans = "".join(f"{_span(row[estimate]):>26}" for estimate in ("snips", "doubly_robust"))
                yield f"{row['arm']:12}{row['lists']:10,}{row['observed']:10.4f}{spans}   {row['verdict']}"


def _span(found: dict[str, float | None]) -> str:
    return f"{number(found['mean'])} [{number(found['low'])}, {number(found['high'])}]"


def _write_report(result: dict[str, Any], path: Path) -> None:
    plots = {
        name: interval_plot(
            [
                Panel("SNIPS", [(row["arm"], row["snips"]) for row in result[name]]),
                Panel("Doubly robust", [(row["arm"], row["doubly_robust"]) for row in result[name]]),
            ]
        )
        for name in ("arms", "bundle")
        if result[name]
    }
    path.write_text(html_page("off_policy/report.html.j2").render(result=result, plots=plots), encoding="utf-8")


def run(given: argparse.Namespace, console: Console) -> dict[str, Any]:
    """What the page and the JSON file say. Raises DataError and BundleError."""
    lists = read_logged_lists(given.data, given.placement, given.reward, given.hours)
    shop = read_shop(given.data)
    bundle = bundles.load(given.bundle) if given.bundle is not None else None
    return {
        "placement": given.placement,
        "reward": given.reward,
        "hours": given.hours,
        "lists": len(lists),
        "users": len(set(lists.user_ids)),
        "bundle_id": bundle.bundle_id if bundle is not None else None,
        "arms": evaluate_arms(lists, past_features(shop, lists)),
        "bundle": evaluate_bundle(lists, bundle, shop, console) if bundle is not None else [],
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.off_policy", description="What another arm, or another bundle, would have earned."
    )
    parser.add_argument("--data", type=Path, required=True, help="the shop's folder, with exported events and lists")
    parser.add_argument("--placement", required=True, help="whose lists")
    parser.add_argument("--reward", choices=REWARDS, default="purchase", help="what counts (view: a click)")
    parser.add_argument("--hours", type=float, default=24.0, help="how long after the list it counts")
    parser.add_argument("--bundle", type=Path, help="judge this bundle too, by the lists that explored")
    parser.add_argument("--report", type=Path, default=Path("off_policy.html"), help="the page to write")
    parser.add_argument("--json", type=Path, help="and a file of the numbers")
    given = parser.parse_args(arguments)
    try:
        result = run(given, Console(stderr=True))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _write_report(result, given.report)
    print(*_text(result), f"report {given.report}", sep="\n")
    return 0
