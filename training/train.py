"""The recipe: data > collaborative > text > fusion > bundle > evaluation.

    python -m training.train --data DIR --out BUNDLES [--set name=value ...]

Reads three tables, prints every stage with its time and size, and leaves BUNDLES/<bundle_id>/ with the model, its
evaluation and its report; BUNDLES/latest points at it. A stopped run goes on where it was.
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

import numpy as np
from rich.console import Console

from recsvc import bundle as bundles
from recsvc.catalogue import Catalogue
from recsvc.errors import RecsvcError, SettingsError
from recsvc.lexical import LexicalEncoder
from recsvc.text import TextEncoder, item_text
from recsvc.towers.features import TextFeatures
from recsvc.towers.user import ProfileText
from training.blocks import ShopText, fit_bundle, with_fusion
from training.config import TrainConfig
from training.data import Shop, read_shop
from training.evaluate import OURS, evaluate
from training.fusion import TRIES as FUSION_TRIES
from training.fusion import tune
from training.interactions import Interactions
from training.report import write_report
from training.split import Split, leave_one_out, time_split
from training.stages import Arrays, Stages
from training.text_features import embed, fit_features, items_of, profile_texts


def train(data: Path, out: Path, config: TrainConfig, console: Console | None = None) -> Path:
    """Runs the whole recipe and returns the finished bundle's folder.

    Raises DataError for tables that break the input contract, TextEncoderError, and SettingsError for a configuration
    that does not fit the data.
    """
    stages = Stages(out / ".work", console)
    started = time.perf_counter()
    shop = read_shop(data)
    interactions = Interactions.of(shop)
    stages.report("data", time.perf_counter() - started, _size(shop))
    for note in shop.notes:
        stages.console.print(f"  {note}", highlight=False)
    split = make_split(interactions, config)
    text = _read_text(shop, config, stages, out)
    inputs = [shop.fingerprint, config.protocol, config.test_days, text.encoder.fingerprint]

    validation = split.validation.sample(config.tuning_users, config.seed)
    draft, curve = fit_bundle(split.train, text, config, stages, inputs, "train", validation)
    profiles = text.of_users(interactions.user_ids[validation.users])
    started = time.perf_counter()
    with stages.progress("fusion weights tried", FUSION_TRIES) as progress:
        tuned = tune(draft, validation, profiles.texts, progress)
    weights = ", ".join(f"{name} {value:.3g}" for name, value in asdict(tuned.warm).items())
    stages.report("fusion", time.perf_counter() - started, f"{weights}; validation NDCG@10 {tuned.warm_ndcg:.4f}")

    measured = draft
    if config.refit != "none":
        measured, _ = fit_bundle(split.known, text, config, stages, inputs, "refit", epochs=curve.best_epoch)
    measured = with_fusion(measured, tuned.weights, tuned.warm.repeats)
    about = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git_commit(),
        "data": _about_data(shop, split),
        "training": asdict(config),
    }
    part = out / ".work" / "bundle"
    bundles.save(replace(measured, provenance=about), part)

    started = time.perf_counter()
    test = split.test.sample(config.evaluation_users, config.seed)
    test_profiles = text.of_users(interactions.user_ids[test.users])
    known = split.known if config.refit != "none" else split.train
    evaluation = evaluate(bundles.load(part), known, test, test_profiles)
    stages.report("evaluation", time.perf_counter() - started, f"{len(test):,} users")
    evaluation = {
        "protocol": config.protocol,
        "fit": {"none": "train", "validation": "train+validation", "all": "train+validation"}[config.refit],
        "validation": {
            "ndcg@10": tuned.warm_ndcg,
            "users": len(validation),
            "fusion": asdict(tuned.warm),
            "cold": asdict(tuned)["cold"],
        },
        "text_tower": asdict(curve),
        **evaluation,
    }
    if config.refit == "all":
        shipped, _ = fit_bundle(interactions, text, config, stages, inputs, "all", epochs=curve.best_epoch)
        bundles.save(replace(with_fusion(shipped, tuned.weights, tuned.warm.repeats), provenance=about), part)
    return _finish(part, out, evaluation, stages)


def make_split(interactions: Interactions, config: TrainConfig) -> Split:
    try:
        if config.protocol == "leave-one-out":
            return leave_one_out(interactions, config.history_length)
        return time_split(interactions, config.test_days, config.history_length)
    except ValueError as error:
        raise SettingsError(f"test_days={config.test_days}: {error}") from error


def _read_text(shop: Shop, config: TrainConfig, stages: Stages, out: Path) -> ShopText:
    encoder = TextEncoder.load(config.text_encoder)
    catalogue = Catalogue(items_of(shop.items))
    texts = [item_text(item) for item in catalogue.items]
    profiles = profile_texts(shop.users)
    cache = out / ".work" / "embeddings.sqlite"
    started = time.perf_counter()
    with stages.progress("texts embedded", len(texts) + len(profiles)) as progress:
        item_embeddings = embed(encoder, texts, cache, progress)
        profile_embeddings = embed(encoder, list(profiles.values()), cache, progress)
    stages.report("text embedding", time.perf_counter() - started, f"{len(texts):,} items, {len(profiles):,} profiles")

    fitted: list[TextFeatures] = []

    def compute() -> Arrays:
        fitted.append(fit_features(item_embeddings, texts, config))
        features = fitted[0]
        terms = json.dumps(features.lexical.vocabulary).encode()
        return {
            "idf": features.lexical.idf,
            "components": features.lexical.components,
            "mean": features.mean,
            "projection": features.projection,
            "vocabulary": np.frombuffer(terms, np.uint8),
        }

    dials = [config.lexical_dim, config.features, config.whitening_exponent, config.seed]
    arrays = stages.run("text features", [shop.fingerprint, encoder.fingerprint, dials], compute)
    lexical = LexicalEncoder(json.loads(arrays["vocabulary"].tobytes()), arrays["idf"], arrays["components"])
    features = TextFeatures(lexical, arrays["mean"], arrays["projection"])
    known = {
        user_id: ProfileText(words, embedding)
        for (user_id, words), embedding in zip(profiles.items(), profile_embeddings, strict=True)
    }
    return ShopText(catalogue, features, features(item_embeddings, texts), encoder, known)


def _finish(part: Path, out: Path, evaluation: dict[str, Any], stages: Stages) -> Path:
    """Adds the evaluation, the report and the manifest's headline, and gives the bundle its name."""
    manifest = bundles.read_manifest(part)
    ours = evaluation["models"][OURS]["metrics"]
    manifest["evaluation"] = {metric: ours[metric] for metric in ("ndcg@10", "recall@10")}
    manifest["evaluation"] |= {"protocol": evaluation["protocol"], "fit": evaluation["fit"]}
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
    latest = out / ".latest.part"
    latest.unlink(missing_ok=True)
    latest.symlink_to(folder.name)
    latest.replace(out / "latest")
    return folder


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
    }


def _size(shop: Shop) -> str:
    return f"{len(shop.events):,} events, {len(shop.items):,} items, {len(shop.users):,} profiles"


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
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting")
    arguments = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        folder = train(arguments.data, arguments.out, TrainConfig().changed(arguments.set), console)
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(_table(json.loads((folder / "evaluation.json").read_text())))
    print(f"bundle {folder}\nreport {folder / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
