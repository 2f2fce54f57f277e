"""The text encoder as a running process uses it: concurrent texts are embedded as one batch, in a thread."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor

from recsvc.domain.arrays import Floats
from recsvc.domain.records import ItemContent
from recsvc.domain.shop import Item, Profile
from recsvc.model.text_encoder import TextEncoder, item_text, profile_text
from recsvc.runtime.batching import Batcher

# Items that are embedded in one go. A shopper's text waits for no more than these, however many items a shop sends.
ITEMS_TOGETHER = 4


class BatchedTextEncoder:
    """Embeds texts, profiles and items without blocking the event loop. Texts of shoppers go before those of items.

    Args:
        encoder: The sentence-embedding model.
        executor: The thread that it runs in.

    Attributes:
        fingerprint: Of the model's weights, see `TextEncoder`.
        encode: Embeds one text: float32 (dim,).
        has_word: See `TextEncoder`.
    """

    def __init__(self, encoder: TextEncoder, executor: Executor) -> None:
        self.fingerprint = encoder.fingerprint
        self.has_word: Callable[[str], bool] = encoder.has_word
        # The executor gets one batch of each at a time, in turn.
        shoppers: Batcher[str, Floats] = Batcher(lambda texts: list(encoder.encode(texts)), executor)
        self.encode: Callable[[str], Awaitable[Floats]] = shoppers.submit
        self._items: Batcher[str, Floats] = Batcher(
            lambda texts: list(encoder.encode(texts)), executor, largest=ITEMS_TOGETHER
        )

    async def encode_profile(self, profile: Profile) -> Floats:
        """Embeds a profile: float32 (dim,)."""
        return await self.encode(profile_text(profile))

    async def encode_items(self, items: Sequence[Item]) -> list[ItemContent]:
        """Embeds the words of items. Returns one content for each item, in their order."""
        embeddings = await asyncio.gather(*(self._items.submit(item_text(item)) for item in items))
        return [
            ItemContent(item, embedding, self.fingerprint) for item, embedding in zip(items, embeddings, strict=True)
        ]
