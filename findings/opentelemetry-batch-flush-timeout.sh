#!/usr/bin/env bash
# Expected: `force_flush(timeout_millis=500)` of a TracerProvider ends after half a second where the collector is away, and
#   returns False. So does the end of a process with `BatchSpanProcessor(export_timeout_millis=500)`.
# Seen: both take some seven seconds, all attempts of the exporter, and `force_flush` returns True although no span was
#   delivered. opentelemetry-sdk 1.45.2 with opentelemetry-exporter-otlp-proto-http 1.45.2: the batch processor uses
#   neither of the two times.
# Matters: a service that flushes its last spans at SIGTERM keeps its place for seconds longer than it promised, while the
#   collector restarts too, and reports success. Run the end in a thread and stop waiting yourself, or lower the
#   exporter's own `timeout`, which bounds all its attempts.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
venv/bin/python -I - <<'PYTHON'
import logging
import socket
import time
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

logging.disable(logging.CRITICAL)
with socket.socket() as closed:  # a port where nobody listens
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}/v1/traces")
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=500))
with provider.get_tracer("shop").start_as_current_span("Recommend"):
    pass
start = time.monotonic()
flushed = provider.force_flush(timeout_millis=500)
seconds = time.monotonic() - start
print(f"opentelemetry-sdk {version('opentelemetry-sdk')}")
print(f"force_flush(timeout_millis=500) returned {flushed} after {seconds:.1f} s")
assert flushed, "it says now that the spans were not delivered"
assert seconds > 2, "it keeps to its time now"
PYTHON
