"""Lists the bundles in the folder that training writes to. It reads only their manifests."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsvc.errors import BundleError
from recsvc.model.bundle_files import bundle_id_of, read_manifest
from recsvc.model.manifest import microseconds, moment, number, section

_METRICS = ("ndcg@10", "recall@10")


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """The manifest's summary of one bundle.

    Attributes:
        bundle_id: Of the bundle.
        folder: Of the bundle.
        trained_at: In UTC; 1970 if the manifest does not say.
        metrics: Means of the evaluation's metrics, by name.
        erasures_until: Users erased until then are not in the training data. Microseconds since 1970 UTC; 0 if
            unknown.
    """

    bundle_id: str
    folder: Path
    trained_at: datetime
    metrics: dict[str, float]
    erasures_until: int = 0


def bundles_in(folder: Path) -> list[BundleInfo]:
    """The bundles that this version can read, newest first, each id once."""
    bundles: dict[str, BundleInfo] = {}
    for path in _subfolders(folder):
        with suppress(BundleError):
            info = _info(path, read_manifest(path))
            bundles[info.bundle_id] = info
    return sorted(bundles.values(), key=lambda info: info.trained_at, reverse=True)


def folder_of(bundle_id: str, folder: Path) -> Path | None:
    """Returns the folder of a bundle, also of one that this version cannot read; None if there is none of that id."""
    paths = [path for path in _subfolders(folder) if bundle_id_of(path) == bundle_id]
    return next((path for path in paths if _is_readable(path)), paths[0] if paths else None)


def _subfolders(folder: Path) -> list[Path]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")]


def _is_readable(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except BundleError:
        return False
    return True


def _info(folder: Path, manifest: dict[str, Any]) -> BundleInfo:
    evaluation = section(manifest, "evaluation")
    means = {name: number(section(evaluation, name).get("mean")) for name in _METRICS}
    return BundleInfo(
        bundle_id=manifest["bundle_id"],
        folder=folder,
        trained_at=moment(manifest.get("created")) or datetime.fromtimestamp(0, UTC),
        metrics={name: mean for name, mean in means.items() if mean is not None},
        erasures_until=microseconds(section(manifest, "data").get("erasures_until")),
    )
