"""`recsvc doctor`: a sound set-up passes, and each thing that is wrong is named with its remedy."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsvc.diagnostics.doctor import examine
from recsvc.model import bundle_files
from tests.conftest import RedisServer
from tests.recsvc.stored_bundle import BUNDLE_ID, STORED_BUNDLE, save_variant
from tests.service_process import ServiceProcess

CHECKS = (
    *(
        "settings",
        "variables",
        "reason model",
        "memory",
        "workers",
        "bundle",
        "text encoder",
        "placements",
        "synonyms",
        "data folder",
    ),
    *("certificates", "keys", "tokens", "addresses", "audit log", "tracing", "redis certificates"),
    *("redis", "redis memory", "redis files", "redis permissions", "redis clock", "redis schema", "redis durability"),
    *("file descriptors", "port", "metrics_port"),
)


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A sound set-up with a private Redis."""
    for name in ("RECSVC_BUNDLE", "RECSVC_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return {"bundle": STORED_BUNDLE, "data_dir": tmp_path / "data", "port": 0, "metrics_port": 0, "store_timeout": 5}


def examined(flags: dict[str, object]) -> tuple[bool, dict[str, str]]:
    """Whether it was healthy, and the line of each check."""
    lines: list[str] = []
    healthy = examine(flags, lines.append)
    assert all(line.startswith(("OK       ", "PROBLEM  ")) and line.count("\n") == 1 for line in lines)
    return healthy, {line[9:].partition(": ")[0]: line.rstrip("\n") for line in lines}


def only_problem(flags: dict[str, object]) -> tuple[str, str]:
    """The name and the line of the one check that failed."""
    healthy, lines = examined(flags)
    assert not healthy
    [problem] = [(name, line) for name, line in lines.items() if line.startswith("PROBLEM")]
    return problem


def test_a_sound_set_up_passes_every_check(flags: dict[str, object]) -> None:
    healthy, lines = examined(flags)
    assert healthy
    assert tuple(lines) == CHECKS
    assert f"{BUNDLE_ID} with 48 items" in lines["bundle"]
    assert "a private Redis answers in" in lines["redis"]
    assert "maxmemory-policy noeviction" in lines["redis memory"]


def test_the_command_prints_the_lines_and_exits_with_1_after_a_problem(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "recsvc", "doctor", "--bundle", str(tmp_path), "--data-dir", str(tmp_path / "d")]
    done = subprocess.run(
        [*command, "--port", "0", "--metrics-port", "-1"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("PROBLEM")] == [lines[5]]
    assert f"bundle: {tmp_path} is not a bundle" in lines[5]
    assert "Traceback" not in done.stderr


def test_unusable_settings_are_named_and_end_the_examination(flags: dict[str, object]) -> None:
    healthy, lines = examined({"port": "x", "redis_url": "redis://me:s3cret@host"})
    assert not healthy
    assert list(lines) == ["settings", "variables"]
    assert "bundle (RECSVC_BUNDLE)" in lines["settings"]
    assert "port (RECSVC_PORT)" in lines["settings"]
    assert "s3cret" not in lines["settings"]


def test_an_altered_bundle_is_a_problem(flags: dict[str, object], tmp_path: Path) -> None:
    copy = shutil.copytree(STORED_BUNDLE, tmp_path / "bundle")
    (copy / bundle_files.VOCABULARY).write_text("{}")
    name, line = only_problem(flags | {"bundle": copy})
    assert name == "bundle"
    assert "copy the bundle again" in line


@pytest.mark.parametrize(
    ("setting", "remedy"), [("auto", "train the bundle again"), ("embedded", "set text_encoder to auto")]
)
def test_another_text_encoder_than_the_bundles_is_a_problem(
    setting: str, remedy: str, flags: dict[str, object], tmp_path: Path
) -> None:
    save_variant(tmp_path / "foreign", text_encoder="multilingual", text_encoder_fingerprint="0" * 64)
    name, line = only_problem(flags | {"bundle": tmp_path / "foreign", "text_encoder": setting})
    assert name == "text encoder"
    assert remedy in line


def test_a_text_encoder_that_is_not_there_is_a_problem(flags: dict[str, object], tmp_path: Path) -> None:
    name, line = only_problem(flags | {"text_encoder": str(tmp_path)})
    assert name == "text encoder"
    assert "cannot be loaded" in line


def test_a_reason_generator_without_a_model_is_a_problem(flags: dict[str, object]) -> None:
    name, line = only_problem(flags | {"reason_generator": "openai"})
    assert name == "reason model"
    assert "reason_model" in line


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read"),
        ("[placements.home]\nk = 3\n", "placements.home.k"),
        ('[placements.home]\nbundle_id = "0123456789abcdef"\n', "no bundle in"),
    ],
)
def test_placements_that_cannot_be_used_are_a_problem(
    flags: dict[str, object], tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "placements.toml"
    if content is not None:
        file.write_text(content)
    name, line = only_problem(flags | {"placements": file})
    assert name == "placements"
    assert problem in line


def test_placements_that_name_a_bundle_in_the_folder_pass(flags: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "placements.toml"
    file.write_text(f'[placements.home]\nbundle_id = "{BUNDLE_ID}"\n')
    assert examined(flags | {"placements": file})[0]


def test_a_data_folder_that_is_a_file_is_a_problem(flags: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    healthy, lines = examined(flags | {"data_dir": tmp_path / "file" / "data"})
    assert not healthy
    assert "is not a folder: set data_dir" in lines["data folder"]
    assert lines["redis"].startswith("PROBLEM")  # a private one cannot start without its folder


def test_a_data_folder_that_another_service_uses_is_a_problem(flags: dict[str, object], tmp_path: Path) -> None:
    service = ServiceProcess(STORED_BUNDLE, tmp_path / "data")
    try:
        name, line = only_problem(flags)
    finally:
        service.kill()
    assert name == "redis"
    assert "in use by another recsvc" in line


def test_a_named_redis_that_keeps_all_keys_passes(flags: dict[str, object], redis_server: RedisServer) -> None:
    healthy, lines = examined(flags | {"redis_url": redis_server.url})
    assert healthy
    assert "the named Redis answers in" in lines["redis"]
    assert "maxmemory-policy noeviction" in lines["redis memory"]
    assert "not needed" in lines["data folder"]


def test_a_redis_that_does_not_answer_is_a_problem_without_its_password(flags: dict[str, object]) -> None:
    name, line = only_problem(flags | {"redis_url": "redis://:s3cret@127.0.0.1:1"})
    assert name == "redis"
    assert "correct redis_url" in line
    assert "s3cret" not in line


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("setting", ["port", "metrics_port"])
def test_a_port_that_is_taken_is_a_problem(flags: dict[str, object], taken_port: int, setting: str) -> None:
    name, line = only_problem(flags | {setting: taken_port})
    assert name == setting
    assert f"cannot listen on 127.0.0.1:{taken_port}" in line


def test_a_host_that_is_no_name_is_a_problem(flags: dict[str, object]) -> None:
    _, lines = examined(
        flags | {"host": "a..b", "port": 50_999, "metrics_port": -1, "insecure_off_loopback": "yes-i-know"}
    )
    assert "cannot listen on a..b" in lines["port"]
    assert "set host to an address of this machine" in lines["port"]


def test_a_file_of_synonyms_that_is_not_there_is_a_problem(flags: dict[str, object], tmp_path: Path) -> None:
    name, line = only_problem(flags | {"synonyms": tmp_path / "none.txt"})
    assert name == "synonyms"
    assert "none.txt" in line
