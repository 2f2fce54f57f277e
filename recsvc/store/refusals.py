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
# By the word with which Redis begins a refusal: the condition, and the class of the client's error. Redis 6 puts the
# refusal of a command inside a script into the text of another error.
_REFUSALS: tuple[tuple[str, Rung, type[ResponseError]], ...] = (
    ("NOPERM", Rung.REDIS_ACCESS_REFUSED, NoPermissionError),
    ("READONLY", Rung.REDIS_READ_ONLY, ReadOnlyError),
    ("NOREPLICAS", Rung.REDIS_READ_ONLY, ResponseError),
    ("MISCONF", Rung.REDIS_DISK_FULL, ResponseError),
    ("OOM", Rung.REDIS_FULL, OutOfMemoryError),
)


def rung_of(error: Exception) -> Rung | None:
    """Returns the condition of Redis that an error of its client shows; None if the error is about one value."""
    cause = _refusal(error)
    if access_problem(error) or isinstance(cause, AuthorizationError):
        return Rung.REDIS_ACCESS_REFUSED
    for word, rung, kind in _REFUSALS:
        if (kind is not ResponseError and isinstance(cause, kind)) or word in str(cause):
            return rung
    is_about_a_value = isinstance(cause, ResponseError) and not isinstance(cause, ClusterDownError)
    return None if is_about_a_value else Rung.REDIS_AWAY


def name_of(error: Exception) -> str:
    """Returns the class of an error; of one from a script, the class that it has outside of scripts."""
    kinds = (kind for word, _, kind in _REFUSALS if type(error) is ResponseError and word in str(error))
    return next(kinds, type(error)).__name__


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
