"""Decides whether a new bundle may go live.

It may not if it is not ahead of the model without training, or clearly worse than a simpler baseline or than the
bundle before it.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from recsvc.errors import BundleError
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from training.data.split import Holdout, Profiles
from training.evaluation.evaluate import OURS
from training.evaluation.offline_ranking import rank_holdout
from training.metrics import interval, per_user

METRIC = "ndcg@10"
TRAINING_FREE = "co-visitation + text"  # costs seconds: a trained model that is not ahead of it is not worth having
FLOORS = ("popularity", "personal frequency")


def against_previous(bundle: Bundle, folder: Path, holdout: Holdout, profiles: Profiles) -> dict[str, Any] | None:
    """Compares the new bundle with the one in `folder`, on the new bundle's test users.

    Returns:
        bundle_id of the previous bundle, and the new one's `METRIC` minus the previous one's as an interval, paired
        by user. None if they cannot be compared: there is no previous bundle, its items are not the same, or it
        learned from events that are test now, which would flatter it. A bundle trained with refit=all learned so.
    """
    try:
        previous = bundles.load(folder)
    except BundleError:
        return None
    if previous.catalogue.items != bundle.catalogue.items or _learned_until(previous) > holdout.time:
        return None
    new, old = (
        per_user(rank_holdout(b, holdout, profiles, repeats=b.model.repeats), holdout.targets)[METRIC]
        for b in (bundle, previous)
    )
    return {"bundle_id": previous.bundle_id, METRIC: interval(new - old)}


def failed_checks(evaluation: Mapping[str, Any]) -> list[str]:
    """Lists the reasons why the bundle may not go live, one sentence each. Empty if it may.

    A bundle must be ahead of `TRAINING_FREE` on average. It counts as worse than another model if the whole 95 %
    interval of the difference, paired by user, is below zero.
    """
    failed = []
    lead = evaluation["comparisons"][TRAINING_FREE][METRIC]["mean"]
    if lead is not None and lead <= 0:
        failed.append(f"{OURS} is {lead_in_words(evaluation)}")
    for name in FLOORS:
        difference = evaluation["comparisons"][name][METRIC]
        if difference["high"] is not None and difference["high"] < 0:
            failed.append(f"{OURS} is worse than {name} by {-difference['mean']:.4f} {METRIC}")
    previous = evaluation["previous"]
    if previous is not None and previous[METRIC]["high"] < 0:
        worse = -previous[METRIC]["mean"]
        failed.append(f"{OURS} is worse than the previous bundle, {previous['bundle_id']}, by {worse:.4f} {METRIC}")
    return failed


def lead_in_words(evaluation: Mapping[str, Any]) -> str:
    """Says how far the bundle is ahead of the model that needs no training, with the 95 % interval."""
    lead = evaluation["comparisons"][TRAINING_FREE][METRIC]
    if lead["mean"] is None:
        return f"not compared with the training-free model ({TRAINING_FREE}): no test user"
    place = "ahead" if lead["mean"] > 0 else "not ahead"
    return (
        f"{place} of the training-free model ({TRAINING_FREE}): {lead['mean']:+.4f} {METRIC} "
        f"({lead['low']:+.4f} to {lead['high']:+.4f})"
    )


def replaces_measured(folder: Path) -> list[str]:
    """Lists why a bundle that was not measured may not go live: the bundle in `folder` was. Empty if it may."""
    try:
        evaluation = bundles.read_manifest(folder).get("evaluation") or {}
    except BundleError:
        return []
    if not isinstance(evaluation.get(METRIC), Mapping) or evaluation[METRIC].get("mean") is None:
        return []
    return [f"{OURS} learned nothing from these tables, and {folder.resolve().name} is a bundle that learned"]


def _learned_until(bundle: Bundle) -> int:
    """When the newest event was that the bundle may have learned from, in microseconds since 1970 UTC; 0 for none."""
    learned_until = bundle.provenance["data"]["learned_until"]
    return int(datetime.fromisoformat(learned_until).timestamp() * 1_000_000) if learned_until is not None else 0
