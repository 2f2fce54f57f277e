#!/usr/bin/env bash
# Expected: `grpc.aio.server(maximum_concurrent_rpcs=20)` answers what is too much with RESOURCE_EXHAUSTED, as its
#   documentation says, so callers wait and try again.
# Seen: grpc.aio takes one call at a time from gRPC's core. While handlers compute, calls wait there and the limit never
#   acts. Beyond some thousand waiting calls the core answers CANCELLED by itself: no handler, interceptor or metric of
#   the server sees these calls, and usual retry policies do not retry CANCELLED. grpcio 1.85.1 (grpc.aio).
# Matters: a ranking service meets this on the day with the most visitors, and its own metrics say that all is well. Let
#   a proxy limit the calls in flight, or set the channel argument grpc.server.max_pending_requests and refuse them
#   yourself.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.1
cat > server.py <<'PYTHON'
import asyncio
import time

import grpc

handled = 0


async def rank(request, context):
    global handled
    handled += 1
    time.sleep(0.002)  # processor work
    return str(handled).encode()


async def main():
    server = grpc.aio.server(maximum_concurrent_rpcs=20)
    handlers = {"Recommend": grpc.unary_unary_rpc_method_handler(rank)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Shop", handlers),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
PYTHON
coproc SERVER { exec venv/bin/python -I server.py; }
read -r port <&"${SERVER[0]}"
trap 'kill "$SERVER_PID"; rm -rf "$folder"' EXIT
venv/bin/python -I - "$port" <<'PYTHON'
import asyncio
import sys
from collections import Counter

import grpc

CALLS = 6_000


async def main():
    async with grpc.aio.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
        recommend = channel.unary_unary("/Shop/Recommend")

        async def code():
            try:
                await recommend(b"", timeout=60)
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        codes = Counter(await asyncio.gather(*(code() for _ in range(CALLS))))
        return codes, int(await recommend(b"", timeout=60)) - 1


codes, handled = asyncio.run(main())
print(f"grpcio {grpc.__version__}: {CALLS} calls at once, statuses {dict(codes)}; the handler ran {handled} times")
if not codes["CANCELLED"]:
    sys.exit("changed: no call was answered with CANCELLED")
if codes["CANCELLED"] < codes["RESOURCE_EXHAUSTED"]:
    sys.exit("changed: most refusals are RESOURCE_EXHAUSTED")
PYTHON
