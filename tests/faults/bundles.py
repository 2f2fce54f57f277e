"""Bundles of one shop that differ in a number, beside each other as training leaves them."""

from dataclasses import replace
from pathlib import Path

from recsvc.model import bundle_files


def make_variants(bundle: Path, folder: Path, count: int) -> list[Path]:
    """Writes variants of a bundle into `folder`, each under its id. Returns their folders, oldest first."""
    first = bundle_files.load(bundle)
    paths = []
    for number in range(count):
        model = replace(first.model, similar_from=first.model.similar_from - number / 1_000)
        about = {**first.provenance, "created": f"2026-01-{number + 1:02d}T00:00:00+00:00"}
        bundle_id = bundle_files.save(replace(first, model=model, provenance=about), folder / "part")
        paths.append((folder / "part").rename(folder / bundle_id))
    return paths
