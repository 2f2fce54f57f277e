"""A value that is read from files, and read again when they change."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from recsvc.errors import RecsvcError, SettingsError
from recsvc.runtime.metrics import ACCESS_FILE_REFUSED

Value = TypeVar("Value")

_Signature = tuple[tuple[int, ...], ...]

_log = structlog.get_logger(__name__)


class ReloadedFile(Generic[Value]):
    """Keeps the last value that could be read. A changed file that cannot be used is logged once, and counted.

    Args:
        setting: That names the files; a label of a metric.
        paths: The files. Together they are one value, such as a certificate and its key.
        read: Reads them all. Raises SettingsError or OSError.

    Raises:
        SettingsError: The files cannot be used.
    """

    def __init__(self, setting: str, paths: Sequence[Path], read: Callable[[], Value]) -> None:
        self._setting = setting
        self._paths = tuple(paths)
        self._read = read
        self._refused: _Signature | None = None
        try:
            self._signature = self._current_signature()
            self.value = read()
        except OSError as error:
            raise SettingsError(
                f"{setting}: cannot read {error.filename} ({error.strerror}): correct its path, or let the user of the "
                "service read it"
            ) from None
        except RecsvcError as error:
            raise SettingsError(f"{setting}: {error}") from None
        ACCESS_FILE_REFUSED.labels(setting).set(0)

    def refresh(self) -> None:
        """Reads the files again if they have changed. Blocks, so call it in a thread."""
        signature: _Signature = ()
        try:
            signature = self._current_signature()
            if signature == self._signature:
                if self._refused is not None:  # the old files are back
                    self._accept(signature)
                return
            value = self._read()
            if signature != self._current_signature():
                return  # somebody is writing them: the next time will tell
        except Exception as error:  # noqa: BLE001 - the earlier value still serves
            if signature != self._refused:
                self._refused = signature
                problem = str(error) if isinstance(error, RecsvcError) else type(error).__name__
                _log.error("access_file_refused", setting=self._setting, problem=problem)
                ACCESS_FILE_REFUSED.labels(self._setting).set(1)
            return
        self.value = value
        self._accept(signature)

    def _accept(self, signature: _Signature) -> None:
        self._signature = signature
        self._refused = None
        ACCESS_FILE_REFUSED.labels(self._setting).set(0)
        _log.info("access_file_read", setting=self._setting)

    def _current_signature(self) -> _Signature:
        stats = (path.stat() for path in self._paths)
        return tuple((s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in stats)
