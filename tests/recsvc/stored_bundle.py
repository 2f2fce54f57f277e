"""The stored bundle of 48 items, and variants of it, for tests that need no training."""

from dataclasses import replace
from pathlib import Path

from recsvc.model import bundle_files

STORED_BUNDLE = Path(__file__).parents[1] / "stored_bundle" / "bundle"
BUNDLE_ID = "a254048144f228a1"


def save_variant(folder: Path, **model: object) -> str:
    """Saves the stored bundle with another model configuration. Returns the variant's id."""
    bundle = bundle_files.load(STORED_BUNDLE)
    arrays = {name: getattr(bundle, name).copy() for name in bundle_files.ARRAYS}
    return bundle_files.save(replace(bundle, model=replace(bundle.model, **model), **arrays), folder)  # type: ignore[arg-type]
