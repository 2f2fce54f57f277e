"""Compares our model with others on one shop, by the published protocols: all items ranked, ties against each model.

    python -m training.benchmark --data DIR --protocol leave-one-out|time-split [--seeds N] [--json FILE]

The values of `recsvc` are computed from a saved bundle, by the towers, the index and the ranking of the service. Rows
"train" are fitted on the train part alone, rows "train+validation" on both, with the settings that validation chose.
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

from recsvc.domain.arrays import Rows
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

K = 20  # items in a list
FITS = ("train", "train+validation")
SHUFFLED = "same-day ties shuffled"
HEADLINES = ("recall@10", "ndcg@10")
# Over the users who bought an item that nobody had bought before, if the shop and the protocol have such users.
COLD = "recall@20 of cold items"
SEEDED = ("ALS", "SASRec-CE")  # baselines whose results depend on the seed
MIN_CONSOLE_WIDTH = 120  # characters, so that the table fits
KIB_A_MIB = 1_024  # getrusage counts KiB

# All stages, with room for the lexical block in 768 dimensions, and all test users of the published shops.
BENCHMARK_SETTINGS = ("lexical_dim=448", "evaluation_users=100000")


@dataclass
class Result:
    """The metrics of one model.

    Attributes:
        seeds: For each seed, the metrics of every user by name, in the same order of users. `COLD` has only the users
            whom it is measured on.
    """

    seeds: list[Mapping[str, NDArray[np.float64]]] = field(default_factory=list)

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics that every seed has."""
        return [metric for metric in self.seeds[0] if all(metric in values for values in self.seeds)]

    def mean(self, metric: str) -> float:
        """Over users and seeds."""
        return float(np.mean([values[metric].mean() for values in self.seeds]))

    def std(self, metric: str) -> float:
        """The standard deviation of the means of the seeds; 0 for one seed."""
        return float(np.std([values[metric].mean() for values in self.seeds], ddof=1)) if len(self.seeds) > 1 else 0.0

    def by_user(self, metric: str) -> NDArray[np.float64]:
        """The mean over seeds of each user."""
        return np.asarray(np.mean([values[metric] for values in self.seeds], axis=0))


ResultKey = tuple[str, str]  # model and fit
Results = dict[ResultKey, Result]


