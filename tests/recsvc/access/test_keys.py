"""API keys: how they look, what is in the file, and what a wrong file is told."""

import hashlib
import math
import tomllib
from datetime import UTC, datetime

import pytest

from recsvc.__main__ import main
from recsvc.access import keys
from recsvc.access.caller import Caller
from recsvc.access.keys import find_key, key_lines, new_key, read_keys
from recsvc.access.scopes import Scope
from recsvc.errors import SettingsError

HASH = hashlib.sha256(b"x").hexdigest()
GOOD = f'[[key]]\nid = "shop"\nsha256 = "{HASH}"\nscopes = ["recommend"]\n'


def test_a_new_key_is_found_by_its_lines_and_by_nothing_else():
    key, other = new_key(), new_key()
    expires = datetime(2100, 1, 2, 3, 4, 5, tzinfo=UTC)
    lines = key_lines(key, "shop", ["recommend", "write"], expires=expires, requests_per_second=2.5, concurrent=3)
    read = read_keys(lines.encode(), "keys.toml")
    scopes = frozenset({Scope.RECOMMEND, Scope.WRITE})
    assert find_key(read, key) == Caller("shop", scopes, expires.timestamp(), 2.5, 3)
    for wrong in (other, key[:-1], key + "A", key.upper(), key.removeprefix("recsvc_"), "", HASH, "recsvc_"):
        assert find_key(read, wrong) is None


def test_keys_are_long_random_and_not_in_their_lines():
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert {len(key) for key in made} == {50}
    for key in made:
        assert key.removeprefix("recsvc_") not in key_lines(key, "shop", ["recommend"])


def test_a_key_without_limits_has_none():
    [caller] = read_keys(GOOD.encode(), "keys.toml").values()
    assert caller == Caller("shop", frozenset({Scope.RECOMMEND}), math.inf)


