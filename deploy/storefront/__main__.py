"""`python -m deploy.storefront --service HOST:PORT --items FILE`: a shop in a browser, beside a service that runs."""

import argparse
import contextlib
import datetime as dt
import logging
import socket
import sys
from pathlib import Path

try:
    import jinja2  # noqa: F401
    import pyarrow  # noqa: F401
    import starlette  # noqa: F401
    import uvicorn
except ModuleNotFoundError as missing:
    sys.exit(f"error: the shop needs {missing.name}; pip install 'recsvc[storefront]' brings it")

from deploy.storefront.app import make_app
from deploy.storefront.catalogue import ID_LENGTH, CatalogueError, read_catalogue
from deploy.storefront.recommender import LIST_SECONDS, Clock
from deploy.storefront.shop import Shopper

STOP_SECONDS = 3  # a page that is still being made is waited for no longer


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.storefront", description=__doc__)
    parser.add_argument("--service", default="127.0.0.1:50051", help="where recsvc listens [127.0.0.1:50051]")
    parser.add_argument("--items", type=Path, required=True, help="the shop's items table, .parquet or .csv")
    parser.add_argument(
        *("--shopper", "-s"),
        action="append",
        default=[],
        type=_shopper,
        metavar="ID[=NAME]",
        help="a customer who can be chosen by name; may be repeated, and a new browser is the first",
    )
    parser.add_argument(
        "--clock",
        type=_moment,
        metavar="TIME",
        help="what time it is in the shop now, as 2025-07-01T12:00Z: for tables that end in the past",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen; nobody logs in, so mind who can come [127.0.0.1]"
    )
    parser.add_argument("--port", type=int, default=8000, help="0 takes any free one [8000]")
    parser.add_argument(
        "--patience",
        type=float,
        default=LIST_SECONDS,
        metavar="SECONDS",
        help=f"how long a page waits for its lists before it goes without them [{LIST_SECONDS}]",
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    try:
        catalogue = read_catalogue(given.items)
        listening = socket.create_server((given.host, given.port))
    except CatalogueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: cannot listen on {given.host}:{given.port}: {error.strerror}; --port takes another",
            file=sys.stderr,
        )
        return 1
    hosts = ("127.0.0.1", "localhost", *((given.host,) if given.host != "0.0.0.0" else ("*",)))  # noqa: S104
    app = make_app(given.service, catalogue, tuple(given.shopper), given.clock, given.patience, hosts)
    print(f"The shop is open at http://{given.host}:{listening.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=STOP_SECONDS
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _shopper(text: str) -> Shopper:
    user_id, _, name = text.partition("=")
    if not 0 < len(user_id) <= ID_LENGTH or not user_id.isprintable():
        raise argparse.ArgumentTypeError(f"an id has 1 to {ID_LENGTH} characters, none of them a control character")
    return Shopper(user_id, name or user_id)


def _moment(text: str) -> Clock:
    """A clock that shows this time now."""
    try:
        start = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    start = start if start.tzinfo else start.replace(tzinfo=dt.UTC)
    behind = dt.datetime.now(dt.UTC) - start
    return lambda: dt.datetime.now(dt.UTC) - behind


if __name__ == "__main__":
    sys.exit(main())
