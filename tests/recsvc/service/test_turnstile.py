"""Calls begin in order, a few in each turn of the event loop, and a call that left takes no place."""

import asyncio

from recsvc.service.turnstile import Turnstile


async def entered(turnstile: Turnstile, names: list[int], name: int) -> None:
    await turnstile.enter()
    names.append(name)


async def test_a_lone_call_begins_at_once() -> None:
    turnstile = Turnstile()
    entering = turnstile.enter()
    try:
        entering.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def test_calls_that_come_together_begin_in_order_over_several_turns() -> None:
    turnstile = Turnstile()
    names: list[int] = []
    calls = [asyncio.create_task(entered(turnstile, names, i)) for i in range(20)]
    await asyncio.sleep(0)
    assert names == [0]
    await asyncio.sleep(0)
    assert len(names) < 20
    await asyncio.gather(*calls)
    assert names == list(range(20))


async def test_after_a_long_turn_more_calls_begin() -> None:
    turnstile = Turnstile()
    names: list[int] = []
    loop = asyncio.get_running_loop()
    calls = [asyncio.create_task(entered(turnstile, names, i)) for i in range(1_000)]
    await asyncio.sleep(0)
    end = loop.time() + 0.006
    while loop.time() < end:
        pass
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(names) > 5
    assert turnstile.expected_seconds > 0
    await asyncio.gather(*calls)


async def test_a_call_that_left_takes_no_place() -> None:
    turnstile = Turnstile()
    names: list[int] = []
    calls = [asyncio.create_task(entered(turnstile, names, i)) for i in range(3)]
    await asyncio.sleep(0)
    calls[1].cancel()
    await asyncio.gather(calls[0], calls[2])
    assert names == [0, 2]
    assert turnstile.expected_seconds == 0


async def turns_of_a_millisecond(turnstile: Turnstile, turns: int, taken: int) -> float:
    """Returns how many milliseconds the turns took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(turns):
        for _ in range(taken):
            turnstile.take()
        end = loop.time() + 0.001
        while loop.time() < end:
            pass
        await asyncio.sleep(0)
    return (loop.time() - began) * 1_000


async def test_while_calls_are_taken_late_few_begin_and_afterwards_one_or_more_in_each_turn() -> None:
    turnstile = Turnstile()
    names: list[int] = []
    calls = [asyncio.create_task(entered(turnstile, names, i)) for i in range(10_000)]
    await asyncio.sleep(0)
    await turns_of_a_millisecond(turnstile, turns=25, taken=64)
    before = len(names)
    milliseconds = await turns_of_a_millisecond(turnstile, turns=30, taken=64)
    assert 1 <= len(names) - before < milliseconds / 5
    assert turnstile.expected_seconds > 10, "calls that come now will wait"
    await turns_of_a_millisecond(turnstile, turns=95, taken=1)
    before = len(names)
    milliseconds = await turns_of_a_millisecond(turnstile, turns=10, taken=1)
    assert len(names) - before > milliseconds / 2
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
