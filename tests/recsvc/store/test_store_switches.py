"""Switches for texts, in a real Redis."""

import pytest

from recsvc.domain.records import Switch
from recsvc.errors import TooManySwitches
from recsvc.store import SwitchState, keys
from recsvc.store.switches import MAX_SWITCHES

ONE = Switch("reason.v1", "zh", "家居 > 杯子", "openai")


async def test_switch_is_set_and_removed(store):
    switches = store.switches
    assert (await switches.read()).off == frozenset()
    for switch in (ONE, ONE, Switch()):
        await switches.turn_off(switch)
    assert (await switches.read()).off == {ONE, Switch()}
    await switches.turn_on(ONE)
    await switches.turn_on(Switch(language="en"))
    assert (await switches.read()).off == {Switch()}


async def test_unreadable_switches_are_skipped(store, raw):
    await store.switches.turn_off(ONE)
    for garbage in (b"\xff", b"{}", b"[1]", b'["a", "b", "c", 4]', b"null"):
        raw.sadd(keys.switches("shop"), garbage)
    assert (await store.switches.read()).off == {ONE}


async def test_too_many_switches_raise(store):
    for number in range(MAX_SWITCHES):
        await store.switches.turn_off(Switch(category=str(number)))
    with pytest.raises(TooManySwitches, match="100"):
        await store.switches.turn_off(ONE)
    assert len((await store.switches.read()).off) == MAX_SWITCHES


async def test_each_change_has_a_higher_number(store, raw):
    numbers = [(await store.switches.read()).number]
    for change in (store.switches.turn_off(ONE), store.switches.turn_off(Switch()), store.switches.turn_on(ONE)):
        await change
        numbers.append((await store.switches.read()).number)
    assert numbers == [0, 1, 2, 3]
    raw.sadd(keys.switches("shop"), b'["", "de", "", ""]')  # an earlier version does not count
    assert await store.switches.read() == SwitchState(frozenset({Switch(), Switch(language="de")}), 3)


async def test_lost_switches_are_restored_unless_the_set_has_moved_on(store, raw):
    await store.switches.turn_off(ONE)
    await store.switches.turn_off(Switch(language="en"))
    known = await store.switches.read()
    raw.flushall()
    await store.switches.turn_off(Switch(language="de"))
    await store.switches.restore(known)
    restored = await store.switches.read()
    assert restored == SwitchState(known.off | {Switch(language="de")}, known.number + 1)
    await store.switches.turn_on(ONE)
    await store.switches.restore(known)
    assert (await store.switches.read()).off == restored.off - {ONE}
