"""Copy of an item for the shop's people to use: which facts there are of it, and what a recipe makes of them."""

from dataclasses import dataclass

import numpy as np

from recsvc.domain.query import ContentRequest
from recsvc.domain.reason import ContentDraft, Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import FieldViolation, InvalidRequest, ItemNotFound, NothingToSay, ReasonRejected, TextTurnedOff
from recsvc.model.bundle import Bundle
from recsvc.reasons import ContentWriter, Recipe, attribute_form, copy_claim, is_sensitive
from recsvc.retrieval.item_snapshot import ItemSnapshot

# Of the items of an audience's brand or category: when so many are sensitive, so is whom they address.
MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class ContentJob:
    """A request that was looked up: nothing of it changes any more, so any thread may write it."""

    bundle: Bundle
    recipe: Recipe
    row: int
    request: ContentRequest

    def write(self, writer: ContentWriter) -> list[ContentDraft]:
        """At least one draft. Takes milliseconds: not for the event loop.

        Raises NothingToSay; and InvalidRequest for an audience that the catalogue does not know, that the recipe does
        not address, or that nobody may address because such purchases tell something private.
        """
        asked, item, facts = self.request, self.bundle.catalogue.items[self.row], item_facts(self.bundle, self.row)
        if asked.audience is not None:
            facts = (_audience(self.bundle, self.recipe, item, asked.language, *asked.audience), *facts)
        drafts = writer.drafts(self.recipe, item, facts, asked.language, asked.variant, asked.drafts)
        if not drafts:
            raise NothingToSay(item.item_id, self.recipe.id)
        return drafts


def look_up(live: ItemSnapshot, writer: ContentWriter, request: ContentRequest) -> ContentJob:
    """Finds a request's recipe and item, in the catalogue as it is now. For the event loop's thread.

    Raises InvalidRequest, listing the recipes, for an unknown one, ItemNotFound and TextTurnedOff.
    """
    recipe = writer.recipes.get(request.recipe)
    if recipe is None:
        raise _invalid("recipe", f"must be one of: {', '.join(writer.recipes)}")
    row = live.bundle.catalogue.row(request.item_id)
    if row is None or live.catalogue.is_deleted(row):
        raise ItemNotFound(request.item_id)
    if writer.switches.silences(recipe.id, request.language, live.bundle.catalogue.items[row]):
        raise TextTurnedOff
    return ContentJob(live.bundle, recipe, row, request)


def item_facts(bundle: Bundle, row: int) -> tuple[Evidence, ...]:
    """What is true of an item whoever asks, and may be said. Nothing of any user is in it, but how many bought it."""
    item, neutral = bundle.catalogue.items[row], Strength.NEUTRAL
    facts = [Evidence(EvidenceKind.NAME, neutral, value=item.title)]
    if item.brand:
        facts.append(Evidence(EvidenceKind.BRAND, neutral, value=item.brand))
    facts += [Evidence(EvidenceKind.CATEGORY, neutral, value=name) for name in item.categories[-1:]]
    facts += [
        Evidence(EvidenceKind.ATTRIBUTE, neutral, name=name, value=value)
        for name, value in dict.fromkeys(item.attributes)
        if attribute_form(name) is not None
    ]
    days, count = bundle.model.popularity_days, int(bundle.buyers[row])
    facts.append(Evidence(EvidenceKind.POPULARITY, neutral, count=count, days=days))
    return tuple(facts)


def _audience(bundle: Bundle, recipe: Recipe, item: Item, language: str, name: str, value: str) -> Evidence:
    if not recipe.has(EvidenceKind.AUDIENCE):
        raise _invalid("audience", f"must be empty: {recipe.id} addresses everybody")
    bought = [other for other in _of(bundle, name, value) if other.title]
    if not bought:
        raise _invalid("audience", f"the catalogue has no such {name}")
    fact = Evidence(EvidenceKind.AUDIENCE, Strength.NEUTRAL, name=name, value=value)
    try:
        if sum(map(is_sensitive, bought)) >= MOSTLY * len(bought):
            raise ReasonRejected("sensitive", "much of what they bought says something private")
        copy_claim(fact, item, language, recipe)
    except ReasonRejected as rejection:
        if rejection.rule == "sensitive":
            raise _invalid("audience", "must be everybody: such a purchase tells something private") from None
        raise _invalid("audience", "must be everybody: its name, or the item's, cannot be shown") from None
    return fact


def _of(bundle: Bundle, name: str, value: str) -> list[Item]:
    """What is of a brand, or under a category at any depth."""
    catalogue = bundle.catalogue
    if name == "brand":
        codes, wanted = catalogue.brands.codes, [c for c, brand in enumerate(catalogue.brands.names) if brand == value]
    else:
        codes, wanted = catalogue.paths.codes, [c for c, path in enumerate(catalogue.paths.names) if value in path]
    return [catalogue.items[row] for row in np.flatnonzero(np.isin(codes, wanted)).tolist()]


def _invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest([FieldViolation(field, problem)])
