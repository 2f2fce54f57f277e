"""How all commands read their settings: a flag goes before the variable RECSVC_<NAME>, and that before the default."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from recsvc.errors import SettingsError

_PREFIX = "RECSVC_"


class CommonSettings(BaseSettings):
    """How all commands read their settings."""

    # An empty variable counts as unset, as compose files leave them.
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )


SettingsKind = TypeVar("SettingsKind", bound=CommonSettings)


def load_settings(flags: Mapping[str, Any], kind: type[SettingsKind]) -> SettingsKind:
    """Reads and checks settings.

    Args:
        flags: Values from the command line by name. A flag that was not given is absent.
        kind: Which settings.

    Raises:
        SettingsError: Names every bad setting, and no value: a URL may hold a password.
    """
    try:
        return kind(**flags)
    except ValidationError as error:
        raise SettingsError("; ".join(_problem(details["loc"], details["msg"]) for details in error.errors())) from None


def check_pair(first: Path | None, second: Path | None, *names: str) -> None:
    """Raises ValueError if one of two files is set without the other."""
    if (first is None) != (second is None):
        raise ValueError(f"{' and '.join(names)} need each other")


def _problem(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:  # of several settings: it names them
        return message
    name = str(location[0])
    return f"{name} ({_PREFIX}{name.upper()}): {message[:1].lower()}{message[1:]}"
