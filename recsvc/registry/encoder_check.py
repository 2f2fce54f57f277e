"""Notices that a text encoder which failed works again."""

from contextlib import suppress

from recsvc.errors import TextEncoderFailing
from recsvc.model.batched_encoder import BatchedTextEncoder
from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.runtime.rungs import Rung

POLL_SECONDS = 1.0
_TEXT = "tea"  # any word


class EncoderCheck(PeriodicTask):
    """Tries the text encoder again while it fails, so that a process leaves the condition without a search.

    Args:
        encoder: Notes in the condition whether it works.
        condition: Of the process.
    """

    wait_seconds = POLL_SECONDS

    def __init__(self, encoder: BatchedTextEncoder, condition: ServiceCondition) -> None:
        super().__init__("text_encoder", condition)
        self._encoder = encoder

    async def step(self) -> None:
        """Embeds a word, if the encoder has failed."""
        if self.condition.is_on(Rung.TEXT_ENCODER_FAILING):
            with suppress(TextEncoderFailing):
                await self._encoder.encode(_TEXT)
