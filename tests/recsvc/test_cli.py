"""The command line as an operator sees it: a process, its exit code, its output."""

import json
import os
import subprocess
import sys

import pytest

from recsvc import __version__
from recsvc.__main__ import main
from recsvc.settings import Settings


def recsvc(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RECSVC_")}
    return subprocess.run(
        [sys.executable, "-m", "recsvc", *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_printed():
    done = recsvc("--version")
    assert (done.returncode, done.stdout) == (0, f"recsvc {__version__}\n")


def test_a_call_without_a_command_is_a_usage_error():
    done = recsvc()
    assert done.returncode == 2
    assert "usage: recsvc" in done.stderr


def test_bad_settings_are_one_line_and_no_traceback():
    done = recsvc("serve", "--port", "x", RECSVC_HOST="redis://me:s3cret@host")
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("recsvc: bundle (RECSVC_BUNDLE): ")
    assert "host (RECSVC_HOST)" in line
    assert "port (RECSVC_PORT)" in line
    assert "s3cret" not in line


def test_a_missing_bundle_is_one_clear_line(tmp_path):
    missing = tmp_path / "no-such-bundle"
    done = recsvc("serve", "--bundle", str(missing), "--data-dir", str(tmp_path / "data"), "--metrics-port", "-1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("recsvc: ")]
    assert "no-such-bundle" in line


def test_a_wrong_synonyms_file_is_one_clear_line(tmp_path):
    synonyms = tmp_path / "synonyms.txt"
    synonyms.write_text("sofa, couch\nsettee\n")
    refused = recsvc("serve", "--bundle", str(tmp_path), "--data-dir", str(tmp_path), "--synonyms", str(synonyms))
    assert refused.returncode == 2
    [line] = refused.stderr.splitlines()
    assert f"{synonyms}, line 2: must have two or more" in line


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_every_setting_has_a_flag_with_help(capsys, command):
    with pytest.raises(SystemExit) as done:
        main([command, "--help"])
    assert done.value.code == 0
    shown = capsys.readouterr().out
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')} " in shown


def test_a_negative_number_is_read_as_the_value_of_a_flag(capsys):
    assert main(["serve", "--bundle", "b", "--redis", "redis://h", "--metrics-port", "-1", "--log-level", "loud"]) == 2
    problem = capsys.readouterr().err
    assert problem.startswith("recsvc: log_level (RECSVC_LOG_LEVEL): ")
    assert len(problem.splitlines()) == 1
    assert "RECSVC_M" not in problem


def test_an_unusable_redis_url_is_one_line_without_the_password(tmp_path):
    done = recsvc("serve", "--bundle", str(tmp_path), RECSVC_REDIS_URL="ftp://me:s3cret@host")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("recsvc: ")]) == 1
    assert "s3cret" not in done.stderr


def test_json_logs_are_one_object_a_line_without_local_variables():
    script = """
import logging, structlog
from recsvc.runtime.logs import configure_logs
configure_logs("info", "json")
log = structlog.get_logger("recsvc.test")
log.debug("unheard")
log.info("serving", port=50051, name="茶")
logging.getLogger("redis").warning("away %d", 3)
def fail(secret):
    raise RuntimeError("boom")
try:
    fail("s3cret")
except RuntimeError:
    log.exception("call_failed")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    serving, redis, failed = (json.loads(line) for line in done.stderr.splitlines())
    assert (serving["event"], serving["port"], serving["name"], serving["level"]) == ("serving", 50051, "茶", "info")
    assert (redis["event"], redis["logger"], redis["level"]) == ("away 3", "redis", "warning")
    assert "RuntimeError: boom" in failed["exception"]
    assert "in fail" in failed["exception"]
    assert done.stdout == ""
