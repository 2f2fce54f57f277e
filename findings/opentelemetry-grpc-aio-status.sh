#!/usr/bin/env bash
# Expected: the span of a gRPC handler that raised has an error status, and the status code that the caller got.
# Seen: the caller gets UNKNOWN (2), but the span has `rpc.grpc.status_code` 0 (OK) and no error status. `context.abort`
#   is recorded correctly. opentelemetry-instrumentation-grpc 0.66b2 (aio server interceptor), grpcio 1.85.1.
# Matters: error rates and alerts from spans stay at zero while a bug fails every list. Turn exceptions into
#   `context.abort` below this interceptor, or count the errors elsewhere.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  opentelemetry-instrumentation-grpc==0.66b2 opentelemetry-sdk==1.45.2 grpcio==1.85.1
venv/bin/python -I - 2>log <<'PYTHON' || { tail -3 log >&2; exit 1; }
import asyncio
import sys
from importlib.metadata import version

import grpc
from opentelemetry.instrumentation.grpc import aio_server_interceptor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))


async def raises(request, context):
    raise KeyError("no such item")


async def aborts(request, context):
    await context.abort(grpc.StatusCode.INTERNAL, "no such item")


async def main():
    server = grpc.aio.server(interceptors=[aio_server_interceptor(tracer_provider=provider)])
    handlers = {f.__name__: grpc.unary_unary_rpc_method_handler(f) for f in (raises, aborts)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Shop", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    seen = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for name in handlers:
            exporter.clear()
            try:
                await channel.unary_unary(f"/Shop/{name}")(b"")
            except grpc.RpcError as error:
                (span,) = exporter.get_finished_spans()
                code = span.attributes["rpc.grpc.status_code"]
                seen.append((name, error.code().name, code, span.status.status_code.name))
    await server.stop(None)
    return seen


print(", ".join(f"{name} {version(name)}" for name in ("opentelemetry-instrumentation-grpc", "grpcio")))
seen = asyncio.run(main())
for name, caller, code, status in seen:
    print(f"  {name}: the caller got {caller}, the span has rpc.grpc.status_code {code} and status {status}")
if seen != [("raises", "UNKNOWN", 0, "UNSET"), ("aborts", "INTERNAL", 13, "ERROR")]:
    sys.exit("another behaviour")
PYTHON
