"""`recsvc serve`: one server process, a supervisor of several, or one of its workers."""

import asyncio
from typing import TYPE_CHECKING, Any

from recsvc.errors import RecsvcError
from recsvc.runtime.freed_memory import collect_garbage_seldom
from recsvc.runtime.logs import configure_logs
from recsvc.runtime.process_name import name_worker
from recsvc.settings import Settings, load_settings

if TYPE_CHECKING:
    from recsvc.runtime.worker_link import WorkerLink

# gRPC and torch are imported late: a bad setting needs neither, and a supervisor must not have them.


def run_service(flags: dict[str, Any], unusable_code: int) -> int:
    """Serves until SIGTERM, and returns the exit code.

    Args:
        flags: Settings from the command line, by name; and "supervised", which makes this process a worker.
        unusable_code: The exit code of a process that cannot be started with its settings.

    Raises:
        RecsvcError: It cannot be started. A worker tells its supervisor instead, which says it once for all of them.
    """
    supervised = flags.pop("supervised", None)
    if supervised is not None:
        return _serve_as_worker(flags, supervised, unusable_code)
    settings = load_settings(flags, Settings)
    configure_logs(settings.log_level, settings.log_format)
    if settings.workers == 1:
        _serve(settings)
    else:
        from recsvc.workers import supervise  # noqa: PLC0415 - see above

        asyncio.run(supervise(settings, flags, unusable_code))
    return 0


def _serve_as_worker(flags: dict[str, Any], supervised: str, unusable_code: int) -> int:
    from recsvc.runtime.worker_link import WorkerLink  # noqa: PLC0415 - a process without workers needs none

    link = WorkerLink.of_flag(supervised)
    try:
        settings = load_settings(flags, Settings)
        configure_logs(settings.log_level, settings.log_format, link.number)
        name_worker(link.number)
        _serve(settings, link)
    except RecsvcError as error:
        link.say_problem(str(error))
        return unusable_code
    return 0


def _serve(settings: Settings, link: "WorkerLink | None" = None) -> None:
    collect_garbage_seldom()  # before the imports, which make more objects than anything else
    from recsvc.runtime.event_loop import ServiceLoop  # noqa: PLC0415 - see above
    from recsvc.server import serve  # noqa: PLC0415 - see above

    with asyncio.Runner(loop_factory=ServiceLoop) as runner:
        runner.run(serve(settings, link))
