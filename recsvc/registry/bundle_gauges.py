"""Shows the served bundle as metrics. The values are read when Prometheus asks: nothing has to keep them up to date."""

from collections.abc import Callable
from functools import partial

from recsvc.model.manifest import moment
from recsvc.pipeline.recommender import Recommender
from recsvc.runtime.metrics import BUNDLE_INFO, BUNDLE_TRAINED, CACHED_USERS, INDEX_ITEMS

_KINDS = ("all", "listable", "later")  # of `ItemSnapshot.counts`


def follow_served(current: Callable[[], Recommender]) -> None:
    """Shows the items and the cached users of the recommender that serves at the time of each reading.

    Args:
        current: Returns it. Called from the thread of the metrics.
    """
    for kind in _KINDS:
        INDEX_ITEMS.labels(kind).set_function(partial(_items, current, kind))
    CACHED_USERS.set_function(lambda: current().cached_users)


def follow_nothing() -> None:
    """Shows no items and no users: the bundles are closed."""
    for kind in _KINDS:
        INDEX_ITEMS.labels(kind).set_function(lambda: 0)
    CACHED_USERS.set_function(lambda: 0)


def show_bundle(served: Recommender) -> None:
    """Shows the id of the served bundle, and when it was trained if it says so."""
    BUNDLE_INFO.labels(served.bundle_id).set(1)
    trained = moment(served.bundle.provenance.get("created"))
    BUNDLE_TRAINED.clear()  # of the bundle that it replaces
    if trained is not None:
        BUNDLE_TRAINED.labels(served.bundle_id).set(trained.timestamp())


def hide_bundle(bundle_id: str) -> None:
    """Shows that a bundle is not served any more."""
    BUNDLE_INFO.labels(bundle_id).set(0)


def _items(current: Callable[[], Recommender], kind: str) -> int:
    return current().snapshot.counts[kind]
