"""The folder into which training puts its bundles: which there are, told from their manifests alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsvc.errors import BundleError
from recsvc.model.bundle_files import read_manifest

_METRICS = ("ndcg@10", "recall@10")


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """trained_at: in UTC; 1970 where the manifest does not say. metrics: what the evaluation found, by name.
    erasures_until: users erased until then are not in it; microseconds since 1970 UTC, 0 where nobody knows.
    """

    bundle_id: str
    folder: Path
    trained_at: datetime
    metrics: dict[str, float]
    erasures_until: int = 0


def bundles_in(folder: Path) -> list[BundleInfo]:
    """Those that this version can read, newest first, each once."""
    found: dict[str, BundleInfo] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
            continue
        try:
            manifest = read_manifest(path)
        except BundleError:
            continue
        bundle_id = str(manifest.get("bundle_id", ""))
        until = int(manifest.get("data", {}).get("erasures_until") or 0)
        found[bundle_id] = BundleInfo(bundle_id, path, _trained_at(manifest), _metrics(manifest), until)
    return sorted(found.values(), key=lambda info: info.trained_at, reverse=True)


def _trained_at(manifest: dict[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(manifest["created"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)


def _metrics(manifest: dict[str, Any]) -> dict[str, float]:
    evaluation = manifest.get("evaluation", {})
    return {name: float(evaluation[name]["mean"]) for name in _METRICS if name in evaluation}
