"""A language model behind an endpoint of chat completions, which writes patterns."""

from recsvc.reasons.authors.chat_completions import TIMEOUT_SECONDS, ChatCompletions
from recsvc.reasons.authors.prompts import messages
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.pattern_pool import model_name

MAX_TOKENS = 64
TEMPERATURE, TOP_P = 0.7, 0.9


class OpenAIAuthor:
    """Asks an endpoint for patterns.

    Args:
        endpoint: See `ChatCompletions`.
        model: Name of the model.
        key: See `ChatCompletions`.
        revision: Revision of the model, for the provenance.
        timeout_seconds: Of each call.

    Raises:
        SettingsError: The endpoint is not an http or https address.
    """

    name = "openai"

    def __init__(
        self, endpoint: str, model: str, key: str = "", revision: str = "", timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self.model = model_name(model, revision)
        self._requested_model = model
        self._chat = ChatCompletions(endpoint, key, timeout_seconds)

    def write(self, request: PatternRequest, known: tuple[str, ...], n: int) -> list[str]:
        """Writes at most `n` answers. Raises AuthorUnavailable."""
        body = {
            "model": self._requested_model,
            "messages": messages(request, known),
            "max_tokens": MAX_TOKENS,
            "temperature": TEMPERATURE,
            "top_p": TOP_P,
            "chat_template_kwargs": {"enable_thinking": False},
        }
        return self._chat.answers(body, n)
