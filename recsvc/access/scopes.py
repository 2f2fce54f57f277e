"""The rights that keys and tokens can have."""

from collections.abc import Iterable
from enum import StrEnum

from recsvc.errors import SettingsError


class Scope(StrEnum):
    """A right of a key or token. `access.proto` says what each is for."""

    RECOMMEND = "recommend"
    WRITE = "write"
    CATALOGUE = "catalogue"
    ERASE = "erase"
    ADMIN = "admin"
    METRICS = "metrics"


def read_scopes(names: Iterable[str], where: str) -> frozenset[Scope]:
    """Reads the scopes of a key.

    Args:
        names: Of scopes, such as "recommend".
        where: Where they stand, for the error.

    Raises:
        SettingsError: One of them is no scope, or there is none.
    """
    texts = tuple(names)
    unknown = sorted(set(texts) - set(Scope))
    if unknown or not texts:
        problem = f"{', '.join(map(repr, unknown))} is no scope" if unknown else "there is no scope"
        raise SettingsError(f"{where}: {problem}; the scopes are {', '.join(Scope)}")
    return frozenset(map(Scope, texts))
