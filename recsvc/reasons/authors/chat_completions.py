"""An endpoint that speaks OpenAI's chat completions, as vLLM, SGLang, llama.cpp and Ollama do.

Nothing it says is trusted: whether it honours a constraint, how much it answers, or that it answers at all.
"""

import json
import time
from typing import Any

import httpx2

from recsvc.errors import AuthorUnavailable, SettingsError

TIMEOUT_SECONDS = 30.0
RETRY_SECONDS = 1.0  # before the one retry
MAX_BYTES = 1_000_000  # of an answer
# After so many failures in a row nobody asks for a while.
_FAILURES, _OPEN_SECONDS = 3, 30.0


class ChatCompletions:
    """endpoint: such as http://127.0.0.1:8000/v1. key: for its Authorization header, if it wants one. setting: what the
    person who gave the endpoint knows it by. A call at a time.

    Raises SettingsError for an endpoint that is no http or https address.
    """

    def __init__(
        self, endpoint: str, key: str = "", timeout_seconds: float = TIMEOUT_SECONDS, setting: str = "reason_endpoint"
    ) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError(f"{setting}: must be an http or https address, such as http://127.0.0.1:8000/v1")
        self._url = f"{endpoint.rstrip('/')}/chat/completions"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # A redirect would take the key elsewhere.
        self._client = httpx2.Client(timeout=timeout_seconds, headers=headers, follow_redirects=False)
        self._failures = 0
        self._asked_again_at = 0.0

    def answers(self, body: dict[str, Any], n: int) -> list[str]:
        """At most n answers, in as many calls as it takes: not every server gives more than one at a time.

        Raises AuthorUnavailable; after some of those in a row at once, for a while.
        """
        if time.monotonic() < self._asked_again_at:
            raise AuthorUnavailable("the endpoint has failed too often to be asked now")
        found: list[str] = []
        try:
            while len(found) < n and (more := self.asked(body | {"n": n - len(found)})):
                found += more
        except AuthorUnavailable:
            self._failures += 1
            if self._failures >= _FAILURES:
                self._asked_again_at = time.monotonic() + _OPEN_SECONDS
            raise
        self._failures = 0
        return found[:n]

    def asked(self, body: dict[str, Any]) -> list[str]:
        """The answers to one call, and to its one retry. Raises AuthorUnavailable."""
        for is_last in (False, True):
            try:
                return _contents(self._post(body))
            except httpx2.HTTPStatusError as error:
                code = error.response.status_code
                if is_last or (code != 429 and code < 500):
                    raise AuthorUnavailable(f"the endpoint answered {code}") from None
            except httpx2.HTTPError as error:
                if is_last:
                    raise AuthorUnavailable(f"the endpoint cannot be asked: {type(error).__name__}") from None
            time.sleep(RETRY_SECONDS)
        raise AssertionError("the last try returns or raises")

    def _post(self, body: dict[str, Any]) -> bytes:
        with self._client.stream("POST", self._url, json=body) as response:
            response.raise_for_status()
            read = b""
            for part in response.iter_bytes():
                read += part
                if len(read) > MAX_BYTES:
                    raise AuthorUnavailable("the endpoint answers without an end")
            return read


def _contents(read: bytes) -> list[str]:
    try:
        choices = json.loads(read)["choices"]
        contents = [choice["message"]["content"] for choice in choices]
    except (ValueError, KeyError, TypeError):
        raise AuthorUnavailable("the endpoint's answer is none of chat completions") from None
    return [content for content in contents if isinstance(content, str)]
