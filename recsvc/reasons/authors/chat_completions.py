"""Calls an endpoint of OpenAI's chat completions, as vLLM, SGLang, llama.cpp and Ollama have.

The endpoint is not trusted: it may ignore constraints, send too much, or not answer.
"""

import json
import time
from typing import Any

import httpx2

from recsvc.errors import AuthorUnavailable, SettingsError

TIMEOUT_SECONDS = 30.0
RETRY_SECONDS = 1.0  # before the only retry
MAX_BYTES = 1_000_000  # of one response
_MAX_FAILURES = 3  # in a row, before calls are refused for a while
_REFUSE_SECONDS = 30.0


class ChatCompletions:
    """A client for one endpoint. For one thread.

    Args:
        endpoint: Such as http://127.0.0.1:8000/v1.
        key: For the Authorization header; empty if the endpoint needs none.
        timeout_seconds: Of each call.
        setting: Name of the setting that holds the endpoint, for error messages.

    Raises:
        SettingsError: The endpoint is not an http or https address.
    """

    def __init__(
        self, endpoint: str, key: str = "", timeout_seconds: float = TIMEOUT_SECONDS, setting: str = "reason_endpoint"
    ) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError(f"{setting}: must be an http or https address, such as http://127.0.0.1:8000/v1")
        self._url = f"{endpoint.rstrip('/')}/chat/completions"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # A redirect could send the key to another server.
        self._client = httpx2.Client(timeout=timeout_seconds, headers=headers, follow_redirects=False)
        self._failures = 0
        self._refused_until = 0.0

    def answers(self, body: dict[str, Any], n: int) -> list[str]:
        """Fetches at most `n` answers. It takes several calls if the server gives fewer at a time.

        Args:
            body: The request, without `n`.
            n: How many answers to fetch.

        Raises:
            AuthorUnavailable: The endpoint failed. After `_MAX_FAILURES` failures in a row it is raised without a call
                for `_REFUSE_SECONDS`.
        """
        if time.monotonic() < self._refused_until:
            raise AuthorUnavailable("the endpoint failed too often: calls are refused for a while")
        answers: list[str] = []
        try:
            while len(answers) < n and (more := self.call(body | {"n": n - len(answers)})):
                answers += more
        except AuthorUnavailable:
            self._failures += 1
            if self._failures >= _MAX_FAILURES:
                self._refused_until = time.monotonic() + _REFUSE_SECONDS
            raise
        self._failures = 0
        return answers[:n]

    def call(self, body: dict[str, Any]) -> list[str]:
        """The answers to one call. A failed call is tried once more. Raises AuthorUnavailable."""
        for is_last in (False, True):
            try:
                return _contents(self._post(body))
            except httpx2.HTTPStatusError as error:
                response = error.response
                may_recover = (
                    response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR
                    or response.status_code == httpx2.codes.TOO_MANY_REQUESTS
                )
                if is_last or not may_recover:
                    raise AuthorUnavailable(f"the endpoint answered {response.status_code}") from None
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
                    raise AuthorUnavailable("the endpoint sent too much")
            return read


def _contents(read: bytes) -> list[str]:
    try:
        choices = json.loads(read)["choices"]
        contents = [choice["message"]["content"] for choice in choices]
    except (ValueError, KeyError, TypeError):
        raise AuthorUnavailable("the endpoint sent no response of chat completions") from None
    return [content for content in contents if isinstance(content, str)]
