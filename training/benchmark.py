"""Our model beside others on one shop, by the published protocols: full ranking, ties held against every model.

    python -m training.benchmark --data DIR --protocol leave-one-out|time-split [--seeds N] [--json FILE]

What `recsvc` gets is computed from a saved bundle by the service's own towers, index and ranking. "train" rows are
fitted on the train part alone, "train+validation" ones on both, with the settings that validation chose.
"""

import argparse
import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from recsvc.errors import RecsvcError
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from training.config import TrainConfig
from training.data.split import Holdout, Profiles, shuffled_ties
from training.evaluation.baselines import BASELINES, Task, rank_all, tifu_knn
from training.evaluation.evaluate import OURS
from training.evaluation.offline_ranking import rank_holdout
from training.evaluation.sasrec import sasrec
from training.fitting.experiment import Prepared, fit, prepare, refit
from training.fitting.stages import Stages
from training.metrics import interval, per_user

K = 20
FITS = ("train", "train+validation")
SHUFFLED = "same-day ties shuffled"
HEADLINES = ("recall@10", "ndcg@10")
# Over the users who bought something that nobody had before; in shops and protocols that have such users.
COLD = "recall@20 of cold items"
WITH_CHANCE = ("ALS", "SASRec-CE")


@dataclass
class Result:
    """What one model got: for each seed the metrics of every user, the same users in the same order; of `COLD` those
    whom it is measured on.
    """

    seeds: list[Mapping[str, NDArray[np.float64]]] = field(default_factory=list)

    @property
    def metrics(self) -> list[str]:
        """What was measured from every seed."""
        return [metric for metric in self.seeds[0] if all(metric in values for values in self.seeds)]

    def mean(self, metric: str) -> float:
        return float(np.mean([values[metric].mean() for values in self.seeds]))

    def std(self, metric: str) -> float:
        """Of the seeds' means; 0 for one."""
        return float(np.std([values[metric].mean() for values in self.seeds], ddof=1)) if len(self.seeds) > 1 else 0.0

    def by_user(self, metric: str) -> NDArray[np.float64]:
        return np.asarray(np.mean([values[metric] for values in self.seeds], axis=0))


Results = dict[tuple[str, str], Result]  # by model and fit


class Benchmark:
    """Runs every model on one shop. fits: of `FITS`. ties_shuffled: also on the shop with the events of each user and
    day in random order, which a leave-one-out split otherwise takes in the file's.
    """

    def __init__(
        self,
        data: Path,
        out: Path,
        config: TrainConfig,
        fits: tuple[str, ...],
        sasrec_epochs: int,
        console: Console | None = None,
    ) -> None:
        self._config, self._fits, self._sasrec_epochs = config, fits, sasrec_epochs
        self._out = out
        self.stages = Stages(out, console)
        self.prepared = prepare(data, config, self.stages)

    def run(self, seeds: int, ties_shuffled: bool, keep: Callable[[Results], None] = lambda results: None) -> Results:
        """keep: is given what there is after each seed, since a run takes hours."""
        results: Results = {}
        for seed in range(seeds):
            config = replace(self._config, seed=seed)
            self._one(self.prepared, config, results, "")
            if ties_shuffled:
                mixed = shuffled_ties(self.prepared.interactions, seed)
                self._one(self.prepared.resplit(mixed, config, f"{SHUFFLED} {seed}"), config, results, f", {SHUFFLED}")
            keep(results)
        return results

    def _one(self, prepared: Prepared, config: TrainConfig, results: Results, suffix: str) -> None:
        test = prepared.split.test.sample(config.evaluation_users, 0)
        fitted = fit(prepared, config, self.stages)
        parts = {"train": prepared.split.train, "train+validation": prepared.split.known}
        for name in self._fits:
            bundle = fitted.bundle
            if name != "train":
                bundle = refit(prepared, fitted, parts[name], self.stages, "refit")
            text, validation = prepared.text, prepared.split.validation
            task = Task(parts[name], text.catalogue, text.item_features, validation, config)
            self._keep(results, OURS + suffix, name, self._ours(bundle, prepared, test), test, task)
            self._baselines(task, name, test, results, suffix)

    def _ours(self, bundle: Bundle, prepared: Prepared, test: Holdout) -> list[NDArray[np.int32]]:
        folder = self._out / "bundle"
        bundles.save(bundle, folder)
        saved = bundles.load(folder)
        profiles: Profiles = prepared.text.of_users(prepared.interactions.user_ids[test.users])
        ranked = rank_holdout(saved, test, profiles, repeats=saved.model.repeats)
        shutil.rmtree(folder)
        return ranked

    def _baselines(self, task: Task, fit_name: str, test: Holdout, results: Results, suffix: str) -> None:
        baselines = dict(BASELINES)
        if not test.exclude_history:
            baselines["TIFU-KNN"] = tifu_knn
        if fit_name == "train" and self._sasrec_epochs:  # it needs validation users to stop by
            baselines["SASRec-CE"] = partial(sasrec, stages=self.stages, epochs=self._sasrec_epochs)
        for name, baseline in baselines.items():
            # Without chance in it, one seed is as good as all.
            if (name, fit_name) in results and not suffix and name not in WITH_CHANCE:
                continue
            started = time.perf_counter()
            ranked = rank_all(baseline(task), test, K)
            self.stages.report(name, time.perf_counter() - started, f"fitted on {fit_name}")
            self._keep(results, name + suffix, fit_name, ranked, test, task)

    def _keep(
        self,
        results: Results,
        model: str,
        fit_name: str,
        ranked: list[NDArray[np.int32]],
        test: Holdout,
        task: Task,
    ) -> None:
        values = per_user(ranked, test.targets)
        cold = task.interactions.purchase_counts() == 0
        wanted = [targets[cold[targets]] for targets in test.targets]
        if users := [i for i, targets in enumerate(wanted) if len(targets)]:
            values[COLD] = per_user([ranked[i] for i in users], [wanted[i] for i in users])["recall@20"]
        results.setdefault((model, fit_name), Result()).seeds.append(values)
        said = ", ".join(f"{metric} {values[metric].mean():.4f}" for metric in HEADLINES)
        self.stages.console.print(f"  [bold]{model}[/], {fit_name}: {said}", highlight=False)


