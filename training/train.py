"""Trains a bundle: data > features > text and sequence towers > ALS > repeats > fusion > refit > evaluation.

    python -m training.train --data DIR --out BUNDLES [--text-encoder NAME] [--set name=value ...]

Reads three tables and prints every stage with its time and size. Writes BUNDLES/<bundle_id>/ with the model, its
evaluation and its report. BUNDLES/latest then points at it, unless the bundle is worse than a model without training or
than the bundle before it: then the exit code is 3. A stopped run continues where it was.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from recsvc.errors import RecsvcError
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from training.config import TrainConfig, settings_of
from training.data.interactions import Interactions
from training.data.shop import Shop
from training.data.split import Split
from training.errors import TrackingError
from training.evaluation.baselines import Task
from training.evaluation.evaluate import evaluate, unmeasured
from training.evaluation.evaluation_report import FILE_NAME, EvaluationReport, RunCost
from training.evaluation.release_gate import against_previous, failed_checks, lead_in_words, replaces_measured
from training.evaluation.report import write_report
from training.evaluation.tracking import track
from training.fitting.experiment import Fitted, Prepared, fit, fit_starter, prepare, refit
from training.fitting.search_views import add_search_views
from training.fitting.stages import Stages

NOT_READY = 3  # exit code: the bundle is written, but `latest` was not moved
LATEST = "latest"  # the link to the newest bundle that is ready
KIB_A_MIB = 1_024  # getrusage counts KiB


def train(
    data: Path, out: Path, config: TrainConfig, console: Console | None = None, earlier: Path | None = None
) -> Path:
    """Runs all stages.

    Args:
        data: The folder of the shop's tables.
        out: The folder of the bundles.
        config: The settings.
        console: Where stages are printed; standard error by default.
        earlier: The bundle that the towers start from, if any.

    Returns:
        The folder of the finished bundle.

    Raises:
        DataError: The tables break the input contract.
        TextEncoderError: The language model cannot be loaded.
        SettingsError: The settings do not fit the data or the earlier bundle.
        BundleError: The earlier bundle cannot be read.
    """
    stages = Stages(out / ".work", console)
    prepared = prepare(data, config, stages, earlier)
    if prepared.nothing_to_learn is not None:
        return _train_starter(prepared, out, config, stages)
    fitted = fit(prepared, config, stages)
    bundle, learned = fitted.bundle, prepared.split.train
    if config.refit != "none":
        learned = prepared.split.train_and_validation
        bundle = refit(prepared, fitted, learned, stages, "refit")
    provenance = _provenance(prepared, fitted, prepared.interactions if config.refit == "all" else learned)
    part = out / ".work" / "bundle"
    bundles.save(replace(bundle, provenance=provenance), part)
    results, previous = _evaluate(part, out / LATEST, prepared, learned, config, stages)
    if config.refit == "all":
        bundle = refit(prepared, fitted, prepared.interactions, stages, "all")
        bundles.save(replace(bundle, provenance=provenance), part)
    _add_search_views(part, bundle, prepared, stages)
    report = EvaluationReport(
        fitted=fitted,
        results=results,
        previous=previous,
        failed_checks=failed_checks({**results, "previous": previous}),
        cost=RunCost(stages.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_A_MIB),
    )
    return _publish(part, out, report)


def _train_starter(prepared: Prepared, out: Path, config: TrainConfig, stages: Stages) -> Path:
    """Makes a bundle of a shop that nothing can be learned from: not measured, and never in place of a measured one."""
    reason = f"{prepared.nothing_to_learn}, so the bundle ranks by text and by the purchases that there are"
    stages.console.print(f"  {reason}", highlight=False, soft_wrap=True)
    fitted = fit_starter(prepared, config)
    part = out / ".work" / "bundle"
    provenance = _provenance(prepared, fitted, prepared.interactions)
    bundles.save(replace(fitted.bundle, provenance=provenance), part)
    report = EvaluationReport(
        fitted=fitted,
        results=unmeasured(fitted.bundle),
        previous=None,
        failed_checks=replaces_measured(out / LATEST),
        cost=RunCost(stages.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_A_MIB),
        not_measured=reason,
    )
    return _publish(part, out, report)


def _evaluate(
    part: Path, latest: Path, prepared: Prepared, learned: Interactions, config: TrainConfig, stages: Stages
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Evaluates the saved bundle on the test part, alone and against the bundle at `latest`."""
    started = time.perf_counter()
    test = prepared.split.test.sample(config.evaluation_users, config.seed)
    profiles = prepared.text.of_users(prepared.interactions.user_ids[test.users])
    task = Task(learned, prepared.text.catalogue, prepared.text.item_features, prepared.split.validation, config)
    bundle = bundles.load(part)
    results = evaluate(bundle, task, test, profiles)
    previous = against_previous(bundle, latest, test, profiles)
    stages.report("evaluation", time.perf_counter() - started, f"{len(test):,} users")
    return results, previous


