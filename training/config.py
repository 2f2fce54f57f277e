"""The settings of training. `python -m training.train --set name=value` changes any of them."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsvc.errors import SettingsError
from recsvc.model.text_encoders import AUTO

CHOICES = {"protocol": ("time-split", "leave-one-out"), "refit": ("none", "validation", "all")}
AT_LEAST_ONE = (
    "test_days",
    "repeat_window_days",
    "history_length",
    "text_dim",
    "text_epochs",
    "sequence_epochs",
    "epoch_events",
    "batch_events",
)
ZERO_IS_NONE = ("sequence_dim", "lexical_dim", "factors", "neighbours")
EVEN = ("sequence_dim", "text_dim")  # these towers have two heads


@dataclass(frozen=True)
class TrainConfig:
    """Every setting of training, with its unit.

    The defaults were chosen on the validation parts of the shops in docs/experiments.md.

    Raises:
        SettingsError: A value is outside its range.
    """

    seed: int = 0
    # The split.
    protocol: str = "time-split"
    test_days: int = 30
    history_length: int = 256  # newest events of a user in each room (`recsvc.domain.history_rooms`), as in the service
    # Which events count, and how much (see recsvc.model.towers.confidence).
    alpha: float = 20.0
    half_life_days: float = 180.0
    repeat_window_days: int = 30  # a purchase counts as a repeat when it follows within this many days
    event_weights: dict[str, float] = field(
        default_factory=lambda: {"purchase": 1.0, "view": 0.1, "add_to_cart": 0.3, "return": -1.0, "hide": -1.0}
    )
    # The sequence block: a causal transformer over learned items; 0 dimensions for none.
    sequence_dim: int = 120
    sequence_epochs: int = 16
    sequence_patience: int = 5  # epochs without a better validation NDCG@10 before training stops
    sequence_learning_rate: float = 2e-3
    sequence_dropout: float = 0.5
    # The text block.
    text_encoder: str = AUTO  # or "embedded", "multilingual", "english", a folder, a name on the hub
    text_code_dim: int = 384  # the most columns of the text vectors that searches compare; 0 keeps the encoder's
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
    # The neighbours of each item, at most; 0 for none.
    neighbours: int = 64
    # The training of both transformers.
    temperature: float = 0.07
    epoch_events: int = 200_000  # at most, drawn again each epoch: the time of training is bounded in any shop
    batch_events: int = 2_048  # events a training step; a small shop still gets enough steps
    full_softmax_items: int = 50_000  # above, the softmax is over sampled items
    sampled_items: int = 4_096
    warm_start_rate: float = 0.3  # of the learning rates, where the towers start from an earlier bundle's
    stopping_users: int = 5_000  # validation users that decide when training stops, at most
    profile_dropout: float = 0.3  # share of profiles hidden in training, so that the tower does not lean on them
    # Fusion, popularity, evidence.
    drop_blocks: bool = True  # leave out blocks, and the profiles of new users, that add nothing on validation
    tuning_users: int = 20_000  # validation users that the weights are tuned on, at most
    evaluation_users: int = 20_000  # test users, at most, drawn by seed
    popularity_days: int = 30
    cohort_days: int = 365  # the window in which "people who bought this also bought that" is counted
    popularity_half_life_days: float = 30.0
    newness_half_life_days: float = 365.0
    similar_percentile: float = 99.93  # two items count as similar from this percentile of random pairs upwards
    # What the finished bundle is fitted on. "validation": all but the test part; "all": everything, to ship.
    refit: str = "validation"

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise SettingsError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(choices)}")
        for name in AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1")
        for name in ZERO_IS_NONE:
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} must be at least 0; 0 leaves the block out")
        if self.text_code_dim < 0:
            raise SettingsError("text_code_dim must be at least 0; 0 keeps the encoder's columns")
        for name in EVEN:
            if getattr(self, name) % 2:
                raise SettingsError(f"{name} must be even: the tower has two heads")

    def with_values(self, values: Mapping[str, Any]) -> "TrainConfig":
        """This configuration with other values for some settings, by name."""
        return dataclasses.replace(self, **values)

    def changed(self, assignments: list[str]) -> "TrainConfig":
        """This configuration with `name=value` assignments. A value is JSON, or else a plain string.

        Raises:
            SettingsError: A name is unknown, or a value has another type than the setting.
        """
        values = {}
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            names = [setting.name for setting in dataclasses.fields(self)]
            if not equals or name not in names:
                raise SettingsError(f"--set {assignment}: write name=value with a name of: {', '.join(names)}")
            try:
                value = json.loads(text)
            except ValueError:
                value = text
            required = type(getattr(self, name))
            if required is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if not isinstance(value, required) or (isinstance(value, bool) and required is not bool):
                raise SettingsError(f"--set {assignment}: {name} must be of type {required.__name__}")
            values[name] = value
        return self.with_values(values)


def settings_of(file: Path) -> list[str]:
    """The settings in a JSON file, as `TrainConfig.changed` takes them.

    Raises:
        SettingsError: The file is not one JSON object, or cannot be read.
    """
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read as settings: {error}") from None
    if not isinstance(settings, dict):
        raise SettingsError(f"{file} must hold one JSON object of settings by name")
    return [f"{name}={json.dumps(value)}" for name, value in settings.items()]
