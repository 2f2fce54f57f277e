"""When a shop wrote a table."""

from datetime import UTC, datetime
from pathlib import Path


def written_at(folder: Path, name: str) -> datetime | None:
    """Returns when the files of a table were last changed: the oldest of them, and not after now.

    A change of an item that is older than this does not beat the table. So the time is rather too early than too late.

    Args:
        folder: Of the tables.
        name: Of the table; see `training.data.tables.read_table`.

    Returns:
        In UTC; None if there is no such table.
    """
    files = [*(folder / name).rglob("*.parquet"), folder / f"{name}.parquet", folder / f"{name}.csv"]
    times = [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files if path.is_file()]
    return min([*times, datetime.now(UTC)]) if times else None
