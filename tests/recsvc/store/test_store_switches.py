"""Switches for texts, in a real Redis."""

import pytest

from recsvc.domain.records import Switch
from recsvc.errors import TooManySwitches
from recsvc.store import keys
from recsvc.store.switches import MAX_SWITCHES

ONE = Switch("reason.v1", "zh", "家居 > 杯子", "openai")


async def test_switch_is_set_and_removed(store):
    switches = store.switches
    assert await switches.off() == frozenset()
    for switch in (ONE, ONE, Switch()):
        await switches.turn_off(switch)
    assert await switches.off() == {ONE, Switch()}
    await switches.turn_on(ONE)
    await switches.turn_on(Switch(language="en"))
    assert await switches.off() == {Switch()}


async def test_unreadable_switches_are_skipped(store, raw):
    await store.switches.turn_off(ONE)
    for garbage in (b"\xff", b"{}", b"[1]", b'["a", "b", "c", 4]', b"null"):
        raw.sadd(keys.switches("shop"), garbage)
    assert await store.switches.off() == {ONE}


async def test_too_many_switches_raise(store):
    for number in range(MAX_SWITCHES):
        await store.switches.turn_off(Switch(category=str(number)))
    with pytest.raises(TooManySwitches, match="100"):
        await store.switches.turn_off(ONE)
    assert len(await store.switches.off()) == MAX_SWITCHES
