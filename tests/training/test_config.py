"""Settings are changed by name and refused with the names there are."""

import pytest

from recsvc.errors import SettingsError
from training.config import TrainConfig


def test_values_are_read_by_their_type() -> None:
    config = TrainConfig().changed(
        ["factors=32", "alpha=7", "protocol=leave-one-out", 'event_weights={"purchase": 2.0}']
    )
    assert (config.factors, config.alpha, config.protocol) == (32, 7.0, "leave-one-out")
    assert config.event_weights == {"purchase": 2.0}


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("factor=3", "factors"),
        ("factors", "name=value"),
        ("factors=many", "of type int"),
        ("factors=1.5", "of type int"),
        ("factors=true", "of type int"),
        ("text_dim=0", "at least 1"),
        ("factors=-1", "at least 0"),
        ("sequence_dim=33", "even"),
        ("protocol=random", "leave-one-out"),
        ("refit=maybe", "validation"),
    ],
)
def test_what_makes_no_sense_is_refused(assignment: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        TrainConfig().changed([assignment])
