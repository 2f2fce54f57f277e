"""A shopper's text does not wait until a shop's items are embedded."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from recsvc.domain.shop import Item, Profile
from recsvc.model.batched_encoder import ITEMS_TOGETHER, BatchedTextEncoder
from recsvc.runtime.condition import ServiceCondition

ITEMS = [Item(f"i{n}", f"item {n}") for n in range(100)]


class Encoder:
    """Embeds each text as its length, and remembers the order of the texts."""

    dim, fingerprint = 1, "of the test"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts, batch_size=64, progress=None):
        self.texts += texts
        return np.array([[len(text)] for text in texts], np.float32)

    def has_word(self, word: str) -> bool:
        return False


async def test_texts_of_shoppers_are_embedded_before_the_items_that_came_earlier() -> None:
    encoder = Encoder()
    with ThreadPoolExecutor(1) as thread:
        batched = BatchedTextEncoder(encoder, thread, ServiceCondition())
        callers = [asyncio.create_task(batched.encode_items(ITEMS)) for _ in range(3)]
        while not encoder.texts:  # noqa: ASYNC110 - the thread has no event for it
            await asyncio.sleep(0)
        known = len(encoder.texts)
        search, profile = await asyncio.gather(batched.encode("kettle"), batched.encode_profile(Profile("tea")))
        contents = await asyncio.gather(*callers)
    assert (search.tolist(), profile.tolist()) == ([6.0], [3.0])
    assert encoder.texts.index("kettle") < known + 3 * ITEMS_TOGETHER
    assert encoder.texts.index("tea") < known + 3 * ITEMS_TOGETHER
    assert [[content.item for content in items] for items in contents] == [ITEMS] * 3
