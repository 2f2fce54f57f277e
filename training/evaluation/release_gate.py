"""Whether a new bundle may be called ready: not if it is clearly worse than a model without training, or than the
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
from training.evaluation.evaluate import OURS, ranked_by
from training.metrics import interval, per_user

METRIC = "ndcg@10"
FLOORS = ("popularity", "personal frequency", "co-visitation + text")


def against_previous(bundle: Bundle, folder: Path, holdout: Holdout, profiles: Profiles) -> dict[str, Any] | None:
    """The new bundle less the one in `folder` on the new one's test users: bundle_id, and the difference as an
    interval, paired by user.

    None where they cannot be compared: there is none before it, its items are others, or it learned from events that
    are test now (as a bundle that was shipped with refit=all did), which would flatter it.
    """
    try:
        previous = bundles.load(folder)
    except BundleError:
        return None
    if previous.catalogue.items != bundle.catalogue.items or _learned_until(previous) > holdout.time:
        return None
    new, old = (
        per_user(ranked_by(b, holdout, profiles, repeats=b.model.repeats), holdout.targets)[METRIC]
        for b in (bundle, previous)
    )
    return {"bundle_id": previous.bundle_id, METRIC: interval(new - old)}


def failed_checks(evaluation: Mapping[str, Any]) -> list[str]:
    """Why the bundle is not ready, each a sentence; empty when it is. Worse means that the whole 95 % interval of the
    difference, paired by user, is below zero.
    """
    found = []
    for name in FLOORS:
        difference = evaluation["comparisons"][name][METRIC]
        if difference["high"] is not None and difference["high"] < 0:
            found.append(f"{OURS} is worse than {name} by {-difference['mean']:.4f} {METRIC}")
    previous = evaluation["previous"]
    if previous is not None and previous[METRIC]["high"] < 0:
        worse = -previous[METRIC]["mean"]
        found.append(f"it is worse than the bundle before it, {previous['bundle_id']}, by {worse:.4f} {METRIC}")
    return found


def _learned_until(bundle: Bundle) -> int:
    """Microseconds since 1970: the newest event that the bundle may have learned from."""
    return int(datetime.fromisoformat(bundle.provenance["data"]["learned_until"]).timestamp() * 1_000_000)
