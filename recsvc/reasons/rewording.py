"""Rewords a page that was answered in the phrase bank's words, as a language model writes patterns for its claims."""

from collections.abc import Sequence

from recsvc.domain.reason import Reason
from recsvc.domain.shop import Item
from recsvc.reasons.plan import PagePlan
from recsvc.reasons.writer import ReasonWriter


class Rewording:
    """The state of one page that is reworded. Only words change, never a claim.

    Args:
        writer: Writes the new reasons.
        page: Items and reasons as they were answered, in rank order.
        language: Language of the reasons.
        seed: Decides among equally good wordings.
    """

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
            self._plan.note(reason.evidence[0], reason.text)
            if writer.awaits_model(item, reason):
                self._waiting.append((item, reason))

    @property
    def pending(self) -> bool:
        """Whether the language model has yet to write anything that the page could use."""
        return bool(self._waiting)

    def reworded(self) -> list[tuple[Item, Reason]]:
        """The items whose reason changed since the last call, with the new reason.

        Each is verified.
        """
        written: list[tuple[Item, Reason]] = []
        waiting: list[tuple[Item, Reason]] = []
        for item, reason in self._waiting:
            (waiting if self._writer.awaits_model(item, reason) else written).append((item, reason))
        self._waiting = waiting
        pairs = [(item, self._writer.reword(self._plan, item, reason)) for item, reason in written]
        return [(item, reason) for item, reason in pairs if reason is not None]
