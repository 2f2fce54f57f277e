"""All metrics of the service. Prometheus adds `_total` to the names of counters.

A label has few, known values: never an id of a user or item, never a user's words.
"""

from prometheus_client import Counter, Gauge, Histogram

from recsvc.domain.degradation import Degradation
from recsvc.domain.query import Surface
from recsvc.domain.shop import EventType
from recsvc.runtime.rungs import Rung

# Seconds. A warm request takes a few milliseconds; the last buckets show what a deadline of a second would cut off.
_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Seconds. Mostly no wait at all; a list that would wait for more than .25 s is refused, a write after 1 s.
_QUEUE_BUCKETS = (0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
# Seconds. One Redis round trip takes tens of microseconds on a socket; the default timeout is 0.1 s.
_STORE_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_SEARCH_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)
# Seconds. A change is read within 20 ms; the last buckets show an outage of Redis.
_DELAY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

REQUESTS = Counter("recsvc_requests", "Calls answered, by full method name and gRPC status code.", ("method", "code"))
REQUEST_SECONDS = Histogram(
    "recsvc_request_seconds",
    "Seconds from the bytes of the request to the bytes of the response.",
    ("method",),
    buckets=_REQUEST_BUCKETS,
)
REFUSALS = Counter(
    "recsvc_refusals",
    "Calls that were refused, by full method name and reason: limit, queue (too long a wait), deadline, key, scope, "
    "rate, concurrency.",
    ("method", "reason"),
)
QUEUE_SECONDS = Histogram(
    "recsvc_queue_seconds", "Seconds that a call waited before its work began.", buckets=_QUEUE_BUCKETS
)
REQUESTS_IN_FLIGHT = Gauge("recsvc_requests_in_flight", "Calls that are running now.")

USER_VECTORS = Counter(
    "recsvc_user_vectors", "Source of the user vector of a list: process (its memory), redis or computed.", ("source",)
)
LISTS = Counter("recsvc_lists", "Lists made, by surface.", ("surface",))
DEGRADED = Counter("recsvc_degraded", "Lists that were degraded, by the kind of degradation.", ("degradation",))

REASONS = Counter("recsvc_reasons", "Reasons written, by the kind of their strongest evidence.", ("kind", "language"))
REASONS_MISSING = Counter("recsvc_reasons_missing", "Recommendations without a reason: nothing true could be said.")

SEARCH_SECONDS = Histogram("recsvc_search_seconds", "Seconds of one batched search.", buckets=_SEARCH_BUCKETS)
SEARCH_BATCH_SIZE = Histogram("recsvc_search_batch_size", "Requests in one batched search.", buckets=_BATCH_BUCKETS)

STORE_SECONDS = Histogram(
    "recsvc_store_seconds", "Seconds of one operation on Redis.", ("operation",), buckets=_STORE_BUCKETS
)
STORE_ERRORS = Counter("recsvc_store_errors", "Operations that Redis refused or dropped, or that timed out.")
LISTS_LOST = Counter(
    "recsvc_lists_lost", "Lists that could not be stored for ExplainRecommendation or off-policy evaluation."
)
EVENTS = Counter("recsvc_events", "New events. An event that is sent again counts once.", ("event_type",))

ATTRIBUTED = Counter(
    "recsvc_attributed_events",
    "New events that name a served list, by its placement, arm and bundle: impressions, clicks (view), purchases. An "
    "event that is sent again counts once.",
    ("placement", "arm", "bundle_id", "event_type"),
)

CATALOGUE_BEHIND = Gauge("recsvc_catalogue_behind", "1 while item changes cannot be read from Redis.")
CATALOGUE_DELAY = Histogram(
    "recsvc_catalogue_delay_seconds",
    "Seconds from the time at which Redis took an item change until the lists of this process follow it.",
    buckets=_DELAY_BUCKETS,
)
FOLLOWER_ERRORS = Counter("recsvc_follower_errors", "Failed steps of what follows Redis.", ("follower",))
FOLLOWER_SUCCEEDED = Gauge(
    "recsvc_follower_succeeded_seconds", "When a follower last read Redis, in seconds since 1970.", ("follower",)
)
REDIS_LOSSES = Counter(
    "recsvc_redis_losses", "Values or keys that Redis has lost, as far as this process can tell.", ("data",)
)
REDIS_MAY_EVICT = Gauge("recsvc_redis_may_evict", "1 if the policy of Redis is to delete keys when memory is full.")
CONDITION_ACTIVE = Gauge(
    "recsvc_condition_active", "1 while the process is in a condition of docs/degradation.md.", ("condition",)
)
CONDITIONS = Counter("recsvc_conditions", "Times that the process entered a condition.", ("condition",))
REDIS_RESTORED = Counter("recsvc_redis_restored", "Lost values that this process wrote back to Redis.", ("data",))
UNREADABLE_VALUES = Counter(
    "recsvc_unreadable_values", "Values in Redis that were skipped, because this version cannot read them.", ("data",)
)
GATE_VIOLATIONS = Counter(
    "recsvc_gate_violations", "Items that the final gate removed although no stock changed: a fault of the search."
)
GATE_LATE_CHANGES = Counter(
    "recsvc_gate_late_changes", "Items that the final gate removed in a search during which stock changed."
)

BUNDLE_INFO = Gauge("recsvc_bundle_info", "1 for the bundle that this process serves.", ("bundle_id",))
BUNDLE_TRAINED = Gauge(
    "recsvc_bundle_trained_seconds", "When the served bundle was trained, in seconds since 1970.", ("bundle_id",)
)
INDEX_ITEMS = Gauge(
    "recsvc_index_items",
    "Items of the served bundle: all, those that may be listed now, and those added or reworded since the index was "
    "built.",
    ("kind",),
)
CACHED_USERS = Gauge("recsvc_cached_users", "Users whose state this process keeps in memory.")
BUILD_INFO = Gauge("recsvc_build_info", "1 for the version of recsvc that runs.", ("version",))
WORKER_UP = Gauge("recsvc_worker_up", "1 while a worker of recsvc serve --workers answers, by its number.", ("worker",))
WORKER_RESTARTS = Counter("recsvc_worker_restarts", "Workers that ended and were started again.", ("worker",))
EMBEDDED_REDIS_RESTARTS = Counter("recsvc_embedded_redis_restarts", "Restarts of the private Redis.")

ACCESS_FILE_REFUSED = Gauge(
    "recsvc_access_file_refused",
    "1 while a changed file of certificates, keys or tokens cannot be used, and the earlier one is. By its setting.",
    ("file",),
)
CERTIFICATE_EXPIRES_SECONDS = Gauge(
    "recsvc_certificate_expires_seconds", "When the certificate of the service expires, in seconds since 1970; 0: none."
)
AUDIT_LINES_LOST = Counter("recsvc_audit_lines_lost", "Lines of the audit log that could not be written.")

# Prometheus sees an increase only in a series that it has read before. So those of alerts exist from the start.
for degradation in Degradation:
    DEGRADED.labels(degradation.value)
for rung in Rung:
    CONDITIONS.labels(rung.value)
for surface in Surface:
    LISTS.labels(surface.value)
for event_type in EventType:
    EVENTS.labels(event_type.name.lower())
for source in ("process", "redis", "computed"):
    USER_VECTORS.labels(source)
for data in ("bundles", "erasures", "evicted", "items", "state", "switches"):
    REDIS_LOSSES.labels(data)
for data in ("erasures", "items", "processes"):
    UNREADABLE_VALUES.labels(data)
