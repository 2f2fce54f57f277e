"""Opens an example shop beside a running service: `python -m deploy.storefront --service HOST:PORT --items FILE`."""

import argparse
import contextlib
import datetime as dt
import logging
import socket
import sys
from pathlib import Path

try:
    import jinja2  # noqa: F401
    import pyarrow  # noqa: F401, ICN001  only its presence is checked
    import starlette  # noqa: F401
    import uvicorn
except ModuleNotFoundError as missing:
    sys.exit(f"error: the shop needs {missing.name}; pip install 'recsvc[storefront]' brings it")

from deploy.storefront.app import make_app
from deploy.storefront.catalogue import ID_LENGTH, CatalogueError, read_catalogue
from deploy.storefront.connection import ConnectionFilesError, add_flags, connection_of
from deploy.storefront.recommender import LIST_SECONDS, Clock
from deploy.storefront.shop import Shopper

STOP_SECONDS = 3  # how long a stopping shop waits for unfinished pages


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.storefront", description=__doc__)
    add_flags(parser)
    parser.add_argument("--items", type=Path, required=True, help="the shop's items table, .parquet or .csv")
    parser.add_argument(
        *("--shopper", "-s"),
        action="append",
        default=[],
        type=_shopper,
        metavar="ID[=NAME]",
        help="a customer who can be chosen by name; may be repeated; a new browser starts as the first",
    )
    parser.add_argument(
        "--clock",
        type=_moment,
        metavar="TIME",
        help="the time in the shop now, such as 2025-07-01T12:00Z, for tables that end in the past",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; nobody logs in, so keep it private [127.0.0.1]",
    )
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on; 0 takes any free one [8000]")
    parser.add_argument(
        "--patience",
        type=float,
        default=LIST_SECONDS,
        metavar="SECONDS",
        help=f"how long a page waits for its lists before it is shown without them [{LIST_SECONDS}]",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    try:
        connection = connection_of(options)
        catalogue = read_catalogue(options.items)
        listening = socket.create_server((options.host, options.port))
    except (CatalogueError, ConnectionFilesError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  a command prints
        return 1
    except OSError as error:
        message = f"error: cannot listen on {options.host}:{options.port}: {error.strerror}; choose another --port"
        print(message, file=sys.stderr)  # noqa: T201
        return 1
    hosts = ("127.0.0.1", "localhost", *((options.host,) if options.host != "0.0.0.0" else ("*",)))  # noqa: S104  compared, not bound
    app = make_app(connection, catalogue, tuple(options.shopper), options.clock, options.patience, hosts)
    print(f"The shop is open at http://{options.host}:{listening.getsockname()[1]}/", flush=True)  # noqa: T201
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=STOP_SECONDS
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _shopper(text: str) -> Shopper:
    user_id, _, name = text.partition("=")
    if not 0 < len(user_id) <= ID_LENGTH or not user_id.isprintable():
        raise argparse.ArgumentTypeError(f"an id has 1 to {ID_LENGTH} characters and no control characters")
    return Shopper(user_id, name or user_id)


def _moment(text: str) -> Clock:
    """A clock that shows this time now, and goes on from there."""
    try:
        start = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    start = start if start.tzinfo else start.replace(tzinfo=dt.UTC)
    behind = dt.datetime.now(dt.UTC) - start
    return lambda: dt.datetime.now(dt.UTC) - behind


if __name__ == "__main__":
    sys.exit(main())
