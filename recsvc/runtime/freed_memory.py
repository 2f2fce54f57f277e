"""Gives memory that was freed back to the system."""

import ctypes


def return_freed_memory() -> None:
    """Returns freed memory to the system, where the C library can (glibc).

    After a large computation glibc keeps what was freed, in case the process wants it again: some 200 MB after a start
    beside 30,000 added items. Takes some milliseconds: not for the event loop.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
