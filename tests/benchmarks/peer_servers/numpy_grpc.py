"""A grpc.aio server with numpy behind it: the product of a user vector with all item vectors, and the best items.

    python -m tests.benchmarks.peer_servers.numpy_grpc FOLDER

Prints its port. FOLDER has what `tests.benchmarks.peer_files` writes.
"""

import asyncio
import json
import sys
from pathlib import Path

import grpc
import numpy as np

from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import recommendation_pb2_grpc
from tests.benchmarks.bare_server import serve


class Servicer(recommendation_pb2_grpc.RecommendationServiceServicer):
    """Ranks all items for a user of the folder, one call after the other on the event loop."""

    def __init__(self, folder: Path) -> None:
        self._item_vectors = np.load(folder / "item_vectors.npy")
        self._user_vectors = np.load(folder / "user_vectors.npy")
        self._item_ids = json.loads((folder / "item_ids.json").read_text(encoding="utf-8"))
        user_ids = json.loads((folder / "user_ids.json").read_text(encoding="utf-8"))
        self._user_rows = {user_id: row for row, user_id in enumerate(user_ids)}

    async def Recommend(self, request, context):
        row = self._user_rows.get(request.user_id)
        if row is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such user")
        scores = self._item_vectors @ self._user_vectors[row]
        best = np.argpartition(scores, -request.k)[-request.k :]
        best = best[np.argsort(-scores[best])]
        recommendations = [
            pb.Recommendation(item_id=self._item_ids[row], score=score)
            for row, score in zip(best.tolist(), scores[best].tolist(), strict=True)
        ]
        return pb.RecommendResponse(recommendations=recommendations)


if __name__ == "__main__":
    asyncio.run(serve(Servicer(Path(sys.argv[1]))))