@pytest.mark.parametrize(
    ("expires", "meant"),
    [
        ("2030-01-01T00:00:00Z", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01T02:00:00+02:00", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01T00:00:00", datetime(2030, 1, 1, tzinfo=UTC)),  # without a zone: UTC, wherever the server is
    ],
)
def test_a_time_of_expiry_is_read_with_its_zone(expires, meant):
    [caller] = read_keys(f"{GOOD}expires = {expires}\n".encode(), "keys.toml").values()
    assert caller.expires == meant.timestamp()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "is not a TOML file"),
        (b"{", "is not a TOML file"),
        (b"", "has no key, so nobody could call"),
        (b"keys = 1", "must have a table [[key]]"),
        (b"key = 1", "must have a table [[key]]"),
        (b'key = ["x"]', "must have a table [[key]]"),
        (GOOD.replace("id", "name"), "key 1: name is not known"),
        (GOOD.replace('"shop"', '""'), "key 1: id must be"),
        (GOOD.replace('"shop"', '"a b"'), "key 1: id must be"),
        (GOOD.replace('"shop"', "7"), "key 1: id must be"),
        (GOOD.replace('"shop"', f'"{"x" * 65}"'), "key 1: id must be"),
        (GOOD.replace(HASH, HASH[1:]), "key 1 (shop): sha256 must be"),
        (GOOD.replace(HASH, HASH.upper()), "key 1 (shop): sha256 must be"),
        (GOOD.replace(f'"{HASH}"', "7"), "key 1 (shop): sha256 must be"),
        (GOOD.replace('["recommend"]', "[]"), "key 1 (shop): there is no scope"),
        (GOOD.replace('["recommend"]', '"recommend"'), "key 1 (shop): scopes must be a list"),
        (GOOD.replace('["recommend"]', '["all"]'), "key 1 (shop): 'all' is no scope; the scopes are recommend, write"),
        (GOOD.replace('["recommend"]', '["Recommend"]'), "'Recommend' is no scope"),
        (GOOD.replace('["recommend"]', "[1]"), "key 1 (shop): scopes must be a list"),
        (GOOD + 'expires = "2030-01-01"\n', "key 1 (shop): expires must be a time"),
        (GOOD + "expires = 2030-01-01\n", "key 1 (shop): expires must be a time"),
        (GOOD + "requests_per_second = 0\n", "key 1 (shop): requests_per_second must be a number above 0"),
        (GOOD + "requests_per_second = nan\n", "key 1 (shop): requests_per_second must be a number above 0"),
        (GOOD + "requests_per_second = true\n", "key 1 (shop): requests_per_second must be a number above 0"),
        (GOOD + "concurrent = 1.5\n", "key 1 (shop): concurrent must be a whole number"),
        (GOOD + "concurrent = -1\n", "key 1 (shop): concurrent must be a number above 0"),
        (GOOD + GOOD, "key 2 (shop): another key has the same id"),
        (GOOD + GOOD.replace("shop", "other"), "key 2 (other): another key has the same sha256"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_without_the_hash(content, problem):
    with pytest.raises(SettingsError) as caught:
        read_keys(content if isinstance(content, bytes) else content.encode(), "keys.toml")
    assert str(caught.value).startswith("keys.toml")
    assert problem in str(caught.value)
    assert HASH[:16] not in str(caught.value)


@pytest.mark.parametrize(
    "line", ["{key} = 1\n", 'id = "{key}"\nsha256 = "x"\n', 'id = "a"\nsha256 = "{key}"\n', "{key}", '"{key}" = 1\n']
)
def test_a_key_that_was_pasted_into_the_file_is_not_repeated(line):
    key = new_key()
    with pytest.raises(SettingsError) as caught:
        read_keys(f"[[key]]\n{line.format(key=key)}".encode(), "keys.toml")
    assert key not in str(caught.value)


def test_a_file_with_too_many_keys_is_refused(monkeypatch):
    monkeypatch.setattr(keys, "MAX_KEYS", 3)
    lines = (f'[[key]]\nid = "k{i}"\nsha256 = "{i:064x}"\nscopes = ["write"]\n' for i in range(4))
    with pytest.raises(SettingsError, match="has more than 3 keys"):
        read_keys("".join(lines).encode(), "keys.toml")


def test_the_command_prints_the_key_apart_from_the_lines_for_the_file(capsys):
    arguments = ["--id", "shop", "--scopes", "recommend, write", "--days", "2", "--requests-per-second", "50"]
    assert main(["key", "new", *arguments, "--concurrent", "8"]) == 0
    printed = capsys.readouterr()
    key = printed.err.splitlines()[-1]
    caller = find_key(read_keys(printed.out.encode(), "keys.toml"), key)
    assert caller is not None
    assert (caller.caller_id, caller.requests_per_second, caller.concurrent) == ("shop", 50, 8)
    left = datetime.fromtimestamp(caller.expires, UTC) - datetime.now(UTC)
    assert 1.99 < left.total_seconds() / 86_400 <= 2
    assert key not in printed.out
    assert set(tomllib.loads(printed.out)["key"][0]) == {
        *("id", "sha256", "scopes", "expires", "requests_per_second", "concurrent")
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--id", 'a"b', "--scopes", "write"], "id must be"),
        (["--id", "a", "--scopes", "write,everything"], "'everything' is no scope"),
        (["--id", "a", "--scopes", ""], "'' is no scope"),
        (["--id", "a", "--scopes", "write", "--days", "0"], "--days must be"),
        (["--id", "a", "--scopes", "write", "--days", "99999999999"], "--days must be"),
        (["--id", "a", "--scopes", "write", "--concurrent", "0"], "concurrent must be"),
        (["--id", "a", "--scopes", "write", "--requests-per-second", "nan"], "requests_per_second must be"),
    ],
)
def test_the_command_refuses_what_the_file_could_not_have(capsys, arguments, problem):
    assert main(["key", "new", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert problem in printed.err
    assert "recsvc_" not in printed.err
