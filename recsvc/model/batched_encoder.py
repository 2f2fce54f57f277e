"""The text encoder as a running process uses it: concurrent texts are embedded as one batch, in a thread."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import structlog

from recsvc.domain.arrays import Floats
from recsvc.domain.records import ItemContent
from recsvc.domain.shop import Item, Profile
from recsvc.errors import DeadlinePassed, TextEncoderFailing
from recsvc.model.text_encoder import TextEncoder, item_text, profile_text
from recsvc.runtime.batching import Batcher
from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.rungs import Rung

# Items that are embedded in one go. A shopper's text waits for no more than these, however many items a shop sends.
ITEMS_TOGETHER = 4

_REMEDY = "searches go by words alone, profiles and new items are refused; restart the process if it lasts"

_log = structlog.get_logger(__name__)


class BatchedTextEncoder:
    """Embeds texts, profiles and items without blocking the event loop. Texts of shoppers go before those of items.

    Args:
        encoder: The sentence-embedding model.
        executor: The thread that it runs in.
        condition: Learns whether the model works.

    Attributes:
        fingerprint: Of the model's weights, see `TextEncoder`.
        has_word: See `TextEncoder`.
    """

    def __init__(self, encoder: TextEncoder, executor: Executor, condition: ServiceCondition) -> None:
        self.fingerprint = encoder.fingerprint
        self.has_word: Callable[[str], bool] = encoder.has_word
        # The executor gets one batch of each at a time, in turn.
        self._shoppers: Batcher[str, Floats] = Batcher(lambda texts: list(encoder.encode(texts)), executor)
        self._condition = condition
        self._items: Batcher[str, Floats] = Batcher(
            lambda texts: list(encoder.encode(texts)), executor, largest=ITEMS_TOGETHER
        )

    async def encode(self, text: str) -> Floats:
        """Embeds one text of a shopper: float32 (dim,).

        Raises:
            TextEncoderFailing: The model raised an error.
            DeadlinePassed: The running call cannot be answered in time.
        """
        return await self._encoded(self._shoppers, text)

    async def encode_profile(self, profile: Profile) -> Floats:
        """Embeds a profile: float32 (dim,). Raises as `encode`."""
        return await self.encode(profile_text(profile))

    async def encode_items(self, items: Sequence[Item]) -> list[ItemContent]:
        """Embeds the words of items. Returns one content for each item, in their order. Raises as `encode`."""
        embeddings = await asyncio.gather(*(self._encoded(self._items, item_text(item)) for item in items))
        return [
            ItemContent(item, embedding, self.fingerprint) for item, embedding in zip(items, embeddings, strict=True)
        ]

    async def _encoded(self, batcher: Batcher[str, Floats], text: str) -> Floats:
        try:
            embedding = await batcher.submit(text)
        except DeadlinePassed:
            raise
        except Exception as error:  # noqa: BLE001  whatever the model raises
            if not self._condition.is_on(Rung.TEXT_ENCODER_FAILING):
                # Not the text of the error: it may hold a shopper's words.
                _log.error("text_encoder_failed", error=type(error).__name__, at=_place_of(error))
            self._condition.set(Rung.TEXT_ENCODER_FAILING, f"the text encoder raises {type(error).__name__}: {_REMEDY}")
            raise TextEncoderFailing from None
        self._condition.set(Rung.TEXT_ENCODER_FAILING, "")
        return embedding


def _place_of(error: Exception) -> str:
    """Returns the file and the line where an error was raised. Reads no source, which would block the event loop."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
