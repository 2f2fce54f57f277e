"""A request for copy, as a frozen type."""

from dataclasses import dataclass

from recsvc.domain.reason import LANGUAGES


@dataclass(frozen=True, slots=True)
class ContentRequest:
    """A request for copy of an item.

    Attributes:
        recipe: Id of the recipe.
        item_id: The item to describe.
        language: One of `LANGUAGES`.
        audience: "brand" or "category", and its name: the buyers whom the copy addresses. None for everybody.
        variant: Number of the first draft.
        drafts: How many drafts to write.
    """

    recipe: str
    item_id: str
    language: str = LANGUAGES[0]
    audience: tuple[str, str] | None = None
    variant: int = 0
    drafts: int = 1
