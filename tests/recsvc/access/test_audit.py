"""The audit log: one JSON line a call, in a file that can be renamed, or in the log."""

import json
import queue
import shutil
import time
from functools import partial
from pathlib import Path

import pytest
import structlog
from prometheus_client import REGISTRY

from recsvc.access.audit import AuditLog, open_audit_log
from recsvc.errors import SettingsError

METHOD = "/recsvc.v1.UserService/DeleteUser"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_has_the_time_the_caller_the_method_the_outcome_and_the_trace(tmp_path):
    path = tmp_path / "audit.jsonl"
    with open_audit_log(path) as log:
        log.write("shop", METHOD, "OK", f"00-{TRACE}-00f067aa0ba902b7-01")
        log.write("", METHOD, "UNAUTHENTICATED")
    first, second = lines(path)
    assert first.pop("time").endswith("+00:00")
    assert first == {"caller": "shop", "method": METHOD, "outcome": "OK", "trace_id": TRACE}
    assert second.keys() == {"time", "caller", "method", "outcome"}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("traceparent", ["", "ann", f"00-{TRACE}", f"00-{TRACE.upper()}-00f067aa0ba902b7-01", "\n" * 9])
def test_a_trace_that_is_none_is_left_out(tmp_path, traceparent):
    with open_audit_log(tmp_path / "audit.jsonl") as log:
        log.write("shop", METHOD, "OK", traceparent)
    [line] = lines(tmp_path / "audit.jsonl")
    assert "trace_id" not in line


def test_a_renamed_file_is_made_again(tmp_path):
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.1"
    with open_audit_log(path) as log:
        log.write("a", METHOD, "OK")
        while not path.read_text():
            pass
        path.rename(old)
        log.write("b", METHOD, "OK")
    assert [line["caller"] for line in lines(old)] == ["a"]
    assert [line["caller"] for line in lines(path)] == ["b"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_continued_after_a_restart(tmp_path):
    for _ in range(2):
        with open_audit_log(tmp_path / "audit.jsonl") as log:
            log.write("a", METHOD, "OK")
    assert len(lines(tmp_path / "audit.jsonl")) == 2


def test_without_a_file_the_lines_are_in_the_log():
    with structlog.testing.capture_logs() as logged, open_audit_log(None) as log:
        log.write("shop", METHOD, "OK")
    assert logged == [{"event": "audit", "log_level": "info", "caller": "shop", "method": METHOD, "outcome": "OK"}]


def test_lines_that_cannot_be_written_are_counted_and_reported_once():
    before = REGISTRY.get_sample_value("recsvc_audit_lines_lost_total") or 0
    log = AuditLog(queue.Queue(1))
    with structlog.testing.capture_logs() as logged:
        for _ in range(4):
            log.write("shop", METHOD, "OK")
    assert REGISTRY.get_sample_value("recsvc_audit_lines_lost_total") == before + 3
    assert [line["event"] for line in logged] == ["audit_lines_lost"]


def test_a_file_that_cannot_be_written_is_an_error_at_the_start(tmp_path):
    with pytest.raises(SettingsError, match=r"^audit_log: cannot write"), open_audit_log(tmp_path / "no" / "audit"):
        pass


def test_a_full_disk_loses_lines_and_nothing_else(tmp_path):
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    before = REGISTRY.get_sample_value("recsvc_audit_lines_lost_total") or 0
    with open_audit_log(full) as log:
        log.write("shop", METHOD, "OK")
    assert REGISTRY.get_sample_value("recsvc_audit_lines_lost_total") == before + 1


def test_a_folder_that_goes_away_loses_its_lines_and_later_ones_are_written(tmp_path):
    folder, lost = tmp_path / "logs", partial(REGISTRY.get_sample_value, "recsvc_audit_lines_lost_total")
    folder.mkdir()
    before, end = lost(), time.monotonic() + 20
    with open_audit_log(folder / "audit.jsonl") as log:
        shutil.rmtree(folder)
        for caller in "ab":
            log.write(caller, METHOD, "OK")
        while lost() < before + 2:
            assert time.monotonic() < end
            time.sleep(0.005)
        folder.mkdir()
        log.write("c", METHOD, "OK")
    assert [line["caller"] for line in lines(folder / "audit.jsonl")] == ["c"]
    assert lost() == before + 2
