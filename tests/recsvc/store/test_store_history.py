from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.shop import Event, EventType
from recsvc.store.history import Entry, entry_of, event_of, merge, recognised, too_old, unseen


def entry(number: int, timestamp: int, event_type: EventType = EventType.PURCHASE) -> Entry:
    return Entry(number << 16, timestamp, event_type, 1.0, f"item-{number}")


def test_entry_gives_back_the_fields_that_a_history_keeps():
    event = Event("e1", "alice", "tea", EventType.RETURN, 17, 2.5, price=9.0, order_id="o1", recommendation_id="r1")
    entry = entry_of(event)
    again = event_of(entry, "alice")
    assert again == Event(f"{entry.id_hash:016x}", "alice", "tea", EventType.RETURN, 17, 2.5)


def test_late_events_are_merged_by_time_and_equal_times_keep_their_order():
    history = [entry(1, 10), entry(2, 20), entry(3, 30)]
    merged = merge(history, [entry(4, 20), entry(5, 5), entry(6, 20)], limit=10)
    assert [recognised(e.id_hash) for e in merged] == [5, 1, 2, 4, 6, 3]


def test_merge_keeps_the_newest():
    merged = merge([entry(1, 10), entry(2, 20)], [entry(3, 15), entry(4, 40)], limit=3)
    assert [recognised(e.id_hash) for e in merged] == [3, 2, 4]


def test_unseen_takes_each_event_id_once():
    first = Event("a", "u", "tea", EventType.VIEW, 1)
    same_id = Event("a", "u", "milk", EventType.VIEW, 2)
    other = Event("b", "u", "tea", EventType.VIEW, 3)
    assert unseen([], [first, same_id, other]) == [(entry_of(first), first), (entry_of(other), other)]
    assert unseen([entry_of(first)], [same_id, other]) == [(entry_of(other), other)]


@given(st.permutations(range(12)), st.integers(1, 15), st.integers(0, 12))
def test_merge_result_does_not_depend_on_order_or_batches(order, limit, cut):
    entries = [entry(number, 100 + number) for number in order]
    merged = merge(merge([], entries[:cut], limit), entries[cut:], limit)
    assert [e.timestamp - 100 for e in merged] == list(range(12))[-limit:]


@given(st.lists(st.integers(0, 5), max_size=20), st.integers(1, 10), st.data())
def test_merging_events_again_changes_nothing(times, limit, data):
    events = [Event(f"e{number}", "u", "tea", EventType.VIEW, time) for number, time in enumerate(times)]
    history = merge([], [e for e, _ in unseen([], events)], limit)
    again = data.draw(st.permutations(events)) if events else []
    assert merge(history, [e for e, _ in unseen(history, again)], limit) == history
    assert len(history) == min(limit, len(events))


ROOMS = [
    {EventType.PURCHASE},
    {EventType.RETURN},
    {EventType.HIDE},
    {EventType.VIEW, EventType.ADD_TO_CART},
]


@given(st.lists(st.sampled_from([t for room in ROOMS for t in room]), max_size=60), st.integers(1, 8))
def test_each_room_keeps_its_newest_events_whatever_comes_in_the_others(types, limit):
    merged = []
    for time, event_type in enumerate(types):
        merged = merge(merged, [entry(time, time, event_type)], limit)
    for room in ROOMS:
        sent = [time for time, event_type in enumerate(types) if event_type in room]
        assert [e.timestamp for e in merged if e.event_type in room] == sent[-limit:]
    assert [e.timestamp for e in merged] == sorted(e.timestamp for e in merged)


def test_arrival_is_too_old_only_for_its_own_full_room():
    history = [entry(1, 10), entry(2, 20, EventType.VIEW), entry(3, 30, EventType.ADD_TO_CART)]
    old = too_old(history, limit=2)
    assert [old(entry(4, 20, event_type)) for event_type in EventType] == [False, True, True, False, False, False]
    assert not old(entry(5, 21, EventType.VIEW))
