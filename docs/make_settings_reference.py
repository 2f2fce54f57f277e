"""Writes the reference of the settings, docs/settings.md, from recsvc/settings.py.

python docs/make_settings_reference.py
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import annotated_types
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from recsvc.settings import Settings, WorkerSettings

PAGE = Path(__file__).parent / "settings.md"
GENERATED = "<!-- Written by docs/make_settings_reference.py from recsvc/settings.py. Edit that instead. -->"
_HEAD = """# Settings

Each setting is a flag and an environment variable. A flag goes before the variable, and the variable before the
default. An empty variable counts as unset. An invalid value stops the start; the message names every invalid setting
and repeats no value. Flags are visible to other users of a machine: put secrets into variables.
[operating.md](operating.md) says how the settings work together.
"""
# Fields whose default depends on where the process runs.
_DEFAULTS = {"log_format": "`console` on a terminal, else `json`"}
_ALIASES = {"redis_url": ["--redis"]}


def page() -> str:
    """The page, in Markdown."""
    shared = set(Settings.model_fields) & set(WorkerSettings.model_fields)
    only_worker = [name for name in WorkerSettings.model_fields if name not in shared or _differs(name)]
    parts = [
        GENERATED,
        _HEAD,
        "## recsvc serve\n",
        _table(Settings, list(Settings.model_fields)),
        "## recsvc reason-worker\n\nIt has these settings, and those of `recsvc serve` for Redis and logs.\n",
        _table(WorkerSettings, only_worker),
    ]
    return "\n".join(parts)


def _differs(name: str) -> bool:
    return Settings.model_fields[name].description != WorkerSettings.model_fields[name].description


def _table(settings: type[BaseSettings], names: list[str]) -> str:
    lines = ["| flag | default | values | meaning |", "|---|---|---|---|"]
    for name in sorted(names):
        field = settings.model_fields[name]
        flags = ", ".join(f"`{flag}`" for flag in (f"--{name.replace('_', '-')}", *_ALIASES.get(name, ())))
        lines.append(f"| {flags} | {_default(name, field)} | {', '.join(_values(field))} | {_escaped(field)} |")
    return "\n".join((*lines, ""))


def _default(name: str, field: FieldInfo) -> str:
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    if field.is_required():
        return "required"
    if field.default in (None, ""):
        return "none"
    value = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"`{value}`"


def _values(field: FieldInfo) -> Iterator[str]:
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    if choices:
        yield ", ".join(f"`{choice}`" for choice in choices)
    elif field.annotation is bool:
        yield "`true`, `false`"
    for bound in _bounds(field.metadata):
        match bound:
            case annotated_types.Ge(ge=least):
                yield f"from {least:,}"
            case annotated_types.Gt(gt=least):
                yield f"above {least:,}"
            case annotated_types.Le(le=most):
                yield f"to {most:,}"


def _bounds(metadata: list[Any]) -> Iterator[Any]:
    for entry in metadata:
        yield from entry if isinstance(entry, annotated_types.GroupedMetadata) else (entry,)


def _escaped(field: FieldInfo) -> str:
    return re.sub(r"([|<>])", r"\\\1", field.description or "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
