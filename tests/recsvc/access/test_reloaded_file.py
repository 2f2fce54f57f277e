"""A file that changes is read again. One that cannot be used changes nothing, and is reported once."""

from pathlib import Path

import pytest
import structlog
from prometheus_client import REGISTRY

from recsvc.access.reloaded_file import ReloadedFile
from recsvc.errors import SettingsError
from tests.recsvc.access.credentials import replace


class Numbers:
    """A number in one or two files; -1 cannot be used."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths
        self.reads = 0

    def read(self) -> int:
        self.reads += 1
        values = [int(path.read_text()) for path in self.paths]
        if -1 in values:
            raise SettingsError("is -1")
        return sum(values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "number"
    path.write_text("1")
    return path


def refused() -> float | None:
    return REGISTRY.get_sample_value("recsvc_access_file_refused", {"file": "numbers"})


def test_a_file_is_read_again_only_if_it_changed(path):
    numbers = Numbers(path)
    file = ReloadedFile("numbers", [path], numbers.read)
    file.refresh()
    assert (file.value, numbers.reads) == (1, 1)
    replace(path, b"2")
    file.refresh()
    assert (file.value, numbers.reads) == (2, 2)
    path.write_text("3")  # in its place, as an editor may do
    file.refresh()
    assert file.value == 3


def test_a_change_behind_a_link_is_seen(path, tmp_path):
    """Kubernetes mounts a secret as a link to a folder, and puts another folder there."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "number").write_text("1")
    (tmp_path / "new" / "number").write_text("2")
    link = tmp_path / "data"
    link.symlink_to(tmp_path / "old")
    numbers = Numbers(link / "number")
    file = ReloadedFile("numbers", numbers.paths, numbers.read)
    (tmp_path / "next").symlink_to(tmp_path / "new")
    (tmp_path / "next").replace(link)
    file.refresh()
    assert file.value == 2


@pytest.mark.parametrize("content", [b"-1", b"", b"x"])
def test_a_file_that_cannot_be_used_keeps_the_old_value_and_is_reported_once(path, content):
    numbers = Numbers(path)
    file = ReloadedFile("numbers", [path], numbers.read)
    assert refused() == 0
    replace(path, content)
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            file.refresh()
    assert [(line["event"], line["setting"]) for line in lines] == [("access_file_refused", "numbers")]
    assert (file.value, refused()) == (1, 1)
    replace(path, b"4")
    file.refresh()
    assert (file.value, refused()) == (4, 0)


def test_a_file_that_is_away_keeps_the_old_value_until_it_is_back(path):
    numbers = Numbers(path)
    file = ReloadedFile("numbers", [path], numbers.read)
    path.rename(path.with_name("away"))
    with structlog.testing.capture_logs() as lines:
        file.refresh()
        file.refresh()
    assert len(lines) == 1
    assert (file.value, refused()) == (1, 1)
    path.with_name("away").rename(path)
    file.refresh()
    assert (file.value, refused()) == (1, 0)


def test_files_that_change_while_they_are_read_are_read_the_next_time(path, tmp_path):
    second = tmp_path / "second"
    second.write_text("10")
    numbers = Numbers(path, second)
    file = ReloadedFile("numbers", numbers.paths, numbers.read)
    read, changes = numbers.read, [b"20"]

    def read_beside_a_writer() -> int:
        value = read()
        if changes:
            replace(second, changes.pop())
        return value

    file._read = read_beside_a_writer  # noqa: SLF001 - a writer that comes at just this moment
    replace(path, b"2")
    file.refresh()
    assert file.value == 11  # not 12, which never was
    file.refresh()
    assert file.value == 22


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("-1")])
def test_a_file_that_cannot_be_used_at_the_start_is_an_error_that_names_the_setting(path, spoil):
    spoil(path)
    with pytest.raises(SettingsError, match=r"^numbers: "):
        ReloadedFile("numbers", [path], Numbers(path).read)
