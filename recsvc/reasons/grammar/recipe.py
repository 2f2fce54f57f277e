"""A recipe: one file of data that says what a sort of copy is made of, in which words, and what those may claim.

`recipes/<id>.toml` has the outline, which facts in which order; and for each language the limits, the patterns of each
cell, and apart from them, for a reviewer, the policy: the phrases that the cell licenses. A cell is a kind of evidence,
with its form behind a dot: "brand", "brand.named", "attribute.colour".
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, EvidenceKind, Strength
from recsvc.errors import SettingsError
from recsvc.reasons.grammar.frames import Phrases, phrases_by_start, reads
from recsvc.reasons.grammar.pattern import SLOT, Form
from recsvc.reasons.seller_text.word_lists import RECIPES, forbidden_terms, negations

Lines = tuple[Annotated[str, Field(min_length=1, max_length=300)], ...]
Limits = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]

_ID = re.compile(r"[a-z][a-z_]{0,40}\.v[1-9]\d{0,3}")
_ATTRIBUTES = (Form.COLOUR, Form.MATERIAL, Form.STYLE, Form.USE)
# What there is to say of an item to everybody, and the values that each way to say it has.
_CELLS: Mapping[tuple[EvidenceKind, Form], frozenset[str]] = {
    (EvidenceKind.NAME, Form.PLAIN): frozenset({"item"}),
    (EvidenceKind.BRAND, Form.PLAIN): frozenset({"value"}),
    (EvidenceKind.BRAND, Form.NAMED): frozenset({"item", "value"}),
    (EvidenceKind.CATEGORY, Form.PLAIN): frozenset({"value"}),
    (EvidenceKind.CATEGORY, Form.NAMED): frozenset({"item", "value"}),
    **{(EvidenceKind.ATTRIBUTE, form): frozenset({"value"}) for form in _ATTRIBUTES},
    (EvidenceKind.POPULARITY, Form.PLAIN): frozenset({"count", "days"}),
    (EvidenceKind.AUDIENCE, Form.BUYERS_OF_BRAND): frozenset({"item", "value"}),
    (EvidenceKind.AUDIENCE, Form.BUYERS_OF_CATEGORY): frozenset({"item", "value"}),
}


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Data):
    """One step of an outline. cells: what it may say, the first that is true first; with `any_order` the item and the
    draft choose. most: how many facts. required: without one there is no text. unsaid: not what the text says already.
    """

    cells: Lines
    most: int = Field(1, ge=1, le=10)
    required: bool = False
    unsaid: bool = False
    any_order: bool = False


class Wording(_Data):
    """How a recipe is worded in one language.

    task: what a language model is told to write. stop: what a part ends with. joint: what stands between two parts.
    capital: whether a part begins with one. as_title: names and values stand as in a title, not as within a sentence.
    name_width: columns that the item's name may take. characters, words: of the whole text, at least and at most.
    """

    task: str
    stop: str = Field(max_length=2)
    joint: str = Field(max_length=2)
    capital: bool = False
    as_title: bool = False
    name_width: int = Field(60, ge=20, le=120)
    characters: Limits
    words: Limits = (1, 1_000)
    patterns: Mapping[str, Lines]
    policy: Mapping[str, Lines]

    def phrases(self, cell: str) -> Phrases:
        """What a cell licenses. Nothing, for one that the recipe has not."""
        others = self.policy.get("carrier", ()) + self.policy.get(f"{cell}.links", ())
        return phrases_by_start(self.policy.get(cell, ()), others)


class Recipe(_Data):
    """id: name and version. purpose: what it is for. human_review: whether somebody has to read what it writes before a
    shopper does. least_parts: how much there must be to say.
    """

    id: str
    purpose: str = Field(min_length=1)
    human_review: bool = True
    least_parts: int = Field(1, ge=1, le=10)
    outline: tuple[Step, ...] = Field(min_length=1)
    en: Wording
    zh: Wording

    def wording(self, language: str) -> Wording:
        return {"en": self.en, "zh": self.zh}[language]

    def has(self, kind: EvidenceKind) -> bool:
        """Whether its outline says anything of this kind."""
        return any(parse_cell(cell)[0] is kind for step in self.outline for cell in step.cells)


def cell_name(kind: EvidenceKind, form: Form) -> str:
    return ".".join(filter(None, (kind, form)))


def parse_cell(cell: str) -> tuple[EvidenceKind, Form]:
    """Raises ValueError for what no recipe can say."""
    kind, _, form = cell.partition(".")
    pair = EvidenceKind(kind), Form(form)
    if pair not in _CELLS:
        raise ValueError(cell)
    return pair


def read_recipe(file: Traversable) -> Recipe:
    """Raises SettingsError, which names the file, for one that cannot be used."""
    try:
        recipe = Recipe.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        problem = next(_problems(recipe, file.name), None)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (OSError, ValueError) as error:  # also of its TOML, and of its encoding
        problem = str(error)
    if problem is not None:
        raise SettingsError(f"recipe {file.name}: {problem}")
    return recipe


def _problems(recipe: Recipe, name: str) -> Iterator[str]:
    if recipe.id != name.removesuffix(".toml") or not _ID.fullmatch(recipe.id) or recipe.id == REASON_RECIPE:
        yield f"id {recipe.id!r}: must be the file's name, such as 'title.v1', and not {REASON_RECIPE!r}"
    cells = {cell for step in recipe.outline for cell in step.cells}
    for cell in sorted(cells):
        try:
            parse_cell(cell)
        except ValueError:
            known = ", ".join(sorted(cell_name(*pair) for pair in _CELLS))
            yield f"outline: no cell {cell!r}; there are: {known}"
    for language in LANGUAGES:
        wording = recipe.wording(language)
        if wording.characters[0] > wording.characters[1] or wording.words[0] > wording.words[1]:
            yield f"{language}: characters and words: the least must not be above the most"
        if set(wording.patterns) != cells:
            yield f"{language}.patterns: must have the outline's cells {sorted(cells)}, and no others"
        licensed = {"carrier"} | {each for cell in cells for each in (cell, f"{cell}.links")}
        if unknown := set(wording.policy) - licensed:
            yield f"{language}.policy: {sorted(unknown)[0]!r} is no cell of the outline"
        yield from _wrong_words(wording, language)


def _wrong_words(wording: Wording, language: str) -> Iterator[str]:
    for cell, phrases in wording.policy.items():
        for phrase in phrases:
            words = SLOT.sub(" ", phrase)
            if any(map(str.isdigit, words)) or "{" in words or "}" in words:
                yield f"{language}.policy.{cell}: {phrase!r} has a number, or a slot that there is not"
            if forbidden_terms().find(words) is not None or negations(language).find(words) is not None:
                yield f"{language}.policy.{cell}: {phrase!r} has a forbidden or negative word"
    for cell, patterns in wording.patterns.items():
        phrases_of_cell = wording.phrases(cell)
        for pattern in patterns:
            if sorted(SLOT.findall(pattern)) != sorted(_CELLS[parse_cell(cell)]):
                yield f"{language}.patterns.{cell}: {pattern!r} must have each of its cell's slots once"
            if not reads(pattern, phrases_of_cell, language, wording.stop, wording.capital):
                yield f"{language}.patterns.{cell}: {pattern!r} is not licensed by the policy"


@functools.cache
def recipes() -> Mapping[str, Recipe]:
    """All recipes by id. Raises SettingsError for a file that cannot be used."""
    found = sorted(RECIPES.iterdir(), key=lambda file: file.name) if RECIPES.is_dir() else []
    read = [read_recipe(file) for file in found if file.name.endswith(".toml")]
    return {recipe.id: recipe for recipe in read}


@functools.cache
def recipe_phrases(recipe: str, kind: EvidenceKind, strength: Strength, form: Form, language: str) -> Phrases:
    """What a recipe licenses of a claim: nothing, unless it is true of the item, whoever asks."""
    known = recipes().get(recipe)
    if known is None or strength is not Strength.NEUTRAL:
        return {}
    return known.wording(language).phrases(cell_name(kind, form))
