"""Describes a bundle as text: `recsvc inspect BUNDLE`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recsvc.model import bundle_files, derived_columns
from recsvc.model.bundle import Bundle
from recsvc.model.manifest import section
from recsvc.model.search_view_files import VIEWS
from recsvc.model.towers.blocks import BLOCKS

_UNKNOWN = "unknown"
_READY = {"True": "yes", "False": "no: the release gate refused it"}
_METRICS = ("ndcg@10", "recall@10")


def describe_bundle(folder: Path) -> str:
    """Verifies and opens a bundle, and returns what is in it, as lines of text.

    Raises:
        BundleError: It is missing, altered, incomplete or of an unknown format.
    """
    bundle = bundle_files.load(folder)
    sections = (
        _identity(folder, bundle),
        _data(section(bundle.provenance, "data")),
        _blocks(bundle),
        _files(folder),
        _evaluation(section(bundle.provenance, "evaluation")),
    )
    return "\n".join("\n".join(section) + "\n" for section in sections)


def _identity(folder: Path, bundle: Bundle) -> Iterator[str]:
    model, provenance = bundle.model, bundle.provenance
    yield f"bundle        {bundle.bundle_id}"
    yield f"folder        {folder}"
    yield f"format        {bundle_files.read_manifest(folder)['format_version']}"
    yield f"created       {provenance.get('created') or _UNKNOWN}"
    yield f"git commit    {provenance.get('git_commit') or _UNKNOWN}"
    yield f"ready         {_READY.get(str(provenance.get('ready')), _UNKNOWN)}"
    yield f"text encoder  {model.text_encoder}, sha256 {model.text_encoder_fingerprint}"
    rows, columns = bundle.item_vectors.shape
    yield f"items         {rows:,}, each with a vector of {columns} float32"
    width = bundle.text_codes.shape[1]
    codes = (
        f"{width} int8 an item{_reduced(bundle)}"
        if width
        else "none: train again, so that searches find meaning as well as words"
    )
    yield f"text vectors  {codes}"


def _reduced(bundle: Bundle) -> str:
    wide = len(bundle.text_projection)
    return f", reduced from {wide} of the encoder" if wide else ""


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    yield "training data"
    for name in ("events", "users", "items", "profiles"):
        yield f"  {name:<14}{_count(data.get(name))}"
    for name in ("first_event", "last_event", "learned_until"):
        yield f"  {name.replace('_', ' '):<14}{data.get(name) or _UNKNOWN}"


def _blocks(bundle: Bundle) -> Iterator[str]:
    fusion = bundle.model.fusion
    yield "blocks           columns   weight with history   weight with profile alone"
    for name, columns, warm, cold in zip(BLOCKS, bundle.layout, fusion.warm, fusion.cold, strict=True):
        yield f"  {name:<14}{columns.stop - columns.start:>8}{warm:>22.4f}{cold:>28.4f}"
    repeats = bundle.model.repeats
    bought = "left out" if repeats.exclude_bought else "listed too"
    yield f"  repeat scores have weight {repeats.weight:.4f}; by default bought items are {bought}"


def _files(folder: Path) -> Iterator[str]:
    yield "files                                      bytes   all have the hashes of the manifest"
    beside = (VIEWS, *map(derived_columns.file_of, derived_columns.NAMES))
    for name in (*bundle_files.FILES, *(name for name in beside if (folder / name).is_file())):
        yield f"  {name:<36}{(folder / name).stat().st_size:>10,}"


def _evaluation(evaluation: Mapping[str, Any]) -> Iterator[str]:
    yield f"evaluation    protocol {evaluation.get('protocol') or _UNKNOWN}, mean and 95 % interval"
    for name in _METRICS:
        figure = section(evaluation, name)
        mean, low, high = (_decimal(figure.get(part)) for part in ("mean", "low", "high"))
        yield f"  {name:<14}{mean}   {low} to {high}"


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _UNKNOWN


def _decimal(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else _UNKNOWN
