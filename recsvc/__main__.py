"""The command line of recsvc: `recsvc --help` lists its commands.

A command that cannot run prints one line on standard error and exits with 2.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# numpy and torch read these when they are loaded, so they are set before the imports below. The products of one request
# are too small to share. With BLAS threads the evidence of a page took ten times the processor time, and threads that
# spin while they wait took the rest.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pydantic_settings import BaseSettings

from recsvc import __version__
from recsvc.access.keys import key_lines, new_key
from recsvc.access.scopes import Scope
from recsvc.channel import ClientSettings, add_client_flags, client_settings
from recsvc.errors import RecsvcError, SettingsError, WorkersFailing
from recsvc.runtime.logs import configure_logs
from recsvc.settings import BackupSettings, Settings, WorkerSettings, load_settings

_EXIT_PROBLEM = 1  # `doctor` found a problem
_EXIT_CRASHED = 1  # `serve`: as an error that nobody foresaw
_EXIT_UNUSABLE = 2  # as argparse: the arguments or settings cannot be used
_MAX_KEY_DAYS = 3_650
_BACKUP_FLAGS = ("redis_url", "namespace")  # the other settings of Redis are variables
_DEFAULT_TARGET = f"127.0.0.1:{Settings.model_fields['port'].default}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    flags = vars(_parser().parse_args(arguments))
    command = flags.pop("command")
    try:
        code = int(command(flags))
        sys.stdout.flush()
    except BrokenPipeError:  # who reads the output, such as `head`, has ended; Python writes the rest at its own end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_PROBLEM
    except RecsvcError as error:
        sys.stderr.write(f"recsvc: {' '.join(str(error).split())}\n")
        return _EXIT_CRASHED if isinstance(error, WorkersFailing) else _EXIT_UNUSABLE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recsvc", description="Personalised recommendations over gRPC.")
    parser.add_argument("--version", action="version", version=f"recsvc {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = _add_command(
        commands,
        "serve",
        _serve,
        "serve a bundle",
        "Serves a bundle until SIGTERM. Each flag can also be set as an environment variable: --port as RECSVC_PORT. "
        "A flag goes first. Defaults are in brackets.",
        Settings,
    )
    serve.add_argument("--supervised", help=argparse.SUPPRESS)  # by the supervisor alone: number and link of a worker
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
    _add_service_flags(explain)
    explain.add_argument("--placement", default="", metavar="NAME", help="placement of the list; none by default")
    explain.add_argument("-k", type=int, default=10, metavar="N", help="length of the list [%(default)s]")
    key = commands.add_parser("key", help="make an API key", description="Makes API keys.")
    key_commands = key.add_subparsers(required=True, metavar="COMMAND")
    new = _add_command(
        key_commands,
        "new",
        _new_key,
        "make an API key",
        "Makes an API key. Prints the key on standard error, once and nowhere else, and its lines for the file of "
        "keys on standard output: they have its hash only.",
    )
    new.add_argument("--id", dest="key_id", required=True, metavar="ID", help="name of its holder, such as storefront")
    new.add_argument("--scopes", required=True, metavar="LIST", help=f"commas between them: {', '.join(Scope)}")
    new.add_argument("--days", type=int, metavar="N", help="days until it expires; without it, it does not")
    new.add_argument("--requests-per-second", type=float, metavar="N", help="most calls a second")
    new.add_argument("--concurrent", type=int, metavar="N", help="most calls at the same time")
    bundles = _add_command(
        commands,
        "bundles",
        _bundles,
        "list the bundles of a service, and change which of them answers",
        "Asks a running service. Prints its bundles, newest first, and its processes. One change can be made before.",
    )
    _add_service_flags(bundles)
    bundles.add_argument("--load", default="", metavar="ID", help="read this bundle into memory, to make a switch fast")
    bundles.add_argument("--activate", default="", metavar="ID", help="answer with this bundle, in every process")
    bundles.add_argument("--roll-back", action="store_true", help="answer with the bundle before the active one")
    convert = _add_command(
        bundles.add_subparsers(metavar="COMMAND"),
        "convert",
        _convert_bundle,
        "convert a bundle of an earlier format",
        "Converts a bundle of format 6 or 7, or adds to one of format 8 what makes it load fast. Prints the id.",
    )
    convert.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the bundle, which is replaced")
    convert.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write it into this new folder, and keep the old one"
    )
    _add_command(
        commands,
        "doctor",
        _doctor,
        "check that a service can start here",
        "Takes the flags of serve, and checks what serve needs: settings, placements, bundle, text encoder, data "
        "folder, certificates, keys, tokens, Redis, ports. Prints OK, WARNING or PROBLEM for each, with the remedy. "
        "Exits with 1 after a problem.",
        Settings,
    )
    backup = _add_command(
        commands,
        "backup",
        _backup,
        "copy a namespace of Redis into a file",
        "Writes all keys of a namespace into a new file, with a checksum. The service may run meanwhile.",
        BackupSettings,
        only=_BACKUP_FLAGS,
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="the backup")
    restore = _add_command(
        commands,
        "restore",
        _restore,
        "copy a backup into Redis",
        "Checks a file of recsvc backup and writes its keys into an empty namespace. Stop all processes first.",
        BackupSettings,
        only=_BACKUP_FLAGS,
    )
    restore.add_argument("file", type=Path, metavar="FILE", help="the backup")
    restore.add_argument(
        "--replace",
        action="store_true",
        default=False,
        help="remove the keys that the namespace has, instead of refusing",
    )
    return parser


def _add_service_flags(command: argparse.ArgumentParser) -> None:
    """Adds the flags of a command that calls a running service."""
    command.add_argument(
        "--target", default=_DEFAULT_TARGET, metavar="HOST:PORT", help="address of the service [%(default)s]"
    )
    add_client_flags(command)


def _add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[dict[str, Any]], int],
    summary: str,
    description: str,
    settings: type[BaseSettings] | None = None,
    *,
    only: Container[str] | None = None,
) -> argparse.ArgumentParser:
    """Adds a command, with a flag for each of its settings, or for some only."""
    command = commands.add_parser(
        name, help=summary, description=description, argument_default=argparse.SUPPRESS if settings else None
    )
    command.set_defaults(command=run)
    for setting, field in (settings.model_fields if settings else {}).items():
        if only is not None and setting not in only:
            continue
        flags = [f"--{setting.replace('_', '-')}"]
        if setting == "redis_url":
            flags.append("--redis")
        has_default = not field.is_required() and field.default_factory is None and field.default not in (None, "")
        text = f"{field.description} [{field.default}]" if has_default else field.description
        command.add_argument(*flags, dest=setting, metavar="VALUE", help=text)
    return command


# Each command imports what it needs: torch and gRPC take seconds to load, and --help or a bad flag needs neither.


def _serve(flags: dict[str, Any]) -> int:
    from recsvc.serve_command import run_service  # noqa: PLC0415 - see above

    return run_service(flags, _EXIT_UNUSABLE)


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

    sys.stdout.write(explain_user(**_with_client(flags)))
    return 0


def _new_key(flags: dict[str, Any]) -> int:
    days, scopes = flags.pop("days"), flags.pop("scopes").split(",")
    if days is not None and not 0 < days <= _MAX_KEY_DAYS:
        raise SettingsError(f"--days must be 1 to {_MAX_KEY_DAYS}")
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    key = new_key()
    lines = key_lines(key, flags.pop("key_id"), [scope.strip() for scope in scopes], expires=expires, **flags)
    # Lines before the key: with `>> keys.toml` that cannot be written, no key is shown that does not work.
    sys.stdout.write(lines)
    sys.stdout.flush()
    sys.stderr.write(f"The key, which is shown only now:\n{key}\n")
    return 0


def _with_client(flags: dict[str, Any]) -> dict[str, Any]:
    """The flags of a command that calls a service, with those of the connection as one value."""
    request = {name: value for name, value in flags.items() if name not in ClientSettings.model_fields}
    return {**request, "client": client_settings(flags)}


def _bundles(flags: dict[str, Any]) -> int:
    from recsvc.diagnostics.manage_bundles import manage_bundles  # noqa: PLC0415 - see above

    sys.stdout.write(manage_bundles(**_with_client(flags)))
    return 0


def _convert_bundle(flags: dict[str, Any]) -> int:
    from recsvc.model.bundle_conversion import convert  # noqa: PLC0415 - see above

    sys.stdout.write(f"{flags['to'] or flags['folder']} is bundle {convert(flags['folder'], flags['to'])}\n")
    return 0


def _doctor(flags: dict[str, Any]) -> int:
    configure_logs("error", "console")
    from recsvc.diagnostics.doctor import examine  # noqa: PLC0415 - see above

    return 0 if examine(flags, sys.stdout.write) else _EXIT_PROBLEM


def _backup(flags: dict[str, Any]) -> int:
    from recsvc.diagnostics.backup_command import back_up  # noqa: PLC0415 - see above

    file = flags.pop("file")
    sys.stdout.write(back_up(load_settings(flags, BackupSettings), file))
    return 0


def _restore(flags: dict[str, Any]) -> int:
    from recsvc.diagnostics.backup_command import restore  # noqa: PLC0415 - see above

    file, replace = flags.pop("file"), flags.pop("replace")
    sys.stdout.write(restore(load_settings(flags, BackupSettings), file, replace=replace))
    return 0


if __name__ == "__main__":
    sys.exit(main())
