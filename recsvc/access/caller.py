"""Who makes a call."""

from dataclasses import dataclass

from recsvc.access.scopes import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a key or a token.

    Attributes:
        caller_id: The id of the key in the file of keys, or the client of the token.
        scopes: What it may do.
        expires: When its key or token expires, in seconds since 1970; infinity if it does not.
        requests_per_second: Most calls a second, on average. None: no limit.
        concurrent: Most calls at the same time. None: no limit.
    """

    caller_id: str
    scopes: frozenset[Scope]
    expires: float
    requests_per_second: float | None = None
    concurrent: int | None = None
