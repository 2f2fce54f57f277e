"""Reads recipes. A recipe is a data file that defines one kind of copy: its outline, its words, and its policy.

`recipes/<id>.toml` has the outline: which facts are stated, in which order. For each language it has limits, patterns
and, apart from the patterns so that they can be reviewed, the policy: the sentences that the grammar accepts, in the
notation of `recsvc.reasons.grammar.notation` and without their stop. Both are listed by claim key (a "cell" in the
file): a kind of evidence, then a dot and a form unless the form is plain, such as "brand", "brand.named" or
"attribute.colour".
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
from recsvc.reasons.grammar.notation import MAX_SENTENCES, check_slots, expand, sentence_of
from recsvc.reasons.grammar.pattern import SLOT, Form
from recsvc.reasons.seller_text.word_lists import RECIPES, forbidden_terms, negations

Lines = tuple[Annotated[str, Field(min_length=1, max_length=300)], ...]
Limits = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]

_ID = re.compile(r"[a-z][a-z_]{0,40}\.v[1-9]\d{0,3}")
_ATTRIBUTES = (Form.COLOUR, Form.MATERIAL, Form.STYLE, Form.USE)
# The claims that copy can make about an item, and the slots of each.
CLAIM_SLOTS: Mapping[tuple[EvidenceKind, Form], frozenset[str]] = {
    (EvidenceKind.NAME, Form.PLAIN): frozenset({"item"}),
    (EvidenceKind.BRAND, Form.PLAIN): frozenset({"value"}),
    (EvidenceKind.BRAND, Form.NAMED): frozenset({"item", "value"}),
    (EvidenceKind.CATEGORY, Form.PLAIN): frozenset({"value"}),
    (EvidenceKind.CATEGORY, Form.NAMED): frozenset({"item", "value"}),
    **{(EvidenceKind.ATTRIBUTE, form): frozenset({"value"}) for form in _ATTRIBUTES},
    (EvidenceKind.POPULARITY, Form.PLAIN): frozenset({"count", "period"}),
    (EvidenceKind.AUDIENCE, Form.BUYERS_OF_BRAND): frozenset({"item", "value"}),
    (EvidenceKind.AUDIENCE, Form.BUYERS_OF_CATEGORY): frozenset({"item", "value"}),
    (EvidenceKind.SYNONYM, Form.PLAIN): frozenset({"value"}),
    (EvidenceKind.QUERY, Form.PLAIN): frozenset({"value"}),
}


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Data):
    """One step of an outline.

    Attributes:
        claim_keys: Claims that the step may make, `cells` in the file. They are tried in this order.
        most: Facts that the step may state.
        required: True if there is no text unless the step states a fact.
        unsaid: True if the step skips what the text already states.
        any_order: True if the item and the draft's number choose where in `claim_keys` to begin.
    """

    claim_keys: Lines = Field(alias="cells")
    most: int = Field(1, ge=1, le=10)
    required: bool = False
    unsaid: bool = False
    any_order: bool = False


class Wording(_Data):
    """The words of a recipe in one language.

    Attributes:
        task: Instruction for a language model that writes patterns.
        stop: How a part ends.
        part_separator: Text between two parts, `joint` in the file.
        capital: True if a part begins with a capital letter.
        as_title: True if names and values are written as in a title, False as in a sentence.
        name_width: Columns that the item's name may take.
        characters: Least and most characters of the whole text.
        words: Least and most words of the whole text.
        patterns: Patterns by claim key.
        policy: Sentences that the grammar accepts, by claim key.
    """

    task: str
    stop: str = Field(max_length=2)
    part_separator: str = Field(alias="joint", max_length=2)
    capital: bool = False
    as_title: bool = False
    name_width: int = Field(60, ge=20, le=120)
    characters: Limits
    words: Limits = (1, 1_000)
    patterns: Mapping[str, Lines]
    policy: Mapping[str, Lines]

    def sentences(self, key: str, language: str) -> frozenset[str]:
        """Every sentence that may word a claim; empty for a claim that the recipe does not make.

        Raises:
            ValueError: A line of the policy breaks the notation, or a sentence lacks a slot.
        """
        written_out = [text for line in self.policy.get(key, ()) for text in expand(line)]
        if len(written_out) > MAX_SENTENCES:
            raise ValueError(f"more than {MAX_SENTENCES:,} sentences")
        sentences = frozenset(sentence_of(text, self.stop, language, capital=self.capital) for text in written_out)
        for sentence in sentences:
            check_slots(sentence, CLAIM_SLOTS[parse_claim_key(key)])
        return sentences


class Recipe(_Data):
    """One kind of copy.

    Attributes:
        id: Name and version, such as "title.v1".
        purpose: What the copy is for.
        human_review: True if a person has to read a draft before a shopper does.
        least_parts: Parts that a draft must have.
        outline: The steps, in order.
        en: Words in English.
        zh: Words in Chinese.
    """

    id: str
    purpose: str = Field(min_length=1)
    human_review: bool = True
    least_parts: int = Field(1, ge=1, le=10)
    outline: tuple[Step, ...] = Field(min_length=1)
    en: Wording
    zh: Wording

    def wording(self, language: str) -> Wording:
        """The words in one of `LANGUAGES`."""
        return {"en": self.en, "zh": self.zh}[language]

    def has(self, kind: EvidenceKind) -> bool:
        """Whether the outline may state evidence of this kind."""
        return any(parse_claim_key(key)[0] is kind for step in self.outline for key in step.claim_keys)


def claim_key(kind: EvidenceKind, form: Form) -> str:
    """The key of a claim in recipes: "brand", "brand.named"."""
    return ".".join(filter(None, (kind, form)))


def parse_claim_key(key: str) -> tuple[EvidenceKind, Form]:
    """The kind and form of a key. Raises ValueError for a claim that no recipe can make."""
    kind, _, form = key.partition(".")
    pair = EvidenceKind(kind), Form(form)
    if pair not in CLAIM_SLOTS:
        raise ValueError(key)
    return pair


def read_recipe(file: Traversable) -> Recipe:
    """Reads and checks a recipe. Raises SettingsError, which names the file, if it cannot be used."""
    try:
        recipe = Recipe.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        problem = next(_problems(recipe, file.name), None)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (OSError, ValueError) as error:  # ValueError includes bad TOML and bad encoding
        problem = str(error)
    if problem is not None:
        raise SettingsError(f"recipe {file.name}: {problem}")
    return recipe


def _problems(recipe: Recipe, name: str) -> Iterator[str]:
    if recipe.id != name.removesuffix(".toml") or not _ID.fullmatch(recipe.id) or recipe.id == REASON_RECIPE:
        yield f"id {recipe.id!r}: must be the file's name, such as 'title.v1', and not {REASON_RECIPE!r}"
    keys = {key for step in recipe.outline for key in step.claim_keys}
    for key in sorted(keys):
        try:
            parse_claim_key(key)
        except ValueError:
            possible = ", ".join(sorted(claim_key(*pair) for pair in CLAIM_SLOTS))
            yield f"outline: no cell {key!r}; there are: {possible}"
    for language in LANGUAGES:
        wording = recipe.wording(language)
        if wording.characters[0] > wording.characters[1] or wording.words[0] > wording.words[1]:
            yield f"{language}: characters and words: the least must not be above the most"
        if set(wording.patterns) != keys:
            yield f"{language}.patterns: must have the outline's cells {sorted(keys)}, and no others"
        if set(wording.policy) != keys:
            yield f"{language}.policy: must have the outline's cells {sorted(keys)}, and no others"
        yield from _wording_problems(wording, language)


def _wording_problems(wording: Wording, language: str) -> Iterator[str]:
    for key, patterns in wording.patterns.items():
        try:
            permitted = wording.sentences(key, language)
        except ValueError as problem:
            yield f"{language}.policy.{key}: {problem}"
            continue
        for sentence in sorted(permitted):
            words = SLOT.sub(" ", sentence)
            if forbidden_terms().find(words) is not None or negations(language).find(words) is not None:
                yield f"{language}.policy.{key}: {sentence!r} has a forbidden or negative word"
        for pattern in patterns:
            if pattern not in permitted:
                yield f"{language}.patterns.{key}: {pattern!r} is not accepted by the policy"


@functools.cache
def recipes() -> Mapping[str, Recipe]:
    """All recipes by id. Raises SettingsError for a file that cannot be used."""
    files = sorted(RECIPES.iterdir(), key=lambda file: file.name) if RECIPES.is_dir() else []
    loaded = [read_recipe(file) for file in files if file.name.endswith(".toml")]
    return {recipe.id: recipe for recipe in loaded}


@functools.cache
def recipe_sentences(
    recipe_id: str, kind: EvidenceKind, strength: Strength, form: Form, language: str
) -> frozenset[str]:
    """The sentences that a recipe accepts for a claim; empty unless the claim is NEUTRAL, true for every reader."""
    recipe = recipes().get(recipe_id)
    if recipe is None or strength is not Strength.NEUTRAL:
        return frozenset()
    return recipe.wording(language).sentences(claim_key(kind, form), language)
