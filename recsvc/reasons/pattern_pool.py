"""Patterns that a language model wrote ahead of the requests that use them, by what they say."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, EvidenceKind, Provenance, Strength, Tone
from recsvc.reasons.grammar.lexicon import is_licensed
from recsvc.reasons.grammar.pattern import Form, PatternRequest, is_short
from recsvc.reasons.grammar.recipe import recipes
from recsvc.reasons.verifier import POLICY_VERSION

MOST_PATTERNS = 40  # of one claim: more would be read by nobody


class Author(Protocol):
    """A language model that writes patterns, as slowly as it likes.

    name, model: for the provenance; model holds its revision.
    """

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    def write(self, request: PatternRequest, known: tuple[str, ...], n: int) -> list[str]:
        """At most n answers to `recsvc.reasons.authors.prompts.messages`, unverified. Blocks.

        Raises AuthorUnavailable when it cannot be asked now.
        """
        ...


class PatternPool:
    """What one author has written, as this process knows it; and what it is asked to write. Nothing of a user and no
    seller text is in it.
    """

    def __init__(self, name: str, model: str) -> None:
        self.author = author_id(name, model)
        self.provenance = Provenance(name, model, policy_version=POLICY_VERSION, ai_generated=True, verified=True)
        self._patterns: dict[PatternRequest, tuple[str, ...]] = {}
        self.wanted: set[PatternRequest] = set()

    def patterns(self, request: PatternRequest) -> tuple[str, ...]:
        """What is at hand. What there is nothing of becomes wanted."""
        if self.lacks(request):
            self.wanted.add(request)
        return self._patterns.get(request, ())

    def lacks(self, request: PatternRequest) -> bool:
        """Whether the author is yet to write of it: nothing is kept, not even that nothing passed."""
        # "1 days": the phrase bank knows plurals, a model is not asked for them
        return not request.singular and request.form is not Form.TAIL and request not in self._patterns

    def take(self, written: Mapping[PatternRequest, Iterable[str]]) -> None:
        """Replaces all that was known by what of it the policy of this process licenses: others may have written it."""
        self._patterns = {
            request: tuple(p for p in patterns if is_pattern(p, request))[:MOST_PATTERNS]
            for request, patterns in ((key, list(each)) for key, each in written.items())
        }
        self.wanted -= self._patterns.keys()


def model_name(model: str, revision: str) -> str:
    """A language model and its revision, as provenance has it."""
    return f"{model}@{revision}" if revision else model


def author_id(name: str, model: str) -> str:
    """Under what an author's patterns are kept: another model, revision or policy has others."""
    return f"{name}:{model}:{POLICY_VERSION}"


def is_pattern(text: str, request: PatternRequest) -> bool:
    """Whether the policy licenses a text as a pattern for a request, and it is as short as the tone has it."""
    if request.tone is Tone.CONCISE and not is_short(text, request.language):
        return False
    return is_licensed(text, request.kind, request.strength, request.form, request.language, request.recipe)


def cell_of(request: PatternRequest) -> str:
    """A name for what a pattern is to say, and how: 'reason.v1/en/history_item/causal/viewed/warm'."""
    claim = (request.language, request.kind, request.strength, request.form or "plain")
    return "/".join((request.recipe, *claim, request.tone))


def request_of(cell: str) -> PatternRequest | None:
    """What a name stands for; None for one that nobody gave."""
    try:
        recipe, language, kind, strength, form, tone = cell.split("/")
        of_form = Form.PLAIN if form == "plain" else Form(form)
        if language not in LANGUAGES or (recipe != REASON_RECIPE and recipe not in recipes()):
            return None
        claim = (EvidenceKind(kind), Strength(strength), of_form, language)
        return PatternRequest(*claim, tone=Tone(tone), recipe=recipe)
    except ValueError:
        return None
