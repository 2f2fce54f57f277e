"""Lists computed ahead of time, read from sorted sets of Redis behind FastAPI and uvicorn, as gorse has kept them.

    python -m tests.benchmarks.peer_servers.redis_http FOLDER REDIS_SOCKET

Writes the lists and prints its port. FOLDER has what `tests.benchmarks.peer_files` writes. A call computes nothing.
"""

import json
import sys
from pathlib import Path

import numpy as np
import redis
from fastapi import FastAPI, HTTPException
from redis.asyncio import Redis

from tests.benchmarks.peer_servers.http import Item, serve

LIST_LENGTH = 100  # of a user's list: the default of gorse
USERS_AT_ONCE = 100  # whose scores are in memory
_KEY = "recommend/{user_id}"


def fill(folder: Path, redis_socket: str) -> None:
    """Writes each user's best items into Redis, ranked by the vectors of the folder."""
    items, users = (np.load(folder / f"{name}_vectors.npy") for name in ("item", "user"))
    item_ids, user_ids = (json.loads((folder / f"{name}_ids.json").read_text("utf-8")) for name in ("item", "user"))
    length = min(LIST_LENGTH, len(item_ids))
    with redis.Redis(unix_socket_path=redis_socket) as client:
        for start in range(0, len(user_ids), USERS_AT_ONCE):
            scores = users[start : start + USERS_AT_ONCE] @ items.T
            best = np.argpartition(scores, -length, axis=1)[:, -length:]
            for user_id, rows, own in zip(user_ids[start : start + USERS_AT_ONCE], best, scores, strict=True):
                client.zadd(_KEY.format(user_id=user_id), {item_ids[row]: float(own[row]) for row in rows})


def app(redis_socket: str) -> FastAPI:
    """Serves the lists of the Redis that listens on a unix socket."""
    client = Redis(unix_socket_path=redis_socket, decode_responses=True)
    application = FastAPI()

    @application.get("/users/{user_id}/items")
    async def recommend(user_id: str, k: int) -> list[Item]:
        key = _KEY.format(user_id=user_id)
        best: list[tuple[str, float]] = await client.zrange(key, 0, k - 1, desc=True, withscores=True)  # type: ignore[assignment]
        if not best:
            raise HTTPException(404, "no such user")
        return [Item(item_id=item_id, score=score) for item_id, score in best]

    return application


if __name__ == "__main__":
    fill(Path(sys.argv[1]), sys.argv[2])
    serve(app(sys.argv[2]))
