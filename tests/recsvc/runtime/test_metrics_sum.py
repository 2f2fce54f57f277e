"""The page of several workers: sums of what is counted, and the meaning of each gauge."""

import json

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

import recsvc.runtime.metrics  # noqa: F401 - it makes all metrics
from recsvc.runtime import metrics_sum, worker_link
from recsvc.runtime.metrics_sum import add_up, counts, sum_of


def page_of(monkeypatch, lists=0, waits=(), **gauges):
    """The page of a worker, as it comes over its link."""
    registry = CollectorRegistry()
    counter = Counter("recsvc_lists", "h", ("surface",), registry=registry)
    if lists:
        counter.labels("cart").inc(lists)
    histogram = Histogram("recsvc_queue_seconds", "h", buckets=(0.1, 1), registry=registry)
    for wait in waits:
        histogram.observe(wait)
    Counter("python_gc_objects_collected", "h", registry=registry).inc(5)
    for name, value in gauges.items():
        Gauge(name, "h", registry=registry).set(value)
    monkeypatch.setattr(worker_link, "REGISTRY", registry)
    return json.loads(json.dumps(worker_link.read_metrics()))


def value_of(metrics, name, **labels):
    [value] = [s.value for metric in metrics for s in metric.samples if s.name == name and s.labels == labels]
    return value


def text_of(metrics):
    class Page:
        def collect(self):
            return metrics

    registry = CollectorRegistry()
    registry.register(Page())
    return generate_latest(registry).decode()


def test_counters_and_histograms_of_workers_are_added_up(monkeypatch):
    pages = {"1": page_of(monkeypatch, 3, (0.05, 5)), "2": page_of(monkeypatch, 4, (0.5,))}
    metrics = add_up(pages, (), ())
    assert value_of(metrics, "recsvc_lists_total", surface="cart") == 7
    buckets = [value_of(metrics, "recsvc_queue_seconds_bucket", le=le) for le in ("0.1", "1.0", "+Inf")]
    assert buckets == [1, 2, 3]
    assert value_of(metrics, "recsvc_queue_seconds_sum") == pytest.approx(5.55)
    assert text_of(metrics).count("# TYPE recsvc_lists_total counter") == 1


def test_a_counter_does_not_fall_when_a_worker_ends_and_another_starts(monkeypatch):
    ended = sum_of([(), counts(page_of(monkeypatch, 40, (0.5,)))])
    ended = sum_of([ended, counts(page_of(monkeypatch, 2))])
    metrics = add_up({"1": page_of(monkeypatch, 1), "2": page_of(monkeypatch, 10)}, ended, ())
    assert value_of(metrics, "recsvc_lists_total", surface="cart") == 53
    assert value_of(metrics, "recsvc_queue_seconds_count") == 1


def test_a_gauge_of_an_ended_worker_is_not_kept(monkeypatch):
    ended = sum_of([counts(page_of(monkeypatch, recsvc_cached_users=9))])
    metrics = add_up({"1": page_of(monkeypatch, recsvc_cached_users=2)}, ended, ())
    assert value_of(metrics, "recsvc_cached_users") == 2


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("recsvc_requests_in_flight", 12),  # each has a part
        ("recsvc_cached_users", 12),
        ("recsvc_condition_active", 7),  # all show the same thing, or one is worse
        ("recsvc_bundle_trained_seconds", 7),
        ("recsvc_follower_succeeded_seconds", 5),
        ("recsvc_certificate_expires_seconds", 5),
    ],
)
def test_a_gauge_shows_what_it_means_for_the_service(monkeypatch, name, shown):
    metrics = add_up({"1": page_of(monkeypatch, **{name: 5}), "2": page_of(monkeypatch, **{name: 7})}, (), ())
    assert value_of(metrics, name) == shown


def test_the_metrics_of_a_process_are_those_of_each_worker_and_of_the_supervisor(monkeypatch):
    pages = {str(n): page_of(monkeypatch, process_open_fds=n) for n in (1, 2)}
    metrics = add_up(pages, (), page_of(monkeypatch, process_open_fds=3))
    assert [value_of(metrics, "process_open_fds", worker=w) for w in ("1", "2", "supervisor")] == [1, 2, 3]
    assert value_of(metrics, "python_gc_objects_collected_total", worker="2") == 5


def test_the_supervisor_adds_its_counters_and_none_of_the_gauges_of_a_server(monkeypatch):
    supervisor = page_of(monkeypatch, 1, recsvc_certificate_expires_seconds=0, recsvc_worker_up=1)
    metrics = add_up({"1": page_of(monkeypatch, 2, recsvc_certificate_expires_seconds=99)}, (), supervisor)
    assert value_of(metrics, "recsvc_lists_total", surface="cart") == 3
    assert value_of(metrics, "recsvc_certificate_expires_seconds") == 99
    assert value_of(metrics, "recsvc_worker_up") == 1


def test_every_gauge_with_a_rule_of_its_own_exists():
    gauges = {family["name"] for family in worker_link.read_metrics() if family["type"] == "gauge"}
    assert gauges >= metrics_sum.ADDED_GAUGES | metrics_sum.SMALLEST_GAUGES | metrics_sum.SUPERVISOR_GAUGES
