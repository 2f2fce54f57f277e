"""Splits the events as the settings say, or says which other split they allow."""

from contextlib import suppress

from recsvc.errors import SettingsError
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.split import Split, leave_one_out, no_split, nothing_to_learn, time_split

# The splits that are tried, in this order, where the one of the settings is not possible. The error names one.
OTHER_SPLITS = (
    *(("protocol=time-split", f"test_days={days}") for days in (30, 14, 7, 3, 1)),
    ("protocol=leave-one-out",),
)


def make_split(interactions: Interactions, config: TrainConfig) -> Split:
    """The split that the configuration names; `no_split` if there is nothing to learn, however the events are split.

    Raises:
        SettingsError: The events do not allow this split, and allow another.
    """
    if nothing_to_learn(interactions) is not None:
        return no_split(interactions)
    try:
        return _split(interactions, config)
    except ValueError as error:
        days = f", test_days={config.test_days}" if config.protocol == "time-split" else ""
        for assignments in OTHER_SPLITS:
            with suppress(ValueError):
                _split(interactions, config.changed(list(assignments)))
                possible = " ".join(f"--set {assignment}" for assignment in assignments)
                raise SettingsError(f"protocol {config.protocol}{days}: {error}; {possible} is possible") from error
        return no_split(interactions)


def _split(interactions: Interactions, config: TrainConfig) -> Split:
    """The split that the configuration names. Raises ValueError if the events do not allow it."""
    if config.protocol == "leave-one-out":
        split = leave_one_out(interactions, config.history_length)
    else:
        split = time_split(interactions, config.test_days, config.history_length)
    if (reason := nothing_to_learn(split.train)) is not None:
        raise ValueError(f"in the train part, {reason}")
    return split
