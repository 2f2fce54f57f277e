"""Keeps the patterns that a language model wrote ahead of the requests that use them, by claim."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, EvidenceKind, Provenance, Strength, Tone
from recsvc.reasons.concise import may_fit
from recsvc.reasons.grammar.lexicon import matches_grammar
from recsvc.reasons.grammar.pattern import Form, Number, PatternRequest
from recsvc.reasons.grammar.recipe import recipes
from recsvc.reasons.verifier import POLICY_VERSION

MAX_PATTERNS = 40  # for one claim; nobody would review more


class Author(Protocol):
    """A language model that writes patterns ahead of any request. It may take its time."""

    @property
    def name(self) -> str:
        """Name of the kind of author, for the provenance."""
        ...

    @property
    def model(self) -> str:
        """Name and revision of the model, for the provenance."""
        ...

    def write(self, request: PatternRequest, known: tuple[str, ...], n: int) -> list[str]:
        """Writes at most `n` answers to `recsvc.reasons.authors.prompts.messages`. Blocks. They are not verified.

        Args:
            request: The claim to word.
            known: Patterns that exist already.
            n: How many answers to write.

        Raises:
            AuthorUnavailable: The model cannot be reached now.
        """
        ...


class PatternPool:
    """The patterns of one author, and the requests that it has yet to write for. It holds no user and no seller text.

    Attributes:
        author: Under which name the patterns are stored; see `author_id`.
        provenance: Of a reason that uses a pattern of the pool.
        wanted: Requests that were made and have no patterns yet.
    """

    def __init__(self, name: str, model: str) -> None:
        self.author = author_id(name, model)
        self.provenance = Provenance(name, model, policy_version=POLICY_VERSION, ai_generated=True, verified=True)
        self._patterns: dict[PatternRequest, tuple[str, ...]] = {}
        self.wanted: set[PatternRequest] = set()

    def patterns(self, request: PatternRequest) -> tuple[str, ...]:
        """The patterns for a request. A request that the author has not written for yet becomes wanted."""
        if self.lacks(request):
            self.wanted.add(request)
        return self._patterns.get(request, ())

    def lacks(self, request: PatternRequest) -> bool:
        """Whether the author has yet to write for a request. False if it has, even if no pattern was accepted."""
        return request not in self._patterns

    def take(self, written: Mapping[PatternRequest, Iterable[str]]) -> None:
        """Replaces all patterns by those of `written` that the grammar accepts. Other processes may have written it."""
        self._patterns = {
            request: tuple(pattern for pattern in list(patterns) if is_pattern(pattern, request))[:MAX_PATTERNS]
            for request, patterns in written.items()
        }
        self.wanted -= self._patterns.keys()


def model_name(model: str, revision: str) -> str:
    """A language model and its revision, as the provenance writes them."""
    return f"{model}@{revision}" if revision else model


def author_id(name: str, model: str) -> str:
    """The name under which an author's patterns are stored. Another model, revision or policy has its own."""
    return f"{name}:{model}:{POLICY_VERSION}"


def is_pattern(text: str, request: PatternRequest) -> bool:
    """Whether the grammar accepts a text as a pattern for a request, and it may fit the tone."""
    if request.tone is Tone.CONCISE and not may_fit(text):
        return False
    claim = (request.kind, request.strength, request.form, request.language, request.recipe, request.number)
    return matches_grammar(text, *claim)


def claim_key_of(request: PatternRequest) -> str:
    """A key for a request: 'reason.v1/en/history_item/causal/viewed/warm', with '/many' behind it for a plural."""
    claim = (request.language, request.kind, request.strength, request.form or "plain")
    number = () if request.number is Number.ONE else (request.number,)
    return "/".join((request.recipe, *claim, request.tone, *number))


def request_of(claim_key: str) -> PatternRequest | None:
    """The request of a key; None if `claim_key_of` never makes that key."""
    try:
        recipe, language, kind, strength, form_name, tone, *plural = claim_key.split("/")
        form = Form.PLAIN if form_name == "plain" else Form(form_name)
        if (
            plural not in ([], [Number.MANY])
            or language not in LANGUAGES
            or (recipe != REASON_RECIPE and recipe not in recipes())
        ):
            return None
        claim = (EvidenceKind(kind), Strength(strength), form, language)
        return PatternRequest(*claim, tone=Tone(tone), recipe=recipe, number=Number.MANY if plural else Number.ONE)
    except ValueError:
        return None
