"""Measures how much memory of Redis a user takes: 50 events and a vector, as the service writes them.

python -m tests.benchmarks.memory
"""

import asyncio
import tempfile
from pathlib import Path

import numpy as np

from recsvc.domain.shop import Event, EventType
from recsvc.store import UserStore, keys, open_store

USERS, EVENTS = 500, 50
DIMS = (193, 251)  # of a vector without and with the lexical block, as in the shops of the README
MAX_BYTES, TARGET_BYTES = 3_072, 2_048


async def bytes_a_user(store: UserStore, dim: int) -> float:
    """The mean size of a user's record as Redis reports it, with its key and its tables."""
    rng = np.random.default_rng(0)
    total = 0
    for user in range(USERS):
        user_id = f"user-{dim}-{user:06}"
        events = [
            Event(f"{user_id}/{n}", user_id, f"item-{rng.integers(100_000):06}", EventType.PURCHASE, 10**15 + n)
            for n in range(EVENTS)
        ]
        versions = await store.write_events(events)
        vector = rng.standard_normal(dim).astype(np.float32)
        assert await store.put_user_vector(user_id, "0123456789abcdef", versions[user_id], EVENTS, vector)
        total += await store._client.execute_command(  # noqa: SLF001  no call of the store needs the size of a record
            "MEMORY", "USAGE", keys.user("bench", user_id), "SAMPLES", 0
        )
    return total / USERS


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(None, Path(folder), "bench", timeout_seconds=10) as store:
            for dim in DIMS:
                taken = await bytes_a_user(store, dim)
                bounds = f"limit {MAX_BYTES:,}, target {TARGET_BYTES:,}"
                text = f"{EVENTS} events and a vector of {dim}: {taken:,.0f} bytes ({bounds})"
                print(text)  # noqa: T201  a command prints


if __name__ == "__main__":
    asyncio.run(main())
