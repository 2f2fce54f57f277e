"""Runs a command that measures something, in one shape: an error in one line, figures as JSON, an exit code."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from recsvc.errors import RecsvcError

FAILED = 1
CHECKS_FAILED = 3


def run_command(
    run: Callable[[Console], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
    *,
    json_file: Path | None,
    refusal: str = "",
) -> int:
    """Measures, writes the figures, shows them, and says which checks failed.

    Args:
        run: Measures, printing its progress to the console. A list "gates" in its result names the failed checks.
        show: Prints the result and writes its report.
        json_file: Where to write the result as JSON, if anywhere.
        refusal: What a failed check means, such as "not to be used". Printed to stderr before each of them.

    Returns:
        The exit code: 0, `FAILED` after an error, `CHECKS_FAILED` if a check failed.
    """
    try:
        result = run(Console(stderr=True))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    if json_file is not None:
        text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
        json_file.write_text(f"{text}\n", encoding="utf-8")
    show(result)
    failed_checks = result.get("gates", [])
    for check in failed_checks:
        print(f"{refusal}: {check}", file=sys.stderr)
    return CHECKS_FAILED if failed_checks else 0
