"""Every counter and histogram of the service, named once. Prometheus adds `_total` to the names of counters.

Labels take few, known values: never an id, never a user's words.
"""

from prometheus_client import Counter, Gauge, Histogram

# A warm request takes a few milliseconds; the tail shows what a deadline of a second or so would cut off.
_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# One Redis round trip takes tens of microseconds on a socket; the default limit is 0.1 s.
_STORE_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_SEARCH_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)

REQUESTS = Counter("recsvc_requests", "Calls answered, by full method name and gRPC status code.", ("method", "code"))
REQUEST_SECONDS = Histogram(
    "recsvc_request_seconds", "Time from the request's bytes to the response's.", ("method",), buckets=_REQUEST_BUCKETS
)
REQUESTS_IN_FLIGHT = Gauge("recsvc_requests_in_flight", "Calls being worked on now.")

USER_VECTORS = Counter(
    "recsvc_user_vectors", "Where the user vector of a list came from: redis, computed, process or none.", ("source",)
)
DEGRADED = Counter("recsvc_degraded", "Lists that had to do without something, by what.", ("degradation",))

REASONS = Counter("recsvc_reasons", "Reasons given, by the kind of their strongest evidence.", ("kind", "language"))
REASONS_MISSING = Counter("recsvc_reasons_missing", "Recommendations for which no true sentence could be made.")

SEARCH_SECONDS = Histogram("recsvc_search_seconds", "Time of one batched search.", buckets=_SEARCH_BUCKETS)
SEARCH_BATCH_SIZE = Histogram("recsvc_search_batch_size", "Requests answered by one search.", buckets=_BATCH_BUCKETS)

STORE_SECONDS = Histogram(
    "recsvc_store_seconds", "Time of one operation on Redis.", ("operation",), buckets=_STORE_BUCKETS
)
STORE_ERRORS = Counter("recsvc_store_errors", "Operations that Redis refused, dropped or outlasted.")
LISTS_LOST = Counter("recsvc_lists_lost", "Lists not kept for ExplainRecommendation or off-policy evaluation.")
EVENTS = Counter("recsvc_events", "Events that Redis has acknowledged, those sent again included.", ("event_type",))

ATTRIBUTED = Counter(
    "recsvc_attributed_events",
    "Events that name the list they came from, by what made it: impressions, clicks (view), conversions (purchase).",
    ("placement", "arm", "bundle_id", "event_type"),
)

CATALOGUE_BEHIND = Gauge("recsvc_catalogue_behind", "1 while changes of the catalogue cannot be read from Redis.")
GATE_VIOLATIONS = Counter(
    "recsvc_gate_violations", "Items taken out of a list at the last moment: 0 unless stock changed that very moment."
)

BUNDLE_INFO = Gauge("recsvc_bundle_info", "1 for the bundle that this process serves.", ("bundle_id",))
EMBEDDED_REDIS_RESTARTS = Counter("recsvc_embedded_redis_restarts", "Times the private Redis was started again.")
