import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsvc.domain.shop import Event, EventType, Profile
from recsvc.errors import StoreUnavailable
from recsvc.store import log_packing, packing
from recsvc.store.history import Entry, recognised

ids = st.text(min_size=1, max_size=128)
timestamps = st.integers(-(2**63), 2**63 - 1)
event_types = st.sampled_from(EventType)
entries = st.builds(
    Entry, st.integers(0, 2**64 - 1), timestamps, event_types.map(int), st.floats(0, 1e6, width=32), ids
)
profiles = st.builds(
    Profile, st.text(max_size=2000), st.lists(st.tuples(ids, st.text(max_size=256)), max_size=32).map(tuple)
)
vectors = hnp.arrays(np.float32, st.integers(1, 300), elements=st.floats(-10, 10, width=32))
events = st.builds(
    Event,
    event_id=ids,
    user_id=st.just("alice"),
    item_id=ids,
    event_type=event_types,
    timestamp=timestamps,
    quantity=st.floats(0, 1e6),
    price=st.none() | st.floats(0, 1e9),
    order_id=st.text(max_size=128),
    recommendation_id=st.text(max_size=128),
)


@given(st.lists(entries, max_size=40))
def test_history_round_trip(history):
    assert packing.unpack_history(packing.pack_history(history)) == history


@given(st.lists(entries, min_size=packing.SHORT_EVENTS + 1, max_size=packing.SHORT_EVENTS + 20))
def test_long_history_round_trip_keeps_the_recognised_bits_of_a_hash(history):
    unpacked = packing.unpack_history(packing.pack_history(history))
    assert [entry[1:] for entry in unpacked] == [entry[1:] for entry in history]
    assert [recognised(entry.id_hash) for entry in unpacked] == [recognised(entry.id_hash) for entry in history]


def test_long_history_of_an_earlier_version_is_read():
    columns = [struct.pack(f"<{200}{code}", *range(200)) for code in "Qq"]
    packed = b"".join((b"\x02\xc8\x00", *columns, struct.pack("<200H", *[3] * 200), b"\x02" * 200, b"tea" * 200))
    assert packing.unpack_history(packed) == [Entry(n, n, EventType.VIEW, 1.0, "tea") for n in range(200)]


@given(profiles)
def test_profile_round_trip(profile):
    assert packing.unpack_profile(packing.pack_profile(profile)) == profile


@given(vectors)
def test_embedding_round_trip(embedding):
    np.testing.assert_array_equal(packing.unpack_embedding(packing.pack_embedding(embedding)), embedding)


@given(vectors, st.integers(1, 2**53))
def test_vector_round_trip_for_its_own_version_only(vector, version):
    packed = packing.pack_vector(vector, version, 17, written_at=5)
    back, known_events = packing.unpack_vector(packed, version)
    np.testing.assert_array_equal(back, vector)
    assert back.dtype == np.float32
    assert known_events == 17
    assert packing.unpack_vector(packed, version + 1) == (None, 0)


@given(events)
def test_logged_event_round_trip(event):
    assert log_packing.unpack_logged(log_packing.pack_logged_event(event), "alice") == event


def test_tombstone_unpacks_as_none():
    assert log_packing.unpack_logged(log_packing.pack_tombstone(), "alice") is None


def test_absent_values_unpack_as_empty():
    assert packing.unpack_history(None) == []
    assert packing.unpack_profile(None) is None
    assert packing.unpack_embedding(None) is None
    assert packing.unpack_vector(None, 1) == (None, 0)


def test_quantities_take_space_only_if_one_is_not_1():
    one_each = [Entry(n, n, 1, 1.0, "tea") for n in range(50)]
    bulk = [*one_each[:-1], one_each[-1]._replace(quantity=12.0)]
    for entries in (one_each, bulk, one_each[:1], []):
        assert packing.unpack_history(packing.pack_history(entries)) == entries
    assert len(packing.pack_history(bulk)) - len(packing.pack_history(one_each)) == 4 * 50


LONG = packing.pack_history([Entry(n, n, 1, 1.0, "tea") for n in range(100)])
HISTORY = packing.pack_history([Entry(1, 2, 1, 1.0, "tea")])
LOGGED = log_packing.pack_logged_event(Event("e", "alice", "tea", EventType.VIEW, 1))


@pytest.mark.parametrize(
    "packed",
    [
        *(b"", b"\x63" + HISTORY[1:], HISTORY[:-1], HISTORY[:2], HISTORY + b"x"),
        *(LONG[:2], LONG[:100], LONG[:-9], LONG[:1] + b"\x63" + LONG[2:]),
    ],
)
def test_unreadable_history_raises(packed):
    with pytest.raises(StoreUnavailable):
        packing.unpack_history(packed)


@pytest.mark.parametrize("packed", [b"\x02", b"\x01\x05\x00ab", b"\x01", packing.pack_profile(Profile("ab")) + b"\x00"])
def test_unreadable_profile_raises(packed):
    with pytest.raises(StoreUnavailable):
        packing.unpack_profile(packed)


@pytest.mark.parametrize("packed", [b"\x01", b"\x02" + LOGGED[1:], LOGGED[:-1], LOGGED[:10]])
def test_unreadable_log_entry_raises(packed):
    with pytest.raises(StoreUnavailable):
        log_packing.unpack_logged(packed, "alice")


def test_unreadable_vector_counts_as_absent():
    packed = packing.pack_vector(np.ones(3, np.float32), 7, 1, written_at=5)
    for damaged in (b"\x01" + packed[1:], packed[:-1], packed[:9]):
        assert packing.unpack_vector(damaged, 7) == (None, 0)
