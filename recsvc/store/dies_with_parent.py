"""Replaces this process with a command that the kernel kills when the parent dies: `this.py PARENT_PID COMMAND...`.

It is a program and not a preexec_fn, which would run Python in a fork of a process with many threads (gRPC, torch) and
can deadlock. On other systems than Linux the command outlives a parent that is killed.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Asks the kernel for SIGTERM at the parent's end, then becomes the command."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have ended before the call above.
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  the command comes from recsvc.store.embedded alone


if __name__ == "__main__":
    main()
