"""The stored bundle of 48 items, converted to the present format, and variants of it, for tests without a training."""

import atexit
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from recsvc.model import bundle_files
from recsvc.model.bundle_conversion import convert

# As version 0.1.0 wrote it, in format 6.
EARLIER_BUNDLE = Path(__file__).parents[1] / "stored_bundle" / "bundle"
EARLIER_ID = "a254048144f228a1"

_FOLDER = Path(tempfile.mkdtemp(prefix="recsvc-stored-bundle-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
STORED_BUNDLE = _FOLDER / "bundle"
BUNDLE_ID = convert(EARLIER_BUNDLE, STORED_BUNDLE)


def save_variant(folder: Path, **model: object) -> str:
    """Saves the stored bundle with another model configuration. Returns the variant's id."""
    bundle = bundle_files.load(STORED_BUNDLE)
    arrays = {name: getattr(bundle, name).copy() for name in bundle_files.ARRAYS}
    return bundle_files.save(replace(bundle, model=replace(bundle.model, **model), **arrays), folder)  # type: ignore[arg-type]
