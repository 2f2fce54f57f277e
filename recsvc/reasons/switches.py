"""The kill switches of one process: the texts that an operator has turned off. They apply to every generator."""

from collections.abc import Iterable

from recsvc.domain.records import Switch
from recsvc.domain.shop import Item, category_path

EVERYTHING = Switch()
"""Turns every text off."""


class Switches:
    """The switches that are on in one process.

    Attributes:
        off: What is turned off. A change replaces the whole set, so it may be part of a cache key.
    """

    def __init__(self, off: Iterable[Switch] = ()) -> None:
        self.off = frozenset(off)

    def silences(self, recipe: str, language: str, *items: Item) -> bool:
        """Whether no text about any of these items may be written, whoever words it."""
        return any(not switch.generator and _applies(switch, recipe, language, items) for switch in self.off)

    def mutes(self, generator: str, recipe: str, language: str, *items: Item) -> bool:
        """Whether one generator's words may not be used in it. Another generator may still word it."""
        return any(switch.generator == generator and _applies(switch, recipe, language, items) for switch in self.off)


def _applies(switch: Switch, recipe: str, language: str, items: Iterable[Item]) -> bool:
    path = category_path(switch.category)
    return (
        switch.recipe in ("", recipe)
        and switch.language in ("", language)
        and (not switch.category or any(path and item.categories[: len(path)] == path for item in items))
    )
