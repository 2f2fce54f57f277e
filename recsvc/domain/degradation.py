"""What a list can lack while parts of the service fail. docs/degradation.md has the causes."""

import enum


class Degradation(enum.Enum):
    """Something that a response lacks."""

    STALE = "stale"  # it does not reflect the events that the caller required
    STORE_UNAVAILABLE = "store_unavailable"  # Redis did not answer: the history is the last one seen here, or none
    REASONS_DROPPED = "reasons_dropped"  # the deadline left no time for reasons
    DATA_LOST = "data_lost"  # Redis has lost data lately: events and profiles may be missing
    ITEMS_BEHIND = "items_behind"  # changes of items cannot be read: the list may have sold-out items
    REASONS_PLAIN = "reasons_plain"  # no new wordings of a language model: the phrase bank words what it lacks
    STORE_SLOW = "store_slow"  # Redis answers slowly: lists and writes are late, or fail
    WRITES_REFUSED = "writes_refused"  # Redis takes no writes: what the user does now is in no later list
    SEARCH_BY_WORDS = "search_by_words"  # the text encoder fails: the search looks for its words alone
    OTHER_BUNDLE = "other_bundle"  # the bundle that the operator activated cannot be used: another one answers
