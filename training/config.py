"""The one training configuration. `python -m training.train --set name=value` changes any of it."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from recsvc.errors import SettingsError
from recsvc.model.text_encoder import EMBEDDED


@dataclass(frozen=True)
class TrainConfig:
    """Every dial of training, with its unit. The defaults were chosen on the validation parts of the shops in
    docs/experiments.md.
    """

    seed: int = 0
    # The split.
    protocol: str = "time-split"
    test_days: int = 30
    history_length: int = 256  # events a user, newest kept; the service keeps as many
    # Which events count, and how much (see recsvc.model.towers.confidence).
    alpha: float = 20.0
    half_life_days: float = 180.0
    repeat_window_days: int = 30  # buying again is learned as: again within so many days
    event_weights: dict[str, float] = field(
        default_factory=lambda: {"purchase": 1.0, "view": 0.1, "add_to_cart": 0.3, "return": -1.0, "hide": -1.0}
    )
    # The sequence block: a causal transformer over learned items; 0 dimensions for none.
    sequence_dim: int = 120
    sequence_epochs: int = 16
    sequence_patience: int = 5  # epochs without a better validation NDCG@10 before stopping
    sequence_learning_rate: float = 2e-3
    sequence_dropout: float = 0.5
    # The text block.
    text_encoder: str = EMBEDDED
    features_lexical_dim: int = 1024
    features: int = 1280
    whitening_exponent: float = 0.25
    text_dim: int = 128
    text_epochs: int = 12
    text_patience: int = 5
    text_learning_rate: float = 3e-3
    # The lexical block: whitened LSA of the items' texts; 0 dimensions for none.
    lexical_dim: int = 0
    lexical_decay: float = 0.6
    # The collaborative block: implicit ALS; 0 factors for none.
    factors: int = 64
    regularization: float = 1.0
    als_iterations: int = 15
    # Both transformers' training.
    temperature: float = 0.07
    epoch_events: int = 200_000  # at most, drawn anew each epoch: a shop's size must not decide how long training takes
    batch_events: int = 2_048  # events a training step; a small shop still gets enough steps
    full_softmax_items: int = 50_000  # above, the softmax is over sampled items
    sampled_items: int = 4_096
    warm_start_rate: float = 0.3  # of the learning rates, where the towers start from an earlier bundle's
    stopping_users: int = 5_000  # validation users by whom training stops, at most
    profile_dropout: float = 0.3  # share of profiles hidden in training, so that the tower does not lean on them
    # Fusion, popularity, evidence.
    drop_blocks: bool = True  # leave out what adds nothing on validation: blocks, and the profiles of newcomers
    tuning_users: int = 20_000  # validation users that the weights are tuned on, at most
    evaluation_users: int = 20_000  # at most, drawn by seed
    popularity_days: int = 30
    cohort_days: int = 365  # within which "people who bought this also bought that" is counted
    popularity_half_life_days: float = 30.0
    newness_half_life_days: float = 365.0
    similar_percentile: float = 99.9  # of random pairs' likeness: from there upwards two items count as similar
    # The finished bundle: what it was fitted on. "validation": all but the test part; "all": everything, to ship.
    refit: str = "validation"

    def __post_init__(self) -> None:
        for name, known in (("protocol", ("time-split", "leave-one-out")), ("refit", ("none", "validation", "all"))):
            if getattr(self, name) not in known:
                raise SettingsError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(known)}")
        for name in (
            "test_days",
            "repeat_window_days",
            "history_length",
            "text_dim",
            "text_epochs",
            "sequence_epochs",
            "epoch_events",
            "batch_events",
        ):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1")
        for name in ("sequence_dim", "lexical_dim", "factors"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} must be at least 0, which is none")
        for name in ("sequence_dim", "text_dim"):
            if getattr(self, name) % 2:
                raise SettingsError(f"{name} must be even: the tower has two heads")

    def changed(self, assignments: list[str]) -> "TrainConfig":
        """This configuration with `name=value` assignments; values are JSON, or else plain strings.

        Raises SettingsError for an unknown name or a value of another type.
        """
        changes = {}
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            if not equals or name not in {f.name for f in dataclasses.fields(self)}:
                names = ", ".join(f.name for f in dataclasses.fields(self))
                raise SettingsError(f"--set {assignment}: write name=value with a name of: {names}")
            try:
                value = json.loads(text)
            except ValueError:
                value = text
            wanted = type(getattr(self, name))
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
                raise SettingsError(f"--set {assignment}: {name} must be of type {wanted.__name__}")
            changes[name] = value
        return dataclasses.replace(self, **changes)


def settings_of(file: Path) -> list[str]:
    """The settings that a JSON file holds, as `changed` takes them. Raises SettingsError for anything else."""
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read as settings: {error}") from None
    if not isinstance(settings, dict):
        raise SettingsError(f"{file} must hold one JSON object of settings by name")
    return [f"{name}={json.dumps(value)}" for name, value in settings.items()]
