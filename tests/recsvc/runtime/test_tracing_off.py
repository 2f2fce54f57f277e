"""Without a collector nothing is traced, and nothing of OpenTelemetry is loaded."""

import subprocess
import sys

import pytest

from recsvc.errors import SettingsError
from recsvc.runtime import tracing


class NoContext:
    def invocation_metadata(self) -> None:
        raise AssertionError("the metadata of a call that is not traced is not read")

    def code(self) -> None:
        raise AssertionError("its status is not read")


def test_off_makes_no_spans_and_reads_nothing() -> None:
    with tracing.call_span("/a/b", NoContext()), tracing.redis_span("read"), tracing.span("search", k=1):
        assert tracing.trace_ids() == {}
    assert tracing.call_span("/a/b", NoContext()) is tracing.redis_span("read") is tracing.span("search")
    tracing.stop_tracing(0)


def test_the_module_loads_no_open_telemetry() -> None:
    code = (
        "import recsvc.runtime.tracing, sys; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_missing_extra_is_a_settings_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "recsvc.runtime.open_telemetry", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.context", None)
    with pytest.raises(SettingsError, match=r"trace_endpoint: .*pip install 'recsvc\[tracing\]'"):
        tracing.start_tracing("http://127.0.0.1:1/v1/traces", 1.0, version="test")
    assert tracing.trace_ids() == {}
