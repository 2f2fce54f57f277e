"""Commands of concurrent calls share a pipeline, and each call has its own answer or its own error."""

import asyncio
from functools import partial

import pytest
from redis.exceptions import ResponseError

from recsvc.domain.shop import Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.store import keys
from recsvc.store.gathered_commands import MOST_COMMANDS_OF_CALL, Command, GatheredCommands, pipelined
from recsvc.store.scripts import ScriptCall, run_together

NUMBERS = keys.user("shop", "numbers")
TEXT = keys.user("shop", "text")


@pytest.fixture
def gathered(client, raw):
    """On a Redis that has a hash of numbers, and a text."""
    raw.hset(NUMBERS, mapping={str(n): n for n in range(400)})
    raw.set(TEXT, "no hash")
    return GatheredCommands(client)


def number(n: int) -> Command:
    return "HGET", NUMBERS, str(n)


async def test_gathered_calls_get_their_own_answers_in_order(gathered):
    sizes = [n % (MOST_COMMANDS_OF_CALL + 2) for n in range(300)]
    calls = [[number(n + i) for i in range(size)] for n, size in enumerate(sizes)]
    answers = await asyncio.gather(*map(gathered.run, calls))
    assert answers == [[str(n + i).encode() for i in range(size)] for n, size in enumerate(sizes)]


async def test_a_refused_command_fails_its_own_call_alone(gathered):
    before, refused, after = await asyncio.gather(
        gathered.run([number(1)]),
        gathered.run([number(2), ("HGET", TEXT, "field"), number(3)]),
        gathered.run([number(4)]),
        return_exceptions=True,
    )
    assert (before, after) == ([b"1"], [b"4"])
    assert isinstance(refused, ResponseError)
    assert await gathered.run([number(5)]) == [b"5"]


async def test_a_call_that_is_cancelled_leaves_the_others_their_answers(gathered):
    sent = [asyncio.create_task(gathered.run([number(n)])) for n in (1, 2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # these are on their way now, and the next ones wait
    waiting = [asyncio.create_task(gathered.run([number(n)])) for n in (3, 4)]
    await asyncio.sleep(0)
    sent[0].cancel()
    waiting[0].cancel()
    answers = await asyncio.gather(*sent, *waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert isinstance(answers[2], asyncio.CancelledError)
    assert (answers[1], answers[3]) == ([b"2"], [b"4"])


async def test_many_writers_at_once_use_one_connection(store, raw):
    events = [Event(f"e{n}", f"u{n}", "i1", EventType.VIEW, 1_000) for n in range(60)]
    await asyncio.gather(*(store.write_events([event]) for event in events))
    of_store = [connection for connection in raw.client_list() if connection["user"] == "shop"]
    assert len(of_store) == 1
    assert raw.exists(*(keys.user("shop", event.user_id) for event in events)) == 60


async def test_a_damaged_record_fails_its_own_reader_alone(store, raw):
    await store.write_events([Event("e1", "alice", "i1", EventType.VIEW, 1_000)])
    raw.set(keys.user("shop", "bob"), "no hash")
    alice, bob = await asyncio.gather(store.read("alice", "b1"), store.read("bob", "b1"), return_exceptions=True)
    assert [event.item_id for event in alice.events] == ["i1"]
    assert isinstance(bob, StoreUnavailable)


async def test_a_connection_that_redis_closed_is_opened_again(gathered, raw):
    assert await gathered.run([number(1)]) == [b"1"]
    raw.client_kill_filter(_type="normal", skipme=True)
    await asyncio.sleep(0.05)  # the event loop sees that it is closed
    assert await gathered.run([number(2)]) == [b"2"]


@pytest.mark.parametrize("count", [1, MOST_COMMANDS_OF_CALL + 1])
async def test_a_refusal_is_raised_from_small_and_large_calls(gathered, count):
    with pytest.raises(ResponseError):
        await gathered.run([("HGET", TEXT, "field")] * count)


@pytest.mark.parametrize("way", ["gathered", "pipeline of its own"])
async def test_a_script_that_redis_has_runs_once_beside_one_that_it_has_not(client, raw, gathered, way):
    known, unknown = (f"return redis.call('INCR', KEYS[1]) + {n}" for n in (0, 100))
    raw.script_flush()
    raw.script_load(known)
    one, other = keys.user("shop", "one"), keys.user("shop", "other")
    calls = [ScriptCall(known, (one,)), ScriptCall(unknown, (other,)), ScriptCall(known, (one,))]
    send = gathered.run if way == "gathered" else partial(pipelined, client)
    assert await run_together(send, calls, [("GET", TEXT)]) == [1, 101, 2, b"no hash"]
    assert (raw.get(one), raw.get(other)) == (b"2", b"1")
