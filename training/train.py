"""The recipe: data > collaborative > text > fusion > bundle > evaluation.

    python -m training.train --data DIR --out BUNDLES [--set name=value ...]

Reads three tables, prints every stage with its time and size, and leaves BUNDLES/<bundle_id>/ with the model, its
evaluation and its report; BUNDLES/latest points at it, unless it is worse than its floor or than the one before: then
the exit code is 3. A stopped run goes on where it was.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from recsvc.errors import RecsvcError
from recsvc.model import bundle_files as bundles
from training.config import TrainConfig, settings_of
from training.data.interactions import Interactions
from training.data.shop import Shop
from training.data.split import Split
from training.errors import TrackingError
from training.evaluation.baselines import Task
from training.evaluation.evaluate import OURS, evaluate
from training.evaluation.release_gate import against_previous, failed_checks
from training.evaluation.report import write_report
from training.evaluation.tracking import track
from training.fitting.experiment import fit, prepare, refit
from training.fitting.fusion import Fusion
from training.fitting.stages import Stages

NOT_READY = 3  # exit code: the bundle is there to be looked at, and `latest` stays where it was


def train(
    data: Path, out: Path, config: TrainConfig, console: Console | None = None, earlier: Path | None = None
) -> Path:
    """Runs the whole recipe and returns the finished bundle's folder. earlier: the bundle to start from.

    Raises DataError for tables that break the input contract, TextEncoderError, and SettingsError or BundleError for a
    configuration or an earlier bundle that does not fit.
    """
    stages = Stages(out / ".work", console)
    prepared = prepare(data, config, stages, earlier)
    split = prepared.split
    fitted = fit(prepared, config, stages)
    measured = fitted.bundle
    if config.refit != "none":
        measured = refit(prepared, fitted, split.known, stages, "refit")
    about = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git_commit(),
        "data": _about_data(prepared.shop, split),
        "training": asdict(fitted.config),
        "warm_start": prepared.warm.bundle.bundle_id if prepared.warm is not None else None,
    }
    known = split.known if config.refit != "none" else split.train
    about["data"]["learned_until"] = _last_event(known if config.refit != "all" else prepared.interactions)
    part = out / ".work" / "bundle"
    bundles.save(replace(measured, provenance=about), part)

    started = time.perf_counter()
    test = split.test.sample(config.evaluation_users, config.seed)
    test_profiles = prepared.text.of_users(prepared.interactions.user_ids[test.users])
    task = Task(known, prepared.text.catalogue, prepared.text.item_features, split.validation, config)
    measured = bundles.load(part)
    evaluation = evaluate(measured, task, test, test_profiles)
    previous = against_previous(measured, out / "latest", test, test_profiles)
    stages.report("evaluation", time.perf_counter() - started, f"{len(test):,} users")
    tuned = fitted.tuned
    evaluation = {
        "protocol": config.protocol,
        "fit": {"none": "train", "validation": "train+validation", "all": "train+validation"}[config.refit],
        "validation": {
            "ndcg@10": tuned.warm_ndcg,
            "users": fitted.validation_users,
            "fusion": _flat(tuned.warm),
            "cold": _flat(tuned.cold) if tuned.cold is not None else None,
            "gains": tuned.gains,
            "dropped": list(tuned.dropped),
        },
        "towers": {name: asdict(curve) for name, curve in fitted.curves.items()},
        **evaluation,
        "previous": previous,
    }
    evaluation["objections"] = failed_checks(evaluation)
    if config.refit == "all":
        shipped = refit(prepared, fitted, prepared.interactions, stages, "all")
        bundles.save(replace(shipped, provenance=about), part)
    return _finish(part, out, evaluation, stages)


def _flat(fusion: Fusion) -> dict[str, float | bool]:
    return {
        **asdict(fusion.blocks),
        "repeat_weight": fusion.repeat_weight,
        "repeat_typical": fusion.repeat_typical,
        "masked": fusion.masked,
    }


def _finish(part: Path, out: Path, evaluation: dict[str, Any], stages: Stages) -> Path:
    """Adds the evaluation, the report and the manifest's headline, and gives the bundle its name. `latest` points at it
    only when it is ready.
    """
    manifest = bundles.read_manifest(part)
    ours = evaluation["models"][OURS]["metrics"]
    manifest["evaluation"] = {metric: ours[metric] for metric in ("ndcg@10", "recall@10")}
    manifest["evaluation"] |= {"protocol": evaluation["protocol"], "fit": evaluation["fit"]}
    manifest["ready"] = not evaluation["objections"]
    evaluation["cost"] = {
        "seconds": stages.seconds,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    (part / "evaluation.json").write_text(json.dumps(evaluation, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    write_report(manifest, evaluation, part / "report.html")
    bundles.write_manifest(part, manifest)
    folder = out / manifest["bundle_id"]
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    if not evaluation["objections"]:
        latest = out / ".latest.part"
        latest.unlink(missing_ok=True)
        latest.symlink_to(folder.name)
        latest.replace(out / "latest")
    return folder


def _last_event(interactions: Interactions) -> str:
    return datetime.fromtimestamp(int(interactions.timestamps.max()) / 1_000_000, UTC).isoformat()


def _about_data(shop: Shop, split: Split) -> dict[str, Any]:
    times = shop.events["timestamp"]
    return {
        "fingerprint": shop.fingerprint,
        "events": len(shop.events),
        "users": shop.events["user_id"].n_unique(),
        "items": len(shop.items),
        "profiles": len(shop.users),
        "first_event": times.min().isoformat(),
        "last_event": times.max().isoformat(),
        "train_events": len(split.train),
        "known_events": len(split.known),
        "notes": list(shop.notes),
        "erasures_until": shop.erasures_until,
    }


def _git_commit() -> str | None:
    try:
        return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _table(evaluation: dict[str, Any]) -> str:
    lines = [f"{'':22}" + "".join(f"{metric:>12}" for metric in ("recall@10", "ndcg@10", "mrr@10", "coverage@10"))]
    for name, model in evaluation["models"].items():
        values = [model["metrics"][m]["mean"] for m in ("recall@10", "ndcg@10", "mrr@10")] + [model["coverage@10"]]
        lines.append(f"{name:22}" + "".join(f"{value:12.4f}" for value in values))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.train", description="Three tables to a bundle.")
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and optionally users")
    parser.add_argument("--out", type=Path, required=True, help="where bundles go")
    parser.add_argument("--warm-start", type=Path, metavar="BUNDLE", help="start from a bundle, such as OUT/latest")
    parser.add_argument("--settings", type=Path, help="JSON file of settings, such as the best.json of training.tune")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting")
    arguments = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        config = TrainConfig()
        if arguments.settings is not None:
            config = config.changed(settings_of(arguments.settings))
        folder = train(arguments.data, arguments.out, config.changed(arguments.set), console, arguments.warm_start)
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    evaluation = json.loads((folder / "evaluation.json").read_text())
    try:
        if run := track(folder, json.loads((folder / "manifest.json").read_text()), evaluation):
            print(f"tracked as run {run}")
    except TrackingError as error:
        print(f"warning: {error}", file=sys.stderr)
    print(_table(evaluation))
    print(f"bundle {folder}\nreport {folder / 'report.html'}")
    for objection in evaluation["objections"]:
        print(f"not ready: {objection}", file=sys.stderr)
    return NOT_READY if evaluation["objections"] else 0


if __name__ == "__main__":
    sys.exit(main())
