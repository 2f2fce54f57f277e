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
