"""Runs a command in its own process, which the kernel ends when the parent does: `this.py PARENT_PID COMMAND...`.

A program of its own and not a preexec_fn: that would run Python in a fork of a process full of threads (gRPC, torch),
where it can deadlock. Elsewhere than on Linux the command is run without the tie.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have gone before the tie was made.
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  the command comes from recsvc.store.embedded alone


if __name__ == "__main__":
    main()
