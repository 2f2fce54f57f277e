"""`recsvc serve --workers N` as far as no worker has to load a bundle. tests/faults has the rest: workers_*.py."""

import json
import logging
import socket
from pathlib import Path

import pytest
import structlog

from recsvc import workers
from recsvc.errors import SettingsError
from recsvc.runtime import process_name
from recsvc.runtime.logs import configure_logs
from recsvc.settings import Settings


async def test_a_port_that_is_taken_is_told_before_a_worker_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(bundle=tmp_path, data_dir=tmp_path, port=port, metrics_port=0, workers=2)
        with pytest.raises(SettingsError, match=f"port: cannot listen on 127.0.0.1:{port}; is it in use"):
            await workers.supervise(settings, {}, 2)


async def test_a_metrics_port_that_is_taken_is_told_before_a_worker_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(bundle=tmp_path, data_dir=tmp_path, port=0, metrics_port=port, workers=2)
        with pytest.raises(SettingsError, match=f"metrics_port: cannot listen on port {port}"):
            await workers.supervise(settings, {}, 2)


async def test_workers_off_loopback_need_tls_and_keys_as_one_process_does(tmp_path):
    settings = Settings(bundle=tmp_path, data_dir=tmp_path, port=0, metrics_host="::", workers=2)
    with pytest.raises(SettingsError, match="metrics_host: :: can be reached"):
        await workers.supervise(settings, {}, 2)


def test_a_worker_has_the_flags_of_its_supervisor_with_a_port_and_no_page_of_its_own():
    flags = {"bundle": "b", "port": "0", "metrics_port": "9", "workers": "4", "redis_url": "redis://me:s3cret@h"}
    kept = ["--bundle=b", "--port=4321", "--metrics-port=-1", "--workers=1", "--reuse-port=true"]
    assert workers.worker_flags(flags, 4321) == kept


def test_a_worker_gets_the_url_of_redis_and_its_number_of_threads_as_variables(monkeypatch):
    monkeypatch.setenv("RECSVC_REDIS_URL", "redis://other")
    monkeypatch.setenv("MKL_NUM_THREADS", "3")  # the operator's own
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    environment = workers.worker_environment(Settings(bundle=Path("b"), search_threads=2), "redis://me:s3cret@h")
    assert environment["RECSVC_REDIS_URL"] == "redis://me:s3cret@h"
    assert (environment["OMP_NUM_THREADS"], environment["MKL_NUM_THREADS"]) == ("2", "3")


def test_each_line_of_a_worker_has_its_number(capsys):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logs("info", "json", 3)
        structlog.get_logger("recsvc.test").info("ours")
        logging.getLogger("library").warning("of a library")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["worker"]) for line in lines] == [("ours", 3), ("of a library", 3)]


def test_the_name_of_a_process_has_the_number_of_its_worker(monkeypatch):
    monkeypatch.setattr(process_name, "_worker", "")
    alone = process_name.process_name()
    process_name.name_worker(2)
    assert process_name.process_name() == f"{alone}:worker-2"
