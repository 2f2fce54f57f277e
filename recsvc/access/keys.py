"""API keys: how they are made, and the TOML file that has their hashes.

A key is 32 random bytes, so that its sha256 cannot be guessed back: a slow hash with salt, as for passwords, would
protect it no better. A key is looked up by its hash, so the time of a lookup tells nothing about other keys.
"""

import hashlib
import json
import math
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from recsvc.access.caller import Caller
from recsvc.access.scopes import Scope, read_scopes
from recsvc.errors import SettingsError

PREFIX = "recsvc_"  # tools that search for leaked secrets can find it
_KEY = re.compile(r"recsvc_[A-Za-z0-9_-]{43}", re.ASCII)
_KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FIELDS = {"id", "sha256", "scopes", "expires", "requests_per_second", "concurrent"}
MAX_KEYS = 10_000

Keys = Mapping[bytes, Caller]  # by the sha256 of the key


def new_key() -> str:
    """Makes a key."""
    return PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def key_lines(
    key: str,
    key_id: str,
    scopes: Iterable[str],
    *,
    expires: datetime | None = None,
    requests_per_second: float | None = None,
    concurrent: int | None = None,
) -> str:
    """Returns the lines of a key for the file of keys. They do not have the key itself.

    Raises:
        SettingsError: A value cannot be used.
    """
    lines = ["[[key]]", f"id = {json.dumps(key_id)}", f'sha256 = "{hashlib.sha256(key.encode()).hexdigest()}"']
    lines.append(f"scopes = {json.dumps(list(scopes))}")
    if expires is not None:
        lines.append(f"expires = {expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    if requests_per_second is not None:
        lines.append(f"requests_per_second = {requests_per_second:g}")
    if concurrent is not None:
        lines.append(f"concurrent = {concurrent}")
    text = "\n".join(lines) + "\n"
    read_keys(text.encode(), "the key")
    return text


def find_key(keys: Keys, key: str) -> Caller | None:
    """Returns the caller with this key. None: the file does not have it."""
    return keys.get(hashlib.sha256(key.encode()).digest()) if _KEY.fullmatch(key) else None


def read_keys(content: bytes, name: str) -> Keys:
    """Reads a file of keys.

    Args:
        content: TOML: a table `[[key]]` for each key.
        name: Of the file, for errors.

    Raises:
        SettingsError: The file cannot be used. The message names the key by its place and id, and repeats no hash.
    """
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        # The parser's message can repeat a part of the file, and somebody may have pasted a key into it.
        raise SettingsError(f"{name}: is not a TOML file") from None
    entries = tables.pop("key", [])
    if tables or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError(f"{name}: must have a table [[key]] for each key, and nothing else")
    if not entries:
        raise SettingsError(f"{name}: has no key, so nobody could call; make one with `recsvc key new`")
    if len(entries) > MAX_KEYS:
        raise SettingsError(f"{name}: has more than {MAX_KEYS} keys")
    keys: dict[bytes, Caller] = {}
    ids = set()
    for number, entry in enumerate(entries, 1):
        digest, caller = _read_entry(entry, f"{name}, key {number}")
        if caller.caller_id in ids or digest in keys:
            twice = "the same id" if caller.caller_id in ids else "the same sha256"
            raise SettingsError(f"{name}, key {number} ({caller.caller_id}): another key has {twice}")
        ids.add(caller.caller_id)
        keys[digest] = caller
    return keys


def _read_entry(entry: dict[str, Any], where: str) -> tuple[bytes, Caller]:
    if unknown := sorted(entry.keys() - _FIELDS):
        known = ", ".join(sorted(_FIELDS))
        shown = unknown[0] if _ID.fullmatch(unknown[0]) and not unknown[0].startswith(PREFIX) else "a field"
        raise SettingsError(f"{where}: {shown} is not known; the fields are {known}")
    key_id = entry.get("id")
    if not isinstance(key_id, str) or not _ID.fullmatch(key_id) or _KEY.fullmatch(key_id):
        raise SettingsError(f"{where}: id must be 1 to 64 letters, digits, dots, hyphens or underscores")
    where = f"{where} ({key_id})"
    digest = entry.get("sha256")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise SettingsError(f"{where}: sha256 must be the 64 small hexadecimal digits that `recsvc key new` shows")
    names = entry.get("scopes")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingsError(f"{where}: scopes must be a list of texts, such as {json.dumps(list(Scope)[:2])}")
    return bytes.fromhex(digest), Caller(
        key_id,
        read_scopes(names, where),
        _seconds(entry.get("expires"), where),
        _limit(entry, "requests_per_second", where),
        _whole_limit(entry, where),
    )


def _seconds(expires: object, where: str) -> float:
    if expires is None:
        return math.inf
    if not isinstance(expires, datetime):
        raise SettingsError(f"{where}: expires must be a time without quotes, such as 2027-01-31T00:00:00Z")
    return (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp()


def _limit(entry: dict[str, Any], field: str, where: str) -> float | None:
    limit = entry.get(field)
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit <= 1e6:  # noqa: PLR2004
        raise SettingsError(f"{where}: {field} must be a number above 0, at most 1,000,000")
    return float(limit)


def _whole_limit(entry: dict[str, Any], where: str) -> int | None:
    limit = _limit(entry, "concurrent", where)
    if limit is not None and not limit.is_integer():
        raise SettingsError(f"{where}: concurrent must be a whole number")
    return None if limit is None else int(limit)
