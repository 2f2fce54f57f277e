"""The rungs of the degradation ladder: what may fail while the service goes on. See docs/degradation.md."""

import enum
from collections.abc import Mapping

from recsvc.domain.degradation import Degradation


class Rung(enum.StrEnum):
    """One way in which a process serves less than it should. The value names it in health, metrics and logs."""

    WORKER_AWAY = "worker_away"  # no reason worker has reported lately
    GENERATOR_AWAY = "generator_away"  # a reason worker gets no answer from its language model
    REDIS_SLOW = "redis_slow"  # most answers take longer than half of the timeout
    REDIS_AWAY = "redis_away"  # no answers
    REDIS_ACCESS_REFUSED = "redis_access_refused"  # the password, the user or a permission is not the right one
    REDIS_READ_ONLY = "redis_read_only"  # a replica, or a master without enough replicas
    REDIS_FULL = "redis_full"  # the memory of Redis is full, and its policy is to refuse writes
    REDIS_DISK_FULL = "redis_disk_full"  # Redis cannot write its files, and refuses writes
    REDIS_LOST_DATA = "redis_lost_data"  # it was emptied, or went back to an earlier state
    REDIS_EVICTING = "redis_evicting"  # it has deleted keys to make room
    REDIS_MAY_EVICT = "redis_may_evict"  # its policy is to delete keys when its memory is full
    EVENT_LOG_FULL = "event_log_full"  # exported entries were not trimmed
    ITEMS_BEHIND = "items_behind"  # changes of items cannot be read
    TEXT_ENCODER_FAILING = "text_encoder_failing"  # the language model that reads texts raises errors
    BUNDLE_UNUSABLE = "bundle_unusable"  # the bundle that the operator activated cannot be used here


# What a list lacks while the process is on a rung. A rung that is not here shows in the lists that it concerns only
# (the read that failed, the search without meaning), or in none.
DEGRADATION_OF: Mapping[Rung, Degradation] = {
    Rung.REDIS_SLOW: Degradation.STORE_SLOW,
    Rung.REDIS_READ_ONLY: Degradation.WRITES_REFUSED,
    Rung.REDIS_FULL: Degradation.WRITES_REFUSED,
    Rung.REDIS_DISK_FULL: Degradation.WRITES_REFUSED,
    Rung.EVENT_LOG_FULL: Degradation.WRITES_REFUSED,
    Rung.REDIS_LOST_DATA: Degradation.DATA_LOST,
    Rung.REDIS_EVICTING: Degradation.DATA_LOST,
    Rung.ITEMS_BEHIND: Degradation.ITEMS_BEHIND,
    Rung.BUNDLE_UNUSABLE: Degradation.OTHER_BUNDLE,
    Rung.WORKER_AWAY: Degradation.REASONS_PLAIN,
    Rung.GENERATOR_AWAY: Degradation.REASONS_PLAIN,
}