def _add_search_views(part: Path, bundle: Bundle, prepared: Prepared, stages: Stages) -> None:
    """Adds to a saved bundle what makes its search fast, if its shop is large and nothing is lost by it."""
    started = time.perf_counter()
    users = prepared.split.test
    profiles = prepared.text.of_users(prepared.interactions.user_ids[users.users])
    fitted = add_search_views(part, bundle, users, profiles)
    if fitted is None:
        return
    recall = ", ".join(f"{share:.4f} of the best {cut}" for cut, share in fitted.recall.items())
    stages.report("search", time.perf_counter() - started, f"finds {recall}")


def _publish(part: Path, out: Path, report: EvaluationReport) -> Path:
    """Adds the evaluation, the report and the headline of the manifest, and moves the bundle to its final folder.

    `latest` points at it only if it is ready.
    """
    manifest = bundles.read_manifest(part)
    manifest["evaluation"] = report.headline
    manifest["ready"] = report.is_ready
    report.write(part)
    write_report(manifest, report.as_json(), part / "report.html")
    bundles.write_manifest(part, manifest)
    folder = out / str(manifest["bundle_id"])
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    if report.is_ready:
        link = out / f".{LATEST}.part"
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
        link.replace(out / LATEST)
    return folder


def _provenance(prepared: Prepared, fitted: Fitted, learned: Interactions) -> dict[str, Any]:
    """Where a bundle comes from, as its manifest says. learned: the events that it is fitted on."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git_commit(),
        "data": {**_data_provenance(prepared.shop, prepared.split), "learned_until": _last_event(learned)},
        "training": asdict(fitted.config),
        "warm_start": prepared.warm.bundle.bundle_id if prepared.warm is not None else None,
    }


def _data_provenance(shop: Shop, split: Split) -> dict[str, Any]:
    first, last = shop.events.select(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).row(0)
    return {
        "fingerprint": shop.fingerprint,
        "events": len(shop.events),
        "users": shop.events["user_id"].n_unique(),
        "items": len(shop.items),
        "profiles": len(shop.users),
        "first_event": first.isoformat() if first is not None else None,
        "last_event": last.isoformat() if last is not None else None,
        "train_events": len(split.train),
        "known_events": len(split.train_and_validation),
        "notes": list(shop.notes),
        "erasures_until": shop.erasures_until,
        "items_written": shop.items_written.isoformat() if shop.items_written is not None else None,
    }


def _last_event(interactions: Interactions) -> str | None:
    if not len(interactions):
        return None
    return datetime.fromtimestamp(interactions.end / 1_000_000, UTC).isoformat()


def _git_commit() -> str | None:
    try:
        return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _table(evaluation: Mapping[str, Any]) -> str:
    """The headline metrics of every model, one line each."""
    lines = [f"{'':22}" + "".join(f"{metric:>12}" for metric in ("recall@10", "ndcg@10", "mrr@10", "coverage@10"))]
    for name, model in evaluation["models"].items():
        values = [model["metrics"][metric]["mean"] for metric in ("recall@10", "ndcg@10", "mrr@10")]
        values.append(model["coverage@10"])
        lines.append(f"{name:22}" + "".join(f"{value:12.4f}" for value in values))
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description="Trains a bundle from a shop's three tables."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and optionally users")
    parser.add_argument("--out", type=Path, required=True, help="folder to write bundles to")
    parser.add_argument("--warm-start", type=Path, metavar="BUNDLE", help="start from a bundle, such as OUT/latest")
    parser.add_argument("--settings", type=Path, help="JSON file of settings, such as the best.json of training.tune")
    parser.add_argument(
        "--text-encoder",
        metavar="NAME",
        help="embedded (English), multilingual (16 languages), english (a blend for searches in other words), "
        "a sentence-transformers folder or a name on the hub; auto takes one of the first two by the "
        "catalogue's language [auto]",
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        The exit code: 0, 1 after an error, or NOT_READY if `latest` was not moved.
    """
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True)
    try:
        config = TrainConfig()
        if arguments.settings is not None:
            config = config.changed(settings_of(arguments.settings))
        config = config.changed(arguments.set)
        if arguments.text_encoder is not None:
            config = config.with_values({"text_encoder": arguments.text_encoder})
        folder = train(arguments.data, arguments.out, config, console, arguments.warm_start)
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    evaluation = json.loads((folder / FILE_NAME).read_text())
    try:
        if run := track(folder, json.loads((folder / bundles.MANIFEST).read_text()), evaluation):
            print(f"tracked as run {run}")
    except TrackingError as error:
        print(f"warning: {error}", file=sys.stderr)
    if evaluation["not_measured"] is None:
        print(_table(evaluation))
        print(lead_in_words(evaluation))
    else:
        print(f"not measured: {evaluation['not_measured']}")
    print(f"bundle {folder}\nreport {folder / 'report.html'}")
    for sentence in evaluation["objections"]:
        print(f"not ready: {sentence}", file=sys.stderr)
    return NOT_READY if evaluation["objections"] else 0


if __name__ == "__main__":
    sys.exit(main())
