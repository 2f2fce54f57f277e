"""The command line: `recsvc serve --bundle DIR` and `recsvc reason-worker --reason-generator NAME`.

Exit code 2 and one line on standard error where one cannot start.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

# Read when numpy and torch are loaded, so before the imports below. One request's products are too small to share: with
# BLAS threads a page's evidence took ten times the processor time, and waiting threads that spin take the rest.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pydantic_settings import BaseSettings

from recsvc import __version__
from recsvc.errors import RecsvcError
from recsvc.runtime.logs import configure_logs
from recsvc.settings import Settings, WorkerSettings, load_settings

_EXIT_UNUSABLE = 2  # as argparse's own: nothing was wrong with the program, something with what it was given


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    given = vars(_parser().parse_args(arguments))
    command = given.pop("command")
    try:
        return int(command(given))
    except RecsvcError as error:
        print(f"recsvc: {error}", file=sys.stderr)
        return _EXIT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recsvc", description="Personalised recommendations over gRPC.")
    parser.add_argument("--version", action="version", version=f"recsvc {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="serve a bundle",
        description="Serves a bundle until SIGTERM. Each flag can be set as an environment variable instead: --port as "
        "RECSVC_PORT. Flags go first. Defaults are in brackets.",
        argument_default=argparse.SUPPRESS,
    )
    serve.set_defaults(command=_serve)
    _add_flags(serve, Settings)
    worker = commands.add_parser(
        "reason-worker",
        help="have a language model write reasons ahead",
        description="Has a language model write what servers of the same Redis and reason settings lack, verified, "
        "until SIGTERM. Lists never wait for it.",
        argument_default=argparse.SUPPRESS,
    )
    worker.set_defaults(command=_reason_worker)
    _add_flags(worker, WorkerSettings)
    return parser


def _add_flags(command: argparse.ArgumentParser, settings: type[BaseSettings]) -> None:
    for name, setting in settings.model_fields.items():
        flags = [f"--{name.replace('_', '-')}"]
        if name == "redis_url":
            flags.append("--redis")
        fixed = not setting.is_required() and setting.default_factory is None and setting.default not in (None, "")
        help_text = f"{setting.description} [{setting.default}]" if fixed else setting.description
        command.add_argument(*flags, dest=name, metavar="VALUE", help=help_text)


def _reason_worker(flags: dict[str, str]) -> int:
    settings = load_settings(flags, WorkerSettings)
    configure_logs(settings.log_level, settings.log_format)
    from recsvc.reason_worker import work  # noqa: PLC0415 - as below

    asyncio.run(work(settings))
    return 0


def _serve(flags: dict[str, str]) -> int:
    settings = load_settings(flags, Settings)
    configure_logs(settings.log_level, settings.log_format)
    from recsvc.server import serve  # noqa: PLC0415 - torch and grpc take seconds: --help and a bad flag need neither

    asyncio.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