def rows(results: Results) -> list[dict[str, Any]]:
    """A row for each model, fit and metric; `value` is the mean over seeds, as `mean`."""
    return [
        {
            "model": model,
            "fit": fit_name,
            "metric": metric,
            "mean": result.mean(metric),
            "std": result.std(metric),
            "seeds": len(result.seeds),
            "value": result.mean(metric),
        }
        for (model, fit_name), result in results.items()
        for metric in result.metrics
    ]


def comparisons(results: Results) -> list[dict[str, Any]]:
    """Ours less each other model fitted on the same events, by user, with 95 % bootstrap intervals."""
    found = []
    for (model, fit_name), result in results.items():
        suffix = f", {SHUFFLED}" if model.endswith(SHUFFLED) else ""
        ours = results[OURS + suffix, fit_name]
        if result is not ours and len(ours.by_user("ndcg@10")) == len(result.by_user("ndcg@10")):
            for metric in HEADLINES:
                difference = interval(ours.by_user(metric) - result.by_user(metric))
                found.append({"model": model, "fit": fit_name, "metric": metric, **difference})
    return found


def _table(results: Results, title: str) -> Table:
    differences = {(d["model"], d["fit"]): d for d in comparisons(results) if d["metric"] == "ndcg@10"}
    table = Table(title=title)
    table.add_column("model", no_wrap=True)
    table.add_column("fitted on")
    cold = [COLD] if any(COLD in result.metrics for result in results.values()) else []
    for heading in (*HEADLINES, *cold, "recsvc is ahead by (ndcg@10)"):
        table.add_column(heading, justify="right")
    for (model, fit_name), result in results.items():
        cells = [_cell(result, metric) for metric in (*HEADLINES, *cold)]
        d = differences.get((model, fit_name))
        ahead = f"{d['mean']:+.4f} [{d['low']:+.4f}, {d['high']:+.4f}]" if d else ""
        table.add_row(model, fit_name, *cells, ahead)
    return table


def _cell(result: Result, metric: str) -> str:
    if metric not in result.metrics:
        return ""
    spread = f" ±{result.std(metric):.4f}" if len(result.seeds) > 1 else ""
    return f"{result.mean(metric):.4f}{spread}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.benchmark", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and optionally users")
    parser.add_argument("--protocol", choices=("leave-one-out", "time-split"), required=True)
    parser.add_argument("--seeds", type=int, default=1, help="how often to train, each time from another seed [1]")
    parser.add_argument("--json", type=Path, help="where the rows go")
    parser.add_argument("--fits", default=",".join(FITS), help=f"any of {','.join(FITS)} [both]")
    parser.add_argument("--shuffle-ties", action="store_true", help="a second run with events of one day in any order")
    parser.add_argument("--sasrec-epochs", type=int, default=40, help="at most; 0 leaves SASRec-CE out [40]")
    parser.add_argument("--out", type=Path, default=Path("var/benchmark"), help="where stages are kept [var/benchmark]")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a training setting")
    arguments = parser.parse_args(argv)
    fits = tuple(arguments.fits.split(","))
    if arguments.seeds < 1 or not set(fits) <= set(FITS):
        parser.error(f"--seeds must be at least 1 and --fits of {','.join(FITS)}")
    console = Console(stderr=True)
    started = time.perf_counter()
    try:
        config = TrainConfig().changed([f"protocol={arguments.protocol}", *BENCHMARK_SETTINGS, *arguments.set])
        out = arguments.out / arguments.data.resolve().name
        benchmark = Benchmark(arguments.data, out, config, fits, arguments.sasrec_epochs, console)
        results = benchmark.run(arguments.seeds, arguments.shuffle_ties, partial(_write, arguments.json))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    users = len(next(iter(results.values())).by_user("ndcg@10"))
    title = f"{arguments.data.resolve().name}, {arguments.protocol}: {users:,} test users, {arguments.seeds} seeds"
    Console(width=max(Console().width, 120)).print(_table(results, title))
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{seconds:,.0f} s in all, at most {memory:,} MiB of memory")
    return 0


def _write(path: Path | None, results: Results) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows(results), indent=1) + "\n", encoding="utf-8")


# The whole recipe with room for the lexical block in 768 dimensions, and all test users of the published shops.
BENCHMARK_SETTINGS = ("lexical_dim=448", "evaluation_users=100000")


if __name__ == "__main__":
    sys.exit(main())
