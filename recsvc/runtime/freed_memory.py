"""Decides when Python looks for garbage, and gives memory that was freed back to the system."""

import ctypes
import gc

# A request leaves fewer than 50 objects: one young collection in some 1,000 requests.
_COLLECTION_THRESHOLDS = 50_000, 20, 20


def collect_garbage_seldom() -> None:
    """Raises the thresholds of Python's collection of circles, for a process that keeps most of what it makes.

    At Python's own thresholds a fifth of the time of a start, and of serving, goes into collections that find nothing:
    imported code, items and users stay, and garbage in circles is rare.
    """
    gc.set_threshold(*_COLLECTION_THRESHOLDS)


def return_freed_memory() -> None:
    """Returns freed memory to the system, where the C library can (glibc).

    After a large computation glibc keeps what was freed, in case the process wants it again: some 200 MB after a start
    beside 30,000 added items. Takes some milliseconds: not for the event loop.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
