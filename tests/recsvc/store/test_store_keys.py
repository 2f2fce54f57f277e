from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from recsvc.store import keys

names = st.text(alphabet=st.sampled_from("a{}:%/1é购 "), min_size=1, max_size=8)


def test_keys_are_as_documented():
    assert keys.user("shop", "alice") == "{shop:alice}:1:user"
    assert keys.event_log("shop", 7) == "{shop:event_log:7}:1:events"
    assert keys.vector("b1") == "vector:b1"


@given(names, names, names, names)
def test_different_users_never_share_a_key(namespace, user_id, other_namespace, other_user_id):
    same = (namespace, user_id) == (other_namespace, other_user_id)
    assert (keys.user(namespace, user_id) == keys.user(other_namespace, other_user_id)) == same


@given(names, names, st.integers(0, keys.LOG_PARTITIONS - 1))
def test_hash_tag_is_namespace_and_user_for_any_id(namespace, user_id, partition):
    key = keys.user(namespace, user_id)
    tag = key[1 : key.index("}")]
    assert key_slot(key.encode()) == key_slot(tag.encode())
    assert key.count("{") == key.count("}") == 1
    assert key != keys.event_log(namespace, partition)


def test_users_use_all_partitions():
    assert {keys.log_partition(f"user-{number}") for number in range(1000)} == set(range(keys.LOG_PARTITIONS))
