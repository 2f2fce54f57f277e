"""A page that was given in the phrase bank's words, while a language model writes others for the same claims."""

from collections.abc import Sequence

from recsvc.domain.reason import Reason
from recsvc.domain.shop import Item
from recsvc.reasons.plan import PagePlan
from recsvc.reasons.writer import ReasonWriter


class Rewording:
    """page: as it was given, in rank order. Another claim is never made: only the words change."""

    def __init__(
        self, writer: ReasonWriter, page: Sequence[tuple[Item, Reason | None]], language: str, seed: int
    ) -> None:
        self._writer = writer
        self._plan = PagePlan(language, seed)
        self._waiting: list[tuple[Item, Reason]] = []
        for item, reason in page:
            if reason is None:
                self._plan.note(None)
                continue
            self._plan.note(reason.evidence[0], "", reason.text)
            if writer.is_lacking(item, reason):
                self._waiting.append((item, reason))

    @property
    def pending(self) -> bool:
        """Whether the language model is yet to write anything that the page could use."""
        return bool(self._waiting)

    def reworded(self) -> list[tuple[Item, Reason]]:
        """What has come since the last time, verified; no sentence that stands on the page already."""
        written = [each for each in self._waiting if not self._writer.is_lacking(*each)]
        self._waiting = [each for each in self._waiting if each not in written]
        better = [(item, self._writer.reword(self._plan, item, reason)) for item, reason in written]
        return [(item, reason) for item, reason in better if reason is not None]
