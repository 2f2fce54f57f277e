"""What the peers behind FastAPI share: the item of their answers, and uvicorn on a free port."""

import socket

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

KEEP_ALIVE_SECONDS = 600  # no connection is closed while load is measured


class Item(BaseModel):
    """An item of a list, best first."""

    item_id: str
    score: float


def serve(app: FastAPI) -> None:
    """Prints a port of this machine and serves on it, in this process, until it is stopped."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201  its caller reads it
    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_keep_alive=KEEP_ALIVE_SECONDS, lifespan="off"
    )
    uvicorn.Server(settings).run(sockets=[listener])
