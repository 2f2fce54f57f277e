"""Calls an endpoint of OpenAI's chat completions, as vLLM, SGLang, llama.cpp and Ollama have.

The endpoint is not trusted: it may ignore constraints, send too much, or not answer.
"""

import json
import time
from typing import Any

import httpx2
import structlog

from recsvc.errors import AuthorUnavailable, SettingsError

TIMEOUT_SECONDS = 30.0
RETRY_SECONDS = 1.0  # before the first retry; it doubles with each further one
MAX_TRIES = 3  # calls in a row without an answer, after which the rest is given up
MAX_BYTES = 1_000_000  # of one response
_MAX_FAILURES = 3  # in a row, before calls are refused for a while
_REFUSE_SECONDS = 30.0
_BAD_REQUEST, _UNPROCESSABLE, _TOO_MANY, _SERVER_ERROR = 400, 422, 429, 500

_log = structlog.get_logger(__name__)


class CallFailed(AuthorUnavailable):
    """One call failed.

    Attributes:
        may_recover: Whether the same call may succeed later.
        is_too_slow: Whether a call for fewer answers may succeed.
    """

    def __init__(self, problem: str, *, may_recover: bool = False, is_too_slow: bool = False) -> None:
        super().__init__(problem)
        self.may_recover, self.is_too_slow = may_recover, is_too_slow


class RequestRefused(CallFailed):
    """The endpoint does not take the request as it is. It may take another one."""


class ChatCompletions:
    """A client for one endpoint. For one thread.

    Args:
        endpoint: Such as http://127.0.0.1:8000/v1.
        key: For the Authorization header; empty if the endpoint needs none.
        timeout_seconds: Of each call.
        setting: Name of the setting that holds the endpoint, for error messages.
        batch: Most answers that one call asks for. It is lowered if the endpoint is too slow, or takes no more.

    Raises:
        SettingsError: The endpoint is not an http or https address.
    """

    def __init__(
        self,
        endpoint: str,
        key: str = "",
        timeout_seconds: float = TIMEOUT_SECONDS,
        setting: str = "reason_endpoint",
        batch: int = 1,
    ) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError(f"{setting}: must be an http or https address, such as http://127.0.0.1:8000/v1")
        self._url = f"{endpoint.rstrip('/')}/chat/completions"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # A redirect could send the key to another server.
        self._client = httpx2.Client(timeout=timeout_seconds, headers=headers, follow_redirects=False)
        self.batch = batch
        self._seconds = timeout_seconds
        self._failures = 0
        self._refused_until = 0.0

    def answers(self, body: dict[str, Any], n: int) -> list[str]:
        """Fetches at most `n` answers, `batch` at a time.

        A failed call is tried again, and for half as many answers if it was too slow.

        Args:
            body: The request, without `n`.
            n: How many answers to fetch.

        Returns:
            The answers; fewer than `n` if the endpoint gave no more. None that came is lost.

        Raises:
            RequestRefused: The endpoint does not take the request.
            AuthorUnavailable: No answer came. After `_MAX_FAILURES` such failures in a row it is raised without a call
                for `_REFUSE_SECONDS`.
        """
        if time.monotonic() < self._refused_until:
            raise AuthorUnavailable("the endpoint failed too often: calls are refused for a while")
        answers: list[str] = []
        try:
            while len(answers) < n and (more := self._some(body, n - len(answers))):
                answers += more
        except RequestRefused:
            raise
        except AuthorUnavailable as problem:
            if answers:
                _log.warning("answers_missing", asked=n, answered=len(answers), problem=str(problem))
                return answers[:n]
            self._failures += 1
            if self._failures >= _MAX_FAILURES:
                self._refused_until = time.monotonic() + _REFUSE_SECONDS
            raise
        self._failures = 0
        return answers[:n]

    def _some(self, body: dict[str, Any], most: int) -> list[str]:
        """At least one answer, unless the endpoint has none. Raises CallFailed after the last try."""
        for number in range(MAX_TRIES):
            size = min(self.batch, most)
            try:
                return self.call(body | {"n": size})
            except RequestRefused:
                if size == 1:
                    raise
                answers = self.call(body | {"n": 1})  # a server may take no more than one answer a call
                self.batch = 1
                return answers
            except CallFailed as problem:
                if problem.is_too_slow:
                    self.batch = max(size // 2, 1)
                if not problem.may_recover or number == MAX_TRIES - 1:
                    raise
            time.sleep(RETRY_SECONDS * 2**number)
        raise AssertionError("the last try returns or raises")

    def call(self, body: dict[str, Any]) -> list[str]:
        """The answers to one call. Raises CallFailed."""
        try:
            return _contents(self._post(body))
        except httpx2.HTTPStatusError as error:
            status = error.response.status_code
            problem = f"the endpoint answered {status}"
            if status in (_BAD_REQUEST, _UNPROCESSABLE):
                raise RequestRefused(problem) from None
            raise CallFailed(problem, may_recover=status >= _SERVER_ERROR or status == _TOO_MANY) from None
        except httpx2.HTTPError as error:
            is_too_slow = isinstance(error, httpx2.TimeoutException)
            problem = f"the endpoint cannot be asked: {type(error).__name__}"
            if is_too_slow:
                problem += f" after {self._client.timeout.read:g} s; --reason-timeout sets how long to wait"
            raise CallFailed(problem, may_recover=True, is_too_slow=is_too_slow) from None

    def _post(self, body: dict[str, Any]) -> bytes:
        with self._client.stream("POST", self._url, json=body) as response:
            response.raise_for_status()
            read = b""
            started = time.monotonic()
            for part in response.iter_bytes():
                read += part
                # The client's own limit is for each read, so an answer that drips would never end.
                if time.monotonic() - started > self._seconds:
                    raise httpx2.ReadTimeout("the answer drips")
                if len(read) > MAX_BYTES:
                    raise CallFailed("the endpoint sent too much")
            return read


def _contents(read: bytes) -> list[str]:
    try:
        choices = json.loads(read)["choices"]
        contents = [choice["message"]["content"] for choice in choices]
    except (ValueError, KeyError, TypeError, RecursionError):  # the last one for brackets within brackets
        raise CallFailed("the endpoint sent no response of chat completions") from None
    return [content for content in contents if isinstance(content, str)]
