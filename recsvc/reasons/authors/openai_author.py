"""A language model behind an endpoint of chat completions that writes patterns."""

from recsvc.reasons.authors.chat_completions import TIMEOUT_SECONDS, ChatCompletions
from recsvc.reasons.authors.prompts import messages
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.pattern_pool import model_name

MAX_TOKENS = 64
TEMPERATURE, TOP_P = 0.7, 0.9


class OpenAIAuthor:
    """endpoint, key: see ChatCompletions. Raises SettingsError for an endpoint that is no http or https address."""

    name = "openai"

    def __init__(
        self, endpoint: str, model: str, key: str = "", revision: str = "", timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self.model = model_name(model, revision)
        self._asked_for = model
        self._chat = ChatCompletions(endpoint, key, timeout_seconds)

    def write(self, request: PatternRequest, known: tuple[str, ...], n: int) -> list[str]:
        """At most n answers. Raises AuthorUnavailable."""
        body = {
            "model": self._asked_for,
            "messages": messages(request, known),
            "max_tokens": MAX_TOKENS,
            "temperature": TEMPERATURE,
            "top_p": TOP_P,
            "chat_template_kwargs": {"enable_thinking": False},
        }
        return self._chat.answers(body, n)
