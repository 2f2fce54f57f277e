"""The command line: `recsvc serve`, `reason-worker`, `inspect`, `explain`, `bundles` and `doctor`.

A command that cannot run prints one line on standard error and exits with 2.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# numpy and torch read these when they are loaded, so they are set before the imports below. The products of one request
# are too small to share. With BLAS threads the evidence of a page took ten times the processor time, and threads that
# spin while they wait took the rest.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pydantic_settings import BaseSettings

from recsvc import __version__
from recsvc.errors import RecsvcError
from recsvc.runtime.logs import configure_logs
from recsvc.settings import Settings, WorkerSettings, load_settings

_EXIT_PROBLEM = 1  # `doctor` found a problem
_EXIT_UNUSABLE = 2  # as argparse: the arguments or settings cannot be used
_DEFAULT_TARGET = f"127.0.0.1:{Settings.model_fields['port'].default}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    flags = vars(_parser().parse_args(arguments))
    command = flags.pop("command")
    try:
        return int(command(flags))
    except RecsvcError as error:
        sys.stderr.write(f"recsvc: {' '.join(str(error).split())}\n")
        return _EXIT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recsvc", description="Personalised recommendations over gRPC.")
    parser.add_argument("--version", action="version", version=f"recsvc {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_command(
        commands,
        "serve",
        _serve,
        "serve a bundle",
        "Serves a bundle until SIGTERM. Each flag can also be set as an environment variable: --port as RECSVC_PORT. "
        "A flag goes first. Defaults are in brackets.",
        Settings,
    )
    _add_command(
        commands,
        "reason-worker",
        _reason_worker,
        "let a language model write wordings in advance",
        "Has a language model write the patterns that servers of the same Redis and reason settings are missing. Each "
        "is verified. Runs until SIGTERM. No list waits for it.",
        WorkerSettings,
    )
    inspect = _add_command(
        commands,
        "inspect",
        _inspect,
        "show what is in a bundle",
        "Verifies a bundle and shows its manifest: data, blocks with widths and weights, files, evaluation.",
    )
    inspect.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle")
    explain = _add_command(
        commands,
        "explain",
        _explain,
        "show why a user gets a list, or why an item is not in it",
        "Asks a running service. Without --item: the list of a user with reasons and evidence. With --item: where the "
        "item stands in that list, and what keeps it out.",
    )
    explain.add_argument("user_id", metavar="USER", help="id of the user")
    explain.add_argument("--item", dest="item_id", default="", metavar="ITEM", help="id of an item")
    explain.add_argument(
        "--target", default=_DEFAULT_TARGET, metavar="HOST:PORT", help="address of the service [%(default)s]"
    )
    explain.add_argument("--placement", default="", metavar="NAME", help="placement of the list; none by default")
    explain.add_argument("-k", type=int, default=10, metavar="N", help="length of the list [%(default)s]")
    bundles = _add_command(
        commands,
        "bundles",
        _bundles,
        "list the bundles of a service, and change which of them answers",
        "Asks a running service. Prints its bundles, newest first, and its processes. One change can be made before.",
    )
    bundles.add_argument(
        "--target", default=_DEFAULT_TARGET, metavar="HOST:PORT", help="address of the service [%(default)s]"
    )
    bundles.add_argument("--load", default="", metavar="ID", help="read this bundle into memory, to make a switch fast")
    bundles.add_argument("--activate", default="", metavar="ID", help="answer with this bundle, in every process")
    bundles.add_argument("--roll-back", action="store_true", help="answer with the bundle before the active one")
    _add_command(
        commands,
        "doctor",
        _doctor,
        "check that a service can start here",
        "Takes the flags of serve, and checks what serve needs: settings, placements, bundle, text encoder, data "
        "folder, Redis, ports. Prints OK or PROBLEM for each. Exits with 1 after a problem.",
        Settings,
    )
    return parser


def _add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[dict[str, Any]], int],
    summary: str,
    description: str,
    settings: type[BaseSettings] | None = None,
) -> argparse.ArgumentParser:
    """Adds a command, with a flag for each of its settings."""
    command = commands.add_parser(
        name, help=summary, description=description, argument_default=argparse.SUPPRESS if settings else None
    )
    command.set_defaults(command=run)
    for setting, field in (settings.model_fields if settings else {}).items():
        flags = [f"--{setting.replace('_', '-')}"]
        if setting == "redis_url":
            flags.append("--redis")
        has_default = not field.is_required() and field.default_factory is None and field.default not in (None, "")
        text = f"{field.description} [{field.default}]" if has_default else field.description
        command.add_argument(*flags, dest=setting, metavar="VALUE", help=text)
    return command


# Each command imports what it needs: torch and gRPC take seconds to load, and --help or a bad flag needs neither.


def _serve(flags: dict[str, Any]) -> int:
    settings = load_settings(flags, Settings)
    configure_logs(settings.log_level, settings.log_format)
    from recsvc.runtime.event_loop import ServiceLoop  # noqa: PLC0415 - see above
    from recsvc.server import serve  # noqa: PLC0415 - see above

    with asyncio.Runner(loop_factory=ServiceLoop) as runner:
        runner.run(serve(settings))
    return 0


def _reason_worker(flags: dict[str, Any]) -> int:
    settings = load_settings(flags, WorkerSettings)
    configure_logs(settings.log_level, settings.log_format)
    from recsvc.reason_worker import work  # noqa: PLC0415 - see above

    asyncio.run(work(settings))
    return 0


def _inspect(flags: dict[str, Any]) -> int:
    from recsvc.diagnostics.inspect_bundle import describe_bundle  # noqa: PLC0415 - see above

    sys.stdout.write(describe_bundle(flags["bundle"]))
    return 0


def _explain(flags: dict[str, Any]) -> int:
    from recsvc.diagnostics.explain_user import explain_user  # noqa: PLC0415 - see above

    sys.stdout.write(explain_user(**flags))
    return 0


def _bundles(flags: dict[str, Any]) -> int:
    from recsvc.diagnostics.manage_bundles import manage_bundles  # noqa: PLC0415 - see above

    sys.stdout.write(manage_bundles(**flags))
    return 0


def _doctor(flags: dict[str, Any]) -> int:
    configure_logs("error", "console")
    from recsvc.diagnostics.doctor import examine  # noqa: PLC0415 - see above

    return 0 if examine(flags, sys.stdout.write) else _EXIT_PROBLEM


if __name__ == "__main__":
    sys.exit(main())
