#!/usr/bin/env bash
# Expected: `await server.stop(grace)` answers a call that it does not take with UNAVAILABLE, so the client retries
#   elsewhere.
# Seen: calls that wait in gRPC's core while the event loop is busy get CANCELLED, even within the grace. Their handlers
#   never ran. Usual retry policies do not retry CANCELLED: it means that the caller left. grpcio 1.85.1 (grpc.aio).
# Matters: ranking is processor work, so calls wait whenever a busy replica is replaced, and each deployment loses
#   lists. Report NOT_SERVING first, and stop when the balancer sends no more calls.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.1
venv/bin/python -I - <<'PYTHON'
import asyncio
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc

CALLS = 12
started = 0


async def rank(request, context):
    global started
    started += 1
    time.sleep(0.2)  # processor work: the event loop takes no other call
    return b"a list"


def call(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            channel.unary_unary("/Shop/Recommend")(b"", timeout=20)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"


async def main():
    server = grpc.aio.server()
    handlers = {"Recommend": grpc.unary_unary_rpc_method_handler(rank)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Shop", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(CALLS) as clients:
        calls = [loop.run_in_executor(clients, call, port) for _ in range(CALLS)]
        while started < 3:
            await asyncio.sleep(0.01)
        await server.stop(grace=10)
        return Counter(await asyncio.gather(*calls))


statuses = asyncio.run(main())
print(f"grpcio {grpc.__version__}: {CALLS} calls, {started} handlers ran, statuses {dict(statuses)}")
if set(statuses) != {"OK", "CANCELLED"} or statuses["OK"] != started:
    sys.exit("another behaviour: expected OK for each handler that ran, and CANCELLED for the rest")
PYTHON
