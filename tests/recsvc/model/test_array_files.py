"""An array that is mapped from a file grows behind its rows, and neither growth nor a change reaches the file."""

from pathlib import Path

import numpy as np
import pytest

from recsvc.model import array_files
from recsvc.model.array_files import open_array, open_growing, save_array


@pytest.mark.parametrize("shape", [(5_000, 3), (1,), (0,), (0, 4), (3, 0)], ids=str)
@pytest.mark.parametrize("kind", [np.float32, np.int8, np.bool_, np.float64])
def test_rows_are_added_and_changed_in_memory_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], kind: type[np.generic]
) -> None:
    monkeypatch.setattr(array_files, "SPARE_ROWS", 4)
    stored = np.random.default_rng(1).integers(0, 2, shape).astype(kind)
    path = tmp_path / "array.npy"
    save_array(path, stored)
    array, memory = open_growing(path)
    np.testing.assert_array_equal(array, stored)
    assert not array.flags.writeable
    grown = memory.extended(len(array), 2, fill=1)
    assert (grown[len(array) :] == 1).all()
    grown[:1] = 1
    np.testing.assert_array_equal(grown[1 : len(array)], stored[1:])
    larger = memory.extended(len(grown), 2_000)
    np.testing.assert_array_equal(larger[: len(grown)], grown)
    path.unlink()  # the mapping outlives the name
    np.testing.assert_array_equal(array[1:], stored[1:])


def test_pages_of_the_file_are_not_written(tmp_path: Path) -> None:
    stored = np.arange(10_000, dtype=np.int32)
    save_array(tmp_path / "array.npy", stored)
    array, memory = open_growing(tmp_path / "array.npy")
    memory.extended(len(array), 1)[:] = -1
    np.testing.assert_array_equal(open_array(tmp_path / "array.npy"), stored)
