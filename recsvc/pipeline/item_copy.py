"""Writes copy about an item for the shop's staff: collects the item's facts and lets a recipe put them into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from recsvc.domain.content_request import ContentRequest
from recsvc.domain.reason import ContentDraft, Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import FieldViolation, InvalidRequest, ItemNotFound, NothingToSay, ReasonRejected, TextTurnedOff
from recsvc.model.bundle import Bundle
from recsvc.reasons import ContentWriter, Recipe, attribute_form, copy_claim, is_sensitive
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.synonyms import Groups, synonyms_of

# An audience is sensitive if at least this share of the items of its brand or category is.
SENSITIVE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class SearchWords:
    """Words by which people look for items, beside those of the catalogue.

    Attributes:
        synonyms: The operator's synonyms.
        queries: By item, the searches after which people bought it, the most frequent first: facts of the kind QUERY.
            The service knows none.
    """

    synonyms: Groups = ()
    queries: Mapping[str, Sequence[Evidence]] = field(default_factory=lambda: MappingProxyType({}))


NO_SEARCH_WORDS = SearchWords()


@dataclass(frozen=True, slots=True)
class ContentJob:
    """A content request with all that it needs. It does not change, so any thread may write it."""

    bundle: Bundle
    recipe: Recipe
    row: int
    request: ContentRequest
    search_words: SearchWords = NO_SEARCH_WORDS

    def write(self, writer: ContentWriter) -> list[ContentDraft]:
        """Writes at least one draft. Takes milliseconds: not for the event loop.

        Raises:
            NothingToSay: The item has too few facts for the recipe.
            InvalidRequest: The catalogue does not have the audience, the recipe addresses no audience, or such
                purchases reveal something private.
        """
        request, item = self.request, self.bundle.catalogue.items[self.row]
        facts = item_facts(self.bundle, self.row, self.search_words)
        if request.audience is not None:
            facts = (_audience(self.bundle, self.recipe, item, request.language, *request.audience), *facts)
        drafts = writer.drafts(self.recipe, item, facts, request.language, request.variant, request.drafts)
        if not drafts:
            raise NothingToSay(item.item_id, self.recipe.id)
        return drafts


def look_up(
    snapshot: ItemSnapshot, writer: ContentWriter, request: ContentRequest, synonyms: Groups = ()
) -> ContentJob:
    """Finds the recipe and the item of a request. For the event loop's thread only.

    Args:
        snapshot: The items.
        writer: Has the recipes.
        request: What to write.
        synonyms: The operator's.

    Raises:
        InvalidRequest: The recipe is unknown; the message lists the recipes.
        ItemNotFound: The item is unknown or deleted.
        TextTurnedOff: An operator turned off such texts.
    """
    recipe = writer.recipes.get(request.recipe)
    if recipe is None:
        raise _invalid("recipe", f"must be one of: {', '.join(writer.recipes)}")
    row = snapshot.bundle.catalogue.row(request.item_id)
    if row is None or snapshot.inventory.is_deleted(row):
        raise ItemNotFound(request.item_id)
    if writer.switches.silences(recipe.id, request.language, snapshot.bundle.catalogue.items[row]):
        raise TextTurnedOff
    return ContentJob(snapshot.bundle, recipe, row, request, SearchWords(synonyms))


def item_facts(bundle: Bundle, row: int, search_words: SearchWords = NO_SEARCH_WORDS) -> tuple[Evidence, ...]:
    """Returns the facts of an item that copy may state. Of users they hold only how many bought or searched."""
    item, neutral = bundle.catalogue.items[row], Strength.NEUTRAL
    facts = [Evidence(EvidenceKind.NAME, neutral, value=item.title)]
    if item.brand:
        facts.append(Evidence(EvidenceKind.BRAND, neutral, value=item.brand))
    for name in item.categories[-1:]:
        facts.append(Evidence(EvidenceKind.CATEGORY, neutral, value=name))
        facts += [
            Evidence(EvidenceKind.SYNONYM, neutral, name=name, value=synonym)
            for synonym in synonyms_of(name, search_words.synonyms)
        ]
    facts += [
        Evidence(EvidenceKind.ATTRIBUTE, neutral, name=name, value=value)
        for name, value in dict.fromkeys(item.attributes)
        if attribute_form(name) is not None
    ]
    days, count = bundle.model.popularity_days, int(bundle.buyers[row])
    facts.append(Evidence(EvidenceKind.POPULARITY, neutral, count=count, days=days))
    return (*facts, *search_words.queries.get(item.item_id, ()))


def _audience(bundle: Bundle, recipe: Recipe, item: Item, language: str, name: str, value: str) -> Evidence:
    """Returns the fact that addresses an audience, or raises InvalidRequest."""
    if not recipe.has(EvidenceKind.AUDIENCE):
        raise _invalid("audience", f"must be empty: {recipe.id} addresses everybody")
    bought = [other for other in _items_of(bundle, name, value) if other.title]
    if not bought:
        raise _invalid("audience", f"the catalogue has no such {name}")
    private = "must be everybody: such a purchase tells something private"
    if sum(map(is_sensitive, bought)) >= SENSITIVE_SHARE * len(bought):
        raise _invalid("audience", private)
    fact = Evidence(EvidenceKind.AUDIENCE, Strength.NEUTRAL, name=name, value=value)
    try:
        copy_claim(fact, item, language, recipe)
    except ReasonRejected as rejection:
        if rejection.rule == "sensitive":
            raise _invalid("audience", private) from None
        raise _invalid("audience", "must be everybody: its name, or the item's, cannot be shown") from None
    return fact


def _items_of(bundle: Bundle, name: str, value: str) -> list[Item]:
    """Returns the items of a brand, or of a category at any depth."""
    catalogue = bundle.catalogue
    mask = catalogue.brands.having((value,)) if name == "brand" else catalogue.paths.mask(partial(_has, value))
    return [catalogue.items[row] for row in mask.nonzero()[0].tolist()]


def _has(category: str, path: tuple[str, ...]) -> bool:
    return category in path


def _invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest([FieldViolation(field, problem)])
