"""What is turned off, in a real Redis."""

import pytest

from recsvc.domain.records import Switch
from recsvc.errors import TooManySwitches
from recsvc.store.switches import MAX_SWITCHES

ONE = Switch("reason.v1", "zh", "家居 > 杯子", "openai")


async def test_off_and_on_again(user_store):
    switches = user_store.switches
    assert await switches.off() == frozenset()
    for switch in (ONE, ONE, Switch()):
        await switches.turn_off(switch)
    assert await switches.off() == {ONE, Switch()}
    await switches.turn_on(ONE)
    await switches.turn_on(Switch(language="en"))
    assert await switches.off() == {Switch()}


async def test_what_nobody_of_ours_wrote_is_passed_over(user_store):
    await user_store.switches.turn_off(ONE)
    key = user_store.switches._key
    for garbage in (b"\xff", b"{}", b"[1]", b'["a", "b", "c", 4]', b"null"):
        await user_store.switches._client.execute_command("SADD", key, garbage)
    assert await user_store.switches.off() == {ONE}


async def test_there_is_an_end_to_it(user_store):
    for number in range(MAX_SWITCHES):
        await user_store.switches.turn_off(Switch(category=str(number)))
    with pytest.raises(TooManySwitches, match="100"):
        await user_store.switches.turn_off(ONE)
    assert len(await user_store.switches.off()) == MAX_SWITCHES
