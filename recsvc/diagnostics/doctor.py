"""Checks everything that `recsvc serve` needs, one thing after another: `recsvc doctor`."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from recsvc.diagnostics import access_checks, redis_checks
from recsvc.diagnostics.environment_check import check_variables
from recsvc.diagnostics.machine_checks import (
    check_data_folder,
    check_file_descriptors,
    check_memory,
    check_metrics_port,
    check_port,
    check_workers,
)
from recsvc.errors import RecsvcError, SettingsError
from recsvc.model import bundle_files, text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.bundle_folder import bundles_in
from recsvc.pipeline.placements import Placements
from recsvc.registry.backend import load_encoder, pattern_pool
from recsvc.retrieval.synonyms import read_synonyms
from recsvc.settings import Settings, load_settings
from recsvc.store.inspection import RedisFacts


def examine(flags: Mapping[str, object], write: Callable[[str], object]) -> bool:
    """Runs all checks and writes a line for each: OK, or PROBLEM or WARNING with the remedy.

    Args:
        flags: Settings from the command line, by name.
        write: Takes each line, with its line end.

    Returns:
        Whether there was no problem.
    """
    report = _Report(write)
    settings: Settings | None = None
    with report.line("settings") as finding:
        settings = load_settings(flags, Settings)
        finding.text = "all values can be used"
    with report.line("variables") as finding:
        finding.text = check_variables(os.environ)
    if settings is None:
        return False  # nothing else can be checked
    with report.line("reason model") as finding:
        finding.text = _check_reason_model(settings)
    with report.line("memory") as finding:  # before a bundle is loaded, which may end this process
        finding.text = check_memory(settings)
    with report.line("workers") as finding:
        finding.text = check_workers(settings)
    bundle: Bundle | None = None
    with report.line("bundle") as finding:
        bundle = bundle_files.load(settings.bundle)
        finding.text = f"{bundle.bundle_id} with {len(bundle.catalogue):,} items, unaltered"
    with report.line("text encoder") as finding:
        finding.text = _check_text_encoder(settings, bundle)
    with report.line("placements") as finding:
        finding.text = _check_placements(settings)
    with report.line("synonyms") as finding:
        read_synonyms(settings.synonyms)
        finding.text = "no file is set" if settings.synonyms is None else f"{settings.synonyms} can be used"
    with report.line("data folder") as finding:
        finding.text = check_data_folder(settings)
    for name, check in access_checks.CHECKS.items():
        with report.line(name) as finding:
            finding.text = check(settings)
    _examine_redis(report, settings)
    with report.line("file descriptors") as finding:
        finding.text = check_file_descriptors()
    with report.line("port") as finding:
        finding.text = check_port(settings)
    with report.line("metrics_port") as finding:
        finding.text = check_metrics_port(settings)
    return report.healthy


@dataclass
class _Finding:
    text: str = ""


class _Report:
    """Writes a line for each check, and remembers whether there was a problem."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.healthy = True

    @contextmanager
    def line(self, name: str) -> Iterator[_Finding]:
        """Writes what the check found, or the error that it raised."""
        finding = _Finding()
        try:
            yield finding
        except RecsvcError as error:
            self.healthy = False
            self._write(f"PROBLEM  {name}: {' '.join(str(error).split())}\n")
        else:
            status = "WARNING" if isinstance(finding.text, access_checks.Warned) else "OK"
            self._write(f"{status:<9}{name}: {finding.text}\n")


def _examine_redis(report: _Report, settings: Settings) -> None:
    """Writes a line for each check of Redis; one line if Redis cannot be asked."""
    facts: RedisFacts | None = None
    for name, check in redis_checks.CHECKS.items():
        with report.line(name) as finding:
            facts = facts or asyncio.run(redis_checks.read_facts(settings))
            finding.text = check(facts, settings)
        if facts is None:
            return


def _check_reason_model(settings: Settings) -> str:
    pool = pattern_pool(settings.serving_config())
    return "none: the phrase bank words all reasons" if pool is None else f"patterns of {pool.author}"


def _check_text_encoder(settings: Settings, bundle: Bundle | None) -> str:
    name = settings.text_encoder
    if bundle is not None:
        load_encoder(name, bundle)
        named = bundle.model.text_encoder if name == text_encoders.AUTO else name
        return f"{named} is the one that the bundle was trained with"
    if name == text_encoders.AUTO:
        return "not checked: a bundle names it"
    text_encoders.load(name)
    return f"{name} can be loaded; not compared, for lack of a bundle"


def _check_placements(settings: Settings) -> str:
    if settings.placements is None:
        return "no file is set"
    placements = Placements.load(settings.placements)
    folder = settings.bundle.resolve().parent
    missing = placements.bundle_ids - {info.bundle_id for info in bundles_in(folder)}
    if missing:
        raise SettingsError(f"no bundle in {folder} has the id {', '.join(sorted(missing))}: copy it there")
    return f"{settings.placements} can be used"
