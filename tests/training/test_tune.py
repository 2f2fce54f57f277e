"""The search for settings: never worse than its start, continues after a stop, and gives settings to train with."""

import json
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from training import train, tune
from training.config import TrainConfig, settings_of

QUICK = [
    "text_epochs=1",
    "text_dim=16",
    "features_lexical_dim=32",
    "features=64",
    "sequence_epochs=1",
    "sequence_dim=16",
    "als_iterations=2",
    "epoch_events=2000",
    "tuning_users=100",
]
SETTINGS = [part for setting in QUICK for part in ("--set", setting)]
SEARCHED = ("--dials", "alpha,factors")


def search(data: Path, study: Path, trials: int, *more: str) -> int:
    return tune.main(["--data", str(data), "--study", str(study), "--trials", str(trials), *SETTINGS, *SEARCHED, *more])


def trials_of(folder: Path) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="recsvc", storage=f"sqlite:///{folder / tune.STUDY}").trials


def test_a_stopped_search_continues_and_its_best_settings_can_be_trained_with(
    small_shop_folder: Path, tmp_path: Path, embedded: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "study", tmp_path / "bundles"
    embedded(folder / ".work")
    embedded(out / ".work")
    assert search(small_shop_folder, folder, 1) == 0
    (first,) = trials_of(folder)
    assert first.params == {"alpha": TrainConfig().alpha, "factors": TrainConfig().factors}

    # A killed process leaves its trial unfinished; the next process tries its settings.
    study = optuna.load_study(study_name="recsvc", storage=f"sqlite:///{folder / tune.STUDY}")
    killed = study.ask()
    unfinished = {name: tune.HYPERPARAMETERS[name](killed) for name in ("alpha", "factors")}
    assert search(small_shop_folder, folder, 2) == 0
    done = [trial for trial in trials_of(folder) if trial.state is optuna.trial.TrialState.COMPLETE]
    assert len(done) == 3
    assert unfinished in [trial.params for trial in done]
    assert "kept from an earlier run" in capsys.readouterr().err  # the towers depend on neither setting

    best = max(done, key=lambda trial: trial.value or 0.0)
    assert json.loads((folder / tune.BEST).read_text()) == best.params
    assert best.value is not None
    assert done[0].value is not None
    assert best.value >= done[0].value
    page = (folder / tune.PAGE).read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<svg") == 3
    assert "mathdefault" not in page

    arguments = ["--data", str(small_shop_folder), "--out", str(out), "--settings", str(folder / tune.BEST), *SETTINGS]
    assert train.main(arguments) == 0
    trained = json.loads((out / "latest" / "manifest.json").read_text())["training"]
    assert trained["alpha"] == best.params["alpha"]


def draw(storage: optuna.storages.BaseStorage, trials: int) -> None:
    """Continues a study whose trials cost nothing."""
    study = optuna.create_study(storage=storage, study_name="drawn", direction="maximize", load_if_exists=True)

    def objective(trial: optuna.Trial) -> float:
        return -sum(float(tune.HYPERPARAMETERS[name](trial)) for name in ("alpha", "factors", "regularization"))

    tune.run_trials(study, objective, lambda *_: None, trials, seed=0)


def test_a_search_in_several_processes_draws_the_trials_of_one_and_none_twice() -> None:
    drawn = []
    for parts in ([14], [1, 3, 3, 7]):
        storage = optuna.storages.InMemoryStorage()
        for trials in parts:
            draw(storage, trials)
        drawn.append([trial.params for trial in optuna.load_study(study_name="drawn", storage=storage).trials])
    assert drawn[0] == drawn[1]
    assert len({tuple(params.items()) for params in drawn[0]}) == 14


def test_an_unknown_setting_another_study_and_no_trials_are_refused(
    small_shop_folder: Path, tmp_path: Path, embedded: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    embedded(tmp_path / "study" / ".work")
    assert search(small_shop_folder, tmp_path / "study", 1, "--dials", "seed") == 1
    assert "choose from alpha" in capsys.readouterr().err
    assert search(small_shop_folder, tmp_path / "study", 1) == 0
    assert search(small_shop_folder, tmp_path / "study", 1, "--set", "protocol=leave-one-out") == 1
    assert "another protocol" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        search(small_shop_folder, tmp_path / "study", 0)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_file_without_settings_is_refused_by_name(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "best.json"
    file.write_text(text)
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path), "--settings", str(file)]
    assert train.main(arguments) == 1
    assert "best.json" in capsys.readouterr().err


def test_every_hyperparameter_is_a_setting_with_its_default_in_range() -> None:
    study = optuna.create_study()
    study.enqueue_trial({name: getattr(TrainConfig(), name) for name in tune.HYPERPARAMETERS})
    trial = study.ask()
    assert {name: suggest(trial) for name, suggest in tune.HYPERPARAMETERS.items()} == {
        name: getattr(TrainConfig(), name) for name in tune.HYPERPARAMETERS
    }


def test_the_settings_of_a_file_change_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "best.json"
    file.write_text(json.dumps({"alpha": 3.5, "factors": 32}))
    config = TrainConfig().changed(settings_of(file))
    assert (config.alpha, config.factors) == (3.5, 32)