class Benchmark:
    """Runs every model on one shop.

    Args:
        data: The folder of the shop's tables.
        out: The folder of the stages.
        config: The settings.
        fits: The parts to fit on, of `FITS`.
        sasrec_epochs: Of the baseline SASRec-CE, at most; 0 leaves it out.
        console: Where stages are printed; standard error by default.
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
        self.prepared.check_learnable()

    def run(self, seeds: int, keep: Callable[[Results], None] | None = None, *, shuffle_ties: bool = False) -> Results:
        """Runs all models once for each seed.

        Args:
            seeds: How many.
            keep: Is given the results after each seed, because a run takes hours.
            shuffle_ties: Runs them again on the shop with the events of each user and day in random order. A
                leave-one-out split otherwise takes them in the order of the file.
        """
        results: Results = {}
        for seed in range(seeds):
            config = replace(self._config, seed=seed)
            self._run_seed(self.prepared, config, results, "")
            if shuffle_ties:
                mixed = shuffled_ties(self.prepared.interactions, seed)
                resplit = self.prepared.resplit(mixed, config, f"{SHUFFLED} {seed}")
                self._run_seed(resplit, config, results, f", {SHUFFLED}")
            if keep is not None:
                keep(results)
        return results

    def _run_seed(self, prepared: Prepared, config: TrainConfig, results: Results, suffix: str) -> None:
        test = prepared.split.test.sample(config.evaluation_users, 0)
        fitted = fit(prepared, config, self.stages)
        parts = {"train": prepared.split.train, "train+validation": prepared.split.train_and_validation}
        for name in self._fits:
            bundle = fitted.bundle
            if name != "train":
                bundle = refit(prepared, fitted, parts[name], self.stages, "refit")
            text, validation = prepared.text, prepared.split.validation
            task = Task(parts[name], text.catalogue, text.item_features, validation, config)
            self._add(results, (OURS + suffix, name), self._rank_bundle(bundle, prepared, test), test, task)
            self._run_baselines(task, name, test, results, suffix)

    def _rank_bundle(self, bundle: Bundle, prepared: Prepared, test: Holdout) -> list[Rows]:
        folder = self._out / "bundle"
        bundles.save(bundle, folder)
        saved = bundles.load(folder)
        profiles: Profiles = prepared.text.of_users(prepared.interactions.user_ids[test.users])
        ranked = rank_holdout(saved, test, profiles, repeats=saved.model.repeats)
        shutil.rmtree(folder)
        return ranked

    def _run_baselines(self, task: Task, fit_name: str, test: Holdout, results: Results, suffix: str) -> None:
        baselines = dict(BASELINES)
        if not test.exclude_history:
            baselines["TIFU-KNN"] = tifu_knn
        if fit_name == "train" and self._sasrec_epochs:  # it needs validation users to stop by
            baselines["SASRec-CE"] = partial(sasrec, stages=self.stages, epochs=self._sasrec_epochs)
        for name, baseline in baselines.items():
            # A baseline without randomness has the same result for every seed.
            if (name, fit_name) in results and not suffix and name not in SEEDED:
                continue
            started = time.perf_counter()
            ranked = rank_all(baseline(task), test, K)
            self.stages.report(name, time.perf_counter() - started, f"fitted on {fit_name}")
            self._add(results, (name + suffix, fit_name), ranked, test, task)

    def _add(self, results: Results, key: ResultKey, ranked: list[Rows], test: Holdout, task: Task) -> None:
        """Adds the metrics of one model and seed, and prints the headlines."""
        values = per_user(ranked, test.targets)
        is_cold = task.interactions.purchase_counts() == 0
        cold_targets = [targets[is_cold[targets]] for targets in test.targets]
        if users := [i for i, targets in enumerate(cold_targets) if len(targets)]:
            values[COLD] = per_user([ranked[i] for i in users], [cold_targets[i] for i in users])["recall@20"]
        results.setdefault(key, Result()).seeds.append(values)
        headlines = ", ".join(f"{metric} {values[metric].mean():.4f}" for metric in HEADLINES)
        model, fit_name = key
        self.stages.console.print(f"  [bold]{model}[/], {fit_name}: {headlines}", highlight=False)


def rows(results: Results) -> list[dict[str, Any]]:
    """One row for each model, fit and metric. `value` and `mean` are both the mean over seeds."""
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
    """Our metrics minus those of each other model fitted on the same events, as intervals paired by user."""
    differences = []
    for (model, fit_name), result in results.items():
        suffix = f", {SHUFFLED}" if model.endswith(SHUFFLED) else ""
        ours = results[OURS + suffix, fit_name]
        if result is not ours and len(ours.by_user("ndcg@10")) == len(result.by_user("ndcg@10")):
            for metric in HEADLINES:
                difference = interval(ours.by_user(metric) - result.by_user(metric))
                differences.append({"model": model, "fit": fit_name, "metric": metric, **difference})
    return differences


def _table(results: Results, title: str) -> Table:
    differences = {(row["model"], row["fit"]): row for row in comparisons(results) if row["metric"] == "ndcg@10"}
    table = Table(title=title)
    table.add_column("model", no_wrap=True)
    table.add_column("fitted on")
    cold = [COLD] if any(COLD in result.metrics for result in results.values()) else []
    for heading in (*HEADLINES, *cold, "recsvc is ahead by (ndcg@10)"):
        table.add_column(heading, justify="right")
    for (model, fit_name), result in results.items():
        cells = [_cell(result, metric) for metric in (*HEADLINES, *cold)]
        difference = differences.get((model, fit_name))
        lead = "{mean:+.4f} [{low:+.4f}, {high:+.4f}]".format(**difference) if difference else ""
        table.add_row(model, fit_name, *cells, lead)
    return table


def _cell(result: Result, metric: str) -> str:
    if metric not in result.metrics:
        return ""
    spread = f" ±{result.std(metric):.4f}" if len(result.seeds) > 1 else ""
    return f"{result.mean(metric):.4f}{spread}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark", description="Compares our model with others on one shop."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and optionally users")
    parser.add_argument("--protocol", choices=("leave-one-out", "time-split"), required=True)
    parser.add_argument("--seeds", type=int, default=1, help="number of runs, each with another seed [1]")
    parser.add_argument("--json", type=Path, help="file to write the rows to")
    parser.add_argument("--fits", default=",".join(FITS), help=f"any of {','.join(FITS)} [both]")
    parser.add_argument(
        "--shuffle-ties", action="store_true", help="run again with the events of one day in random order"
    )
    parser.add_argument("--sasrec-epochs", type=int, default=40, help="at most; 0 leaves SASRec-CE out [40]")
    parser.add_argument("--out", type=Path, default=Path("var/benchmark"), help="folder of the stages [var/benchmark]")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a training setting")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 1 after an error."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    fits = tuple(arguments.fits.split(","))
    if arguments.seeds < 1 or not set(fits) <= set(FITS):
        parser.error(f"--seeds must be at least 1 and --fits of {','.join(FITS)}")
    started = time.perf_counter()
    shop_name = arguments.data.resolve().name
    try:
        config = TrainConfig().changed([f"protocol={arguments.protocol}", *BENCHMARK_SETTINGS, *arguments.set])
        benchmark = Benchmark(
            arguments.data, arguments.out / shop_name, config, fits, arguments.sasrec_epochs, Console(stderr=True)
        )
        results = benchmark.run(arguments.seeds, partial(_write, arguments.json), shuffle_ties=arguments.shuffle_ties)
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    users = len(next(iter(results.values())).by_user("ndcg@10"))
    title = f"{shop_name}, {arguments.protocol}: {users:,} test users, {arguments.seeds} seeds"
    Console(width=max(Console().width, MIN_CONSOLE_WIDTH)).print(_table(results, title))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_A_MIB
    print(f"{time.perf_counter() - started:,.0f} s in all, at most {memory:,} MiB of memory")
    return 0


def _write(path: Path | None, results: Results) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows(results), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
