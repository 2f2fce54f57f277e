"""implicit's own `recommend` behind FastAPI and uvicorn, in one process.

    python -m tests.benchmarks.peer_servers.implicit_http FOLDER

Prints its port. FOLDER has what `tests.benchmarks.peer_files` writes.
"""

import json
import sys
from pathlib import Path

import scipy.sparse as sp
from fastapi import FastAPI, HTTPException
from implicit.cpu.als import AlternatingLeastSquares

from tests.benchmarks.peer_servers.http import Item, serve


def app(folder: Path) -> FastAPI:
    """Serves the model of the folder. A list leaves out what its user had bought when the model was trained."""
    model = AlternatingLeastSquares.load(str(folder / "als.npz"))
    purchases = sp.load_npz(folder / "purchases.npz")
    item_ids = json.loads((folder / "item_ids.json").read_text(encoding="utf-8"))
    user_ids = json.loads((folder / "user_ids.json").read_text(encoding="utf-8"))
    user_rows = {user_id: row for row, user_id in enumerate(user_ids)}
    application = FastAPI()

    # On the event loop: a search takes one core, and the server has one.
    @application.get("/users/{user_id}/items")
    async def recommend(user_id: str, k: int) -> list[Item]:
        row = user_rows.get(user_id)
        if row is None:
            raise HTTPException(404, "no such user")
        rows, scores = model.recommend(row, purchases[row], N=k)
        return [
            Item(item_id=item_ids[row], score=score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
        ]

    return application


if __name__ == "__main__":
    serve(app(Path(sys.argv[1])))
