"""A language model behind an endpoint of chat completions, which writes patterns."""

import random

import structlog

from recsvc.errors import AuthorUnavailable
from recsvc.reasons.authors.chat_completions import TIMEOUT_SECONDS, ChatCompletions, RequestRefused
from recsvc.reasons.authors.choices import choices
from recsvc.reasons.authors.constraints import Constraint, Extensions, FreeText, JsonSchema
from recsvc.reasons.authors.prompts import messages, pattern_of
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.pattern_pool import model_name

MAX_FREE_TOKENS = 64  # of an answer that no constraint ends
MAX_CHOICES = 250  # sentences in one request: OpenAI takes no more whatever their length
TEMPERATURE, TOP_P = 0.7, 0.9

_log = structlog.get_logger(__name__)


class OpenAIAuthor:
    """Asks an endpoint for patterns, held to the licensed sentences as well as the endpoint can.

    It tries the ways of `constraints` in turn, and gives one up for good when the endpoint refuses it or an answer
    shows that it was ignored.

    Args:
        endpoint: See `ChatCompletions`.
        model: Name of the model.
        key: See `ChatCompletions`.
        revision: Revision of the model, for the provenance.
        timeout_seconds: Of each call.
        batch: Most answers that one call asks for.

    Raises:
        SettingsError: The endpoint is not an http or https address.
    """

    name = "openai"

    def __init__(
        self,
        endpoint: str,
        model: str,
        key: str = "",
        revision: str = "",
        timeout_seconds: float = TIMEOUT_SECONDS,
        batch: int = 1,
    ) -> None:
        self.model = model_name(model, revision)
        self._requested_model = model
        self._chat = ChatCompletions(endpoint, key, timeout_seconds, batch=batch)
        self._constraints: list[Constraint] = [Extensions(), JsonSchema(), FreeText()]
        self._random = random.Random(0)  # noqa: S311  chooses sentences to offer

    def write(self, request: PatternRequest, known: tuple[str, ...], n: int) -> list[str]:
        """Writes at most `n` answers, none of which is known. Raises AuthorUnavailable."""
        written: list[str] = []
        while len(written) < n:
            left = [sentence for sentence in choices(request, known) if sentence not in written]
            if not left:
                break
            try:
                answers = self._ask(request, known, left, min(self._chat.batch, n - len(written)))
            except AuthorUnavailable as problem:
                if not written:
                    raise
                _log.warning("answers_missing", asked=n, answered=len(written), problem=str(problem))
                break
            if not answers:
                break
            written += answers
        return written

    def _ask(self, request: PatternRequest, known: tuple[str, ...], left: list[str], n: int) -> list[str]:
        """Asks for some of the sentences that are left."""
        offered = self._random.sample(left, min(MAX_CHOICES, len(left)))
        while True:
            constraint = self._constraints[0]
            is_free = isinstance(constraint, FreeText)
            body = {
                "model": self._requested_model,
                "messages": messages(request, known, offered if is_free else ()),
                # A constraint ends an answer. No token is shorter than a byte, and JSON adds a few.
                "max_tokens": MAX_FREE_TOKENS if is_free else 32 + max(len(text.encode()) for text in offered),
                "temperature": TEMPERATURE,
                "top_p": TOP_P,
                "chat_template_kwargs": {"enable_thinking": False},
            }
            try:
                answers = [constraint.answer(text) for text in self._chat.answers(body | constraint.fields(offered), n)]
            except RequestRefused as refusal:
                if is_free:
                    raise
                self._give_up(constraint, str(refusal))
                continue
            if not is_free and any(pattern_of(answer, request) is None for answer in answers):
                self._give_up(constraint, "the endpoint ignores it")
            return answers

    def _give_up(self, constraint: Constraint, problem: str) -> None:
        self._constraints.remove(constraint)
        _log.info("constraint_not_usable", constraint=constraint.name, problem=problem)
