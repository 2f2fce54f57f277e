"""What an operator has turned off: the last word before the verifier's, whoever wrote the sentence."""

from collections.abc import Iterable

from recsvc.domain.records import Switch
from recsvc.domain.shop import CATEGORY_SEPARATOR, Item

EVERYTHING = Switch()


class Switches:
    """What is off in one process. off: replaced as a whole when that changes; it may be part of a key."""

    def __init__(self, off: Iterable[Switch] = ()) -> None:
        self.off = frozenset(off)

    def silences(self, recipe: str, language: str, *items: Item) -> bool:
        """Whether no text may be written that is about these items."""
        return any(not switch.generator and _meant(switch, recipe, language, items) for switch in self.off)

    def mutes(self, generator: str, recipe: str, language: str, *items: Item) -> bool:
        """Whether one generator's words are not to be used in it, though another's may."""
        return any(switch.generator == generator and _meant(switch, recipe, language, items) for switch in self.off)


def _meant(switch: Switch, recipe: str, language: str, items: Iterable[Item]) -> bool:
    path = tuple(switch.category.split(CATEGORY_SEPARATOR)) if switch.category else ()
    return (
        switch.recipe in ("", recipe)
        and switch.language in ("", language)
        and (not path or any(item.categories[: len(path)] == path for item in items))
    )
