"""Tells why Redis refused a command."""

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from recsvc.runtime.rungs import Rung

_NO_SUCH_DATABASE = ("DB index is out of range", "invalid DB index", "SELECT is not allowed in cluster mode")
# Redis 6 puts the refusal of a command inside a script into the text of another error.
_BY_TEXT = (
    ("NOPERM", Rung.REDIS_ACCESS_REFUSED),
    ("READONLY", Rung.REDIS_READ_ONLY),
    ("NOREPLICAS", Rung.REDIS_READ_ONLY),
    ("MISCONF", Rung.REDIS_DISK_FULL),
    ("OOM", Rung.REDIS_FULL),
)
_BY_CLASS = (
    (AuthorizationError, Rung.REDIS_ACCESS_REFUSED),
    (NoPermissionError, Rung.REDIS_ACCESS_REFUSED),
    (OutOfMemoryError, Rung.REDIS_FULL),
    (ReadOnlyError, Rung.REDIS_READ_ONLY),
)


def rung_of(error: Exception) -> Rung | None:
    """Returns the condition of Redis that an error of its client shows; None if the error is about one value."""
    if access_problem(error):
        return Rung.REDIS_ACCESS_REFUSED
    cause = _refusal(error)
    by_class = next((rung for kind, rung in _BY_CLASS if isinstance(cause, kind)), None)
    by_text = next((rung for text, rung in _BY_TEXT if text in str(cause)), None)
    is_about_a_value = isinstance(cause, ResponseError) and not isinstance(cause, ClusterDownError)
    return by_class or by_text or (None if is_about_a_value else Rung.REDIS_AWAY)


def access_problem(error: Exception) -> str:
    """Returns what is wrong with the user, the password or the database of the URL; '' if the error shows nothing."""
    cause = _refusal(error)
    if isinstance(cause, AuthenticationError):
        return "does not accept the user or the password"
    if any(text in str(cause) for text in _NO_SUCH_DATABASE):
        return "has no database of that number"
    return ""


def _refusal(error: Exception) -> BaseException:
    """Returns the answer of Redis that an error stands for: while it connects, the client wraps it."""
    return error.__cause__ or error
