"""Searches for better hyperparameters, by the validation NDCG@10 of the fused blocks. Test users are not read.

    python -m training.tune --data DIR --study FOLDER --trials N [--dials name,name] [--set name=value ...]

FOLDER keeps the study (SQLite; a stopped search continues where it was), best.json with the best settings, for
`python -m training.train --settings FOLDER/best.json`, and tuning.html with plots. Needs the `tune` extra. The first
trial has the settings as they are, so the best is never worse on validation.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from recsvc.errors import RecsvcError, SettingsError
from training.config import TrainConfig
from training.evaluation.html_page import html_page
from training.evaluation.report_plots import trials_plot
from training.fitting.experiment import fit, prepare
from training.fitting.stages import Stages

# An Optuna trial or study. Optuna is an extra, so its types may be missing.
OptunaTrial = Any
OptunaStudy = Any

# The settings that can be searched, with their ranges.
Suggest = Callable[[OptunaTrial], Any]
HYPERPARAMETERS: Mapping[str, Suggest] = {
    "alpha": lambda trial: trial.suggest_float("alpha", 1.0, 100.0, log=True),
    "half_life_days": lambda trial: trial.suggest_float("half_life_days", 30.0, 2_000.0, log=True),
    "factors": lambda trial: trial.suggest_int("factors", 32, 256, step=32),
    "regularization": lambda trial: trial.suggest_float("regularization", 0.01, 100.0, log=True),
    "sequence_dim": lambda trial: trial.suggest_int("sequence_dim", 64, 160, step=8),
    "sequence_learning_rate": lambda trial: trial.suggest_float("sequence_learning_rate", 3e-4, 6e-3, log=True),
    "sequence_dropout": lambda trial: trial.suggest_float("sequence_dropout", 0.1, 0.7),
    "text_dim": lambda trial: trial.suggest_int("text_dim", 64, 160, step=8),
    "text_learning_rate": lambda trial: trial.suggest_float("text_learning_rate", 5e-4, 1e-2, log=True),
    "whitening_exponent": lambda trial: trial.suggest_float("whitening_exponent", 0.0, 0.5),
    "features_lexical_dim": lambda trial: trial.suggest_categorical("features_lexical_dim", [256, 512, 1_024]),
    "lexical_dim": lambda trial: trial.suggest_categorical("lexical_dim", [0, 128, 256, 512]),
    "lexical_decay": lambda trial: trial.suggest_float("lexical_decay", 0.3, 0.95),
    "temperature": lambda trial: trial.suggest_float("temperature", 0.04, 0.15, log=True),
    "popularity_half_life_days": lambda trial: trial.suggest_float("popularity_half_life_days", 3.0, 365.0, log=True),
    "batch_events": lambda trial: trial.suggest_categorical("batch_events", [512, 1_024, 2_048, 4_096]),
}
MIN_TRIALS_FOR_IMPORTANCE = 8  # with fewer, importances would be noise
START_MARK = "settings as they were"  # the attribute of the first trial
STUDY, BEST, PAGE = "study.sqlite", "best.json", "tuning.html"


def tune(data: Path, folder: Path, config: TrainConfig, names: list[str], trials: int, console: Console) -> Path:
    """Runs more trials.

    Args:
        data: The folder of the shop's tables.
        folder: Of the study.
        config: The settings of the first trial, and of every setting that is not searched.
        names: The settings to search, of HYPERPARAMETERS.
        trials: How many more to run.
        console: Where stages and trials are printed.

    Returns:
        The file of the best settings.

    Raises:
        DataError: The tables break the input contract.
        TextEncoderError: The language model cannot be loaded.
        SettingsError: A name is unknown, the study is of other data, or the settings do not fit the data.
    """
    optuna = _optuna()
    unknown = [name for name in names if name not in HYPERPARAMETERS]
    if unknown:
        raise SettingsError(f"--dials {','.join(unknown)}: choose from {', '.join(HYPERPARAMETERS)}")
    stages = Stages(folder / ".work", console)
    prepared = prepare(data, config, stages)
    prepared.check_learnable()
    study = optuna.create_study(
        storage=f"sqlite:///{(folder / STUDY).resolve()}",
        study_name="recsvc",
        direction="maximize",
        load_if_exists=True,
    )
    about = {"data": prepared.shop.fingerprint, "protocol": config.protocol}
    if study.user_attrs and study.user_attrs != about:
        raise SettingsError(f"{folder} holds a study of other data or another protocol: choose another --study")
    for name, value in about.items():
        study.set_user_attr(name, value)
    _enqueue(study, config, names)

    def objective(trial: OptunaTrial) -> float:
        settings = {name: HYPERPARAMETERS[name](trial) for name in names}
        fitted = fit(prepared, config.with_values(settings), stages)
        trial.set_user_attr("blocks", [name for name, weight in vars(fitted.tuned.warm.blocks).items() if weight])
        return fitted.validation_ndcg

    def after_trial(study: OptunaStudy, trial: OptunaTrial) -> None:
        best = study.best_trial
        console.print(
            f"[bold]trial {trial.number}[/]: validation NDCG@10 {trial.value:.4f}; best {best.value:.4f} in trial "
            f"{best.number}",
            highlight=False,
        )
        _write(study, folder)

    run_trials(study, objective, after_trial, trials, config.seed)
    return folder / BEST


def run_trials(
    study: OptunaStudy,
    objective: Callable[[OptunaTrial], float],
    after_trial: Callable[[OptunaStudy, OptunaTrial], None],
    trials: int,
    seed: int,
) -> None:
    """Runs more trials of a study, each drawn by its number.

    So a search that was stopped and continued draws the same trials as one that was not. With one seed for the whole
    process, each process would draw the trials of the first again.

    Args:
        study: The study; trials that wait in its queue come first.
        objective: Returns the value of a trial.
        after_trial: Is called after each trial.
        trials: How many to run.
        seed: Of the search.
    """
    optuna = _optuna()
    for _ in range(trials):
        begun = sum(trial.state is not optuna.trial.TrialState.WAITING for trial in study.get_trials(deepcopy=False))
        seeds = np.random.SeedSequence((seed, begun)).generate_state(1)
        study.sampler = optuna.samplers.TPESampler(seed=int(seeds[0]))
        study.optimize(objective, n_trials=1, callbacks=[after_trial])


def _optuna() -> Any:  # noqa: ANN401 - a module, which may be missing
    try:
        import optuna  # noqa: PLC0415 - an extra
    except ImportError:
        raise SettingsError("tuning needs Optuna: pip install 'recsvc[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _enqueue(study: OptunaStudy, config: TrainConfig, names: list[str]) -> None:
    """Queues the settings as they are first, then the trials that a stopped process left unfinished."""
    if not study.trials:
        study.enqueue_trial({name: getattr(config, name) for name in names}, user_attrs={START_MARK: True})
    for trial in study.get_trials(deepcopy=False, states=[_optuna().trial.TrialState.RUNNING]):
        study.tell(trial.number, state=_optuna().trial.TrialState.FAIL)
        study.enqueue_trial(trial.params, user_attrs=trial.user_attrs)


def _page(study: OptunaStudy) -> str:
    """The page of the search: each trial, the best so far, and the effect and importance of each setting."""
    done = [trial for trial in study.trials if trial.value is not None]
    values = [trial.value for trial in done]
    importances = {}
    if len(done) >= MIN_TRIALS_FOR_IMPORTANCE and len(study.best_params) > 1:
        importances = _optuna().importance.get_param_importances(study)
    plots = {}
    for name in study.best_params:
        with_name = [trial for trial in done if name in trial.params]
        plots[name] = trials_plot([trial.params[name] for trial in with_name], [t.value for t in with_name], name)
    return html_page("evaluation/tuning.html.j2").render(
        about=study.user_attrs,
        best=study.best_trial,
        first=next((trial for trial in done if trial.user_attrs.get(START_MARK)), None),
        trials=done,
        importances=importances,
        history=trials_plot([trial.number for trial in done], values, "trial", best_so_far=True),
        dials=plots,
    )


def _write(study: OptunaStudy, folder: Path) -> None:
    """Writes best.json and tuning.html. Each is replaced in one step."""
    for name, text in ((BEST, json.dumps(study.best_params, indent=1) + "\n"), (PAGE, _page(study))):
        part = folder / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / name)


def main(argv: list[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 1 after an error."""
    parser = argparse.ArgumentParser(prog="python -m training.tune", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and optionally users")
    parser.add_argument("--study", type=Path, required=True, help="folder of the study and its results")
    parser.add_argument("--trials", type=int, default=30, help="number of trials to run [30]")
    parser.add_argument(
        "--dials", default=",".join(HYPERPARAMETERS), help=f"settings to search, of {', '.join(HYPERPARAMETERS)} [all]"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting")
    arguments = parser.parse_args(argv)
    if arguments.trials < 1:
        parser.error("--trials must be at least 1")
    try:
        config = TrainConfig().changed(arguments.set)
        console = Console(stderr=True)
        best = tune(arguments.data, arguments.study, config, arguments.dials.split(","), arguments.trials, console)
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"best settings {best}\nreport {arguments.study / PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
