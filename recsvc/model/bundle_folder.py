"""Lists the bundles in the folder that training writes to. It reads only their manifests."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsvc.errors import BundleError
from recsvc.model.bundle_files import read_manifest

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
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
            continue
        try:
            manifest = read_manifest(path)
        except BundleError:
            continue
        bundle_id = str(manifest.get("bundle_id", ""))
        until = int(manifest.get("data", {}).get("erasures_until") or 0)
        bundles[bundle_id] = BundleInfo(bundle_id, path, _trained_at(manifest), _metrics(manifest), until)
    return sorted(bundles.values(), key=lambda info: info.trained_at, reverse=True)


def _trained_at(manifest: dict[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(manifest["created"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)


def _metrics(manifest: dict[str, Any]) -> dict[str, float]:
    evaluation = manifest.get("evaluation", {})
    return {name: float(evaluation[name]["mean"]) for name in _METRICS if name in evaluation}
