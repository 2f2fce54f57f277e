"""Adds up the metrics of several worker processes, so that one page shows the service.

Counters and histograms are sums. What an ended worker had counted when it was last read stays in them: a sum that falls
looks to Prometheus like a counter that started again, and it would count everything that is left once more. Of gauges,
the meaning decides. The metrics of Python and of the process are no sums: each has the label `worker`.

The multiprocess mode of prometheus_client was not taken: it has no metrics of the process, each worker that was ever
started leaves a file, and each count writes into that file.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import Metric

_ADDED_TYPES = {"counter", "histogram"}
_OWN_PREFIXES = ("process_", "python_")
# Gauges of which each worker has a part.
ADDED_GAUGES = {"recsvc_requests_in_flight", "recsvc_cached_users"}
# Gauges of which the smallest value is the worst. Of all others it is the largest.
SMALLEST_GAUGES = {"recsvc_follower_succeeded_seconds", "recsvc_certificate_expires_seconds"}
# Gauges that the supervisor itself sets.
SUPERVISOR_GAUGES = {"recsvc_worker_up"}
_CREATED = "_created"  # a sample that says when a counter began

Page = Sequence[Mapping[str, Any]]
_Series = tuple[str, tuple[tuple[str, str], ...]]  # name and labels of a sample


def counts(page: Page) -> Page:
    """Returns the part of a page that stays true after its worker has ended: what it has counted."""
    return [family for family in page if family["type"] in _ADDED_TYPES and not _is_own(family)]


def sum_of(pages: Iterable[Page]) -> Page:
    """Returns pages of several workers as one."""
    families: dict[str, Mapping[str, Any]] = {}
    values: dict[str, dict[_Series, float]] = {}
    for page in pages:
        for family in page:
            families.setdefault(family["name"], family)
            _merge(values.setdefault(family["name"], {}), family)
    return [
        {**family, "samples": [[name, dict(labels), value] for (name, labels), value in values[key].items()]}
        for key, family in families.items()
    ]


def add_up(workers: Mapping[str, Page], ended: Page, supervisor: Page) -> list[Metric]:
    """Returns the metrics of the whole service.

    Args:
        workers: The page of each living worker, by its number.
        ended: The counts of those that have ended.
        supervisor: The page of the supervisor.
    """
    named = {"supervisor": supervisor, **workers}
    own = [_labelled(family, worker) for worker, page in named.items() for family in page if _is_own(family)]
    shared = [[family for family in page if not _is_own(family)] for page in workers.values()]
    of_supervisor = [family for family in supervisor if not _is_own(family) and _is_of_supervisor(family)]
    return [_metric(family) for family in sum_of([ended, *shared, of_supervisor, own])]


def _is_own(family: Mapping[str, Any]) -> bool:
    return bool(family["name"].startswith(_OWN_PREFIXES))


def _labelled(family: Mapping[str, Any], worker: str) -> Mapping[str, Any]:
    samples = [[name, {**labels, "worker": worker}, value] for name, labels, value in family["samples"]]
    return {**family, "samples": samples}


def _is_of_supervisor(family: Mapping[str, Any]) -> bool:
    """Whether the supervisor counts it. Its gauges say nothing of bundles and followers: it has none."""
    return family["type"] in _ADDED_TYPES or family["name"] in SUPERVISOR_GAUGES


def _merge(values: dict[_Series, float], family: Mapping[str, Any]) -> None:
    for name, labels, value in family["samples"]:
        series = (name, tuple(sorted(labels.items())))
        before = values.get(series)
        values[series] = value if before is None else _merged(family, name, before, value)


def _merged(family: Mapping[str, Any], sample: str, one: float, two: float) -> float:
    if sample.endswith(_CREATED) or family["name"] in SMALLEST_GAUGES:
        return min(one, two)
    if family["type"] in _ADDED_TYPES or family["name"] in ADDED_GAUGES:
        return one + two
    return max(one, two)


def _metric(family: Mapping[str, Any]) -> Metric:
    metric = Metric(family["name"], family["help"], family["type"])
    for name, labels, value in family["samples"]:
        metric.add_sample(name, labels, value)
    return metric
