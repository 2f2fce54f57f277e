"""Arrays in files of numpy's format, mapped so that processes share them and so that rows can be added behind them."""

import ctypes
import mmap
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.model.growing import SPARE_ROWS, GrowingMatrix

# Of Linux: address space that is reserved needs no memory until it is written.
_MAP_NORESERVE = 0x4000 if sys.platform == "linux" else 0
_MAP_FIXED = 0x10


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Writes an array into a file."""
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def open_array(path: Path) -> NDArray[Any]:
    """Maps the array of a file. It cannot be written.

    Raises:
        ValueError: The file holds no array of plain numbers.
    """
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(array)  # without numpy's subclass, which makes each read slower


def open_growing(path: Path) -> tuple[NDArray[Any], GrowingMatrix[Any]]:
    """Maps the array of a file, with spare rows behind it.

    Pages that nobody writes stay those of the file, shared by all processes. A written page is copied, for this process
    alone: with 100,000 items the first new item took 260 ms and 200 MB when it copied the arrays, and takes neither so.

    Returns:
        The array, which cannot be written, and the memory that it lies in.
    """
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    offset, size = mapped.offset, path.stat().st_size
    spare = max(SPARE_ROWS, len(mapped) // 8)
    row_bytes = mapped.dtype.itemsize * int(np.prod(mapped.shape[1:]))
    if not row_bytes:
        return np.asarray(mapped), GrowingMatrix(np.asarray(mapped))
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
    region = mmap.mmap(-1, size + spare * row_bytes, flags=flags)
    _map_over(region, path, size)
    memory = np.frombuffer(region, mapped.dtype, (len(mapped) + spare) * row_bytes // mapped.dtype.itemsize, offset)
    memory = memory.reshape((len(mapped) + spare, *mapped.shape[1:]))
    array = memory[: len(mapped)]
    array.flags.writeable = False
    return array, GrowingMatrix(array, memory)


def _map_over(region: mmap.mmap, path: Path, size: int) -> None:
    """Maps a file over the beginning of a region, which ends its life with the region's."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    address = ctypes.addressof(ctypes.c_char.from_buffer(region))
    protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | _MAP_FIXED
    with path.open("rb") as file:
        at = libc.mmap(address, size, protection, flags, file.fileno(), 0)
    if at != address:
        raise OSError(ctypes.get_errno(), f"{path} cannot be mapped")
